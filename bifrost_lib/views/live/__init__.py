"""Parts of the live pages: components that draw in the browser, charts, and how they share a screen.

They know frames, not where those come from.
"""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "LADDERS": "ladder",
    "Grid": "components",
    "Head": "components",
    "Ladder": "components",
    "TimeBar": "components",
    "cell_text": "ladder",
    "clock_text": "tables",
    "column": "layout",
    "csv_text": "files",
    "desk_line": "tables",
    "expiry_grid": "tables",
    "field": "layout",
    "gaps_grid": "tables",
    "is_seen": "layout",
    "ladder_notice": "ladder",
    "ladder_patch": "ladder",
    "ladder_table": "ladder",
    "kernels_grid": "tables",
    "links": "layout",
    "live_page": "layout",
    "reports_grid": "tables",
    "row": "layout",
    "runs_grid": "tables",
    "services_grid": "tables",
    "sessions_grid": "tables",
    "size_text": "tables",
    "smile_data": "smile",
    "smile_figure": "smile",
    "sketch": "sketching",
    "spot_change": "tables",
    "tables_grid": "tables",
    "watches_grid": "tables",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
