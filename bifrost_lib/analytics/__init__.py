"""What a market is like: IV rank, realised volatility, skew, term structure, put/call ratios.

Names are loaded on first use, because pandas takes longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.analytics.conditions import MarketConditions, market_conditions
    from bifrost_lib.analytics.estimates import Estimate, Ranking
    from bifrost_lib.analytics.rankings import iv_percentile, iv_rank
    from bifrost_lib.analytics.realized import realized_vol
    from bifrost_lib.analytics.strips import put_call_ratio, volatility_index
    from bifrost_lib.analytics.tenors import iv_at_tenor, skew_25_delta, term_slope

_HOME = {
    "Estimate": "estimates",
    "MarketConditions": "conditions",
    "Ranking": "estimates",
    "iv_at_tenor": "tenors",
    "iv_percentile": "rankings",
    "iv_rank": "rankings",
    "market_conditions": "conditions",
    "put_call_ratio": "strips",
    "realized_vol": "realized",
    "skew_25_delta": "tenors",
    "term_slope": "tenors",
    "volatility_index": "strips",
}

__all__ = [
    "Estimate",
    "MarketConditions",
    "Ranking",
    "iv_at_tenor",
    "iv_percentile",
    "iv_rank",
    "market_conditions",
    "put_call_ratio",
    "realized_vol",
    "skew_25_delta",
    "term_slope",
    "volatility_index",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
