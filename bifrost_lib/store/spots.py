"""The price of an underlying at moments, as the stored snapshots knew it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.reading import cursor_of


def spot_between(
    engine: Engine, symbol: str, start: datetime, end: datetime, *, first: bool = False
) -> tuple[datetime, float] | None:
    """Return the last price of the underlying from `start` to `end`, both included, and its moment.

    Parameters
    ----------
    engine : Engine
    symbol : str
    start, end : datetime, aware
    first : bool
        The first price instead: what options that settle on the opening need.

    Returns
    -------
    (datetime, float) or None
        None where no price is stored. Where suppliers disagree at that moment, the price that most rows have.
    """
    start, end = as_utc(start, name="start"), as_utc(end, name="end")
    if end < start:
        raise InputError("end", end, f"a moment not before start, {start.isoformat()}")
    with cursor_of(engine) as cursor:
        cursor.execute(
            "WITH chosen AS (SELECT stock_id, ts FROM option_snapshots WHERE stock_id = (SELECT stock_id FROM stocks "  # noqa: S608
            "WHERE symbol = %(symbol)s) AND ts BETWEEN %(start)s AND %(end)s AND spot > 0 "
            f"ORDER BY ts {'ASC' if first else 'DESC'} LIMIT 1) "
            "SELECT ts, mode() WITHIN GROUP (ORDER BY spot) FROM option_snapshots JOIN chosen USING (stock_id, ts) "
            "WHERE spot > 0 GROUP BY ts",
            {"symbol": symbol, "start": start, "end": end},
        )
        found = cursor.fetchone()
    return (as_utc(found[0]), float(found[1])) if found else None
