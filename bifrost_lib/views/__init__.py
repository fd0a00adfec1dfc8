"""Floor 8: frames in, pictures and widgets out. Nothing here computes a price or reads a store."""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "BuilderState": "builder_state",
    "LOGO": "theme",
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
    "page_icon": "theme",
    "payoff_chart": "payoff",
    "payoff_gallery": "gallery",
    "qualities_table": "report_tables",
    "quality_charts": "report_charts",
    "ranked_table": "report_tables",
    "recommendations_grid": "reliability",
    "reliability_chart": "reliability",
    "scores_grid": "reliability",
    "report_head": "report_tables",
    "report_table": "report_tables",
    "score_table": "details",
    "show_chart": "charts",
    "silent_list": "report_tables",
    "smile_chart": "smile",
    "smile_charts": "report_charts",
    "source_label": "badges",
    "still_page": "still",
    "symbol_query": "following",
    "term_charts": "report_charts",
    "theme_of": "theme",
    "theme_script": "theme",
    "volatility_charts": "report_charts",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
