"""What is watched now, as the database says, or said when it last answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.store import Watch, watchlist
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.desk import Desk

#: How long an underlying stays hot after someone asked for it.
ASKED_FOR = timedelta(minutes=10)

T = TypeVar("T")
log = logging.getLogger(__name__)


class Watched:
    """The watchlist, and what was asked for lately.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        These and no others, as the watchlist says or, where it says nothing, by its defaults. Empty: the watchlist.
    """

    def __init__(self, desk: Desk, symbols: Sequence[str] = ()) -> None:
        self._desk, self._symbols = desk, tuple(symbols)
        self._asked: dict[str, datetime] = {}
        self.watches: list[Watch] = [Watch(symbol) for symbol in self._symbols]

    async def load(self) -> list[Watch]:
        """Read the watchlist again; what was known stays while the database is away."""
        found = await quietly(watchlist, self._desk.store)
        if found is not None:
            known = {watch.symbol: watch for watch in found}
            chosen = [known.get(symbol, Watch(symbol)) for symbol in self._symbols]
            self.watches = chosen if self._symbols else [watch for watch in found if watch.enabled]
        return self.watches

    def selection(self, symbol: str) -> Selection:
        """Return what of a chain is wanted, also of an underlying that is not watched."""
        return Selection.of(next((watch for watch in self.watches if watch.symbol == symbol), Watch(symbol)))

    def asked_for(self, symbol: str) -> None:
        """Note that someone wants to see an underlying now."""
        self._asked[symbol] = self._desk.clock.now()

    def asked_lately(self) -> list[str]:
        """Return what someone wanted to see in the last minutes."""
        now = self._desk.clock.now()
        return [symbol for symbol, moment in self._asked.items() if now - moment < ASKED_FOR]


async def quietly(work: Callable[..., T], *arguments: Any, **named: Any) -> T | None:
    """Do something with the database in a thread; None while it is away."""
    try:
        return await asyncio.to_thread(work, *arguments, **named)
    except SourceUnavailable as trouble:
        log.debug("%s", trouble)
        return None
