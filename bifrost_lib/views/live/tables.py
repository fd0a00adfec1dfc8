"""Frames as grids: which columns, in which words and units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.badges import age_text, freshness
from bifrost_lib.views.formats import MINUS, MISSING, day, money, percent, plain, signed

GridTable = dict[str, Any]


def column(title: str, unit: str = "", *, text: bool = False, help: str = "") -> dict[str, Any]:
    """Return the head of a grid's column; numbers are right-aligned, texts left."""
    return {"title": title, "unit": unit, "text": text, "help": help}


def expiry_grid(summary: pd.DataFrame) -> GridTable:
    """Return the grid of expirations: `workflows.live.expiry_summary` in a trader's units."""
    columns = [
        column("Expiry", text=True),
        column("Days", help="calendar days"),
        column("IV", "%", help="at the money"),
        column("Chg", "pts", help="change of IV since the chosen time, volatility points"),
        column("Move", "$", help="price of the at-the-money straddle"),
        column("Vol", help="contracts traded"),
        column("OI", help="open contracts"),
        column("P/C", help="open interest of puts over calls"),
    ]
    rows = [
        {
            "key": f"{row['expiry']:%Y-%m-%d}",
            "cells": [
                day(row["expiry"]), f"{row['dte']}", percent(row["iv"]), signed(row["iv_change"] * 100),
                plain(row["move"]), money(row["volume"]), money(row["open_interest"]), plain(row["put_call"]),
            ],
        }
        for row in summary.to_dict("records")
    ]  # fmt: skip
    return {"columns": columns, "rows": rows}


def runs_grid(runs: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return the ledger of runs, the newest first."""
    columns = [
        *(column(title, text=True) for title in ("Started", "Ago", "Collector", "Symbol", "State")),
        column("Expected"), column("Received"), column("Missing", text=True, help="counted by reason"),
        column("Stored", help="rows that are new"), column("Took", "s"),
        column("Lines", help="most market-data lines at once"), column("Msgs", help="messages sent to the gateway"),
    ]  # fmt: skip
    rows = [{"cells": _run(row, now)} for row in runs.to_dict("records")]
    return _grid("Collection runs", columns, rows, "No run is in the ledger: the collectors have not started yet.")


def _run(row: dict[Any, Any], now: datetime) -> list[Any]:
    state = {"done": "good", "failed": "bad", "running": "warn"}.get(row["status"], "")
    missing = row["missing"] if isinstance(row["missing"], dict) else {}
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in missing.items())
    told = reasons or ("none" if isinstance(row["missing"], dict) else MISSING)
    lacking = {"text": told, "kind": "bad" if missing else "muted", "title": told}
    words = row["status"] if pd.isna(row["problem"]) else f"{row['status']}: {row['problem']}"
    return [
        clock_text(row["started"], now), age_text((now - row["started"]).total_seconds()), row["collector"],
        _word(row["symbol"]), {"text": words, "kind": state, "title": words},
        _count(row["expected"]), _count(row["received"]), lacking, _count(row["rows_stored"]),
        plain(row["seconds"], decimals=1), _count(row["lines_peak"]), _count(row["messages"]),
    ]  # fmt: skip


def gaps_grid(gaps: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return the gaps that are open, the newest first."""
    columns = [
        column("From", text=True), column("To", text=True), column("Symbol", text=True), column("Missing"),
        column("Reason", text=True), column("Fillable for", text=True),
    ]  # fmt: skip
    rows = []
    for row in gaps.iloc[::-1].to_dict("records"):
        lacking = None if pd.isna(row["expected"]) else int(row["expected"]) - int(_or(row["received"], 0))
        until = row["fillable_until"]
        left = "always" if pd.isna(until) else age_text((until - now).total_seconds())
        cells = [clock_text(row["first_ts"], now), clock_text(row["last_ts"], now), _word(row["symbol"])]
        rows.append({"cells": [*cells, _count(lacking), {"text": row["reason"], "kind": "bad"}, left]})
    return _grid(
        f"Open gaps · {len(gaps)}" if len(gaps) else "Open gaps", columns, rows, "No gap is open.", kind="good"
    )


def services_grid(services: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return the processes that `bifrost up` keeps running, the gateway first."""
    columns = [
        column("Service", text=True), column("State", text=True), column("Pid"), column("Up", text=True),
        column("Restarts", help="how often it had to be started again"),
    ]  # fmt: skip
    rows = []
    for row in services.to_dict("records"):
        kind = {"running": "good", "configured": "good", "waiting": "warn"}.get(row["state"], "bad")
        since = row["since"]
        up = (
            age_text((now - datetime.fromisoformat(since)).total_seconds())
            if isinstance(since, str) and since
            else MISSING
        )
        pid = MISSING if pd.isna(row["pid"]) else f"{int(row['pid'])}"
        restarts = {"text": f"{int(row['restarts'])}", "kind": "warn" if row["restarts"] else ""}
        rows.append({"cells": [row["name"], {"text": row["state"], "kind": kind}, pid, up, restarts]})
    return _grid("Services", columns, rows, "Nothing runs beside the pages: start `bifrost up`.")


def sessions_grid(sessions: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return how each session with a gateway stands, with its market-data lines and the weekly login."""
    columns = [
        column("Gateway", text=True), column("Held by", text=True), column("State", text=True),
        column("Lines", help="market-data lines in use, of those that may be used"), column("Msgs", "/s"),
        column("Data", text=True), column("Heard", text=True, help="since the gateway said something"),
        column("Login for", text=True, help="until a person has to log in again"),
    ]  # fmt: skip
    rows = [{"cells": _session(row, now)} for row in sessions.to_dict("records")]
    return _grid("Gateway sessions", columns, rows, "No process holds a session with a gateway.")


#: A word that is older than this is of a process that is gone or hangs; it speaks every five seconds.
SILENT_AFTER = timedelta(seconds=30)


def _session(row: dict[Any, Any], now: datetime) -> list[Any]:
    kind = {"ready": "good", "halted": "bad", "waiting_2fa": "bad", "disconnected": "bad"}.get(row["state"], "warn")
    state = {"text": row["state"].replace("_", " "), "kind": kind, "title": row["trouble"] or row["state"]}
    if now - row["ts"] > SILENT_AFTER:
        state = {"text": f"silent for {age_text((now - row['ts']).total_seconds())}", "kind": "bad"}
    held = ", ".join(f"{count:,} {who}" for who, count in row["lines_held"].items()) or "none in use"
    full = row["lines_used"] >= row["lines_total"]
    lines = {"text": f"{row['lines_used']:,} / {row['lines_total']:,}", "kind": "warn" if full else "", "title": held}
    if pd.isna(row["login_lapses"]):
        login: Any = {"text": "simulated", "kind": "muted"}
    else:
        left = row["login_lapses"] - now
        login = {"text": age_text(left.total_seconds()), "kind": "warn" if left < timedelta(hours=24) else ""}
    heard = MISSING if pd.isna(row["last_heard"]) else age_text(max((now - row["last_heard"]).total_seconds(), 0.0))
    place = f"{row['host']}:{row['port']}"
    return [
        place,
        row["holder"],
        state,
        lines,
        plain(row["messages_per_s"], decimals=1),
        row["data_type"],
        heard,
        login,
    ]


def reports_grid(
    reports: pd.DataFrame, *, now: datetime, files: Callable[[str], Sequence[str]], base: str = "reports"
) -> GridTable:
    """Return the ledger of reports, the newest first.

    Parameters
    ----------
    reports : DataFrame
        As `store.list_report_runs` returns them.
    now : datetime
    files : callable
        Returns the names of the files in a run's folder that a reader may open.
    base : str
        Address below which they are: ``base/RUN/FILE``.
    """
    columns = [
        *(column(title, text=True) for title in ("Started", "Report", "State")), column("Took", "s"),
        column("Attempt"), column("Due", text=True, help="moment of the schedule that it answers"),
        column("Open", text=True),
    ]  # fmt: skip
    rows = []
    for row in reports.to_dict("records"):
        words = row["status"] if pd.isna(row["problem"]) else f"{row['status']}: {row['problem']}"
        kind = {"done": "good", "failed": "bad", "running": "warn"}.get(row["status"], "bad")
        names = files(row["path"]) if isinstance(row["path"], str) else []
        links = [{"text": name.rpartition(".")[2], "href": f"{base}/{row['run_id']}/{name}"} for name in names]
        rows.append({
            "cells": [
                clock_text(row["started"], now), row["name"].replace("_", " "),
                {"text": words, "kind": kind, "title": words}, plain(row["seconds"], decimals=1),
                str(row["attempt"]), clock_text(row["slot"], now) if not pd.isna(row["slot"]) else "asked for",
                {"text": "" if links else MISSING, "links": links},
            ]
        })  # fmt: skip
    return _grid("Reports", columns, rows, "No report was made yet: `bifrost report daily_open` makes one.")


def kernels_grid(machine: Any) -> GridTable:
    """Return who kernels work for on this machine, and whether the cluster answers; see `workflows.live.Machine`."""
    columns = [
        column("For", text=True),
        column("Kernels", help="those that wait for a viewer included"),
        column("Memory", "MB"),
    ]
    rows = [
        {"cells": [row["purpose"], f"{row['kernels']:,}", plain(row["memory_mb"], decimals=0)]}
        for row in machine.kernels.to_dict("records")
    ]
    state = f": {machine.cluster_state}" if machine.cluster_state else ""
    kind = {"answers": "good", "silent": "bad"}.get(machine.cluster_state, "muted")
    rows.append({"cells": ["sweeps", {"text": f"{machine.cluster}{state}", "kind": kind}, ""]})
    return _grid("Kernels and cluster", columns, rows, "")


def watches_grid(watches: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return the watchlist with the age of each symbol's data."""
    columns = [
        column("Symbol", text=True), column("Sweep", text=True, help="age of the newest stored moment"),
        column("Quotes", text=True, help="age of the newest streamed quote"), column("Conditions", text=True),
        column("Every", "s"), column("Expiries"), column("Strikes"),
        column("Days", help="most calendar days to expiry"), column("Priority"),
    ]  # fmt: skip
    rows = []
    for row in watches.to_dict("records"):
        sweep: Any = _age(row["sweep_ts"], now, late=bool(row["late"]), cadence_s=float(row["cadence_s"]))
        if not row["enabled"]:
            sweep = {"text": "paused", "kind": "muted"}
        every = f"{row['cadence_s']:,.0f}"
        cells = [
            row["symbol"],
            sweep,
            _age(row["quote_ts"], now),
            _age(row["condition_ts"], now, cadence_s=600.0),
            every,
        ]
        cells += [str(row["expiries"]), str(row["strikes"] or "all"), str(row["max_dte"]), str(row["priority"])]
        rows.append({"cells": cells})
    return _grid("Watchlist and age of data", columns, rows, "Nothing is watched: `bifrost watch SPY` adds a symbol.")


def tables_grid(rows: dict[str, int], *, size_bytes: int, backlog: Any, now: datetime) -> GridTable:
    """Return how much the database holds, and what waits to be stored (`backlog`, as `store.spool_backlog` tells)."""
    columns = [column("Table", text=True), column("Rows")]
    lag = "" if backlog.oldest is None else f" for {age_text(max((now - backlog.oldest).total_seconds(), 0.0))}"
    told = [
        ("batches that wait to be stored", f"{backlog.waiting:,}{lag}", "warn" if backlog.waiting else "good"),
        ("batches set aside", f"{backlog.set_aside:,}", "bad" if backlog.set_aside else "good"),
    ]
    lines = [{"cells": [name, {"text": text, "kind": kind}]} for name, text, kind in told]
    lines += [{"cells": [name.replace("_", " "), f"{count:,}"]} for name, count in rows.items()]
    return _grid(f"Database · {size_text(size_bytes)}", columns, lines, "The database is empty.")


def size_text(size_bytes: float) -> str:
    """Return a size in the largest unit that fits: ``38 MB``, ``1.4 GB``."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= size:
            return f"{size_bytes / size:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{size_bytes / 1e3:.0f} kB"


def clock_text(moment: Any, now: datetime) -> str:
    """Return the time at the exchange, with the date where that is not today's, and the year where not this one."""
    if pd.isna(moment):
        return MISSING
    local, today = moment.astimezone(EXCHANGE_TZ), now.astimezone(EXCHANGE_TZ).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %y %H:%M}"


def _grid(caption: str, columns: list[Any], rows: list[Any], empty: str, *, kind: str = "empty") -> GridTable:
    table: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    return table if rows else table | {"notice": {"kind": kind, "text": empty}}


def _age(moment: Any, now: datetime, *, late: bool = False, cadence_s: float = 0.0) -> Any:
    """Return an age and its colour: by the platform's limits, or by the beat at which the data are collected."""
    if pd.isna(moment):
        return {"text": "none", "kind": "muted"}
    age = now - moment
    state = freshness(moment, now) if age >= timedelta(0) else "fresh"
    if cadence_s:
        state = "fresh" if age.total_seconds() < 1.5 * cadence_s and not late else "stale"
    kind = {"fresh": "good", "ageing": "warn", "stale": "bad"}[state]
    return {"text": age_text(max(age.total_seconds(), 0.0)), "kind": kind, "title": moment.isoformat()}


def _count(value: Any) -> str:
    return MISSING if value is None or pd.isna(value) else f"{int(value):,}"


def _word(value: Any) -> str:
    return MISSING if value is None or pd.isna(value) else str(value)


def _or(value: Any, default: int) -> Any:
    return default if pd.isna(value) else value


def spot_change(spot: float, before: float) -> tuple[str, str]:
    """Return the change of the underlying in words, ``+1.32 (+0.25 %)``, and its direction (up, down or neither)."""
    if isnan(spot) or not before > 0:
        return "", ""
    change = spot - before
    text = f"{change:+,.2f} ({change / before:+.2%})".replace("-", MINUS).replace("%", " %")
    return text, "up" if change > 0 else "down" if change < 0 else ""


def desk_line(completeness: float, gaps: int, viewers: int, place: str) -> str:
    """Return the state of collecting in one line."""
    whole = "" if isnan(completeness) else f"{completeness:.1%} of what was expected came · "
    open_gaps = f"{gaps:,} open gaps" if gaps != 1 else "1 open gap"
    return f"{whole}{open_gaps} · {viewers} watching chains · {place}"
