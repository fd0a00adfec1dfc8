"""How the desk does: collecting, gaps, services, the gateway, the watchlist, reports, kernels, and how old data are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.workflows.collection import running_gateway
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.live.machine import Machine, look_at_machine
from bifrost_lib.workflows.services import ServiceState, running_services
from bifrost_lib.workflows.units import unit_states

RUNS, REPORTS = 60, 40


@dataclass(frozen=True)
class OperationsPicture:
    """The state of the desk at `at`.

    Attributes
    ----------
    at : datetime
    runs, gaps : DataFrame
        As `store.list_runs` and `store.open_gaps` return them.
    services : DataFrame
        `name`, `state`, `pid`, `since`, `restarts`, `log`; the gateway is one of them.
    sessions : DataFrame
        As `store.gateway_sessions` returns them.
    watches : DataFrame
        `symbol`, `enabled`, `expiries`, `strikes`, `max_dte`, `cadence_s`, `priority`, and of its data: `sweep_ts`,
        `quote_ts`, `condition_ts` (newest of each; NaT where there is none), `late` (its newest sweep is older than
        two of its cadences).
    reports : DataFrame
        As `store.list_report_runs` returns them.
    machine : Machine
    size_bytes : int
    rows : dict of str to int
        Rows by table.
    place : str
    """

    at: datetime
    runs: pd.DataFrame
    gaps: pd.DataFrame
    services: pd.DataFrame
    sessions: pd.DataFrame
    watches: pd.DataFrame
    reports: pd.DataFrame
    machine: Machine
    size_bytes: int
    rows: dict[str, int]
    place: str

    @property
    def completeness(self) -> float:
        """Share of the expected observations that came, over the shown runs that ended; NaN without any."""
        return completeness(self.runs)


def completeness(runs: pd.DataFrame) -> float:
    """Return the share of the expected observations that came, over the runs that ended; NaN without any."""
    ended = runs[(runs["status"] != "running") & runs["expected"].notna()]
    expected = int(ended["expected"].sum())
    return float(ended["received"].fillna(0).sum()) / expected if expected else float("nan")


def operations_picture(desk: Desk) -> OperationsPicture:
    """Look at everything once; takes a few database reads and no waiting for others."""
    now = desk.clock.now()
    summary = store.store_summary(desk.store)
    return OperationsPicture(
        at=now,
        runs=store.list_runs(desk.store, limit=RUNS),
        gaps=store.open_gaps(desk.store, at=now),
        services=_services(desk),
        sessions=store.gateway_sessions(desk.store),
        watches=_watches(desk, now),
        reports=store.list_report_runs(desk.store, limit=REPORTS),
        machine=look_at_machine(desk.settings),
        size_bytes=summary.size_bytes,
        rows=summary.rows,
        place=desk.store.description,
    )


def _services(desk: Desk) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [*_gateways(desk), *(asdict(state) for state in _states(desk))]
    return pd.DataFrame(rows, columns=["name", "state", "pid", "since", "restarts", "log"])


def _states(desk: Desk) -> list[ServiceState]:
    return running_services(desk.settings) or unit_states(desk.settings)


def _gateways(desk: Desk) -> list[dict[str, Any]]:
    settings = desk.settings
    if settings.ib_addresses:
        return [{"name": f"gateway {one}", "state": "configured", "restarts": 0} for one in settings.ib_addresses]
    found = running_gateway(settings)
    if found is None:
        return [{"name": "gateway, simulated", "state": "stopped", "restarts": 0}]
    return [{"name": f"gateway, simulated, port {found.port}", "state": "running", "pid": found.pid, "restarts": 0}]


def _watches(desk: Desk, now: datetime) -> pd.DataFrame:
    rows = []
    for watch in store.watchlist(desk.store):
        sweep = _newest_sweep(desk, watch.symbol)
        late = watch.enabled and (sweep is None or now - sweep > timedelta(seconds=2 * watch.cadence_s))
        moments = {"sweep_ts": sweep, "quote_ts": _newest_quote(desk, watch.symbol, now)}
        moments["condition_ts"] = _newest_condition(desk, watch.symbol, now)
        rows.append(
            {
                **asdict(watch),
                **{name: pd.NaT if ts is None else pd.Timestamp(ts) for name, ts in moments.items()},
                "late": late,
            }
        )
    columns = ("symbol", "enabled", "expiries", "strikes", "max_dte", "cadence_s", "priority")
    return pd.DataFrame(rows, columns=[*columns, "sweep_ts", "quote_ts", "condition_ts", "late"])


def _newest_sweep(desk: Desk, symbol: str) -> datetime | None:
    try:
        return store.latest_moment(desk.store.engine, symbol)
    except NoDataError:
        return None


def _newest_quote(desk: Desk, symbol: str, now: datetime) -> datetime | None:
    try:
        found: datetime = store.live_quotes(desk.store.engine, symbol, at=now).attrs["as_of"]
    except NoDataError:
        return None
    return found


def _newest_condition(desk: Desk, symbol: str, now: datetime) -> datetime | None:
    try:
        found: datetime = store.market_conditions(desk.store.engine, symbol, at=now)["ts"].iloc[-1].to_pydatetime()
    except NoDataError:
        return None
    return found
