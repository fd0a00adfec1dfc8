"""The desk's memory of what it recommended: entries with all they promised, marks, and how each ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.json_values import json_column, number
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.stocks import stock_ids
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

ORIGINS = ("user", "schedule")
STATES = ("open", "settled")
_NUMBERS = (
    *("score", "spot", "premium", "max_profit", "max_loss", "pop", "ev", "return_on_risk", "margin", "dte"),
    *("multiplier", "pop_surface", "pop_real_world", "ev_surface", "ev_real_world"),
)
_ENTRY = (
    *("stock_id", "at", "strategy", "rank", "legs", "breakevens", "recommended", "recommended_by", "origin"),
    *("document", "document_hash", "candidate_hash", "expires", "score_parts", "measures", "state", *_NUMBERS),
)
_RESULT = ("settled", "exit_reason", "exit_value", "exit_spot", "carried", "pnl")
#: What is known at the first expiry, also of what was closed before.
_HELD = "expiry_pnl"
_READ = (
    *("history_id", "symbol", "simulated", "at", "recommended", "recommended_by", "origin", "strategy"),
    *("document_hash", "rank", "state", "expires", *_NUMBERS, "score_parts", *_RESULT, _HELD, "legs", "document"),
)
_MARKS = ("history_id", "ts", "as_of", "value", "pnl", "spot", "iv", "delta", "reason")
_FIGURES = ("value", "pnl", "spot", "iv", "delta")
_MOMENTS = ("at", "recommended", "expires", "settled")


@dataclass(frozen=True)
class Mark:
    """One recommendation marked to market; without an honest value it has the `reason` instead.

    `value` is the cash that closing would bring (> 0) or cost (< 0) for one unit, `pnl` the profit that this makes.
    """

    history_id: int
    ts: datetime
    as_of: datetime | None = None
    value: float | None = None
    pnl: float | None = None
    spot: float | None = None
    iv: float | None = None
    delta: float | None = None
    reason: str | None = None


def save_recommendations(
    store: Store,
    symbol: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    at: datetime,
    strategy: str,
    document: Mapping[str, Any],
    document_hash: str,
    recommended: datetime,
    by: str,
    origin: str = "user",
) -> list[int]:
    """Store candidates of one scan as recommendations; return their keys in the order of `rows`.

    A structure that is recommended already from the same scan stays as it is, and its key is returned.

    Parameters
    ----------
    store : Store
    symbol : str
        An underlying that the store knows.
    rows : sequence of mapping
        Candidates under the vocabulary's names, with ``legs``, ``rank``, ``premium``, ``candidate_hash``, ``expires``
        (aware) and any measures; all of them are kept in ``measures``.
    at : datetime, aware
        As-of time of the scan.
    strategy : str
        Name of the document.
    document, document_hash
        The document as JSON, and its digest.
    recommended : datetime, aware
        When they were marked; not before `at`.
    by : str
        Who marks them.
    origin : {"user", "schedule"}

    Raises
    ------
    InputError
        If an argument is outside its domain; nothing is stored.
    """
    at, recommended = as_utc(at), as_utc(recommended, name="recommended")
    if origin not in ORIGINS:
        raise InputError("origin", origin, " or ".join(ORIGINS))
    if not by.strip():
        raise InputError("by", by, "the name of who recommends")
    if recommended < at:
        raise InputError("recommended", recommended.isoformat(), f"a moment not before the scan's, {at.isoformat()}")
    same = (strategy, recommended, by, origin, json_column(document), document_hash)
    with written(store.engine, store.place) as cursor:
        key = stock_ids(cursor, [symbol], simulated=None)[symbol]
        return [_save_one(cursor, key, at, same, row) for row in rows]


def _save_one(cursor: Any, stock_id: int, at: datetime, same: tuple[Any, ...], row: Mapping[str, Any]) -> int:
    strategy, recommended, by, origin, document, document_hash = same
    if number(row.get("premium")) is None:
        raise InputError("rows.premium", row.get("premium"), "the cash at entry: without it nothing can be scored")
    known = {
        "stock_id": stock_id, "at": at, "strategy": strategy, "rank": int(row["rank"]),
        "legs": json_column(row["legs"]), "breakevens": list(row.get("breakevens", ())), "recommended": recommended,
        "recommended_by": by, "origin": origin, "document": document, "document_hash": document_hash,
        "candidate_hash": row["candidate_hash"], "expires": as_utc(row["expires"], name="rows.expires"),
        "score_parts": json_column(row.get("score_parts", {})), "state": "open",
        "measures": json_column({name: value for name, value in row.items() if name != "expires"}),
        **{name: number(row.get(name)) for name in _NUMBERS},
    }  # fmt: skip
    values = [known[name] for name in _ENTRY]
    cursor.execute(
        f"INSERT INTO strategy_history ({', '.join(_ENTRY)}) VALUES ({', '.join(['%s'] * len(_ENTRY))}) "  # noqa: S608
        "ON CONFLICT (stock_id, at, document_hash, candidate_hash) DO NOTHING RETURNING history_id",
        values,
    )
    found = cursor.fetchone()
    if found is None:
        cursor.execute(
            "SELECT history_id FROM strategy_history WHERE (stock_id, at, document_hash, candidate_hash) = "
            "(%s, %s, %s, %s)",
            (stock_id, at, document_hash, row["candidate_hash"]),
        )
        found = cursor.fetchone()
    return int(found[0])


def list_recommendations(
    store: Store | Engine,
    *,
    at: datetime | None = None,
    state: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
) -> pd.DataFrame:
    """Return the recommendations of scans until `at` with what was known of them then, the oldest first.

    Returns
    -------
    DataFrame
        `history_id`, `symbol`, `simulated`, `at`, `recommended`, `recommended_by`, `origin`, `strategy`,
        `document_hash`, `rank`, `state`, `expires`, the measures at entry, `score_parts`, `settled`, `exit_reason`,
        `exit_value`, `exit_spot`, `carried`, `pnl`, `expiry_pnl` (had it been held), `legs` (list of dict) and
        `document` (dict). One that was settled after `at` is open, without a result. Empty where nothing was
        recommended.
    """
    if state is not None and state not in STATES:
        raise InputError("state", state, " or ".join(STATES))
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    seen = "settled <= %(until)s"
    results = ", ".join(f"CASE WHEN {seen} THEN {name} END AS {name}" for name in _RESULT)
    columns = ", ".join(
        f"CASE WHEN {seen} THEN 'settled' ELSE 'open' END AS state" if name == "state" else name
        for name in _READ
        if name not in (*_RESULT, _HELD)
    )
    results += f", CASE WHEN expires <= %(until)s THEN {_HELD} END AS {_HELD}"
    words = f"SELECT {columns}, {results} FROM strategy_history JOIN stocks USING (stock_id) "  # noqa: S608
    words += "WHERE recommended IS NOT NULL AND at <= %(until)s"
    words += " AND symbol = %(symbol)s" if symbol is not None else ""
    words += " AND strategy = %(strategy)s" if strategy is not None else ""
    words += {None: "", "open": f" AND ({seen}) IS NOT TRUE", "settled": f" AND {seen}"}[state]
    with cursor_of(store.engine) as cursor:
        known = {"until": until, "symbol": symbol, "strategy": strategy}
        cursor.execute(f"{words} ORDER BY at, history_id", known)
        names = [column.name for column in cursor.description]
        frame = pd.DataFrame(cursor.fetchall(), columns=names)
    numbers = dict.fromkeys((*_NUMBERS, "exit_value", "exit_spot", "carried", "pnl", _HELD), "float64")
    return frame.astype({**dict.fromkeys(_MOMENTS, "datetime64[us, UTC]"), **numbers})[list(_READ)]


def append_marks(store: Store, marks: Iterable[Mark]) -> int:
    """Store marks; return how many are new. A mark that had no value is replaced by one that has."""
    rows = [
        tuple(number(getattr(mark, name)) if name in _FIGURES else getattr(mark, name) for name in _MARKS)
        for mark in marks
    ]
    if not rows:
        return 0
    with written(store.engine, store.place) as cursor:
        changes = ", ".join(f"{name} = excluded.{name}" for name in _MARKS[2:])
        execute_values(
            cursor,
            f"INSERT INTO strategy_marks AS known ({', '.join(_MARKS)}) VALUES %s ON CONFLICT (history_id, ts) "  # noqa: S608
            f"DO UPDATE SET {changes} WHERE known.pnl IS NULL AND excluded.pnl IS NOT NULL",
            rows,
            page_size=len(rows),
        )
        return int(cursor.rowcount)


def strategy_marks(store: Store | Engine, *, at: datetime | None = None, history_id: int | None = None) -> pd.DataFrame:
    """Return the marks until `at`, of one recommendation or of all, in order of time.

    Returns
    -------
    DataFrame
        `history_id`, `ts`, `as_of`, `value`, `pnl`, `spot`, `iv`, `delta`, `reason`. Missing is NaN with a reason.
    """
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    words = f"SELECT {', '.join(_MARKS)} FROM strategy_marks WHERE ts <= %(until)s"  # noqa: S608
    words += " AND history_id = %(key)s" if history_id is not None else ""
    with cursor_of(store.engine) as cursor:
        cursor.execute(f"{words} ORDER BY history_id, ts", {"until": until, "key": history_id})
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_MARKS))
    numbers = dict.fromkeys(_FIGURES, "float64")
    return frame.astype({**dict.fromkeys(("ts", "as_of"), "datetime64[us, UTC]"), **numbers})


def settle_recommendation(
    store: Store,
    history_id: int,
    *,
    settled: datetime,
    reason: str,
    pnl: float,
    value: float,
    spot: float | None = None,
    carried: float = 0.0,
) -> bool:
    """Write how a recommendation ended; False if that was known, which it then stays.

    Raises
    ------
    InputError
        If there is no such recommendation, or `pnl` is not a finite number.
    """
    if number(pnl) is None:
        raise InputError("pnl", pnl, "a finite number: what cannot be settled honestly stays open")
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE strategy_history SET state = 'settled', settled = %s, exit_reason = %s, pnl = %s, exit_value = %s, "
            "exit_spot = %s, carried = %s WHERE history_id = %s AND state = 'open'",
            (
                as_utc(settled, name="settled"),
                reason,
                number(pnl),
                number(value),
                number(spot),
                number(carried),
                history_id,
            ),
        )
        if cursor.rowcount == 1:
            return True
        cursor.execute("SELECT 1 FROM strategy_history WHERE history_id = %s AND state IS NOT NULL", (history_id,))
        if cursor.fetchone() is None:
            raise InputError("history_id", history_id, "a recommendation")
    return False


def note_expiry(store: Store, history_id: int, *, pnl: float) -> bool:
    """Write what holding a recommendation to its first expiry made, or would have; False if that was known.

    Probabilities of a profit at expiry are judged by this, however early the position was closed.
    """
    if number(pnl) is None:
        raise InputError("pnl", pnl, "a finite number")
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE strategy_history SET expiry_pnl = %s WHERE history_id = %s AND expiry_pnl IS NULL",
            (float(pnl), history_id),
        )
        return bool(cursor.rowcount)
