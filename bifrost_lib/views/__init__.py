"""Floor 8: frames in, pictures and widgets out. Nothing here computes a price or reads a store."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "candidates_grid": "candidates",
    "candidates_table": "candidates",
    "chain_table": "chain",
    "finder_page": "finder",
    "freshness_badge": "badges",
    "legs_table": "details",
    "measures_table": "details",
    "payoff_chart": "payoff",
    "score_table": "details",
    "show_chart": "charts",
    "smile_chart": "smile",
    "source_label": "badges",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
