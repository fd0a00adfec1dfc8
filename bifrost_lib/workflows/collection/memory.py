"""What was last seen of each chain, to tell what has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime

import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.store import option_chain
from bifrost_lib.workflows.collection.changes import Seen, listing_changes, seen_in, value_changes
from bifrost_lib.workflows.desk import Desk

log = logging.getLogger(__name__)


class ChainMemory:
    """What was seen last of each contract, and the last listing, by underlying; at first what the store knows."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[str, dict[OptionContract, Seen]] = {}
        self._listings: dict[str, tuple[datetime, frozenset[OptionContract]]] = {}
        self._alone, self._alone_listing = threading.Lock(), threading.Lock()

    def recall(self, symbol: str) -> None:
        """Read what the store knows of a chain, unless it is remembered; a comparison under way waits for it."""
        with self._alone:
            self._recalled(symbol)

    def compare(self, symbol: str, seen: Mapping[OptionContract, Seen]) -> pd.DataFrame | None:
        """Return what changed since what is remembered, and remember this; None where nothing did."""
        with self._alone:
            known = self._recalled(symbol)
            changes = value_changes(known, seen)
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

    def _recalled(self, symbol: str) -> dict[OptionContract, Seen]:
        if symbol not in self._seen:
            self._seen[symbol] = self._stored(symbol)
        return self._seen[symbol]

    def _stored(self, symbol: str) -> dict[OptionContract, Seen]:
        try:
            chain = option_chain(self._desk.store.engine, symbol, at=self._desk.clock.now())
        except BifrostError as trouble:
            log.debug("nothing to compare %s with: %s", symbol, trouble)
            return {}
        keys = (
            chain[name].tolist() for name in ("strike", "right", "trading_class", "style", "settlement", "multiplier")
        )
        days = [moment.date() for moment in chain["expiry"].dt.to_pydatetime()]
        contracts = [OptionContract(symbol, day, *rest) for day, *rest in zip(days, *keys, strict=True)]
        return seen_in(contracts, chain)

    def _forget_expired(self, known: dict[OptionContract, Seen]) -> None:
        today = exchange_date(self._desk.clock.now())
        for contract in [contract for contract in known if contract.expiry < today]:
            del known[contract]
