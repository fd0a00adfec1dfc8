"""The result of a scan: ranked candidates as frames to work with and as records to show and send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.scanning.correction import PopCorrection
from bifrost_lib.strategies.scanning.odds import under_surface
from bifrost_lib.strategies.scanning.ranking import Pick
from bifrost_lib.strategies.scanning.records import Record, Terms, record_of
from bifrost_lib.strategies.scanning.score import PARTS

if TYPE_CHECKING:
    from bifrost_lib.pricing import VolSurface

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CandidateSet:
    """Ranked candidates of one strategy on one chain, and an account of all that were considered.

    Attributes
    ----------
    strategy, symbol, at
        What was scanned, on which underlying, as of when (aware UTC).
    considered : int
        How many combinations were measured.
    admissible : int
        How many the document's rules allow; more than `considered` only if the scan hit its limit or was stopped.
    rejected : dict
        Measured candidates that were turned down, by reason.
    excluded : dict
        Quotes that could not become legs, by reason.
    skipped : dict
        Expiries without any candidate, and why.
    stopped : bool
        Whether the caller stopped the scan.
    unchecked : tuple of str
        Conditions of entry that nobody could check, because no figures were given.
    """

    strategy: StrategyDocument
    symbol: str
    at: datetime
    considered: int
    admissible: int
    rejected: dict[str, int]
    excluded: dict[str, int]
    skipped: dict[str, str]
    stopped: bool
    unchecked: tuple[str, ...]
    _records: tuple[Record, ...]
    _front: Callable[[], tuple[Record, ...]]  # described only for those who ask

    @property
    def is_complete(self) -> bool:
        """Whether every admissible combination was measured."""
        return self.considered == self.admissible

    def __len__(self) -> int:
        return len(self._records)

    def records(self) -> list[Record]:
        """Return the candidates, best first, as plain values under the vocabulary's names, ready for JSON.

        Money is for one unit of the structure with its `multiplier`; `premium` > 0 is a credit and counts all legs, a
        stock leg too. A leg's ``qty`` is in contracts; a stock leg (right ``"S"``, no strike, no expiry) of 1 is
        `multiplier` shares. Unbounded and unknown are None, the former with its flag. ``score_parts`` add up to
        ``score``. `vol`, `forward`, `rate`, `div_yield` and `tau` are the distribution that `pop` and `ev` belong to;
        ``pop_recalibrated`` is what earlier outcomes make of `pop`, and what the score counts, where a scan was given
        a `PopCorrection`; ``pop_surface`` and ``ev_surface`` are those of a surface (see `under`). ``tail_loss`` is
        the largest loss at prices within 1.96 deviations; ``on_front`` says that no candidate is better in
        probability, expected return (on capital, after costs) and tail loss (as a share of capital) at once.
        """
        return [_copy(record) for record in self._records]

    def front(self) -> list[Record]:
        """Return the Pareto front as records, best score first.

        It is taken over all that were measured, told apart in 32 steps of probability and as many of expected return:
        in each such cell only the candidate with the least tail loss counts.
        """
        return [_copy(record) for record in self._front()]

    def under(self, surface: VolSurface) -> CandidateSet:
        """Return the same candidates with their odds under a fitted surface, where they have one expiry."""

        records = tuple(under_surface(record, surface) for record in self._records)
        return replace(self, _records=records, _front=partial(_front_under, self._front, surface))

    @property
    def candidates(self) -> pd.DataFrame:
        """One row per candidate, indexed by rank; missing and unbounded are NaN, the latter with its flag."""
        rows = [{key: value for key, value in record.items() if key != "legs"} for record in self._records]
        frame = pd.DataFrame(rows).set_index("rank")
        parts = frame.pop("score_parts")
        for name in PARTS:
            frame[f"score_{name}"] = [part[name] for part in parts]
        numbers = [name for name in ("max_profit", "max_loss", "return_on_risk", "annual_return") if name in frame]
        return frame.astype(dict.fromkeys(numbers, "float64"))

    @property
    def legs(self) -> pd.DataFrame:
        """One row per candidate and leg: rank, leg, right, qty, strike, expiry, price."""
        rows = [{"rank": record["rank"], **leg} for record in self._records for leg in record["legs"]]
        frame = pd.DataFrame(rows)
        frame["expiry"] = pd.to_datetime(frame["expiry"]).astype("datetime64[s]")
        return frame.astype({"strike": "float64", "price": "float64"})


def candidate_set(
    *, picks: Sequence[Pick], front: Sequence[Pick], points: Floats, correction: PopCorrection | None, fill: float,
    naked_rate: float, **facts: Any,
) -> CandidateSet:  # fmt: skip
    """Describe the best candidates of a scan in full; `facts` are the other fields of `CandidateSet`."""
    terms = Terms(facts["strategy"], points[: len(PARTS)], correction, fill, naked_rate)
    describe = partial(_records, terms=terms)
    return CandidateSet(**facts, _records=describe(picks), _front=partial(describe, front))


def _records(picks: Sequence[Pick], *, terms: Terms) -> tuple[Record, ...]:
    return tuple(record_of(rank, pick, terms) for rank, pick in enumerate(picks, start=1))


def _front_under(front: Callable[[], tuple[Record, ...]], surface: VolSurface) -> tuple[Record, ...]:
    return tuple(under_surface(record, surface) for record in front())


def _copy(record: Record) -> Record:
    return {
        **record,
        "legs": [dict(leg) for leg in record["legs"]],
        "breakevens": list(record["breakevens"]),
        "score_parts": dict(record["score_parts"]),
    }
