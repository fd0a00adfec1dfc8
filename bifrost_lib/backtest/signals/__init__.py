"""Stock strategies, and entry signals that gate option documents.

A signal is a line of text over indicators of the underlying, such as ``close > sma(200) and rsi(14) < 70``. `gate` says
on which sessions of a cube it was known to hold when a position could be opened; `run_averages` and `run_signals` trade
the underlying itself, thousands of sets at once; `portfolio` keeps full accounts of one through vectorbt.

Names are loaded on first use: only `portfolio` and `library_indicator` load vectorbt, which takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.backtest.signals.accounting import library_indicator, portfolio
    from bifrost_lib.backtest.signals.bars import Bars, entry_bars
    from bifrost_lib.backtest.signals.gating import gate
    from bifrost_lib.backtest.signals.language import INDICATORS, Signal, signal
    from bifrost_lib.backtest.signals.spot import run_averages, run_signals

_HOMES = {
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

__getattr__, __dir__ = front_door(__name__, _HOMES)
