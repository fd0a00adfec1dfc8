"""Walking forward: choose on the past, trade what comes next, and move on; on the days that may be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.kept_back import study_cubes
from bifrost_lib.workflows.studies.searching import check_open, documents_of, judged, note_run, reached
from bifrost_lib.workflows.studies.study import find_study
from bifrost_lib.workflows.sweeps import Progress, run_sweep

if TYPE_CHECKING:
    from dask.distributed import Client

    from bifrost_lib.backtest import ChainCube

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What choosing again and again would have brought.

    Attributes
    ----------
    windows : DataFrame
        One row a window: `train_start`, `train_end`, `test_start`, `test_end` (dates), `set` (row of the grid that was
        best on the training days; -1 where none traded), the grid's values of it, `train_sharpe`, `test_sharpe` (of
        one session; NaN where nothing moved) and `pnl` of the test days.
    daily : DataFrame
        `date` and `pnl` of all test days, in their order.
    statistics : dict
        ``train_sharpe`` (mean over windows), ``test_sharpe`` (of `daily`), ``efficiency`` (the second over the first;
        NaN unless that is above 0), ``pnl``, and what `judged` says of the whole search.
    """

    windows: pd.DataFrame
    daily: pd.DataFrame
    statistics: dict[str, Any]


def walk_study(
    desk: Desk,
    name: str,
    *,
    train: int,
    test: int,
    embargo: int = 0,
    anchored: bool = False,
    client: Client | None = None,
    progress: Progress | None = None,
) -> WalkForward:
    """Choose the best set of a study's grid on `train` sessions, trade it on the `test` that follow, and move on.

    Parameters
    ----------
    desk : Desk
    name : str
    train, test, embargo, anchored
        See `backtest.walk_forward`; sessions of the days that may be seen.
    client, progress
        See `run_study`.

    Raises
    ------
    InputError
        If the study has no grid, its choice is made, or the sessions are too few for one window.

    Notes
    -----
    Each window is a run of its own: positions are neither carried into a test nor out of it, and what is open at the
    end of the training days counts at its last mark.
    """
    from bifrost_lib.backtest import sharpe_ratios, walk_forward

    study = find_study(desk, name)
    check_open(study)
    if not study.grid:
        raise InputError("study", name, "one with a grid: there is nothing to choose from a single document")
    cubes = study_cubes(desk, study)
    documents, values = documents_of(study)
    days = _days(cubes)
    rows, results = [], []
    with reached(desk, client) as found:

        def sweep(tried: Sequence[StrategyDocument], there: dict[str, ChainCube]) -> Floats:
            home = desk.settings.home
            result = run_sweep(tried, there, client=found, home=home, progress=progress, **study.options)
            return np.asarray(result.daily, dtype=np.float64)

        for window in walk_forward(len(days), train=train, test=test, embargo=embargo, anchored=anchored):
            learn = days[window.train_start], days[window.train_stop - 1]
            judge = days[window.test_start], days[window.test_stop - 1]
            sharpe = sharpe_ratios(sweep(documents, _within(cubes, *learn)))
            chosen = -1 if np.isnan(sharpe).all() else int(np.nanargmax(sharpe))
            pnl = np.zeros(window.test_stop - window.test_start)
            if chosen >= 0:
                pnl = sweep([documents[chosen]], _within(cubes, *judge))[0]
            rows.append(
                {"train_start": learn[0], "train_end": learn[1], "test_start": judge[0], "test_end": judge[1],
                 "set": chosen, **(values[chosen] if chosen >= 0 else dict.fromkeys(values[0])),
                 "train_sharpe": sharpe[chosen] if chosen >= 0 else np.nan,
                 "test_sharpe": _sharpe(pnl), "pnl": float(pnl.sum())}
            )  # fmt: skip
            results.append(pd.DataFrame({"date": days[window.test_start : window.test_stop], "pnl": pnl}))
        whole = sweep(documents, cubes)
    daily, windows = pd.concat(results, ignore_index=True), pd.DataFrame(rows)
    statistics = judged(desk, study, documents, values, whole) | _summary(windows, daily)
    note_run(desk, study, "walk_forward", documents, cubes, statistics)
    return WalkForward(windows, daily, statistics)


def _summary(windows: pd.DataFrame, daily: pd.DataFrame) -> dict[str, Any]:
    before, after = float(windows["train_sharpe"].mean()), _sharpe(daily["pnl"].to_numpy(dtype=np.float64))
    return {
        "windows": len(windows), "train_sharpe": before, "test_sharpe": after,
        "efficiency": after / before if before > 0 else float("nan"), "pnl": float(daily["pnl"].sum()),
    }  # fmt: skip


def _sharpe(pnl: Floats) -> float:
    from bifrost_lib.backtest import sharpe_ratios

    return float(sharpe_ratios(pnl[np.newaxis, :])[0]) if len(pnl) > 1 else float("nan")


def _days(cubes: dict[str, ChainCube]) -> list[date]:
    """Return the sessions of all cubes, in order, as a sweep's daily results have them."""
    known = np.unique(np.concatenate([cube.session_day for cube in cubes.values()]))
    found: list[date] = known.astype("datetime64[D]").tolist()
    return found


def _within(cubes: dict[str, ChainCube], first: date, last: date) -> dict[str, ChainCube]:
    return {symbol: cube.between(first, last) for symbol, cube in cubes.items()}
