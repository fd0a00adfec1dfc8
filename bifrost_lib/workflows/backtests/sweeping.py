"""A grid of parameters over the stored history, and how much of its best result is luck."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.running import Tell, read_cubes, symbol_names
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from bifrost_lib.backtest import ChainCube, SweepResult

#: Fewer quotes times sets than this are simulated in this process: starting workers would take longer.
_SMALL_WORK = 100_000_000
_MOST_BLOCKS = 16


@dataclass(frozen=True, eq=False)
class GridRun:
    """A grid of one document.

    Attributes
    ----------
    document : StrategyDocument
        That the grid varies.
    documents : tuple of StrategyDocument
    assignments : tuple of dict
        The grid's values of each.
    result : SweepResult
    statistics : dict
        ``sets``, ``best`` (its place), ``sharpe`` (its own, of one session), ``deflated_sharpe`` (probability that it
        is better than luck), ``luck`` (the Sharpe ratio that luck alone reaches), ``trials`` (independent ones), and
        ``pbo`` (probability that choosing the best overfits); NaN with a ``reason``.
    cube_sha256, code_version : str
    simulated : bool
    """

    document: StrategyDocument
    documents: tuple[StrategyDocument, ...]
    assignments: tuple[dict[str, Any], ...]
    result: SweepResult
    statistics: dict[str, Any]
    cube_sha256: str
    code_version: str
    simulated: bool

    @property
    def table(self) -> pd.DataFrame:
        """The summary with a column for each parameter, by its path, the best Sharpe ratio first."""
        import pandas as pd

        summary: pd.DataFrame = self.result.summary
        parameters = pd.DataFrame(list(self.assignments), index=summary.index)
        found = pd.concat([parameters, summary.drop(columns=[*parameters], errors="ignore")], axis=1)
        return found.sort_values("sharpe", ascending=False, kind="stable", na_position="last")

    def as_dict(self) -> dict[str, Any]:
        """Return the grid's results JSON-ready, the best first."""
        summary = self.result.summary
        sets = [
            {"document_hash": row["document_hash"], "parameters": self.assignments[int(place)],
             **{name: value for name, value in row.items() if name not in ("document_hash", "name")}}
            for place, row in zip(self.table.index, summary.loc[self.table.index].to_dict("records"), strict=True)
        ]  # fmt: skip
        told = {"document_hash": self.document.sha256, "strategy": self.document.name, "simulated": self.simulated}
        told |= {"cube_sha256": self.cube_sha256, "code_version": self.code_version}
        return {**told, "sets": sets, "statistics": self.statistics}


def run_grid(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    grid: Mapping[str, Any],
    *,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    cadence: str | int = "daily",
    entry_time: time | None = None,
    entry_offset: int = 0,
    rate: float = 0.0,
    signal: str | None = None,
    at: datetime | None = None,
    progress: Callable[[Any], None] | None = None,
    tell: Tell | None = None,
) -> GridRun:
    """Replay every document of a grid over stored chains, large ones on the workers of a Dask client.

    Parameters
    ----------
    grid : mapping
        Parameter path to values, see `backtest.grids.read_grid`.
    progress : callable, optional
        Given a `SweepProgress` now and then where workers do it.
    desk, document, symbols, start, end, fills, capital, cadence, entry_time, entry_offset, rate, signal, at, tell
        As for `run_backtest`.

    Raises
    ------
    DocumentError
        If the document has no such parameter, or a value is none that it may have.
    SweepInterrupted
        If workers were lost; the same call goes on from what is finished.
    NoDataError, InputError, HoldOutClosed
        As for `run_backtest`.
    """
    from bifrost_lib.backtest import assignments, code_version, expand
    from bifrost_lib.workflows.studies import check_not_kept_back

    documents, values = tuple(expand(document, grid)), tuple(assignments(grid))
    names, until = symbol_names(symbols), as_utc(at) if at is not None else desk.clock.now()
    check_not_kept_back(desk, documents, names, end=end)
    cubes = read_cubes(desk, names, cadence=cadence, start=None if signal else start, end=end, at=until, tell=tell)
    options: dict[str, Any] = {"fills": fills, "capital": capital, "rate": rate, "start": start, "end": end}
    options |= {"entry_time": entry_time, "entry_offset": entry_offset}
    if signal is not None:
        from bifrost_lib.backtest import signals

        options["entry_allowed"] = {
            name: signals.gate(cube, signal, entry_time=entry_time) for name, cube in cubes.items()
        }
    result = _swept(desk, documents, cubes, options, progress)
    return GridRun(
        document,
        documents,
        values,
        result,
        judged(result.daily),
        " ".join(cube.between(start, end).sha256 for cube in cubes.values()),
        code_version(),
        bool(store.simulated_symbols(desk.store, names)),
    )


def judged(daily: npt.ArrayLike) -> dict[str, Any]:
    """Return what the search of a grid amounts to: its best set, and how much of that is luck.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Gains.
    """
    import numpy as np

    from bifrost_lib.backtest import deflate, probability_of_overfitting

    gains = np.asarray(daily, dtype=np.float64)
    found = deflate(gains)
    statistics = {
        "sets": len(gains),
        "best": None if found.chosen < 0 else int(found.chosen),
        "sharpe": found.sharpe,
        "deflated_sharpe": found.probability,
        "luck": found.benchmark,
        "trials": found.trials.count,
        "pbo": math.nan,
        "reason": found.reason,
    }
    blocks = min(_MOST_BLOCKS, gains.shape[1] // 4 * 2)
    if len(gains) < 2 or blocks < 2:
        return statistics | {"reason": found.reason or "one set, or few sessions, say nothing of choosing"}
    cscv = probability_of_overfitting(gains, blocks=blocks)
    return statistics | {"pbo": cscv.probability, "reason": found.reason or cscv.reason}


def _swept(
    desk: Desk,
    documents: Sequence[StrategyDocument],
    cubes: Mapping[str, ChainCube],
    options: dict[str, Any],
    progress: Callable[[Any], None] | None,
) -> SweepResult:
    quotes = sum(len(cube.bid) for cube in cubes.values())
    if not desk.settings.dask_scheduler and quotes * len(documents) <= _SMALL_WORK:
        from bifrost_lib.backtest import sweep

        return sweep(documents, cubes, **options)
    from bifrost_lib.workflows.sweeps import connect, run_sweep

    with connect(desk.settings) as client:
        return run_sweep(documents, cubes, client=client, home=desk.settings.home, progress=progress, **options)
