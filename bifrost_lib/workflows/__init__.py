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
    "MarkReport": "recommending",
    "mark_recommendations": "recommending",
    "recommend": "recommending",
    "CalibrationReport": "calibration",
    "calibration_report": "calibration",
    "recalibrated_pop": "calibration",
    "PayoffProfile": "payoffs",
    "payoff_profile": "payoffs",
    "Market": "building",
    "Structure": "building",
    "market_of": "building",
    "read_market": "building",
    "start_legs": "building",
    "build_structure": "building",
    "scenario_curves": "building_scenarios",
    "scenario_map": "building_scenarios",
    "leg_details": "building_scenarios",
    "export_structure": "building_export",
    "Workbench": "building_bench",
    "with_analytics": "enrichment",
    "volatility_surface": "surfaces",
    "LinePlan": "line_plans",
    "plan_lines": "line_plans",
    "FileReport": "ingestion",
    "ingest_paths": "ingestion",
    "seed_simulated_history": "seeding",
    "watch_simulated": "seeding",
    "collector_commands": "services",
    "front_commands": "services",
    "run_services": "services",
    "running_services": "services",
    "hold_platform": "running",
    "running_platform": "running",
    "start_detached": "running",
    "stop_platform": "running",
    "wait_until_healthy": "running",
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
