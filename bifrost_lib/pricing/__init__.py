"""Option mathematics: arrays in, arrays out, float64 throughout.

Names are loaded on first use, because the compiler behind them takes longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.pricing.european import GREEKS, greeks, price
    from bifrost_lib.pricing.implied import implied_vol

_HOME = {
    "GREEKS": "european",
    "greeks": "european",
    "implied_vol": "implied",
    "price": "european",
}

__all__ = ["GREEKS", "greeks", "implied_vol", "price"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
