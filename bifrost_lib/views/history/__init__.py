"""The past in pictures, drawn with HoloViews: frames in, pictures out.

HoloViews takes seconds to import, so names are loaded on first use.
"""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "Chart": "components",
    "Choice": "components",
    "changed_cells": "changes",
    "changes_chart": "changes",
    "changes_grid": "changes",
    "chart_figure": "drawing",
    "chart_text": "drawing",
    "conditions_strip": "volatility",
    "empty_text": "drawing",
    "iv_range_chart": "volatility",
    "premium_chart": "volatility",
    "put_call_chart": "volatility",
    "rank_chart": "volatility",
    "skew_chart": "volatility",
    "slope_chart": "volatility",
    "smiles_chart": "smiles",
    "smiles_grid": "smiles",
    "strategy_charts": "strategies",
    "strategy_grid": "strategies",
    "surface_chart": "surface",
    "terms_chart": "smiles",
    "warm_up": "drawing",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
