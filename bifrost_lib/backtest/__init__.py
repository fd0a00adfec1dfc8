"""Backtests: any strategy document replayed over stored chains, from one run to grids of thousands.

Names are loaded on first use, because frames and the compiler take longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.backtest.attribution import Attribution, attribute
    from bifrost_lib.backtest.bands import band_edges, run_with_bands
    from bifrost_lib.backtest.cube import BELIEVABLE, FIT, LAYOUT, OPTIONAL, ChainCube
    from bifrost_lib.backtest.grids import expand, grid_size, read_grid, with_parameters
    from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
    from bifrost_lib.backtest.running import code_version, run
    from bifrost_lib.backtest.statistics import summarize
    from bifrost_lib.backtest.sweeping import SweepResult, assemble, chunk_bytes, sweep, sweep_chunk
    from bifrost_lib.backtest.validation import purged_folds, walk_forward
    from bifrost_lib.backtest.warm import warm_up

_HOME = {
    "Attribution": "attribution",
    "attribute": "attribution",
    "band_edges": "bands",
    "run_with_bands": "bands",
    "BELIEVABLE": "cube",
    "FIT": "cube",
    "LAYOUT": "cube",
    "OPTIONAL": "cube",
    "ChainCube": "cube",
    "expand": "grids",
    "grid_size": "grids",
    "read_grid": "grids",
    "with_parameters": "grids",
    "EQUITY_COLUMNS": "result",
    "LEG_COLUMNS": "result",
    "TRADE_COLUMNS": "result",
    "Result": "result",
    "code_version": "running",
    "run": "running",
    "summarize": "statistics",
    "SweepResult": "sweeping",
    "assemble": "sweeping",
    "chunk_bytes": "sweeping",
    "sweep": "sweeping",
    "sweep_chunk": "sweeping",
    "purged_folds": "validation",
    "walk_forward": "validation",
    "warm_up": "warm",
}

__all__ = [
    "BELIEVABLE",
    "EQUITY_COLUMNS",
    "FIT",
    "LAYOUT",
    "LEG_COLUMNS",
    "OPTIONAL",
    "TRADE_COLUMNS",
    "Attribution",
    "ChainCube",
    "Result",
    "SweepResult",
    "assemble",
    "attribute",
    "band_edges",
    "chunk_bytes",
    "code_version",
    "expand",
    "grid_size",
    "purged_folds",
    "read_grid",
    "run",
    "run_with_bands",
    "summarize",
    "sweep",
    "sweep_chunk",
    "walk_forward",
    "warm_up",
    "with_parameters",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
