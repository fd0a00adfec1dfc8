"""Reports: notebooks that run on demand or on a schedule, are checked, limited, kept, and told of."""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "Limits": "plans",
    "Plan": "plans",
    "Report": "catalogue",
    "ReportRun": "runs",
    "daily_close": "closing",
    "daily_open": "opening",
    "data_quality": "quality",
    "last_report_runs": "runs",
    "list_reports": "catalogue",
    "process_facts": "processes",
    "process_ids": "processes",
    "report_file": "runs",
    "report_files": "runs",
    "report_named": "catalogue",
    "report_schedule_command": "schedule",
    "run_report": "runs",
    "read_assignments": "parameters",
    "run_schedule": "schedule",
    "weekly_review": "week",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
