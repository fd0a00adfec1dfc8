"""Something to look at before there is data of one's own: the simulated history, labelled as what it is."""

from __future__ import annotations

from bifrost_lib import __version__
from bifrost_lib.sim import SOURCE, simulated_history
from bifrost_lib.store import AlreadyIngested, FileKey, Watch, ingestion, save_watch, watchlist
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.enrichment import with_analytics


def seed_simulated_history(desk: Desk) -> int:
    """Store the simulated history, unless it is there, and return how many rows were stored.

    Its symbols are fictional (SIM, SIMX, SIMT) and its source is ``simulated``, so that it is never mistaken for
    a market.
    """
    key = FileKey(path="simulated history", sha256=__version__, size=0, format=SOURCE)
    stored = read = 0
    try:
        with ingestion(desk.store, key, source=SOURCE) as writer:
            for quotes in simulated_history():
                stored += writer.append(with_analytics(quotes))
                read += len(quotes)
            writer.note(rows_read=read)
    except AlreadyIngested:
        return 0
    return stored


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
