"""The process behind recommendations: watched documents on each new snapshot, marks and settlements after a close."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from bifrost_lib import store
from bifrost_lib.core.calendar import exchange_date, is_session, previous_session, session_close
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.monitoring import monitor_documents, monitored_symbols
from bifrost_lib.workflows.finder.recommending import MarkReport, mark_recommendations

#: After a close, the time that the last sweep may take to be stored.
AFTER_CLOSE = timedelta(minutes=30)
#: A sweep is stored in pieces: documents are evaluated once nothing came for a while, or for long enough.
QUIET_S, LONGEST_S = 5.0, 120.0
LOOK_EVERY_S = 15.0

log = logging.getLogger(__name__)


def keep_records(desk: Desk, symbols: Sequence[str] = (), once: bool = False) -> MarkReport | None:
    """Watch documents and mark recommendations until SIGTERM or SIGINT; with `once`, a single time for all symbols."""
    if once:
        for symbol in symbols or monitored_symbols(desk):
            monitor_documents(desk, symbol)
        return mark_recommendations(desk)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_records(desk, stop=stop, symbols=symbols)
    return None


def run_records(desk: Desk, *, stop: threading.Event, symbols: Sequence[str] = ()) -> None:
    """Keep records until `stop` is set; a database that is away is waited for."""
    marked: datetime | None = None
    fresh: dict[str, tuple[float, float]] = {}
    with store.listen(desk.store, "option_snapshots") as listener:
        while not stop.is_set():
            note = listener.wait(min(LOOK_EVERY_S, QUIET_S if fresh else LOOK_EVERY_S))
            now = time.monotonic()
            if note is not None and (symbol := note.facts.get("symbol")) and (not symbols or symbol in symbols):
                fresh[symbol] = (fresh.get(symbol, (now, now))[0], now)
            try:
                for symbol in [name for name, (first, last) in fresh.items() if _is_ready(first, last, now)]:
                    del fresh[symbol]
                    monitor_documents(desk, symbol)
                due = due_close(desk.clock.now())
                if marked is None or due > marked:
                    mark_recommendations(desk, due)
                    marked = due
            except BifrostError as trouble:
                log.warning("%s; next look in %.0f s", trouble, LOOK_EVERY_S)
                stop.wait(LOOK_EVERY_S)


def due_close(now: datetime) -> datetime:
    """Return the newest close whose last sweep had time to be stored by `now`."""
    day = exchange_date(now)
    if is_session(day) and session_close(day) + AFTER_CLOSE <= now:
        return session_close(day)
    return session_close(previous_session(day))


def _is_ready(first: float, last: float, now: float) -> bool:
    return now - last >= QUIET_S or now - first >= LONGEST_S
