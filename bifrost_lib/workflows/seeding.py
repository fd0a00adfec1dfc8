"""Something to look at before there is data of one's own: a simulated year, labelled as what it is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib import __version__
from bifrost_lib.analytics import market_conditions
from bifrost_lib.core.calendar import exchange_date, year_fractions
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.sim import SIMULATED, SOURCE, simulated_closes, simulated_history
from bifrost_lib.store import AlreadyIngested, FileKey, SnapshotWriter, Watch, ingestion, save_watch, watchlist
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.enrichment import with_analytics
from bifrost_lib.workflows.history import large_changes

#: The year that is stored; chains are whole in its last weeks, and quoted each half hour in its last sessions.
FIRST, WHOLE_FROM, LAST = date(2025, 11, 20), date(2026, 10, 19), date(2026, 11, 20)
INTRADAY = 3
#: The year before it, of which only closes and volatilities are known: what the first ranks stand on.
_BEFORE = FIRST - timedelta(days=370)
SESSIONS, _BARS = 252, 32  # behind a rank, and behind a realised volatility of 21 returns


def seed_simulated_history(desk: Desk) -> int:
    """Store a simulated year, unless it is there, and return how many rows were stored.

    Chains at every close, what each market was like then, and what moved much in the last weeks. All of it is stored
    in one transaction: a seed that is killed leaves nothing behind, and the next one starts again.

    Its symbols are fictional (SIM, SIMX, SIMT) and its source is ``simulated``, so that it is never mistaken for
    a market.
    """
    key = FileKey(path="simulated history", sha256=f"{__version__} {FIRST} {LAST}", size=0, format=SOURCE)
    try:
        with ingestion(desk.store, key, source=SOURCE) as writer:
            return _store_year(writer)
    except AlreadyIngested:
        return 0


def _store_year(writer: SnapshotWriter) -> int:
    markets = {symbol: _Market(symbol, simulated_closes(symbol, start=_BEFORE, end=LAST)) for symbol in SIMULATED}
    stored = read = 0
    for quotes in simulated_history(start=FIRST, end=LAST, whole_from=WHOLE_FROM, intraday=INTRADAY):
        snapshots = with_analytics(quotes)
        stored += writer.append(snapshots)
        read += len(quotes)
        changes = markets[str(quotes["symbol"].iloc[0])].see(_as_chain(snapshots))
        if changes is not None:
            writer.append_option_changes(changes)
    for market in markets.values():
        writer.append_market_conditions(market.conditions())
    writer.note(rows_read=read)
    return stored


class _Market:
    """One underlying while its year is stored: what a vendor would know of it, and what was found so far."""

    def __init__(self, symbol: str, vendor: pd.DataFrame) -> None:
        self._symbol = symbol
        self._bars = vendor[["ts", "close"]]
        self._vols = vendor.set_index("ts")["iv"][: pd.Timestamp(FIRST, tz="UTC")].to_list()
        self._found: list[dict[str, Any]] = []
        self._close: pd.DataFrame | None = None

    def see(self, session: pd.DataFrame) -> pd.DataFrame | None:
        """Look at the chains of a session: what the market was like at each moment, and what moved since yesterday.

        The close counts for the history of volatility; changes are told where both days' chains are whole.
        """
        moments = session["ts"].drop_duplicates()
        for ts in moments:
            chain = session[(session["ts"] == ts).to_numpy()] if len(moments) > 1 else session
            at = ts.to_pydatetime()
            known = int(self._bars["ts"].searchsorted(ts)) + 1
            bars = self._bars.iloc[max(known - _BARS, 0) : known]
            found = market_conditions(chain, daily_bars=bars, history=self._vols[-SESSIONS:], at=at)
            self._found.append(found.as_row())
        self._vols.append(found.iv)
        before, self._close = self._close, chain
        return large_changes(before, chain) if before is not None and exchange_date(at) > WHOLE_FROM else None

    def conditions(self) -> pd.DataFrame:
        """Return what was found, as the store takes it."""
        frame = pd.DataFrame(self._found).assign(symbol=self._symbol)
        return frame.astype({"ts": "datetime64[us, UTC]", "iv_days": "float64"})


def _as_chain(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return snapshots with what a chain that is read has besides."""
    ts = snapshots["ts"].dt.tz_localize(None).to_numpy()
    tau = year_fractions(ts, snapshots["expiry"].to_numpy(), (snapshots["settlement"] == "AM").to_numpy())
    mid = (snapshots["bid"] + snapshots["ask"]) / 2
    days = _days(snapshots)
    return snapshots.assign(mid=mid, tau=tau, dte=days)[list(CHAIN_COLUMNS)]


def _days(snapshots: pd.DataFrame) -> npt.NDArray[np.int64]:
    session = snapshots["ts"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    return np.asarray((snapshots["expiry"] - session).dt.days.to_numpy(), dtype=np.int64)


#: What is collected from the simulated gateway before anybody chooses: about 1,500 contracts, a minute of IB's pace.
FIRST_WATCHES = (
    Watch("SIM", cadence_s=300.0, expiries=24, max_dte=70, strikes=30, priority=1),
    Watch("SIMX", cadence_s=600.0, expiries=24, max_dte=70, strikes=20),
    Watch("SIMT", cadence_s=600.0, expiries=24, max_dte=70, strikes=20),
)


def watch_simulated(desk: Desk) -> bool:
    """Put the fictional symbols on an empty watchlist, so that live data move on a first day; return whether it was."""
    if desk.settings.ib_port is not None or watchlist(desk.store):
        return False
    for watch in FIRST_WATCHES:
        save_watch(desk.store, watch)
    return True
