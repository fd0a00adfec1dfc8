"""What an earlier process left: batches on the disk, runs that were killed, slots that nobody served."""

from __future__ import annotations

from datetime import datetime

from bifrost_lib.store import Gap, Watch, interrupted_runs, list_runs, record_gap, watchlist
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.sweep import COLLECTOR
from bifrost_lib.workflows.desk import Desk

INTERRUPTED = "interrupted"


def tell_interrupted(desk: Desk, hours: Hours) -> int:
    """Record a gap for each run that a killed process left behind; return how many.

    Call it after what waits on the disk has been delivered: a batch that was killed on its way has not been lost.

    Raises
    ------
    SourceUnavailable
        If the database is away.
    """
    cadences = {watch.symbol: watch.cadence_s for watch in watchlist(desk.store)}
    runs = interrupted_runs(desk.store, COLLECTOR, at=desk.clock.now())
    for run in runs.to_dict("records"):
        started, ended = run["started"].to_pydatetime(), run["finished"].to_pydatetime()
        slot = hours.slot_at(started, cadences.get(run["symbol"], Watch("-").cadence_s))
        gap = Gap(
            first_ts=started,
            last_ts=max(started, ended),
            reason=INTERRUPTED,
            expected=sum(run["missing"].values()),
            received=0,
            fillable_until=slot.end if slot else ended,
        )
        record_gap(desk.store, run["run_id"], gap)
    return len(runs)


def last_runs(desk: Desk, watches: list[Watch]) -> dict[str, datetime]:
    """Return when the newest run of each watched underlying began.

    Raises
    ------
    SourceUnavailable
        If the database is away.
    """
    found = {}
    for watch in watches:
        runs = list_runs(desk.store, limit=1, collector=COLLECTOR, symbol=watch.symbol, at=desk.clock.now())
        if len(runs):
            found[watch.symbol] = runs["started"].iloc[0].to_pydatetime()
    return found
