"""The newest picture of each chain that someone looks at, kept fresh by the database's announcements."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.live.pictures import ChainPicture, chain_picture, with_streamed

QUOTES, SNAPSHOTS = "live_quotes", "option_snapshots"
#: Least seconds between two pictures of one symbol: faster than eyes, slower than ticks.
GATHER_S = 0.25
#: How long a picture serves while nobody watches.
ALONE_S = 1.0
#: How long a stored chain is waited for to be complete: a sweep announces every batch.
SETTLE_S = 1.0

log = logging.getLogger(__name__)

Watcher = Callable[[ChainPicture], None]


@dataclass
class _Followed:
    """One symbol: what is stored, what is shown, who looks, and what has been announced but not read yet."""

    stored: ChainPicture | None = None
    shown: ChainPicture | None = None
    watchers: list[Watcher] = field(default_factory=list)
    read_s: float = 0.0
    stored_s: float = 0.0
    has_quotes: bool = False
    has_snapshots: bool = False


class LiveFeed:
    """One listening thread for a whole server process; close it, or use it in a ``with`` block.

    Parameters
    ----------
    desk : Desk

    Notes
    -----
    Watchers are called in the feed's thread with a picture that all of them share. Each database read serves all
    watchers of a symbol, however many there are.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.problem: BifrostError | None = None
        self._listener = store.listen(desk.store, (QUOTES, SNAPSHOTS))
        self._thread = threading.Thread(target=self._run, name="live feed", daemon=True)
        self._thread.start()

    def picture(self, symbol: str) -> ChainPicture:
        """Return the newest picture of a chain; quick for a symbol that someone looks at.

        Raises
        ------
        NoDataError
            If nothing is known of it.
        """
        followed = self._of(symbol)
        is_kept = followed.watchers or time.monotonic() - followed.read_s < ALONE_S
        if followed.shown is not None and is_kept:
            return followed.shown
        picture = chain_picture(self._desk, symbol)
        with self._lock:
            followed.shown, followed.stored, followed.read_s = picture, picture, time.monotonic()
        return picture

    def watch(self, symbol: str, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with every new picture of `symbol`; return a function that ends that."""
        followed = self._of(symbol)
        with self._lock:
            followed.watchers.append(watcher)

        def end() -> None:
            with self._lock:
                if watcher in followed.watchers:
                    followed.watchers.remove(watcher)

        return end

    def watchers(self) -> int:
        """Return how many watch anything."""
        with self._lock:
            return sum(len(followed.watchers) for followed in self._followed.values())

    def close(self) -> None:
        """End the thread; a second call does nothing."""
        self._stop.set()
        self._listener.close()
        self._thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _of(self, symbol: str) -> _Followed:
        with self._lock:
            return self._followed.setdefault(symbol.upper(), _Followed())

    def _run(self) -> None:
        while not self._stop.is_set():
            waiting = any(one.has_quotes or one.has_snapshots for one in list(self._followed.values()))
            note = self._listener.wait(GATHER_S / 3 if waiting else 0.5)
            while note is not None:
                self._remember(note)
                note = self._listener.wait(0.0)
            for symbol, followed in list(self._followed.items()):
                if followed.watchers:
                    self._refresh(symbol, followed)

    def _remember(self, note: store.Notification) -> None:
        # Without facts it says that announcements were missed: everything may have changed.
        for symbol, followed in list(self._followed.items()):
            if note.facts.get("symbol", symbol) == symbol:
                followed.has_quotes = True
                followed.has_snapshots |= note.channel == SNAPSHOTS

    def _refresh(self, symbol: str, followed: _Followed) -> None:
        now_s = time.monotonic()
        wants_stored = followed.has_snapshots and now_s - followed.stored_s >= SETTLE_S
        if not (followed.has_quotes or wants_stored) or now_s - followed.read_s < GATHER_S:
            return
        try:
            self._read(symbol, followed, anew=wants_stored or followed.stored is None)
        except BifrostError as problem:
            if self.problem is None:
                log.warning("%s is not followed: %s", symbol, problem)
            self.problem, followed.read_s = problem, now_s + 1.0
            return
        self.problem = None
        for watcher in list(followed.watchers):
            self._tell(watcher, followed)

    def _read(self, symbol: str, followed: _Followed, *, anew: bool) -> None:
        followed.read_s, followed.has_quotes = time.monotonic(), False
        if anew or followed.stored is None:
            followed.stored_s, followed.has_snapshots = followed.read_s, False
            followed.stored = followed.shown = chain_picture(self._desk, symbol)
        else:
            # On what was shown before, not on what is stored: a contract that streams no more keeps its last quote.
            base = followed.shown or followed.stored
            followed.shown = with_streamed(self._desk, base)

    def _tell(self, watcher: Watcher, followed: _Followed) -> None:
        if followed.shown is None:
            return
        try:
            watcher(followed.shown)
        except Exception:  # one page that broke must not stop the others
            log.exception("a page could not be told of a new picture")
