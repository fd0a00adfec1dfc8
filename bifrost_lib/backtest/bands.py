"""How much of a result hangs on what nobody knows: the fills one would have got, the costs, the day of the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib.backtest.statistics.summary import summarize
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.backtest.chains.cube import ChainCube
    from bifrost_lib.backtest.result import Result

#: Dearest commission that a document may have.
_DEAREST = 1000.0
#: What is told of each variant.
FIGURES = ("trades", "pnl", "win_rate", "total_return", "sharpe", "max_drawdown")


def run_with_bands(
    document: StrategyDocument,
    cube: ChainCube | Mapping[str, ChainCube],
    *,
    fills: str | float = "realistic",
    offsets: int = 5,
    run: Callable[..., Result] | None = None,
    **settings: Any,
) -> Result:
    """Run a backtest together with the variants that show how far it can be trusted.

    Parameters
    ----------
    document, cube, fills, settings
        As for `run`.
    offsets : int
        First entries put off by 1 to so many sessions.
    run : callable, optional
        What runs a backtest; `bifrost_lib.backtest.run` by default.

    Returns
    -------
    Result
        That of the document as it is, with ``bands``: ts, and the equity at ``mid``, ``realistic`` and ``worst`` fills,
        with ``costs_doubled`` (commission, and what fills give away beyond mid, at most the whole spread), and with
        ``offset_1``, ``offset_2`` ...; and with ``statistics["bands"]``: `FIGURES` of each of them.
    """
    if offsets < 0:
        raise InputError("offsets", offsets, "a number of sessions >= 0")
    if run is None:
        from bifrost_lib.backtest import run as run_once

        run = run_once
    first = int(settings.pop("entry_offset", 0))

    def variant(of: StrategyDocument, how: str | float, offset: int) -> Result:
        return run(of, cube, fills=how, entry_offset=offset, **settings)

    base = variant(document, fills, first)
    found = {how: base if how == fills else variant(document, how, first) for how in ("mid", "realistic", "worst")}
    found["costs_doubled"] = variant(
        costs_doubled(document), fills if isinstance(fills, str) else _doubled(fills), first
    )
    found |= {f"offset_{k}": variant(document, fills, first + k) for k in range(1, offsets + 1)}
    told = {name: _figures(one) for name, one in found.items()}
    return replace(base, bands=_aligned(base, found), statistics={**base.statistics, "bands": told})


def band_edges(bands: pd.DataFrame) -> pd.DataFrame:
    """Return ts and the lowest and highest equity of all variants at each, ``low`` and ``high``."""
    levels = bands.drop(columns="ts")
    return bands[["ts"]].assign(low=levels.min(axis=1), high=levels.max(axis=1))


def costs_doubled(document: StrategyDocument) -> StrategyDocument:
    """Return the document with twice its commission, and fills twice as far from mid, at most the whole spread."""
    costs = document.costs
    dearer = costs.with_(
        commission=min(2 * costs.commission, _DEAREST), fill=tuple(_doubled(share) for share in costs.fill)
    )
    return document.with_(costs=dearer)


def _doubled(share: float) -> float:
    return min(max(2 * share - 0.5, 0.0), 1.0)


def _figures(result: Result) -> dict[str, Any]:
    told = result.statistics or summarize(result.trades, result.equity, capital=result.capital, draws=0)
    return {name: told[name] for name in FIGURES}


def _aligned(base: Result, found: Mapping[str, Result]) -> pd.DataFrame:
    # A variant that begins later holds its capital until then.
    import pandas as pd

    columns: dict[str, Any] = {"ts": base.equity["ts"].to_numpy()}
    for name, result in found.items():
        level = pd.Series(result.equity["equity"].to_numpy(dtype=np.float64), index=result.equity["ts"].to_numpy())
        columns[name] = level.reindex(columns["ts"]).ffill().fillna(result.capital).to_numpy()
    bands = pd.DataFrame(columns)
    return bands.assign(ts=base.equity["ts"].reset_index(drop=True))
