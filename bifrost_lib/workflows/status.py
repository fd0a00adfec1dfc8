"""What runs, what is stored, and how old it is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.collection import running_gateway
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.live.operations import RUNS, completeness
from bifrost_lib.workflows.running import running_platform
from bifrost_lib.workflows.services import COLLECTORS, FRONT, ServiceState, running_services
from bifrost_lib.workflows.units import unit_states

#: Parts that `bifrost up` runs beside the store and the gateway, in the order in which they are told.
PARTS = (*FRONT, *COLLECTORS, "reports")


def desk_status() -> dict[str, Any]:
    """Return the state of every part of the platform and of the stored data.

    Returns
    -------
    dict
        ``parts``: name, state (running, waiting, stopped, configured, failed), pid, since, detail; ``url`` of the
        platform, null while it does not run; ``data_age_s``: seconds since the newest stored quote that is not
        simulated, else the newest of all, null without any; ``completeness``: share of the expected observations that
        the last collector runs received, null without any; ``lines``: market-data lines that the last run held at
        most and that may be held; ``simulated_only``; ``symbols``: symbol, source, first_ts, last_ts, sessions, rows;
        ``store``: its size and rows.
    """
    settings = load_settings()
    platform = running_platform(settings)
    known = {state.name: state for state in (running_services(settings) if platform else unit_states(settings))}
    parts = [_gateway(settings), *(_service(name, known.get(name)) for name in dict.fromkeys((*PARTS, *known)))]
    found = {"url": platform.url if platform else None}
    try:
        with open_desk(settings=settings) as desk:
            return found | _with_data(desk, parts)
    except BifrostError as error:
        failed = {"name": "store", "state": "failed", "pid": None, "since": None, "detail": str(error)}
        nothing = dict.fromkeys(("data_age_s", "completeness", "lines", "simulated_only"))
        return found | {"parts": [failed, *parts], **nothing, "symbols": [], "store": None}


def _with_data(desk: Desk, parts: list[dict[str, Any]]) -> dict[str, Any]:
    symbols = store.list_symbols(desk.store.engine)
    summary = store.store_summary(desk.store)
    part = {"name": "store", "state": "running", "pid": None, "since": None, "detail": desk.store.description}
    real = symbols[symbols["source"] != "simulated"]
    newest: pd.Timestamp | None = (real if len(real) else symbols)["last_ts"].max() if len(symbols) else None
    age_s = None if newest is None else (desk.clock.now() - newest.to_pydatetime()).total_seconds()
    runs = store.list_runs(desk.store, limit=RUNS)
    return {
        "parts": [part, *parts],
        "data_age_s": age_s,
        "completeness": completeness(runs),
        "lines": {"last_run": _last(runs["lines_peak"]), "most": desk.settings.ib_lines},
        "simulated_only": bool(len(symbols)) and not len(real),
        "symbols": [_symbol(row) for row in symbols.to_dict("records")],
        "store": {"level": summary.level, "version": summary.version, "size_bytes": summary.size_bytes}
        | {"rows": summary.rows},
    }


def _last(peaks: pd.Series) -> int | None:
    known = peaks.dropna()
    return int(known.iloc[0]) if len(known) else None


def _gateway(settings: Settings) -> dict[str, Any]:
    if settings.ib_port is not None:
        detail = f"{settings.ib_host}:{settings.ib_port}, from the settings"
        return {"name": "gateway", "state": "configured", "pid": None, "since": None, "detail": detail}
    found = running_gateway(settings)
    state, detail = (
        ("running", f"simulated, 127.0.0.1:{found.port}") if found else ("stopped", "started by `bifrost up`")
    )
    return {"name": "gateway", "state": state, "pid": found.pid if found else None, "since": None, "detail": detail}


def _service(name: str, state: ServiceState | None) -> dict[str, Any]:
    if state is None:
        return {"name": name, "state": "stopped", "pid": None, "since": None, "detail": "started by `bifrost up`"}
    detail = state.log + (f", started again {state.restarts} times" if state.restarts else "")
    return {"name": name, "state": state.state, "pid": state.pid, "since": state.since, "detail": detail}


def _symbol(row: dict[Any, Any]) -> dict[str, Any]:
    moments = {name: row[name].to_pydatetime() for name in ("first_ts", "last_ts")}
    return {str(name): moments.get(str(name), value) for name, value in row.items()}
