"""The ledger of collection: every run says what it expected, what came, and why the rest did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import Json
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.processes import Process, this_process
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.stocks import is_simulated, stock_ids
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

INTERRUPTED = "interrupted"
_COUNTS = ("expected", "received", "rows_stored", "lines_peak", "messages")
_COLUMNS = (
    *("run_id", "collector", "source", "symbol", "started", "finished", "status", "expected", "received", "missing"),
    *("rows_stored", "lines_peak", "messages", "seconds", "problem", "batch", "pid", "host"),
)
_KINDS = {
    **dict.fromkeys(("started", "finished"), "datetime64[us, UTC]"),
    **dict.fromkeys((*_COUNTS, "pid"), "Int64"),
    "run_id": "int64",
    "seconds": "float64",
}


@dataclass(frozen=True)
class RunOutcome:
    """What became of a run.

    Attributes
    ----------
    expected, received : int
        Contracts that should have been observed, and those that were.
    missing : mapping of str to int
        The others, counted by reason; ``received + sum(missing.values()) == expected``.
    rows_stored : int
        Rows newly stored; counted by the writer where one stores the run's rows.
    lines_peak, messages : int
        Most market-data lines held at once, and messages sent to the source.
    seconds : float
        How long it took.
    problem : str
        Why the run as a whole failed; empty if it did not.
    """

    expected: int
    received: int
    missing: Mapping[str, int] = field(default_factory=dict)
    rows_stored: int = 0
    lines_peak: int = 0
    messages: int = 0
    seconds: float = 0.0
    problem: str = ""

    def check(self) -> None:
        """Refuse an outcome that does not balance.

        Raises
        ------
        InputError
            If a number is negative or the reasons do not explain exactly what is missing.
        """
        for name in (*_COUNTS, "seconds"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(f"outcome.{name}", getattr(self, name), "a number >= 0")
        for reason, count in self.missing.items():
            if not reason or count < 0:
                raise InputError("outcome.missing", dict(self.missing), "counts >= 0, each with a reason")
        if self.received + sum(self.missing.values()) != self.expected:
            told = f"{self.received} received, {dict(self.missing)} missing, {self.expected} expected"
            raise InputError("outcome.missing", told, "received and missing to add up to expected")


def begin_run(
    store: Store,
    *,
    collector: str,
    source: str,
    symbol: str | None,
    started: datetime,
    batch: str | None = None,
    expected: int | None = None,
) -> int:
    """Enter a run in the ledger as running in this process; return its key.

    Parameters
    ----------
    store : Store
    collector, source : str
        Which collector runs, and who supplies the data.
    symbol : str or None
        Underlying; None for a run that is not about one.
    started : datetime, aware
    batch : str, optional
        Name of the batch that the run will bring, the same at every attempt. A second attempt continues the run.
    expected : int, optional
        Contracts that should be observed, where that is known beforehand: an interrupted run then still balances.

    Raises
    ------
    InputError
        If the batch has been stored, or real and simulated data would share a symbol.
    """
    with written(store.engine, store.place) as cursor:
        return enter_run(
            cursor,
            *(collector, source, symbol, as_utc(started, name="started"), batch, expected),
            process=this_process(),
        )


def begin_runs(
    store: Store, *, collector: str, source: str, symbol: str | None, started: datetime, expected: Mapping[str, int]
) -> list[int]:
    """Enter the runs of several batches at once; return their keys.

    Parameters
    ----------
    store, collector, source, symbol, started
        As in `begin_run`.
    expected : mapping of str to int
        Name of each batch, and the contracts that it should bring.

    Raises
    ------
    InputError
        As `begin_run`; none of them is entered then.
    """
    process, started = this_process(), as_utc(started, name="started")
    with written(store.engine, store.place) as cursor:
        return [
            enter_run(cursor, collector, source, symbol, started, batch, count, process=process)
            for batch, count in expected.items()
        ]


def finish_run(store: Store, run_id: int, outcome: RunOutcome, *, finished: datetime) -> None:
    """Write the end of a run into the ledger: done, or failed if the outcome names a problem.

    Rows and the end of their run belong into one transaction: see `SnapshotWriter.finish_run`.

    Raises
    ------
    InputError
        If the outcome does not balance, or `run_id` is no run whose end is open.
    """
    with written(store.engine, store.place) as cursor:
        settle_run(cursor, run_id, outcome, finished=finished)


def interrupted_runs(store: Store, collector: str, *, at: datetime) -> pd.DataFrame:
    """Mark the runs of `collector` that a process of this machine left behind as failed; return them.

    Returns
    -------
    DataFrame
        As `list_runs`, the oldest first. Where it was known beforehand how much was expected, all of it is missing
        with the reason ``interrupted``.
    """
    at = as_utc(at)
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "SELECT run_id, host, pid, process FROM collection_runs WHERE collector = %s AND status = 'running' "
            "AND pid IS NOT NULL ORDER BY run_id FOR UPDATE",
            (collector,),
        )
        runs = [(run_id, Process(host, pid, mark)) for run_id, host, pid, mark in cursor]
        dead = [run_id for run_id, process in runs if process.is_ours_to_judge and not process.is_alive()]
        cursor.execute(
            "UPDATE collection_runs SET status = 'failed', problem = %(why)s, finished = greatest(started, %(at)s), "
            "received = 0, missing = CASE WHEN expected > 0 THEN jsonb_build_object(%(why)s, expected) ELSE '{}' END "
            "WHERE run_id = ANY(%(dead)s)",
            {"why": INTERRUPTED, "at": at, "dead": dead},
        )
        return _runs(cursor, "run_id = ANY(%(dead)s) ORDER BY run_id", {"dead": dead}, until=None)


def list_runs(
    store: Store | Engine,
    *,
    at: datetime | None = None,
    limit: int = 100,
    collector: str | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """Return the newest runs as they were known at `at`, the latest first.

    Returns
    -------
    DataFrame
        `run_id`, `collector`, `source`, `symbol`, `started`, `finished`, `status` (running, done, failed), `expected`,
        `received`, `missing` (dict of counts by reason), `rows_stored`, `lines_peak`, `messages`, `seconds`,
        `problem`, `batch`, `pid`, `host`. Empty where nothing ran. A run that ended after `at` is shown as running.
    """
    conditions, known = ["started <= %(until)s"], {"limit": limit, "collector": collector, "symbol": symbol}
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    conditions += ["collector = %(collector)s"] if collector is not None else []
    conditions += ["symbol = %(symbol)s"] if symbol is not None else []
    words = " AND ".join(conditions) + " ORDER BY started DESC, run_id DESC LIMIT %(limit)s"
    with cursor_of(store.engine) as cursor:
        return _runs(cursor, words, known, until=until)


def enter_run(
    cursor: Any,
    collector: str,
    source: str,
    symbol: str | None,
    started: datetime,
    batch: str | None,
    expected: int | None,
    *,
    process: Process | None,
) -> int:
    """Write a running run in the transaction of `cursor`; return its key."""
    for name, text in (("collector", collector), ("source", source)):
        if not text.strip():
            raise InputError(name, text, "a name")
    stock_id = None
    if symbol is not None:
        stock_id = stock_ids(cursor, [symbol], simulated=is_simulated(source))[symbol]
    cursor.execute(
        "INSERT INTO collection_runs AS known (collector, source, stock_id, started, status, expected, batch, host, "
        "pid, process) VALUES (%s, %s, %s, %s, 'running', %s, %s, %s, %s, %s) ON CONFLICT (batch) DO UPDATE "
        "SET status = 'running', finished = NULL, problem = NULL, host = coalesce(excluded.host, known.host), "
        "pid = coalesce(excluded.pid, known.pid), process = coalesce(excluded.process, known.process) "
        "WHERE known.status <> 'done' AND known.collector = excluded.collector "
        "RETURNING run_id",
        (
            *(collector, source, stock_id, started, expected, batch),
            *((process.host, process.pid, process.mark) if process else (None, None, None)),
        ),
    )
    made = cursor.fetchone()
    if made is None:
        raise InputError("batch", batch, "a batch that was not stored before, nor by another collector")
    return int(made[0])


def settle_run(cursor: Any, run_id: int, outcome: RunOutcome, *, finished: datetime) -> None:
    """Write the end of a run in the transaction of `cursor`; one taken for interrupted may end after all."""
    outcome.check()
    cursor.execute(
        "UPDATE collection_runs SET status = %s, problem = %s, finished = greatest(started, %s), expected = %s, "
        "received = %s, missing = %s, rows_stored = %s, lines_peak = %s, messages = %s, seconds = %s "
        "WHERE run_id = %s AND (status = 'running' OR (status = 'failed' AND problem = %s))",
        (
            *("failed" if outcome.problem else "done", outcome.problem or None, as_utc(finished, name="finished")),
            *(int(outcome.expected), int(outcome.received), Json({why: int(n) for why, n in outcome.missing.items()})),
            *(int(outcome.rows_stored), int(outcome.lines_peak), int(outcome.messages), float(outcome.seconds)),
            *(int(run_id), INTERRUPTED),
        ),
    )
    if cursor.rowcount != 1:
        raise InputError("run_id", run_id, "a run of the ledger that has not ended")


def is_open(cursor: Any, run_id: int) -> bool:
    """Tell whether the ledger has this run and its end may still be written."""
    cursor.execute(
        "SELECT 1 FROM collection_runs WHERE run_id = %s AND (status = 'running' OR (status = 'failed' "
        "AND problem = %s))",
        (int(run_id), INTERRUPTED),
    )
    return cursor.fetchone() is not None


def _runs(cursor: Any, words: str, known: Mapping[str, Any], *, until: datetime | None) -> pd.DataFrame:
    ended = "TRUE" if until is None else "coalesce(finished <= %(until)s, status <> 'running')"
    open_ended = {"finished", "received", "missing", "rows_stored", "lines_peak", "messages", "seconds", "problem"}
    columns = [f"CASE WHEN {ended} THEN {name} END" if name in open_ended else name for name in _COLUMNS]
    columns[_COLUMNS.index("status")] = f"CASE WHEN {ended} THEN status ELSE 'running' END"
    cursor.execute(
        f"SELECT {', '.join(columns)} FROM collection_runs LEFT JOIN stocks USING (stock_id) WHERE {words}",  # noqa: S608
        {**known, "until": until},
    )
    frame = pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS))
    return frame.astype(_KINDS)
