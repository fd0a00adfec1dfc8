"""Data quality: what was collected and what is missing, how good the quotes are, and which sources fell silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import exchange_date, session_close, sessions
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.reporting.completeness import collection_of, gaps_of
from bifrost_lib.workflows.reporting.markets import day_close, known_markets, sources_of
from bifrost_lib.workflows.reporting.opening import freshness

#: Strikes within this share of spot are those that get traded; the far wings have no bid by nature.
NEAR_MONEY = 0.10


@dataclass(frozen=True)
class DataQuality:
    """What the report of data quality shows.

    Attributes
    ----------
    at, as_of : datetime
        The time of the report, and its newest quote.
    sources : tuple of str
    first, last : date
        The sessions that it covers.
    freshness : DataFrame
        One row a symbol: what is stored, of when, how good; `silent` where a whole session has passed without a quote.
    qualities : DataFrame
        One row a symbol: quotes of the newest chain by quality, as counts, and `near_ok`, `near_one_sided`,
        `near_crossed` as shares of the strikes near the money.
    by_session : DataFrame
        `day`, `symbol`, `contracts`, `good`, `one_sided`, `crossed` (shares) of each session's last chain.
    absent : DataFrame
        `symbol`, `day`: sessions without any quote.
    collection, gaps : DataFrame
        What the collectors brought in these sessions, and what can still be filled.
    """

    at: datetime
    as_of: datetime
    sources: tuple[str, ...]
    first: date
    last: date
    freshness: pd.DataFrame
    qualities: pd.DataFrame
    by_session: pd.DataFrame
    absent: pd.DataFrame
    collection: pd.DataFrame
    gaps: pd.DataFrame


def data_quality(desk: Desk, *, symbols: Sequence[str] = (), at: datetime | None = None, days: int = 20) -> DataQuality:
    """Put together the report of data quality over the last `days` calendar days before the newest quote.

    Raises
    ------
    NoDataError
        If no chain was known.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    known = known_markets(desk, symbols, moment)
    newest = max(one.day for one in known)
    covered = sessions(newest - timedelta(days=days), newest)
    rows = [row for one in known for row in _sessions(desk, one.symbol, covered, moment)]
    by_session = pd.DataFrame(rows, columns=["day", "symbol", "contracts", "good", "one_sided", "crossed"])
    fresh = freshness(desk, known, moment)
    return DataQuality(
        at=moment,
        as_of=max(one.as_of for one in known),
        sources=sources_of(known),
        first=covered[0] if covered else newest,
        last=newest,
        freshness=fresh.assign(silent=[_is_silent(as_of, moment) for as_of in fresh["as_of"]]),
        qualities=pd.DataFrame([{"symbol": one.symbol, **quality_counts(one.chain)} for one in known]),
        by_session=by_session,
        absent=_absent(desk, [one.symbol for one in known], covered, by_session, moment),
        collection=collection_of(desk, covered[0] if covered else newest, at=moment),
        gaps=gaps_of(desk, at=moment, days=days),
    )


def quality_counts(chain: pd.DataFrame) -> dict[str, Any]:
    """Return how many quotes of a chain have which quality, and the shares of three near the money."""
    counts = chain["quality"].value_counts()
    found: dict[str, Any] = {label: int(counts.get(label, 0)) for label in QUALITY_LABELS}
    near = chain[(chain["strike"] / chain["spot"] - 1).abs() <= NEAR_MONEY]
    shares = {label: float((near["quality"] == label).mean()) for label in ("ok", "one_sided", "crossed")}
    return {**found, "quotes": len(chain), **{f"near_{label}": share for label, share in shares.items()}}


def _sessions(desk: Desk, symbol: str, days: Sequence[date], at: datetime) -> list[dict[str, Any]]:
    rows = []
    for day in days:
        try:
            chain = read_chain(desk, symbol, at=day_close(day, at))
        except NoDataError:
            continue
        if exchange_date(chain.attrs["as_of"]) == day:
            shares = {name: float((chain["quality"] == name).mean()) for name in ("ok", "one_sided", "crossed")}
            good = shares.pop("ok")
            rows.append({"day": day, "symbol": symbol, "contracts": len(chain), "good": good, **shares})
    return rows


def _absent(desk: Desk, symbols: Sequence[str], days: Sequence[date], seen: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """Return the sessions since a symbol's first quote that have none."""
    first = store.list_symbols(desk.store.engine, at=at).set_index("symbol")["first_ts"]
    present = set(zip(seen["symbol"], seen["day"], strict=True))
    rows = [
        {"symbol": symbol, "day": day}
        for symbol in symbols
        for day in days
        if day >= exchange_date(first[symbol].to_pydatetime()) and (symbol, day) not in present
    ]
    return pd.DataFrame(rows, columns=["symbol", "day"])


def _is_silent(as_of: datetime, at: datetime) -> bool:
    """Tell whether a whole session has opened and closed since the newest quote."""
    later = [day for day in sessions(exchange_date(as_of), exchange_date(at)) if day > exchange_date(as_of)]
    return any(session_close(day) <= at for day in later)
