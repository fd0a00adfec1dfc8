"""A sweep in pieces: each is a run of the ledger and one transaction, so that a kill loses no more than one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

import pandas as pd

from bifrost_lib.ib import ListedOption
from bifrost_lib.store import Gap, RunOutcome
from bifrost_lib.workflows.collection.rows import EMPTY_QUOTE, Observed, to_batch
from bifrost_lib.workflows.collection.universe import GroupKey, group_key

#: Contracts in a piece, about 20 s of IB's messages; groups of class and expiry stay whole.
CHUNK = 500
#: Reasons that are no fault of ours: such a contract shows no quote, or is not listed any more.
NOTHING_TO_FETCH = frozenset({EMPTY_QUOTE, "no_security"})
#: Reasons for which asking again will earn the same answer.
HOPELESS = frozenset({"not_subscribed"})


@dataclass
class Chunk:
    """One piece under way: what is expected, what has come, and which groups are complete."""

    options: tuple[ListedOption, ...]
    started: datetime
    batch_id: str
    run_id: int | None = None
    messages: int = 0
    lines_peak: int = 0
    frames: list[pd.DataFrame] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    lost: dict[str, list[ListedOption]] = field(default_factory=dict)
    changes: pd.DataFrame | None = None
    gaps_before: tuple[Gap, ...] = ()

    def __post_init__(self) -> None:
        self.opened = self.started  # when its turn came
        self._pending = {option.con_id: option for option in self.options}
        self._groups = Counter(group_key(option) for option in self.options)
        self._partial: dict[GroupKey, list[Observed]] = {}
        self._whole: list[Observed] = []

    @property
    def pending(self) -> int:
        """Contracts of which nothing is known yet."""
        return len(self._pending)

    @property
    def received(self) -> int:
        """Contracts that have become rows."""
        return sum(map(len, self.frames))

    def take(self, observed: Observed) -> None:
        """Take in one observation; a second one of the same contract changes nothing."""
        option = self._pending.pop(observed.option.con_id, None)
        if option is None:
            return
        key = group_key(option)
        group = self._partial.setdefault(key, [])
        group.append(observed)
        if len(group) == self._groups[key]:
            self._whole += self._partial.pop(key)

    def cut(self, symbol: str, ts: datetime) -> None:
        """Make rows of the groups that are complete; `ts` is their moment."""
        self._make_rows(symbol, ts, self._whole)
        self._whole = []

    def end(self, symbol: str, ts: datetime, *, reason: str) -> None:
        """Make rows of everything that came; what has not come is missing for `reason`."""
        self._make_rows(symbol, ts, self._whole + [one for group in self._partial.values() for one in group])
        self._whole, self._partial = [], {}
        if self._pending:
            self.missing[reason] += len(self._pending)
            self.lost.setdefault(reason, []).extend(self._pending.values())
            self._pending = {}

    def outcome(self, finished: datetime, *, problem: str = "") -> RunOutcome:
        """Return what the ledger is told."""
        return RunOutcome(
            expected=len(self.options),
            received=self.received,
            missing=dict(self.missing),
            lines_peak=self.lines_peak,
            messages=self.messages,
            seconds=max(0.0, (finished - self.opened).total_seconds()),
            problem=problem,
        )

    def gaps(self, finished: datetime, *, fillable_until: datetime) -> tuple[Gap, ...]:
        """Return one gap for each reason why contracts that show a quote were not observed."""
        return tuple(
            Gap(
                first_ts=self.started,
                last_ts=max(self.started, finished),
                reason=reason,
                expected=len(options),
                received=0,
                fillable_until=finished if reason in HOPELESS else fillable_until,
                wanted=[wanted(option) for option in options],
            )
            for reason, options in self.lost.items()
            if reason not in NOTHING_TO_FETCH
        )

    def _make_rows(self, symbol: str, ts: datetime, observed: Sequence[Observed]) -> None:
        if not observed:
            return
        batch = to_batch(observed, symbol=symbol, ts=ts)
        if len(batch.frame):
            self.frames.append(batch.frame)
        self.missing.update(batch.missing)
        for one, reason in batch.lost:
            self.lost.setdefault(reason, []).append(one)


def cut_into_chunks(options: Sequence[ListedOption], *, started: datetime, name: str, size: int = CHUNK) -> list[Chunk]:
    """Divide a sweep into pieces of about `size` contracts without dividing a group of class and expiry.

    Parameters
    ----------
    options : sequence of ListedOption
        In the order of `options_to_observe`.
    started : datetime, aware
    name : str
        What tells this sweep from all others.
    """
    pieces: list[list[ListedOption]] = [[]]
    for _, members in groupby(options, key=group_key):
        group = list(members)
        if pieces[-1] and len(pieces[-1]) + len(group) > 1.25 * size:
            pieces.append([])
        pieces[-1] += group
    return [
        Chunk(tuple(piece), started, f"{name} {number}/{len(pieces)}")
        for number, piece in enumerate(pieces, 1)
        if piece
    ]


def wanted(option: ListedOption) -> list[Any]:
    """Return the words under which a gap remembers a contract."""
    contract = option.contract
    return [contract.trading_class, contract.expiry.isoformat(), contract.strike, contract.right]


def days_wanted(words: Sequence[Sequence[Any]]) -> list[date]:
    """Return the expiries of what a gap remembers, ascending."""
    return sorted({date.fromisoformat(word[1]) for word in words})


def only_wanted(options: Sequence[ListedOption], words: Sequence[Sequence[Any]]) -> list[ListedOption]:
    """Return those of `options` that a gap remembers."""
    asked = {tuple(word) for word in words}
    return [option for option in options if tuple(wanted(option)) in asked]
