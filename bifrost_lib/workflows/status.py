"""What runs, what is stored, and how old it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import Address, Settings, load_settings
from bifrost_lib.workflows.collection import running_gateway
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.live.operations import RUNS, completeness
from bifrost_lib.workflows.running import running_platform
from bifrost_lib.workflows.services import COLLECTORS, FRONT, ServiceState, running_services
from bifrost_lib.workflows.units import unit_states

#: Parts that `bifrost up` runs beside the store and the gateway, in the order in which they are told.
PARTS = (*FRONT, *COLLECTORS, "reports")
#: A session of which nothing was told for so long is gone, or hangs; its holder speaks every five seconds.
SILENT_AFTER = timedelta(seconds=30)
#: States of a session in which a gateway does its work.
_AT_WORK = frozenset({"ready", "resubscribing"})


def desk_status() -> dict[str, Any]:
    """Return the state of every part of the platform and of the stored data.

    Returns
    -------
    dict
        ``parts``: name, state (running, waiting, stopped, configured, failed), pid, since, detail; ``url`` of the
        platform, null while it does not run; ``data_age_s``: seconds since the newest stored quote that is not
        simulated, else the newest of all, null without any; ``completeness``: share of the expected observations that
        the last collector runs received, null without any; ``lines``: market-data lines that the last run held at
        most and that may be held at all gateways together; ``sessions``: gateway, holder, state, trouble, lines_used
        and lines_total of each login, as its holder said last; ``simulated_only``; ``symbols``: symbol, source,
        first_ts, last_ts, sessions, rows; ``store``: its size and rows.
    """
    settings = load_settings()
    platform = running_platform(settings)
    known = {state.name: state for state in (running_services(settings) if platform else unit_states(settings))}
    services = [_service(name, known.get(name)) for name in dict.fromkeys((*PARTS, *known))]
    found = {"url": platform.url if platform else None}
    try:
        with open_desk(settings=settings) as desk:
            return found | _with_data(desk, services)
    except BifrostError as error:
        parts = [_part("store", "failed", str(error)), *_gateways(settings, []), *services]
        nothing = dict.fromkeys(("data_age_s", "completeness", "lines", "simulated_only"))
        return found | {"parts": parts, **nothing, "sessions": [], "symbols": [], "store": None}


def _with_data(desk: Desk, services: list[dict[str, Any]]) -> dict[str, Any]:
    sessions = _sessions(desk)
    symbols = store.list_symbols(desk.store.engine)
    summary = store.store_summary(desk.store)
    parts = [_part("store", "running", desk.store.description), *_gateways(desk.settings, sessions), *services]
    real = symbols[symbols["source"] != "simulated"]
    newest: pd.Timestamp | None = (real if len(real) else symbols)["last_ts"].max() if len(symbols) else None
    age_s = None if newest is None else (desk.clock.now() - newest.to_pydatetime()).total_seconds()
    runs = store.list_runs(desk.store, limit=RUNS)
    return {
        "parts": parts,
        "data_age_s": age_s,
        "completeness": completeness(runs),
        "lines": {"last_run": _last(runs["lines_peak"]), "most": _most_lines(desk.settings)},
        "sessions": sessions,
        "simulated_only": bool(len(symbols)) and not len(real),
        "symbols": [_symbol(row) for row in symbols.to_dict("records")],
        "store": {"level": summary.level, "version": summary.version, "size_bytes": summary.size_bytes}
        | {"rows": summary.rows},
    }


def _last(peaks: pd.Series) -> int | None:
    known = peaks.dropna()
    return int(known.iloc[0]) if len(known) else None


def _most_lines(settings: Settings) -> int:
    return int(settings.ib_lines) * max(1, len(settings.ib_addresses))


def _sessions(desk: Desk) -> list[dict[str, Any]]:
    """Return what the holders of sessions said lately, by gateway."""
    rows = store.gateway_sessions(desk.store)
    fresh = rows[rows["ts"] >= desk.clock.now() - SILENT_AFTER].to_dict("records")
    kept = ("holder", "state", "trouble", "lines_used", "lines_total")
    told = [{"gateway": str(Address(row["host"], row["port"]))} | {name: row[name] for name in kept} for row in fresh]
    return sorted(told, key=lambda session: (session["gateway"], session["holder"]))


def _gateways(settings: Settings, sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each gateway as a part, with what its sessions tell."""
    if not settings.ib_addresses:
        found = running_gateway(settings)
        if found is None:
            return [_part("gateway", "stopped", "started by `bifrost up`")]
        place = Address("127.0.0.1", found.port)
        return [_part("gateway", "running", f"simulated, {place}{_told(place, sessions)}", pid=found.pid)]
    several = len(settings.ib_addresses) > 1
    return [
        _part(
            f"gateway {place}" if several else "gateway", _state(place, sessions),
            ("" if several else f"{place}, ") + f"from the settings{_told(place, sessions)}",
        )
        for place in settings.ib_addresses
    ]  # fmt: skip


def _state(place: Address, sessions: list[dict[str, Any]]) -> str:
    states = {session["state"] for session in sessions if session["gateway"] == str(place)}
    if not states:
        return "configured"
    return "running" if states & _AT_WORK else "waiting"


def _told(place: Address, sessions: list[dict[str, Any]]) -> str:
    return "".join(
        f"; {one['holder']}: {one['trouble'] or one['state']}, {one['lines_used']} of {one['lines_total']} lines"
        for one in sessions
        if one["gateway"] == str(place)
    )


def _part(name: str, state: str, detail: str, *, pid: int | None = None) -> dict[str, Any]:
    return {"name": name, "state": state, "pid": pid, "since": None, "detail": detail}


def _service(name: str, state: ServiceState | None) -> dict[str, Any]:
    if state is None:
        return _part(name, "stopped", "started by `bifrost up`")
    detail = state.log + (f", started again {state.restarts} times" if state.restarts else "")
    return {"name": name, "state": state.state, "pid": state.pid, "since": state.since, "detail": detail}


def _symbol(row: dict[Any, Any]) -> dict[str, Any]:
    moments = {name: row[name].to_pydatetime() for name in ("first_ts", "last_ts")}
    return {str(name): moments.get(str(name), value) for name, value in row.items()}
