"""Something to look at before there is data of one's own: a simulated year, labelled as what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib import __version__
from bifrost_lib.analytics import market_conditions
from bifrost_lib.core.calendar import exchange_date, year_fractions
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.sim import (
    ANCHOR,
    SIMULATED,
    SOURCE,
    simulated_announcements,
    simulated_closes,
    simulated_history,
)
from bifrost_lib.store import (
    AlreadyIngested,
    FileKey,
    SnapshotWriter,
    Watch,
    ingestion,
    save_earnings,
    save_watch,
    watchlist,
)
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.enrichment import with_analytics
from bifrost_lib.workflows.history import large_changes

#: The year that is stored; chains are whole in its last weeks, and quoted each half hour in its last sessions.
FIRST, WHOLE_FROM, LAST = date(2025, 11, 20), date(2026, 10, 19), date(2026, 11, 20)
INTRADAY = 3
#: Before what is stored only closes and volatilities are known: what the first ranks stand on.
_BEFORE = timedelta(days=370)
#: How far behind what is stored earnings are announced: the simulated gateway goes on from there, live.
_AHEAD = timedelta(days=730)
_SESSIONS, _BARS = 252, 32  # behind a rank, and behind a realised volatility of 21 returns


def seed_simulated_history(
    desk: Desk,
    *,
    symbols: Sequence[str] = tuple(SIMULATED),
    first: date = FIRST,
    last: date = LAST,
    whole_from: date = WHOLE_FROM,
) -> int:
    """Store a simulated year, unless it is there, and return how many rows were stored.

    Chains at every close, what each market was like then, and what moved much in the last weeks. All of it is stored
    in one transaction: a seed that is killed leaves nothing behind, and the next one starts again. The days of earnings
    are stored besides, past ones and those ahead, each from when it will have been announced.

    Its symbols are fictional (SIM, SIMX, SIMT) and its source is ``simulated``, so that it is never mistaken for
    a market.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
    first, last : date
        Both included. Whatever they are, the symbols follow the same paths.
    whole_from : date
        From here on chains are whole, and changes are noted.

    Raises
    ------
    UnknownNameError, InputError
        As of `bifrost_lib.sim.simulated_history`; nothing is stored.
    """
    facts = " ".join([__version__, *symbols, *map(str, (first, last, whole_from))])
    key = FileKey(path="simulated history", sha256=facts, size=0, format=SOURCE)
    frames = simulated_history(
        symbols=symbols, start=min(first, ANCHOR), end=last, quoted_from=first, whole_from=whole_from, intraday=INTRADAY
    )
    markets = {symbol: _Market(symbol, first, last, whole_from) for symbol in symbols}
    try:
        with ingestion(desk.store, key, source=SOURCE) as writer:
            stored = _store(writer, frames, markets)
    except AlreadyIngested:
        stored = 0
    announced = [simulated_announcements(symbol, start=first, end=last + _AHEAD) for symbol in symbols]
    save_earnings(desk.store.engine, pd.concat(announced, ignore_index=True))
    return stored


def _store(writer: SnapshotWriter, frames: Iterable[pd.DataFrame], markets: Mapping[str, _Market]) -> int:
    stored = read = 0
    for quotes in frames:
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

    def __init__(self, symbol: str, first: date, last: date, whole_from: date) -> None:
        vendor = simulated_closes(symbol, start=min(first, ANCHOR) - _BEFORE, end=last)
        self._symbol, self._whole_from = symbol, whole_from
        self._bars = vendor[["ts", "close"]]
        self._vols = vendor.loc[(vendor["ts"] < pd.Timestamp(first, tz="UTC")).to_numpy(), "iv"].to_list()
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
            found = market_conditions(chain, daily_bars=bars, history=self._vols[-_SESSIONS:], at=at)
            self._found.append(found.as_row())
        self._vols.append(found.iv)
        before, self._close = self._close, chain
        return large_changes(before, chain) if before is not None and exchange_date(at) > self._whole_from else None

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


#: What is collected from the simulated gateway before anybody chooses: about 2,000 contracts, a minute and a half of
#: IB's pace. The strikes reach out to a delta of about .05, where the wings of condors are.
FIRST_WATCHES = (
    Watch("SIM", cadence_s=300.0, expiries=24, max_dte=65, strikes=74, priority=1),
    Watch("SIMX", cadence_s=600.0, expiries=24, max_dte=65, strikes=40),
    Watch("SIMT", cadence_s=600.0, expiries=24, max_dte=65, strikes=30),
)


def watch_simulated(desk: Desk) -> bool:
    """Put the fictional symbols on an empty watchlist, so that live data move on a first day; return whether it was."""
    if desk.settings.ib_addresses or watchlist(desk.store):
        return False
    for watch in FIRST_WATCHES:
        save_watch(desk.store, watch)
    return True
