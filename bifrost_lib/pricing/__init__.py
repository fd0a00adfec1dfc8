"""Option mathematics: arrays in, arrays out, float64 throughout.

Names are loaded on first use, because the compiler behind them takes longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.pricing.american import (
        american_dividend_price,
        american_exercise_boundary,
        american_greeks,
        american_implied_vol,
        american_premium,
        american_price,
    )
    from bifrost_lib.pricing.european import GREEKS, greeks, price
    from bifrost_lib.pricing.implied import implied_vol
    from bifrost_lib.pricing.parity import ImpliedForward, implied_forward
    from bifrost_lib.pricing.quotes import QuoteAnalytics, quote_analytics
    from bifrost_lib.pricing.warm import warm_up

_HOME = {
    "GREEKS": "european",
    "ImpliedForward": "parity",
    "QuoteAnalytics": "quotes",
    "american_dividend_price": "american",
    "american_exercise_boundary": "american",
    "american_greeks": "american",
    "american_implied_vol": "american",
    "american_premium": "american",
    "american_price": "american",
    "greeks": "european",
    "implied_forward": "parity",
    "implied_vol": "implied",
    "price": "european",
    "quote_analytics": "quotes",
    "warm_up": "warm",
}

__all__ = [
    "GREEKS",
    "ImpliedForward",
    "QuoteAnalytics",
    "american_dividend_price",
    "american_exercise_boundary",
    "american_greeks",
    "american_implied_vol",
    "american_premium",
    "american_price",
    "greeks",
    "implied_forward",
    "implied_vol",
    "price",
    "quote_analytics",
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
