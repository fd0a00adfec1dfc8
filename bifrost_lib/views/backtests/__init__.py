"""Backtests in pictures and grids: frames in, HoloViews drawings and tables out.

HoloViews takes seconds to import, so names are loaded on first use.
"""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "Empty": "components",
    "RunForm": "components",
    "Sheet": "sheet",
    "attribution_chart": "attribution",
    "degradation_chart": "overfitting",
    "document_words": "library",
    "drawdown_chart": "equity",
    "equity_chart": "equity",
    "excursion_chart": "trades",
    "exits_chart": "trades",
    "grid_html": "tables",
    "grid_map": "grids",
    "hold_out_label": "studies",
    "legs_grid": "trade_tables",
    "likeness_grid": "library",
    "looks_grid": "studies",
    "margin_chart": "equity",
    "monthly_grid": "monthly",
    "monthly_returns": "monthly",
    "overfitting_grid": "overfitting",
    "parallel_chart": "grids",
    "parameter_words": "grids",
    "run_words": "studies",
    "runs_grid": "studies",
    "sheet_page": "sheet",
    "statistics_grid": "statistics",
    "studies_grid": "studies",
    "symbols_text": "studies",
    "trade_chart": "trades",
    "trades_grid": "trade_tables",
    "warnings_of": "statistics",
    "worked_chart": "library",
    "worked_grid": "library",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
