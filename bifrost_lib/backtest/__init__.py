"""Backtests: any strategy document replayed over stored chains, from one run to grids of thousands.

Names are loaded on first use, because frames and the compiler take longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.backtest.cube import BELIEVABLE, FIT, LAYOUT, OPTIONAL, ChainCube
    from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
    from bifrost_lib.backtest.running import run
    from bifrost_lib.backtest.sweeping import SweepResult, sweep, sweep_chunk

_HOME = {
    "BELIEVABLE": "cube",
    "FIT": "cube",
    "LAYOUT": "cube",
    "OPTIONAL": "cube",
    "ChainCube": "cube",
    "EQUITY_COLUMNS": "result",
    "LEG_COLUMNS": "result",
    "Result": "result",
    "TRADE_COLUMNS": "result",
    "run": "running",
    "SweepResult": "sweeping",
    "sweep": "sweeping",
    "sweep_chunk": "sweeping",
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
    "ChainCube",
    "Result",
    "SweepResult",
    "run",
    "sweep",
    "sweep_chunk",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
