"""Fresh chains that someone wants: a queue that outlives the workers who serve it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.notifications import REQUESTS, notify
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

#: A sweep of a large chain takes 90 s under IB's limits.
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 3
_COLUMNS = (
    *("request_id", "symbol", "expiries", "requested_by", "requested", "worker", "taken", "attempts"),
    *("finished", "run_id", "problem"),
)


@dataclass(frozen=True)
class ChainRequest:
    """A request that a worker has taken; no `expiries` means those of the watchlist."""

    request_id: int
    symbol: str
    expiries: tuple[date, ...]
    requested_by: str
    requested: datetime
    attempts: int
    lease_until: datetime


def request_chain(
    store: Store, symbol: str, *, requested_by: str, at: datetime, expiries: Iterable[date] | None = None
) -> int:
    """Ask for a fresh chain; return the request's key. Announced on the channel ``collection_requests``.

    Who asks for what is waiting already is served by the same sweep and gets the same key.

    Raises
    ------
    InputError
        If the symbol or the name of who asks is empty.
    """
    for name, text in (("symbol", symbol), ("requested_by", requested_by)):
        if not text.strip():
            raise InputError(name, text, "a name")
    known = {"symbol": symbol, "expiries": sorted(set(expiries or ())), "who": requested_by, "at": as_utc(at)}
    with written(store.engine, store.place) as cursor:
        while (request_id := _entered(cursor, known) or _joined(cursor, known)) is None:
            continue  # the one that waited was taken a moment ago
        notify(cursor, REQUESTS, request_id=request_id, symbol=symbol, state="waiting")
    return request_id


def _entered(cursor: Any, known: dict[str, Any]) -> int | None:
    cursor.execute(
        "INSERT INTO collection_requests (symbol, expiries, requested_by, requested, attempts) "
        "VALUES (%(symbol)s, %(expiries)s::date[], %(who)s, %(at)s, 0) ON CONFLICT (symbol, expiries) "
        "WHERE taken IS NULL AND finished IS NULL DO NOTHING RETURNING request_id",
        known,
    )
    found = cursor.fetchone()
    return found and int(found[0])


def _joined(cursor: Any, known: dict[str, Any]) -> int | None:
    """Return the request that waits already; the moment in it moves forward only where the row is ours to change."""
    waiting = "symbol = %(symbol)s AND expiries = %(expiries)s::date[] AND taken IS NULL AND finished IS NULL"
    cursor.execute(f"UPDATE collection_requests SET requested = least(requested, %(at)s) WHERE {waiting}", known)  # noqa: S608
    cursor.execute(f"SELECT request_id FROM collection_requests WHERE {waiting}", known)  # noqa: S608
    found = cursor.fetchone()
    return found and int(found[0])


def take_request(store: Store, *, worker: str, at: datetime, lease: timedelta = LEASE) -> ChainRequest | None:
    """Take the oldest request that nobody is serving at `at`; None if there is none.

    A worker that dies loses its request when the lease ends, and another one takes it; a request that three workers
    did not survive is given up.
    """
    if lease <= timedelta(0):
        raise InputError("lease", lease, "a duration > 0")
    at = as_utc(at)
    moments = {"at": at, "until": at + lease, "worker": worker, "most": MOST_ATTEMPTS}
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE collection_requests SET finished = %(at)s, problem = 'given up after ' || attempts || ' attempts' "
            "WHERE finished IS NULL AND lease_until <= %(at)s AND attempts >= %(most)s",
            moments,
        )
        cursor.execute(
            "UPDATE collection_requests SET worker = %(worker)s, taken = %(at)s, lease_until = %(until)s, "
            "attempts = attempts + 1 WHERE request_id = (SELECT request_id FROM collection_requests "
            "WHERE finished IS NULL AND requested <= %(at)s AND (taken IS NULL OR lease_until <= %(at)s) "
            "ORDER BY requested, request_id LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "RETURNING request_id, symbol, expiries, requested_by, requested, attempts, lease_until",
            moments,
        )
        found = cursor.fetchone()
    if found is None:
        return None
    request_id, symbol, expiries, requested_by, requested, attempts, until = found
    return ChainRequest(request_id, symbol, tuple(expiries), requested_by, as_utc(requested), attempts, as_utc(until))


def finish_request(
    store: Store, request_id: int, *, at: datetime, run_id: int | None = None, problem: str = ""
) -> bool:
    """Note that a request was served by a run, or why it could not be; False if it had been finished before.

    Raises
    ------
    InputError
        If there is no such request.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE collection_requests SET finished = %s, run_id = %s, problem = %s WHERE request_id = %s "
            "AND finished IS NULL RETURNING symbol",
            (as_utc(at), run_id, problem or None, request_id),
        )
        found = cursor.fetchone()
        if found is not None:
            notify(cursor, REQUESTS, request_id=request_id, symbol=found[0], state="failed" if problem else "served")
            return True
        cursor.execute("SELECT 1 FROM collection_requests WHERE request_id = %s", (request_id,))
        if cursor.fetchone() is None:
            raise InputError("request_id", request_id, "a request of the queue")
    return False


def list_requests(store: Store | Engine, *, at: datetime, limit: int = 100) -> pd.DataFrame:
    """Return the newest requests as they were known at `at`, the latest first.

    Returns
    -------
    DataFrame
        `request_id`, `symbol`, `expiries`, `requested_by`, `requested`, `worker`, `taken`, `attempts`, `finished`,
        `run_id`, `problem`. What happened after `at` is not told; of several attempts only the last one is known.
    """
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM collection_requests WHERE requested <= %s "  # noqa: S608
            "ORDER BY requested DESC, request_id DESC LIMIT %s",
            (as_utc(at), limit),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS))
    moments = dict.fromkeys(("requested", "taken", "finished"), "datetime64[us, UTC]")
    frame = frame.astype({**moments, "request_id": "int64", "run_id": "Int64", "attempts": "int64"})
    frame.loc[frame["taken"] > at, ["worker", "taken"]] = None
    frame.loc[frame["finished"] > at, ["finished", "run_id", "problem"]] = None
    return frame
