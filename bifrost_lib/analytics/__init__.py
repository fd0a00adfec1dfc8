"""What a market is like: IV rank, realised volatility, skew, term structure, put/call ratios.

Names are loaded on first use, because pandas takes longer to import than most commands to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.analytics.calibration import (
        ExpectedValueCheck,
        ForecastScores,
        check_expected_values,
        reliability_curve,
        score_forecasts,
    )
    from bifrost_lib.analytics.conditions import MarketConditions, market_conditions
    from bifrost_lib.analytics.estimates import Estimate, Ranking
    from bifrost_lib.analytics.luck import chance_of_best, expected_best
    from bifrost_lib.analytics.rankings import iv_percentile, iv_rank
    from bifrost_lib.analytics.realized import realized_vol
    from bifrost_lib.analytics.recalibration import Recalibration, out_of_sample, recalibrate
    from bifrost_lib.analytics.strips import put_call_ratio, volatility_index
    from bifrost_lib.analytics.tenors import iv_at_tenor, skew_25_delta, term_slope

_HOMES = {
    "Estimate": "estimates",
    "ExpectedValueCheck": "calibration",
    "ForecastScores": "calibration",
    "MarketConditions": "conditions",
    "Ranking": "estimates",
    "Recalibration": "recalibration",
    "chance_of_best": "luck",
    "check_expected_values": "calibration",
    "expected_best": "luck",
    "iv_at_tenor": "tenors",
    "iv_percentile": "rankings",
    "iv_rank": "rankings",
    "market_conditions": "conditions",
    "out_of_sample": "recalibration",
    "put_call_ratio": "strips",
    "realized_vol": "realized",
    "recalibrate": "recalibration",
    "reliability_curve": "calibration",
    "score_forecasts": "calibration",
    "skew_25_delta": "tenors",
    "term_slope": "tenors",
    "volatility_index": "strips",
}

__all__ = [
    "Estimate",
    "ExpectedValueCheck",
    "ForecastScores",
    "MarketConditions",
    "Ranking",
    "Recalibration",
    "chance_of_best",
    "check_expected_values",
    "expected_best",
    "iv_at_tenor",
    "iv_percentile",
    "iv_rank",
    "market_conditions",
    "out_of_sample",
    "put_call_ratio",
    "realized_vol",
    "recalibrate",
    "reliability_curve",
    "score_forecasts",
    "skew_25_delta",
    "term_slope",
    "volatility_index",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
