"""Strategy documents that people keep, and what the watched ones found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.store.json_values import json_column, number
from bifrost_lib.store.notifications import HITS, notify
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_COLUMNS = (
    *("document_id", "name", "owner", "document", "document_hash", "symbols", "monitored", "least_score", "saved"),
)  # fmt: skip
_HITS = ("hit_id", "ts", "document_id", "name", "owner", "symbol", "score", "candidate_hash", "candidate")


@dataclass(frozen=True)
class SavedDocument:
    """A strategy document that its owner keeps; no `symbols` means those of the watchlist."""

    document_id: int
    name: str
    owner: str
    document: dict[str, Any]
    document_hash: str
    symbols: tuple[str, ...]
    monitored: bool
    least_score: float
    saved: datetime


def save_document(
    store: Store,
    document: Mapping[str, Any],
    *,
    name: str,
    document_hash: str,
    at: datetime,
    owner: str | None = None,
    symbols: Iterable[str] = (),
    monitored: bool = False,
    least_score: float = 0.0,
) -> int:
    """Keep a document under its owner's name for it, replacing what was kept so; return its key.

    Parameters
    ----------
    store : Store
    document : mapping
        JSON-ready.
    name : str
    document_hash : str
    at : datetime, aware
        When it is saved.
    owner : str, optional
        Default: the login that the store is open as.
    symbols : iterable of str
        Underlyings that it is watched on; none: those of the watchlist.
    monitored : bool
        Whether it is evaluated on each new snapshot.
    least_score : float
        Candidates below this score, 0 to 100, are no hits.
    """
    for field, text in (("name", name), ("owner", owner if owner is not None else "the login")):
        if not text.strip():
            raise InputError(field, text, "a name")
    if not 0 <= least_score <= 100:
        raise InputError("least_score", least_score, "a score from 0 to 100")
    known = sorted({symbol.upper() for symbol in symbols})
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "INSERT INTO saved_documents (name, owner, document, document_hash, symbols, monitored, least_score, saved)"
            " VALUES (%s, coalesce(%s, CURRENT_USER), %s, %s, %s::text[], %s, %s, %s) ON CONFLICT (owner, name) "
            "DO UPDATE SET document = excluded.document, document_hash = excluded.document_hash, "
            "symbols = excluded.symbols, monitored = excluded.monitored, least_score = excluded.least_score, "
            "saved = excluded.saved RETURNING document_id",
            (name, owner, json_column(document), document_hash, known, monitored, least_score, as_utc(at)),
        )
        return int(cursor.fetchone()[0])


def saved_documents(
    store: Store | Engine, *, owner: str | None = None, name: str | None = None, monitored: bool | None = None
) -> list[SavedDocument]:
    """Return the documents that people keep, by owner and name; all of them unless told which."""
    given = {"owner": owner, "name": name, "monitored": monitored}
    wanted = {field: value for field, value in given.items() if value is not None}
    words = " AND ".join(f"{field} = %({field})s" for field in wanted) or "true"
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM saved_documents WHERE {words} ORDER BY owner, name",  # noqa: S608
            wanted,
        )
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor]
    return [SavedDocument(**{**row, "symbols": tuple(row["symbols"]), "saved": as_utc(row["saved"])}) for row in rows]


def watch_document(store: Store, name: str, *, owner: str | None = None, monitored: bool = True) -> None:
    """Turn the watch over a saved document on or off.

    Raises
    ------
    UnknownNameError
        If its owner keeps no document of that name.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE saved_documents SET monitored = %s WHERE name = %s AND owner = coalesce(%s, CURRENT_USER)",
            (monitored, name, owner),
        )
        _check_found(cursor, name, owner)


def remove_document(store: Store, name: str, *, owner: str | None = None) -> None:
    """Forget a saved document and its hits.

    Raises
    ------
    UnknownNameError
        If its owner keeps no document of that name.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "DELETE FROM saved_documents WHERE name = %s AND owner = coalesce(%s, CURRENT_USER)", (name, owner)
        )
        _check_found(cursor, name, owner)


def record_hits(
    store: Store,
    document: SavedDocument,
    symbol: str,
    candidates: Sequence[Mapping[str, Any]],
    *,
    ts: datetime,
) -> list[int]:
    """Write what a watched document found; return the keys of what is new.

    The same structure for the same document and symbol is written once a day, however many snapshots show it. New hits
    are announced on the channel ``document_hits``.

    Parameters
    ----------
    store, document, symbol
    candidates : sequence of mapping
        Each with ``candidate_hash``, ``score`` and the measures.
    ts : datetime, aware
        Moment of the snapshot.
    """
    ts, new = as_utc(ts, name="ts"), []
    with written(store.engine, store.place) as cursor:
        for candidate in candidates:
            cursor.execute(
                "INSERT INTO document_hits (document_id, document_hash, symbol, session, ts, candidate_hash, score, "
                "candidate) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING hit_id",
                (
                    *(document.document_id, document.document_hash, symbol, exchange_date(ts), ts),
                    *(candidate["candidate_hash"], number(candidate.get("score")), json_column(candidate)),
                ),
            )
            new += [int(row[0]) for row in cursor.fetchall()]
        if new:
            notify(cursor, HITS, document_id=document.document_id, name=document.name, symbol=symbol, hits=len(new))
    return new


def document_hits(
    store: Store | Engine, *, at: datetime | None = None, owner: str | None = None, limit: int = 100
) -> pd.DataFrame:
    """Return the newest hits until `at`, the latest first.

    Returns
    -------
    DataFrame
        `hit_id`, `ts`, `document_id`, `name`, `owner`, `symbol`, `score`, `candidate_hash`, `candidate` (dict).
    """
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    words = "ts <= %(until)s" + (" AND owner = %(owner)s" if owner is not None else "")
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_HITS)} FROM document_hits JOIN saved_documents USING (document_id) WHERE {words} "  # noqa: S608
            "ORDER BY ts DESC, hit_id DESC LIMIT %(limit)s",
            {"until": until, "owner": owner, "limit": limit},
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_HITS))
    return frame.astype({"ts": "datetime64[us, UTC]", "hit_id": "int64", "document_id": "int64", "score": "float64"})


def _check_found(cursor: Any, name: str, owner: str | None) -> None:
    if cursor.rowcount == 1:
        return
    cursor.execute("SELECT name FROM saved_documents WHERE owner = coalesce(%s, CURRENT_USER)", (owner,))
    raise UnknownNameError("document", name, [found for (found,) in cursor] or ["none is saved yet"])
