"""What reports say of markets: which are known, their chains then and before, and their conditions through time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.analytics import MarketConditions, iv_at_tenor, market_conditions
from bifrost_lib.core.calendar import exchange_date, is_session, previous_session, session_close, sessions
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.core.vocabulary import VOCABULARY
from bifrost_lib.workflows.chains import list_symbols, read_chain
from bifrost_lib.workflows.desk import Desk

#: A year of sessions is what ranks rest on.
HISTORY_DAYS = 365
#: Volatility at the money of 30 days lies between expiries and strikes that are nearer than these.
_FARTHEST_DTE, _FARTHEST_STRIKE = 100, 0.2
CONDITIONS = (
    *("spot", "iv", "iv_rank", "iv_percentile", "iv_days", "realized_vol", "skew", "term_slope", "put_call_volume"),
    *("put_call_open_interest", "vol_index"),
)


@dataclass(frozen=True)
class Known:
    """One underlying as it was known at the time of a report, and at the close of the session before.

    `chain`, `before` : DataFrame of ``CHAIN_COLUMNS``; `before` is None where nothing older is stored.
    """

    symbol: str
    chain: pd.DataFrame
    before: pd.DataFrame | None

    @property
    def as_of(self) -> datetime:
        """The newest quote of the chain."""
        moment: datetime = self.chain.attrs["as_of"]
        return moment

    @property
    def day(self) -> date:
        """The exchange's date of the newest quote."""
        return exchange_date(self.as_of)


def known_markets(desk: Desk, symbols: Sequence[str], at: datetime) -> list[Known]:
    """Return the chains of `symbols`, or of every stored underlying, as they were known at `at`.

    Raises
    ------
    NoDataError
        If nothing was known of any of them, or of one that was named.
    """
    listed = store.list_symbols(desk.store.engine, at=at)
    names = [name.upper() for name in symbols] or [str(name) for name in listed["symbol"]]
    if not names:
        hint = "the store is empty: `bifrost up` loads a simulated history, `bifrost ingest PATH` your own"
        stored = list_symbols(desk)
        if len(stored):
            hint = f"the first is of {stored['first_ts'].min():%Y-%m-%dT%H:%MZ}"
        raise NoDataError("option chain", at=at, hint=hint, symbol="any symbol")
    return [_known(desk, name, at) for name in names]


def _known(desk: Desk, symbol: str, at: datetime) -> Known:
    # As of its newest quote: contracts that have expired since belong to that chain too.
    chain = read_chain(desk, symbol, at=store.latest_moment(desk.store.engine, symbol, at=at))
    try:
        before = read_chain(desk, symbol, at=session_close(previous_session(exchange_date(chain.attrs["as_of"]))))
    except NoDataError:
        before = None
    return Known(symbol, chain, before)


def daily_volatility(desk: Desk, symbol: str, *, at: datetime) -> pd.DataFrame:
    """Return spot and 30-day volatility of every session of the past year until `at`, oldest first.

    Returns
    -------
    DataFrame
        `ts`, `symbol`, `spot`, `iv`. What the collectors stored counts; where they stored nothing it is computed from
        the chain at the session's close, or at `at` in its own session.
    """
    at = as_utc(at)
    start = at - timedelta(days=HISTORY_DAYS)
    try:
        stored = store.market_conditions(desk.store.engine, symbol, at=at, start=start, daily=True)
    except NoDataError:
        stored = None
    rows = [] if stored is None else stored[["ts", "spot", "iv"]].dropna(subset="iv").to_dict("records")
    covered = {exchange_date(row["ts"]) for row in rows}
    for moment in _session_moments(desk, symbol, start, at):
        if exchange_date(moment) not in covered:
            chain = read_chain(desk, symbol, at=moment)
            if exchange_date(chain.attrs["as_of"]) == exchange_date(moment):
                rows.append(_spot_and_volatility(chain))
    frame = pd.DataFrame(rows, columns=["ts", "spot", "iv"])
    frame = frame.astype({"ts": VOCABULARY["ts"].dtype, "spot": "float64", "iv": "float64"}).sort_values("ts")
    frame.insert(1, "symbol", symbol)
    return frame.reset_index(drop=True)


def conditions_of(chain: pd.DataFrame, history: pd.DataFrame) -> MarketConditions:
    """Describe the market of a chain at its newest quote, its ranks resting on `history` (see `daily_volatility`).

    Realised volatility is that of 21 closes, which is all that a history of closes can tell.
    """
    known = history.dropna(subset="spot").rename(columns={"spot": "close"})[["ts", "close"]]
    return market_conditions(
        chain,
        daily_bars=known if len(known) else None,
        history=history.set_index("ts")["iv"],
        at=chain.attrs["as_of"],
    )


def sources_of(known: Sequence[Known]) -> tuple[str, ...]:
    """Return who supplied the chains."""
    return tuple(sorted({str(one.chain.attrs["source"]) for one in known}))


def day_close(day: date, at: datetime) -> datetime:
    """Return the close of session `day`, or `at` if that was earlier."""
    return min(session_close(day), at) if is_session(day) else at


def _spot_and_volatility(chain: pd.DataFrame) -> dict[Hashable, Any]:
    """Read the two from what of a chain bears on them, which is a third of the work of reading all of it."""
    as_of, spot = chain.attrs["as_of"], chain.attrs["spot"]
    near = (chain["dte"] <= _FARTHEST_DTE) & ((chain["strike"] / spot - 1).abs() <= _FARTHEST_STRIKE)
    bearing = chain[near.to_numpy()]
    bearing.attrs = {}  # pandas copies them at every step
    return {"ts": as_of, "spot": spot, "iv": iv_at_tenor(bearing, at=as_of).value}


def _session_moments(desk: Desk, symbol: str, start: datetime, at: datetime) -> list[datetime]:
    listed = store.list_symbols(desk.store.engine, at=at)
    first = listed.loc[listed["symbol"] == symbol, "first_ts"]
    if first.empty:
        return []
    begun = max(start, first.iloc[0].to_pydatetime())
    return [day_close(day, at) for day in sessions(exchange_date(begun), exchange_date(at))]
