"""The ledger of reports: each attempt, what became of it, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import Json
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.processes import Process, this_process
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

#: What became of an attempt whose process was killed.
INTERRUPTED = "interrupted"
_COLUMNS = (
    *("run_id", "name", "parameters", "slot", "attempt", "started", "finished", "status", "seconds", "problem"),
    *("path", "pid", "host"),
)
_KINDS = {
    **dict.fromkeys(("slot", "started", "finished"), "datetime64[us, UTC]"),
    **dict.fromkeys(("run_id", "attempt"), "int64"),
    "pid": "Int64",
    "seconds": "float64",
}


def begin_report_run(
    store: Store,
    *,
    name: str,
    parameters: Mapping[str, Any],
    started: datetime,
    slot: datetime | None = None,
    attempt: int = 1,
) -> int:
    """Enter an attempt in the ledger as running in this process; return its key.

    Parameters
    ----------
    store : Store
    name : str
        Which report.
    parameters : mapping
        JSON-ready.
    started : datetime, aware
    slot : datetime, aware, optional
        The moment of the schedule that it answers.
    attempt : int
        >= 1.
    """
    if not name.strip():
        raise InputError("name", name, "the name of a report")
    if attempt < 1:
        raise InputError("attempt", attempt, "a whole number >= 1")
    process = this_process()
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "INSERT INTO report_runs (name, parameters, slot, attempt, started, status, pid, process, host) "
            "VALUES (%s, %s, %s, %s, %s, 'running', %s, %s, %s) RETURNING run_id",
            (
                *(name, Json(dict(parameters)), as_utc(slot, name="slot") if slot else None, attempt),
                *(as_utc(started, name="started"), process.pid, process.mark, process.host),
            ),
        )
        return int(cursor.fetchone()[0])


def place_report_run(store: Store, run_id: int, *, path: str) -> None:
    """Note where the files of a run lie, before there are any: one that is killed is found too."""
    with written(store.engine, store.place) as cursor:
        cursor.execute("UPDATE report_runs SET path = %s WHERE run_id = %s", (path, int(run_id)))
        _check_found(cursor, run_id)


def finish_report_run(store: Store, run_id: int, *, finished: datetime, seconds: float, problem: str = "") -> None:
    """Write the end of an attempt: done, or failed if there is a problem.

    Raises
    ------
    InputError
        If there is no such run, or its end is known.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE report_runs SET status = %s, problem = %s, finished = greatest(started, %s), seconds = %s "
            "WHERE run_id = %s AND (status = 'running' OR problem = %s)",
            (
                *("failed" if problem else "done", problem or None, as_utc(finished, name="finished"), float(seconds)),
                *(int(run_id), INTERRUPTED),
            ),
        )
        _check_found(cursor, run_id)


def interrupted_report_runs(store: Store, *, at: datetime) -> pd.DataFrame:
    """Mark the attempts that a process of this machine left behind as failed, ``interrupted``; return them.

    Returns
    -------
    DataFrame
        As `list_report_runs`, the oldest first.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "SELECT run_id, host, pid, process FROM report_runs WHERE status = 'running' ORDER BY run_id FOR UPDATE"
        )
        runs = [(run_id, Process(host, pid, mark)) for run_id, host, pid, mark in cursor]
        dead = [run_id for run_id, process in runs if process.is_ours_to_judge and not process.is_alive()]
        cursor.execute(
            "UPDATE report_runs SET status = 'failed', problem = %s, finished = greatest(started, %s) "
            "WHERE run_id = ANY(%s)",
            (INTERRUPTED, as_utc(at), dead),
        )
        return _runs(cursor, "run_id = ANY(%(dead)s) ORDER BY run_id", {"dead": dead})


def list_report_runs(
    store: Store | Engine,
    *,
    name: str | None = None,
    run_id: int | None = None,
    at: datetime | None = None,
    limit: int = 50,
) -> pd.DataFrame:
    """Return the newest attempts that had begun by `at`, the latest first; of one report, or the one of `run_id`.

    Returns
    -------
    DataFrame
        `run_id`, `name`, `parameters` (dict), `slot`, `attempt`, `started`, `finished`, `status` (running, done,
        failed), `seconds`, `problem`, `path`, `pid`, `host`. Empty where no report was made.
    """
    words = "started <= %(until)s" + (" AND name = %(name)s" if name is not None else "")
    words += " AND run_id = %(run_id)s" if run_id is not None else ""
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    with cursor_of(store.engine) as cursor:
        return _runs(
            cursor,
            f"{words} ORDER BY started DESC, run_id DESC LIMIT %(limit)s",
            {"until": until, "name": name, "run_id": run_id, "limit": limit},
        )


def _runs(cursor: Any, words: str, known: Mapping[str, Any]) -> pd.DataFrame:
    cursor.execute(f"SELECT {', '.join(_COLUMNS)} FROM report_runs WHERE {words}", known)  # noqa: S608
    return pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS)).astype(_KINDS)


def _check_found(cursor: Any, run_id: int) -> None:
    if cursor.rowcount != 1:
        raise InputError("run_id", run_id, "a report's run that has not ended")
