"""Floor 8: frames in, pictures and widgets out. Nothing here computes a price or reads a store."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "BuilderState": "builder_state",
    "absent_list": "report_tables",
    "builder_page": "builder",
    "candidates_grid": "candidates",
    "candidates_table": "candidates",
    "chain_table": "chain",
    "days_tables": "report_tables",
    "equity_chart": "research",
    "finder_page": "finder",
    "freshness_badge": "badges",
    "heat_map": "research",
    "legs_table": "details",
    "measures_table": "details",
    "page_colours": "palette",
    "payoff_chart": "payoff",
    "payoff_gallery": "gallery",
    "qualities_table": "report_tables",
    "quality_charts": "report_charts",
    "ranked_table": "report_tables",
    "recommendations_grid": "reliability",
    "reliability_chart": "reliability",
    "scores_grid": "reliability",
    "rehearse": "page",
    "report_head": "report_tables",
    "report_table": "report_tables",
    "score_table": "details",
    "show_chart": "charts",
    "silent_list": "report_tables",
    "smile_chart": "smile",
    "smile_charts": "report_charts",
    "source_label": "badges",
    "term_charts": "report_charts",
    "volatility_charts": "report_charts",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
