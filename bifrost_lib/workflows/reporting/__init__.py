"""Reports: notebooks that run on demand or on a schedule, are checked, limited, kept, and told of."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Limits": "plans",
    "Plan": "plans",
    "Report": "catalogue",
    "ReportRun": "runs",
    "daily_close": "closing",
    "daily_open": "opening",
    "data_quality": "quality",
    "last_report_runs": "runs",
    "list_reports": "catalogue",
    "report_named": "catalogue",
    "report_schedule_command": "schedule",
    "run_report": "runs",
    "read_assignments": "parameters",
    "run_schedule": "schedule",
    "weekly_review": "week",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
