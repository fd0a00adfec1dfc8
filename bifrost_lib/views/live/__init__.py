"""Parts of the live pages: components that draw in the browser, charts, and how they share a screen.

They know frames, not where those come from.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Grid": "components",
    "Head": "components",
    "Ladder": "components",
    "TimeBar": "components",
    "cell_text": "ladder",
    "clock_text": "tables",
    "column": "layout",
    "csv_text": "ladder",
    "desk_line": "tables",
    "expiry_grid": "tables",
    "field": "layout",
    "gaps_grid": "tables",
    "is_seen": "layout",
    "ladder_notice": "ladder",
    "ladder_patch": "ladder",
    "ladder_table": "ladder",
    "links": "layout",
    "live_page": "layout",
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
    "theme_of": "layout",
    "watches_grid": "tables",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
