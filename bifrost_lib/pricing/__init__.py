"""Option mathematics: arrays in, arrays out, float64 throughout.

Names are loaded on first use, because the compiler behind them takes longer to import than most commands to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.pricing.american import (
        american_dividend_greeks,
        american_dividend_implied_vol,
        american_dividend_price,
        american_exercise_boundary,
        american_greeks,
        american_implied_vol,
        american_premium,
        american_price,
    )
    from bifrost_lib.pricing.american_cuda import gpu_american_greeks, gpu_american_implied_vol, gpu_american_price
    from bifrost_lib.pricing.black_76 import black_76_greeks, black_76_implied_vol, black_76_price
    from bifrost_lib.pricing.cuda import gpu_greeks, gpu_implied_vol, gpu_price
    from bifrost_lib.pricing.density import RiskNeutralDensity, risk_neutral_density
    from bifrost_lib.pricing.european import GREEKS, greeks, price
    from bifrost_lib.pricing.expected_moves import ExpectedMove, StraddleMove, expected_move, straddle_move
    from bifrost_lib.pricing.implied import implied_vol
    from bifrost_lib.pricing.option_strip import StripTerm, strip_terms
    from bifrost_lib.pricing.parity import ImpliedForward, implied_forward
    from bifrost_lib.pricing.probabilities import probability_itm, probability_of_profit, probability_touch
    from bifrost_lib.pricing.quotes import QuoteAnalytics, quote_analytics
    from bifrost_lib.pricing.ssvi import Ssvi, fit_ssvi
    from bifrost_lib.pricing.surface import StandardGrid, VolSurface
    from bifrost_lib.pricing.surface_arbitrage import without_arbitrage
    from bifrost_lib.pricing.surface_fit import fit_surface
    from bifrost_lib.pricing.svi import SviSlices, fit_svi
    from bifrost_lib.pricing.svi_arbitrage import CalendarCrossings, calendar_crossings, without_butterfly_arbitrage
    from bifrost_lib.pricing.svi_forms import (
        JumpWings,
        NaturalSvi,
        RawSvi,
        durrleman_g,
        jump_wings_to_raw,
        natural_to_raw,
        raw_to_jump_wings,
        raw_to_natural,
        svi_total_variance,
    )
    from bifrost_lib.pricing.variance_strip import (
        StripMoments,
        StripVariance,
        skew_index,
        strip_moments,
        strip_variance,
        vix_index,
    )
    from bifrost_lib.pricing.warm import warm_up

_HOMES = {
    "CalendarCrossings": "svi_arbitrage",
    "ExpectedMove": "expected_moves",
    "GREEKS": "european",
    "ImpliedForward": "parity",
    "JumpWings": "svi_forms",
    "NaturalSvi": "svi_forms",
    "QuoteAnalytics": "quotes",
    "RawSvi": "svi_forms",
    "RiskNeutralDensity": "density",
    "Ssvi": "ssvi",
    "StandardGrid": "surface",
    "StraddleMove": "expected_moves",
    "StripMoments": "variance_strip",
    "StripTerm": "option_strip",
    "StripVariance": "variance_strip",
    "SviSlices": "svi",
    "VolSurface": "surface",
    "american_dividend_greeks": "american",
    "american_dividend_implied_vol": "american",
    "american_dividend_price": "american",
    "american_exercise_boundary": "american",
    "american_greeks": "american",
    "american_implied_vol": "american",
    "american_premium": "american",
    "american_price": "american",
    "black_76_greeks": "black_76",
    "black_76_implied_vol": "black_76",
    "black_76_price": "black_76",
    "calendar_crossings": "svi_arbitrage",
    "durrleman_g": "svi_forms",
    "expected_move": "expected_moves",
    "fit_ssvi": "ssvi",
    "fit_surface": "surface_fit",
    "fit_svi": "svi",
    "gpu_american_greeks": "american_cuda",
    "gpu_american_implied_vol": "american_cuda",
    "gpu_american_price": "american_cuda",
    "gpu_greeks": "cuda",
    "gpu_implied_vol": "cuda",
    "gpu_price": "cuda",
    "greeks": "european",
    "implied_forward": "parity",
    "implied_vol": "implied",
    "jump_wings_to_raw": "svi_forms",
    "natural_to_raw": "svi_forms",
    "price": "european",
    "probability_itm": "probabilities",
    "probability_of_profit": "probabilities",
    "probability_touch": "probabilities",
    "quote_analytics": "quotes",
    "raw_to_jump_wings": "svi_forms",
    "raw_to_natural": "svi_forms",
    "risk_neutral_density": "density",
    "skew_index": "variance_strip",
    "straddle_move": "expected_moves",
    "strip_moments": "variance_strip",
    "strip_terms": "option_strip",
    "strip_variance": "variance_strip",
    "svi_total_variance": "svi_forms",
    "vix_index": "variance_strip",
    "warm_up": "warm",
    "without_butterfly_arbitrage": "svi_arbitrage",
    "without_arbitrage": "surface_arbitrage",
}

__all__ = [
    "GREEKS",
    "CalendarCrossings",
    "ExpectedMove",
    "ImpliedForward",
    "JumpWings",
    "NaturalSvi",
    "QuoteAnalytics",
    "RawSvi",
    "RiskNeutralDensity",
    "Ssvi",
    "StandardGrid",
    "StraddleMove",
    "StripMoments",
    "StripTerm",
    "StripVariance",
    "SviSlices",
    "VolSurface",
    "american_dividend_greeks",
    "american_dividend_implied_vol",
    "american_dividend_price",
    "american_exercise_boundary",
    "american_greeks",
    "american_implied_vol",
    "american_premium",
    "american_price",
    "black_76_greeks",
    "black_76_implied_vol",
    "black_76_price",
    "calendar_crossings",
    "durrleman_g",
    "expected_move",
    "fit_ssvi",
    "fit_surface",
    "fit_svi",
    "gpu_american_greeks",
    "gpu_american_implied_vol",
    "gpu_american_price",
    "gpu_greeks",
    "gpu_implied_vol",
    "gpu_price",
    "greeks",
    "implied_forward",
    "implied_vol",
    "jump_wings_to_raw",
    "natural_to_raw",
    "price",
    "probability_itm",
    "probability_of_profit",
    "probability_touch",
    "quote_analytics",
    "raw_to_jump_wings",
    "raw_to_natural",
    "risk_neutral_density",
    "skew_index",
    "straddle_move",
    "strip_moments",
    "strip_terms",
    "strip_variance",
    "svi_total_variance",
    "vix_index",
    "warm_up",
    "without_arbitrage",
    "without_butterfly_arbitrage",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
