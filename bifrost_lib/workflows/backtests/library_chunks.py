"""What workers do for a library: replay documents on one symbol, and say what each did in which regime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import session_regimes
from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.workflows.backtests.library_rows import cells_of

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube, Result
    from bifrost_lib.strategies import StrategyDocument


def try_documents(
    documents: Sequence[StrategyDocument],
    cube: ChainCube,
    *,
    split: str,
    capital: float,
    fills: str | float,
    run: Callable[..., Result] | None = None,
    device: str = "cpu",
) -> dict[str, npt.NDArray[Any]]:
    """Return what documents did on a symbol, as arrays that a sweep keeps.

    Parameters
    ----------
    documents : sequence of StrategyDocument
    cube : ChainCube
    split : str
        First day out of sample, an ISO date.
    capital, fills
        As of `backtest.run`.
    run : callable, optional
        What replays one; default: `backtest.run`.
    device : str
        Whatever a chunk was admitted to: single trades are told by processors alone.

    Returns
    -------
    dict
        ``cells`` float64 (documents, CELLS * FIGURES) of `cells_of`, and ``daily`` (documents, sessions), gains.
    """
    from bifrost_lib.backtest import run as run_one

    replay = run or run_one
    regimes, first = session_regimes(cube), date.fromisoformat(split)
    cells, daily = [], []
    for document in documents:
        result = replay(document, cube, fills=fills, capital=capital)
        equity = result.equity["equity"].to_numpy(dtype=np.float64)
        cells.append(cells_of(with_regimes(result.trades, regimes), split=first).ravel())
        daily.append(np.diff(equity, prepend=capital))
    return {"cells": np.array(cells), "daily": np.array(daily)}


def with_regimes(trades: pd.DataFrame, regimes: pd.DataFrame) -> pd.DataFrame:
    """Return trades with the ``day`` of their entry, and what the market was like before it: ``iv_rank``, ``trend``."""
    local = trades["opened"].dt.tz_convert("America/New_York").dt.tz_localize(None)
    day = local.to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    place = np.searchsorted(regimes["day"].to_numpy(), day)
    told = {name: regimes[name].to_numpy()[place] for name in ("iv_rank", "trend")}
    return trades.assign(day=day, **told)


def library_code() -> str:
    """Return a name of the code that decides what is found; it changes when a line of it does."""
    from bifrost_lib.backtest import code_version

    return f"{code_version()} {sources_digest(Path(__file__))}"
