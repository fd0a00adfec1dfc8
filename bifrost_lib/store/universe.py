"""What is collected, and how often: rows that are edited while the collectors run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from bifrost_lib.core.errors import InputError
from bifrost_lib.store.notifications import WATCHLIST, notify
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_COLUMNS = (
    *("symbol", "enabled", "expiries", "strikes", "min_dte", "max_dte", "cadence_s", "priority"),
    *("market_conditions", "updated"),
)


@dataclass(frozen=True)
class Watch:
    """How one underlying is collected.

    Attributes
    ----------
    symbol : str
    enabled : bool
        False leaves it alone for now.
    expiries : int
        How many expirations, the nearest first, of those with `min_dte` to `max_dte` calendar days left.
    strikes : int
        Strikes around the money of each expiration; 0 for all.
    min_dte, max_dte : int
    cadence_s : float
        Seconds from the start of one sweep to the next.
    priority : int
        The larger, the earlier its turn.
    market_conditions : bool
        Whether the conditions of its market are computed too.
    updated : datetime, optional
        When it was last edited; written by `save_watch`.
    """

    symbol: str
    enabled: bool = True
    expiries: int = 8
    strikes: int = 40
    min_dte: int = 0
    max_dte: int = 365
    cadence_s: float = 300.0
    priority: int = 0
    market_conditions: bool = True
    updated: datetime | None = None


def watchlist(store: Store | Engine, *, enabled_only: bool = False) -> list[Watch]:
    """Return all watched underlyings, the highest priority first, then by symbol."""
    condition = "WHERE enabled" if enabled_only else ""
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM collection_watchlist {condition} ORDER BY priority DESC, symbol"  # noqa: S608
        )
        return [Watch(*row) for row in cursor]


def save_watch(store: Store, watch: Watch) -> None:
    """Watch an underlying, or change how it is watched; announced on the channel ``collection_watchlist``.

    Raises
    ------
    InputError
        If a number makes no sense.
    """
    _check(watch)
    values = (*(getattr(watch, name) for name in _COLUMNS[:-1]), store.clock.now())
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            f"INSERT INTO collection_watchlist ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "  # noqa: S608
            f"ON CONFLICT (symbol) DO UPDATE SET {changes}",
            values,
        )
        notify(cursor, WATCHLIST, symbol=watch.symbol)


def remove_watch(store: Store, symbol: str) -> bool:
    """Stop watching an underlying; return whether it was watched. What was collected stays."""
    with written(store.engine, store.place) as cursor:
        cursor.execute("DELETE FROM collection_watchlist WHERE symbol = %s", (symbol,))
        removed = bool(cursor.rowcount)
        if removed:
            notify(cursor, WATCHLIST, symbol=symbol)
    return removed


def _check(watch: Watch) -> None:
    if not watch.symbol.strip():
        raise InputError("watch.symbol", watch.symbol, "a symbol")
    for name, least in (("expiries", 1), ("strikes", 0), ("min_dte", 0)):
        if getattr(watch, name) < least:
            raise InputError(f"watch.{name}", getattr(watch, name), f"a whole number >= {least}")
    if watch.max_dte < watch.min_dte:
        raise InputError("watch.max_dte", watch.max_dte, f"at least min_dte, {watch.min_dte}")
    if not 0 < watch.cadence_s < float("inf"):
        raise InputError("watch.cadence_s", watch.cadence_s, "a number of seconds > 0")
