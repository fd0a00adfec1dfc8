"""Many documents replayed over the same history: a summary of each, and what each made every day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import ChainCube
from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Cubes, Stage, by_symbol
from bifrost_lib.backtest.engine.simulation import Simulated, room_of, simulate_all
from bifrost_lib.backtest.engine.tables import Terms
from bifrost_lib.backtest.engine.wheel import follower_of, simulate_wheel
from bifrost_lib.backtest.replay import Replay
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]

SESSIONS_PER_YEAR = 252.0
_NEAR = 128
_COUNTS = {
    "trades": at.M_TRADES, "closed": at.M_CLOSED, "open": at.M_OPEN, "unpriceable": at.M_UNPRICEABLE,
    "wins": at.M_WINS,
}  # fmt: skip
_MONEY = {
    "pnl": at.M_PNL, "won": at.M_WON, "lost": at.M_LOST, "best_pnl": at.M_BEST, "worst_pnl": at.M_WORST,
    "commission": at.M_COMMISSION, "days": at.M_DAYS, "max_margin": at.M_MAX_MARGIN, "margin_days": at.M_MARGIN_DAYS,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What a sweep found.

    Parameters
    ----------
    summary : DataFrame
        One row a document, in their order: `document_hash`, `name`; `trades`, of which `closed`, `open`,
        `unpriceable` and, of the closed ones, `wins`, `win_rate`, `pnl`, `mean_pnl`, `best_pnl`, `worst_pnl`,
        `profit_factor`; `commission`, `mean_days` in trade; `final_equity`, `total_return`, `volatility`, `sharpe`
        (annual, above no rate), `max_drawdown` (<= 0, share of the peak), `exposure` in margin: `max_margin`,
        `mean_margin`. NaN where a figure has no meaning.
    daily : float64 (documents, sessions)
        Change of the account on each session, currency.
    sessions : datetime64[D] (sessions,)
    capital : float
    """

    summary: pd.DataFrame
    daily: Array
    sessions: Array
    capital: float


def sweep(documents: Sequence[StrategyDocument], cubes: Cubes, **options: Any) -> SweepResult:
    """Replay many documents in this process; `workflows.sweeps.run_sweep` takes them to a cluster.

    Parameters
    ----------
    documents : sequence of StrategyDocument
        At least one.
    cubes : ChainCube or mapping of symbol to ChainCube
    **options
        Those of `run`: ``start``, ``end``, ``fills``, ``capital``, ``entry_time``, ``entry_offset``, ``rate`` and
        ``entry_allowed``.

    Notes
    -----
    A set's figures depend on its document alone. Sets that choose their legs alike share that work; those that go on
    after an assignment are simulated one by one, and take hundreds of times longer.
    """
    return assemble(documents, cubes, sweep_chunk(documents, cubes, **options), **options)


def sweep_chunk(documents: Sequence[StrategyDocument], cubes: Cubes, **options: Any) -> dict[str, Array]:
    """Replay documents and return plain arrays, whose first axis is the documents in their order.

    Parameters as for `sweep`. ``daily`` is float64 (documents, sessions) and ``document_sha256`` uint8 (documents, 32),
    all others have one number a document.
    """
    if not len(documents):
        raise InputError("documents", documents, "at least one document")
    replay = Replay(**options)
    stage, allowed = _stages.get(cubes, replay), replay.allowed(cubes)
    found = simulate_all(stage, documents, replay.terms, allowed)
    follow(found, stage, documents, replay.terms, allowed)
    return chunk_arrays(documents, found, replay)


def follow(
    found: Simulated, stage: Stage, documents: Sequence[StrategyDocument], terms: Terms, allowed: Array | None
) -> None:
    """Put what `run` finds of documents that go on after an assignment in the place of what was simulated of them."""
    for place, document in enumerate(documents):
        if (follower := follower_of(document)) is not None:
            wheeled = simulate_wheel(stage, document, follower, terms, allowed)
            found.told[place, : at.M_REFUSED] = wheeled.told[0, : at.M_REFUSED]
            found.equity[place] = wheeled.equity[0]


def chunk_arrays(documents: Sequence[StrategyDocument], found: Simulated, replay: Replay) -> dict[str, Array]:
    """Return simulations as the arrays of `sweep_chunk`."""
    counts = {name: found.told[:, place].astype(np.int64) for name, place in _COUNTS.items()}
    money = {name: found.told[:, place].copy() for name, place in _MONEY.items()}
    digests = b"".join(bytes.fromhex(document.sha256) for document in documents)
    return {
        **counts,
        **money,
        "document_sha256": np.frombuffer(digests, dtype=np.uint8).reshape(len(documents), -1),
        "daily": np.diff(found.equity, axis=1, prepend=replay.capital),
    }


def assemble(
    documents: Sequence[StrategyDocument], cubes: Cubes, arrays: Mapping[str, Array], **options: Any
) -> SweepResult:
    """Return what `sweep_chunk` found of all `documents`, put together, as a sweep's result.

    Parameters
    ----------
    documents : sequence of StrategyDocument
    cubes : ChainCube or mapping of symbol to ChainCube
    arrays : mapping
        Of `sweep_chunk`, joined along the documents.
    **options
        Those of the chunks.
    """
    import pandas as pd

    replay = Replay(**options)
    cut = [cube.session_day[cube.sessions_between(replay.start, replay.end)] for cube in by_symbol(cubes)]
    days = np.unique(np.concatenate(cut)).astype("datetime64[D]")
    capital = float(replay.capital)
    daily = np.asarray(arrays["daily"], dtype=np.float64)
    if daily.shape != (len(documents), len(days)):
        raise InputError("arrays['daily']", daily.shape, f"{len(documents)} documents by {len(days)} sessions")
    columns: dict[str, Any] = {
        "document_hash": [digest.tobytes().hex() for digest in np.asarray(arrays["document_sha256"])],
        "name": [document.name for document in documents],
        **{name: np.asarray(arrays[name]) for name in (*_COUNTS, "pnl", "best_pnl", "worst_pnl", "commission")},
        **_ratios(arrays, len(days)),
        **_of_equity(daily, capital),
    }
    return SweepResult(pd.DataFrame(columns), daily, days, capital)


def _ratios(arrays: Mapping[str, Array], sessions: int) -> dict[str, Array]:
    with np.errstate(divide="ignore", invalid="ignore"):
        closed = np.asarray(arrays["closed"], dtype=np.float64)
        found = {
            "win_rate": arrays["wins"] / closed,
            "mean_pnl": arrays["pnl"] / closed,
            "profit_factor": arrays["won"] / -arrays["lost"],
            "mean_days": arrays["days"] / np.asarray(arrays["trades"], dtype=np.float64),
        }
    known = {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}
    return {**known, "max_margin": arrays["max_margin"], "mean_margin": arrays["margin_days"] / sessions}


def _of_equity(daily: Array, capital: float) -> dict[str, Array]:
    # A few sets at a time, whose figures stay near the processor.
    parts = [_of_some(daily[first : first + _NEAR], capital) for first in range(0, len(daily), _NEAR)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _of_some(daily: Array, capital: float) -> dict[str, Array]:
    equity = capital + np.cumsum(daily, axis=1)
    before = np.concatenate([np.full((len(daily), 1), capital), equity[:, :-1]], axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), capital)
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.where(before > 0, daily / before, np.nan)
        spread = returns.std(axis=1, ddof=1) if daily.shape[1] > 1 else np.full(len(daily), np.nan)
        sharpe = np.where(spread > 0, returns.mean(axis=1) / spread * np.sqrt(SESSIONS_PER_YEAR), np.nan)
    return {
        "final_equity": equity[:, -1],
        "total_return": equity[:, -1] / capital - 1.0,
        "volatility": spread * np.sqrt(SESSIONS_PER_YEAR),
        "sharpe": sharpe,
        "max_drawdown": (equity / peak - 1.0).min(axis=1),
    }


def chunk_bytes(cubes: Cubes, sets: int) -> int:
    """Return about how many bytes `sweep_chunk` needs beside the cubes: tables of the market, scratch and results."""
    given = by_symbol(cubes)
    rows = sum(len(cube.row_contract) for cube in given)
    copied = sum(cube.nbytes for cube in given) if len(given) > 1 else 0
    return 2 * 8 * at.ROW_WIDTH * rows + copied + room_of(sets, sum(cube.sessions for cube in given))


class _LastStage:
    """The stage of the last call: the chunks of a sweep come one after the other over the same cubes."""

    def __init__(self) -> None:
        self._of: tuple[tuple[ChainCube, ...], tuple[Any, ...]] | None = None
        self._stage: Stage | None = None

    def get(self, cubes: Cubes, replay: Replay) -> Stage:
        """Return the stage of a replay, made anew where the last one was another."""
        given = by_symbol(cubes)
        if self._stage is None or self._of is None or self._of[1] != replay.window or not _are(self._of[0], given):
            self._stage, self._of = replay.stage(cubes), (given, replay.window)
        return self._stage


def _are(some: tuple[ChainCube, ...], others: tuple[ChainCube, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


_stages = _LastStage()
