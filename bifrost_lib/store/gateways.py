"""How the sessions with gateways stand: each process that holds one says so every few seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

#: A process that has said nothing for so long is gone for good, and its row with it.
FORGOTTEN_AFTER = timedelta(days=1)
_KEY = ("holder", "host", "port")
_COLUMNS = (
    *_KEY,
    *("ts", "state", "since", "trouble", "simulated", "login_lapses", "last_heard", "data_type"),
    *("lines_used", "lines_total", "lines_held", "messages_per_s"),
)


@dataclass(frozen=True)
class GatewaySession:
    """One session as its holder sees it; moments are aware, `trouble` is "" when nothing is wrong."""

    holder: str
    host: str
    port: int
    ts: datetime
    state: str
    since: datetime
    trouble: str
    simulated: bool
    login_lapses: datetime | None
    last_heard: datetime | None
    data_type: str
    lines_used: int
    lines_total: int
    lines_held: Mapping[str, int]
    messages_per_s: float


def note_gateway_session(store: Store, session: GatewaySession) -> None:
    """Write how a session stands, over what its holder said before."""
    known = {name: getattr(session, name) for name in _COLUMNS}
    known |= {"trouble": session.trouble or None, "lines_held": json.dumps(dict(session.lines_held))}
    known |= {name: as_utc(known[name]) for name in ("ts", "since")}
    names, values = ", ".join(_COLUMNS), ", ".join(f"%({name})s" for name in _COLUMNS)
    news = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS if name not in _KEY)
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            f"INSERT INTO gateway_sessions ({names}) VALUES ({values}) "  # noqa: S608 (our own names)
            f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {news}",
            known,
        )
        cursor.execute("DELETE FROM gateway_sessions WHERE ts < %(ts)s", {"ts": known["ts"] - FORGOTTEN_AFTER})


def end_gateway_session(store: Store, *, holder: str, host: str, port: int) -> None:
    """Take back what a holder said, because it ends in good order."""
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "DELETE FROM gateway_sessions WHERE holder = %(holder)s AND host = %(host)s AND port = %(port)s",
            {"holder": holder, "host": host, "port": port},
        )


def gateway_sessions(store: Store | Engine) -> pd.DataFrame:
    """Return how the sessions stand, by holder; the table keeps only the newest word, so there is no `at`.

    Returns
    -------
    DataFrame
        The attributes of `GatewaySession`; `ts` says how old a word is. Empty where nobody holds one.
    """
    with cursor_of(store.engine) as cursor:
        cursor.execute(f"SELECT {', '.join(_COLUMNS)} FROM gateway_sessions ORDER BY holder, host, port")  # noqa: S608
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS))
    frame["trouble"] = frame["trouble"].astype(object).where(frame["trouble"].notna(), "")
    for name in ("ts", "since", "login_lapses", "last_heard"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return frame
