"""Floor 8: one function per thing that a user does; `open_desk` is where it starts."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Desk": "desk",
    "open_desk": "desk",
    "read_chain": "chains",
    "list_symbols": "chains",
    "ScanResult": "scans",
    "find_strategies": "scans",
    "PayoffProfile": "payoffs",
    "payoff_profile": "payoffs",
    "with_analytics": "enrichment",
    "volatility_surface": "surfaces",
    "LinePlan": "line_plans",
    "plan_lines": "line_plans",
    "FileReport": "ingestion",
    "ingest_paths": "ingestion",
    "seed_simulated_history": "seeding",
    "watch_simulated": "seeding",
    "collector_commands": "services",
    "live_command": "services",
    "live_url": "services",
    "run_services": "services",
    "running_services": "services",
    "running_pages": "pages",
    "serve_pages": "pages",
    "stop_pages": "pages",
    "start_detached": "pages",
    "SweepReport": "collection",
    "collect": "collection",
    "collect_forever": "collection",
    "describe_markets": "collection",
    "gateway_for": "collection",
    "running_gateway": "collection",
    "Report": "reporting",
    "ReportRun": "reporting",
    "last_report_runs": "reporting",
    "list_reports": "reporting",
    "report_schedule_command": "reporting",
    "read_assignments": "reporting",
    "run_report": "reporting",
    "daily_open": "reporting",
    "daily_close": "reporting",
    "weekly_review": "reporting",
    "data_quality": "reporting",
    "desk_status": "status",
    "diagnose": "doctor",
    "run_benchmark": "benchmarks",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
