"""What was last seen of each chain, to tell what has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS
from bifrost_lib.store import option_chain
from bifrost_lib.workflows.collection.changes import KEY, listing_changes, value_changes
from bifrost_lib.workflows.desk import Desk

log = logging.getLogger(__name__)


class ChainMemory:
    """The newest row of each contract, and the last listing, by underlying; at first what the store knows."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: dict[str, pd.DataFrame | None] = {}
        self._listings: dict[str, tuple[datetime, frozenset[OptionContract]]] = {}
        self._alone = threading.Lock()

    def compare(self, symbol: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
        """Return what changed since the rows remembered, and remember these; None where nothing did."""
        if not frames:
            return None
        with self._alone:
            if symbol not in self._rows:
                self._rows[symbol] = self._stored(symbol)
            before, after = self._rows[symbol], pd.concat([_plain(frame) for frame in frames])
            self._rows[symbol] = after if before is None else self._kept(before, after)
        if before is None:
            return None
        changes = value_changes(before, after)
        return changes if len(changes) else None

    def compare_listing(self, symbol: str, contracts: Iterable[OptionContract], *, ts: datetime) -> pd.DataFrame | None:
        """Return what was listed or delisted since the listing remembered, and remember this one."""
        listing = frozenset(contracts)
        with self._alone:
            since, before = self._listings.get(symbol, (ts, listing))
            expiries = {(one.trading_class, one.expiry) for one in listing}
            others = {one for one in before if (one.trading_class, one.expiry) not in expiries}
            today = exchange_date(ts)
            self._listings[symbol] = ts, listing | {one for one in others if one.expiry >= today}
        if listing <= before <= listing | others:
            return None
        changes = listing_changes(before, listing, since=since, ts=ts)
        return changes if len(changes) else None

    def _stored(self, symbol: str) -> pd.DataFrame | None:
        try:
            return _plain(option_chain(self._desk.store.engine, symbol, at=self._desk.clock.now()))
        except NoDataError:
            return None
        except BifrostError as trouble:
            log.debug("nothing to compare %s with: %s", symbol, trouble)
            return None

    def _kept(self, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
        today = pd.Timestamp(exchange_date(self._desk.clock.now()))
        old = before[(before["expiry"] >= today).to_numpy()]
        return pd.concat([old, after]).drop_duplicates(list(KEY), keep="last", ignore_index=True)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are compared, with words instead of categories, which differ between frames."""
    kept = frame[list(SNAPSHOT_COLUMNS)]
    words = {name: "str" for name in kept.columns if isinstance(kept[name].dtype, pd.CategoricalDtype)}
    return kept.astype(words)
