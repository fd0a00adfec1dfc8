"""What runs, what is stored, and how old it is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.collection import running_gateway
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.pages import running_pages
from bifrost_lib.workflows.services import ServiceState, running_services


def desk_status() -> dict[str, Any]:
    """Return the state of every part of the platform and of the stored data.

    Returns
    -------
    dict
        ``parts``: name, state (running, stopped, failed), pid, since, detail; ``data_age_s``: seconds since the newest
        stored quote that is not simulated, else the newest of all, null without any; ``simulated_only``;
        ``symbols``: symbol, source, first_ts, last_ts, sessions, rows; ``store``: its size and rows.
    """
    settings = load_settings()
    pages = running_pages(settings)
    parts = [
        {
            "name": "pages",
            "state": "running" if pages else "stopped",
            "pid": pages.pid if pages else None,
            "since": pages.since if pages else None,
            "detail": pages.url.partition("?")[0] if pages else "started by `bifrost up`",
        },
        _gateway(settings),
        *(_service(state) for state in running_services(settings)),
    ]
    try:
        with open_desk(settings=settings) as desk:
            return _with_data(desk, parts)
    except BifrostError as error:
        failed = {"name": "store", "state": "failed", "pid": None, "since": None, "detail": str(error)}
        return {"parts": [failed, *parts], "data_age_s": None, "simulated_only": None, "symbols": [], "store": None}


def _with_data(desk: Desk, parts: list[dict[str, Any]]) -> dict[str, Any]:
    symbols = store.list_symbols(desk.store.engine)
    summary = store.store_summary(desk.store)
    part = {"name": "store", "state": "running", "pid": None, "since": None, "detail": desk.store.description}
    real = symbols[symbols["source"] != "simulated"]
    newest: pd.Timestamp | None = (real if len(real) else symbols)["last_ts"].max() if len(symbols) else None
    age_s = None if newest is None else (desk.clock.now() - newest.to_pydatetime()).total_seconds()
    return {
        "parts": [part, *parts],
        "data_age_s": age_s,
        "simulated_only": bool(len(symbols)) and not len(real),
        "symbols": [_symbol(row) for row in symbols.to_dict("records")],
        "store": {"level": summary.level, "version": summary.version, "size_bytes": summary.size_bytes}
        | {"rows": summary.rows},
    }


def _gateway(settings: Settings) -> dict[str, Any]:
    if settings.ib_port is not None:
        detail = f"{settings.ib_host}:{settings.ib_port}, from the settings"
        return {"name": "gateway", "state": "configured", "pid": None, "since": None, "detail": detail}
    found = running_gateway(settings)
    state, detail = (
        ("running", f"simulated, 127.0.0.1:{found.port}") if found else ("stopped", "started by `bifrost up`")
    )
    return {"name": "gateway", "state": state, "pid": found.pid if found else None, "since": None, "detail": detail}


def _service(state: ServiceState) -> dict[str, Any]:
    detail = f"{state.log}" + (f", started again {state.restarts} times" if state.restarts else "")
    return {"name": state.name, "state": state.state, "pid": state.pid, "since": state.since, "detail": detail}


def _symbol(row: dict[Any, Any]) -> dict[str, Any]:
    moments = {name: row[name].to_pydatetime() for name in ("first_ts", "last_ts")}
    return {str(name): moments.get(str(name), value) for name, value in row.items()}
