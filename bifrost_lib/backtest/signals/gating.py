"""Signals that close sessions for entry."""

from __future__ import annotations

from datetime import time

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import ChainCube
from bifrost_lib.backtest.signals.bars import Bars, entry_bars
from bifrost_lib.backtest.signals.language import Signal, signal


def gate(
    cube: ChainCube, rule: str | Signal, *, entry_time: time | None = None, history: Bars | None = None
) -> npt.NDArray[np.bool_]:
    """Tell on which sessions of a cube a signal was known to hold at the moment of entry.

    Parameters
    ----------
    cube : ChainCube
    rule : str or Signal
        A condition, see `signal`. It sees bars that end at the entry moment, and the cube's conditions.
    entry_time : time, optional
        That of the run: exchange time of day; default the session's last moment.
    history : Bars, optional
        Earlier bars, so that long windows are full from the first session on.

    Returns
    -------
    bool (S,)
        For ``run(..., entry_allowed=...)``. False where the signal does not hold, or cannot be known yet.

    Raises
    ------
    InputError
        If `rule` is no condition, or names a figure that the cube does not have.

    Examples
    --------
    ``run(document, cube, entry_allowed=gate(cube, "close > sma(200) and iv_rank > 0.5"))``
    """
    bars = entry_bars(cube, entry_time=entry_time, history=history)
    return signal(rule).holds(bars)[len(bars) - cube.sessions :]
