"""What was last seen of each chain, to tell what has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.store import option_chain
from bifrost_lib.workflows.collection.changes import ContractKey, Seen, listing_changes, seen_in, value_changes
from bifrost_lib.workflows.desk import Desk

log = logging.getLogger(__name__)


class ChainMemory:
    """What was seen last of each contract, and the last listing, by underlying; at first what the store knows."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[str, dict[ContractKey, Seen]] = {}
        self._listings: dict[str, tuple[datetime, frozenset[OptionContract]]] = {}
        self._alone, self._alone_listing = threading.Lock(), threading.Lock()

    def recall(self, *symbols: str) -> None:
        """Read what the store knows of chains, unless it is remembered; a comparison under way waits for it."""
        with self._alone:
            for symbol in symbols:
                self._recalled(symbol)

    def compare(self, symbol: str, frames: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
        """Return what changed since what is remembered, and remember these rows; None where nothing did."""
        seen = {key: one for frame in frames for key, one in seen_in(frame).items()}
        with self._alone:
            known = self._recalled(symbol)
            changes = value_changes(known, seen, symbol=symbol)
            known.update(seen)
            if len(known) > 2 * len(seen):
                self._forget_expired(known)
        return changes if len(changes) else None

    def compare_listing(self, symbol: str, contracts: Iterable[OptionContract], *, ts: datetime) -> pd.DataFrame | None:
        """Return what was listed or delisted since the listing remembered, and remember this one."""
        listing = frozenset(contracts)
        with self._alone_listing:
            since, before = self._listings.get(symbol, (ts, listing))
            expiries = {(one.trading_class, one.expiry) for one in listing}
            others = {one for one in before if (one.trading_class, one.expiry) not in expiries}
            today = exchange_date(ts)
            self._listings[symbol] = ts, listing | {one for one in others if one.expiry >= today}
        if listing <= before <= listing | others:
            return None
        changes = listing_changes(before, listing, since=since, ts=ts)
        return changes if len(changes) else None

    def _recalled(self, symbol: str) -> dict[ContractKey, Seen]:
        if symbol not in self._seen:
            self._seen[symbol] = self._stored(symbol)
        return self._seen[symbol]

    def _stored(self, symbol: str) -> dict[ContractKey, Seen]:
        try:
            return seen_in(option_chain(self._desk.store.engine, symbol, at=self._desk.clock.now()))
        except BifrostError as trouble:
            log.debug("nothing to compare %s with: %s", symbol, trouble)
            return {}

    def _forget_expired(self, known: dict[ContractKey, Seen]) -> None:
        today = exchange_date(self._desk.clock.now())
        for key in [key for key in known if key[1] < today]:  # the expiry
            del known[key]
