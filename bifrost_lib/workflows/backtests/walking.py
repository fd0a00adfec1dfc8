"""A search that walks forward: chosen on the past, traded on what comes next, time after time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bifrost_lib.backtest import Figure, figure_of, walk_forward
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.proposing import Method
from bifrost_lib.workflows.backtests.trials import Days, Floats, Remembered, Sweep, TellBest, Trials, in_process

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What choosing anew from the past, time after time, would have brought.

    Parameters
    ----------
    windows : DataFrame
        One row a window: train_start, train_end, test_start, test_end (dates), in_sample and out_of_sample (the
        figure), trials, and the parameters that were chosen.
    daily : float64 (sessions,)
        Gains out of sample, the windows one after the other; `sessions` are their dates.
    figure : float
        Of all of `daily`.
    efficiency : float
        Mean out-of-sample figure as a share of the mean in-sample one; NaN where that is not above 0.
    stopped : bool
        Whether it was stopped before its last window.
    """

    windows: pd.DataFrame
    daily: Floats
    sessions: Days
    figure: float
    efficiency: float
    stopped: bool


def search_walking_forward(
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    cube: ChainCube | Mapping[str, ChainCube],
    *,
    train: int,
    test: int,
    step: int | None = None,
    embargo: int = 0,
    anchored: bool = False,
    trials: int = 50,
    method: Method = "bayesian",
    figure: Figure = "sharpe",
    seed: int = 0,
    batch: int = 8,
    stop: Callable[[], bool] | None = None,
    tell: TellBest | None = None,
    sweep: Sweep | None = None,
    **options: Any,
) -> WalkForward:
    """Search anew in each window's past, and see what the choice does in the sessions that come next.

    Parameters
    ----------
    train, test, step, embargo, anchored
        Sessions, see `backtest.walk_forward`.
    trials : int
        In each window; documents that were simulated for an earlier one are not simulated again.
    document, space, cube, method, figure, seed, batch, stop, tell, sweep, options
        As for `search`; `tell` is told of windows, and of the figure out of sample so far.

    Notes
    -----
    A set's gains on a day rest on that day and earlier ones, so that one simulation of the whole serves all windows:
    each set is taken to have run all along, and a window that switches to it takes over what it then holds.
    """
    simulate = Remembered(sweep or in_process(cube, options))
    sessions = simulate([document]).sessions
    windows = walk_forward(len(sessions), train=train, test=test, step=step, embargo=embargo, anchored=anchored)
    rows, pieces, days = list[dict[str, Any]](), list[Floats](), list[Days]()
    stopped = False
    for number, window in enumerate(windows):
        past, future = slice(window.train_start, window.train_stop), slice(window.test_start, window.test_stop)
        found = Trials(document, space, method=method, seed=seed + number, count=trials)
        stopped = found.run(simulate, partial(_figure_of_slice, past=past, figure=figure), batch=batch, stop=stop)
        if stopped:
            break
        row, gains = _window(found, sessions, past, future, figure)
        rows.append(row)
        pieces.append(gains)
        days.append(sessions[future])
        if tell is not None:
            tell(number + 1, len(windows), float(figure_of(np.concatenate(pieces)[None, :], figure)[0]))
    if not rows:
        raise NoDataError("window", document=document.name, hint="the search was stopped in its first window")
    daily, told = np.concatenate(pieces), pd.DataFrame(rows)
    inside, outside = told["in_sample"].mean(), told["out_of_sample"].mean()
    return WalkForward(
        windows=told,
        daily=daily,
        sessions=np.concatenate(days),
        figure=float(figure_of(daily[None, :], figure)[0]),
        efficiency=float(outside / inside) if inside > 0 else float("nan"),
        stopped=stopped,
    )


def _window(
    found: Trials, sessions: Days, past: slice, future: slice, figure: Figure
) -> tuple[dict[str, Any], Floats]:  # fmt: skip
    # What was chosen in a window, and what it made in the sessions after it; nothing where no trial ever traded.
    values = np.array(found.values)
    best = int(np.nanargmax(values)) if not np.isnan(values).all() else -1
    gains = found.daily[best][future] if best >= 0 else np.zeros(future.stop - future.start)
    row = {
        "train_start": sessions[past][0], "train_end": sessions[past][-1],
        "test_start": sessions[future][0], "test_end": sessions[future][-1],
        "in_sample": values[best] if best >= 0 else np.nan,
        "out_of_sample": float(figure_of(gains[None, :], figure)[0]),
        "trials": len(values), **(found.parameters[best] if best >= 0 else {}),
    }  # fmt: skip
    return row, gains


def _figure_of_slice(daily: Floats, *, past: slice, figure: Figure) -> Floats:
    return figure_of(daily[:, past], figure)
