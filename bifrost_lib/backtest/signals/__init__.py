"""Stock strategies, and entry signals that gate option documents.

A signal is a line of text over indicators of the underlying, such as ``close > sma(200) and rsi(14) < 70``. `gate` says
on which sessions of a cube it was known to hold when a position could be opened; `run_averages` and `run_signals` trade
the underlying itself, thousands of sets at once; `portfolio` keeps full accounts of one through vectorbt.

Names are loaded on first use: only `portfolio` and `library_indicator` load vectorbt, which takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.backtest.signals.accounting import library_indicator, portfolio
    from bifrost_lib.backtest.signals.bars import Bars, entry_bars
    from bifrost_lib.backtest.signals.gating import gate
    from bifrost_lib.backtest.signals.language import INDICATORS, Signal, signal
    from bifrost_lib.backtest.signals.spot import run_averages, run_signals

_HOME = {
    "INDICATORS": "language",
    "Bars": "bars",
    "Signal": "language",
    "entry_bars": "bars",
    "gate": "gating",
    "library_indicator": "accounting",
    "portfolio": "accounting",
    "run_averages": "spot",
    "run_signals": "spot",
    "signal": "language",
}

__all__ = [
    "INDICATORS",
    "Bars",
    "Signal",
    "entry_bars",
    "gate",
    "library_indicator",
    "portfolio",
    "run_averages",
    "run_signals",
    "signal",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
