"""What was known of earnings on each session of a cube: never more than had been learnt by its first moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import EARNINGS, NO_DAY, ChainCube
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import EARNINGS_TIMES

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.strategies import EventWindow

Array = npt.NDArray[Any]
#: Days to what is not announced.
FAR = 1 << 60
_BEFORE_OPEN, _AFTER_CLOSE = EARNINGS_TIMES.index("before_open"), EARNINGS_TIMES.index("after_close")


@dataclass(frozen=True)
class EarningsLine:
    """Earnings as seen from each session; `FAR` is not announced.

    Attributes
    ----------
    is_known : bool (S,)
        Whether anything had been learnt of them.
    until, since : int64 (S,)
        Calendar days to the next report, and since the last.
    first_expiry : int64 (S,)
        The first day on which options expire that live through the next report.
    """

    is_known: Array
    until: Array
    since: Array
    first_expiry: Array

    def near(self, window: EventWindow) -> Array:
        """Return on which sessions a report lies within the days before or after that a window names."""
        before = (self.until <= window.before) if window.before else np.zeros(len(self.until), dtype=bool)
        after = (self.since <= window.after) if window.after else np.zeros(len(self.since), dtype=bool)
        return np.asarray(before | after)


def earnings_line(cube: ChainCube) -> EarningsLine:
    """Return earnings as they were seen from each session of a cube; `strategies.EarningsCalendar` has the rules."""
    day, moments = cube.session_day.astype(np.int64), cube.moment_us[cube.session_moment[:-1]]
    begins, ends = _believed(cube, moments)
    until, since, first_expiry = (np.full(len(day), FAR) for _ in range(3))
    for entry in np.flatnonzero((begins < ends) & (cube.earnings_day != NO_DAY)):
        span, time = slice(begins[entry], ends[entry]), cube.earnings_time[entry]
        report, days = int(cube.earnings_day[entry]), int(cube.earnings_day[entry]) - day[begins[entry] : ends[entry]]
        is_ahead = days >= (time == _BEFORE_OPEN)
        until[span] = np.minimum(until[span], np.where(is_ahead, days, FAR))
        since[span] = np.minimum(since[span], np.where(is_ahead, FAR, -days))
        expiry = np.where(is_ahead, report + (time == _AFTER_CLOSE), FAR)
        first_expiry[span] = np.minimum(first_expiry[span], expiry)
    is_known = np.arange(len(day)) >= begins.min(initial=len(day))
    return EarningsLine(is_known, until, since, first_expiry)


def earnings_arrays(announcements: pd.DataFrame | None) -> dict[str, Array]:
    """Return the fields of a cube from a frame of all that was learnt; see `ChainCube.from_frame`."""
    import pandas as pd

    if announcements is None or not len(announcements):
        return {name: np.empty(0, dtype=kind) for name, kind in EARNINGS.items()}
    rows = announcements.sort_values("known_at", kind="stable")
    times = pd.Index(EARNINGS_TIMES).get_indexer(pd.Index(rows["time_of_day"].astype(str)))
    if (times < 0).any():
        raise InputError("earnings.time_of_day", sorted(set(rows["time_of_day"])), " or ".join(EARNINGS_TIMES))
    known = rows["known_at"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    days = rows["report_date"].to_numpy().astype("datetime64[D]")
    # Events are numbered as they become known, so that a cube that was cut has the numbers of one that ended there.
    events, _ = pd.factorize(rows["fiscal_period"].astype(str))
    return {
        "earnings_day": np.where(np.isnat(days), NO_DAY, days.astype(np.int64)).astype(np.int32),
        "earnings_time": times.astype(np.int8),
        "earnings_event": events.astype(np.int32),
        "earnings_known_us": known.astype(np.int64),
    }


def _believed(cube: ChainCube, moments: Array) -> tuple[Array, Array]:
    # From which session on each entry is believed, and from which on something newer is said of its event.
    begins = np.searchsorted(moments, cube.earnings_known_us)
    ends = np.full(len(begins), len(moments))
    newest: dict[int, int] = {}
    for entry in range(len(begins) - 1, -1, -1):
        event = int(cube.earnings_event[entry])
        ends[entry] = newest.get(event, len(moments))
        newest[event] = int(begins[entry])
    return begins, ends
