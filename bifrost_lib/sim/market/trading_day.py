"""Which trading day a moment belongs to, and how much of its trading is over."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.sim.market.timetable import Timetable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRID_PER_S = 10  # quotes move at most this often
_OVERNIGHT_SHARE = 0.08  # of a day's volume, in a market that never closes


@dataclass(frozen=True)
class TradingDay:
    """A moment of a market, in epoch seconds.

    `second` is the moment whose quotes are shown: the last close while the market is closed. `session` counts the
    timetable's sessions; `close_session` is the one whose close counts as the previous one. The day's highs and lows
    are those since `since`; its volume is that since `start`.
    """

    second: float
    is_open: bool
    session: int
    close_session: int
    start: int
    opens: int
    closes: int

    @property
    def since(self) -> int:
        """Where the day's opening price, high and low begin: the session's opening, or the evening before it."""
        return self.opens if self.second >= self.opens else self.start

    @property
    def share(self) -> float:
        """How much of the day's volume has traded: busier near the open and the close than at noon."""
        return float(volume_share(np.array([self.second]), self.start, self.opens, self.closes)[0])


def trading_day(moment: datetime, times: Timetable, *, always_open: bool) -> TradingDay:
    """Return the trading day of `moment`.

    A market that is always open trades from one close to the next; its volume grows through both. Otherwise, outside
    the session, everything stands as at the last close, and the previous close is that of an earlier date.
    """
    second = np.floor(moment.timestamp() * GRID_PER_S + 1e-6) / GRID_PER_S
    if always_open:
        session = times.ended(second)
        return _day(second, True, session, session - 1, times.closes[session - 1], times)
    session = times.latest(second)
    is_open = second < times.closes[session]
    earlier = bisect_left(times.days, exchange_date(datetime.fromtimestamp(second, UTC))) - 1
    shown = min(second, float(times.closes[session]))
    return _day(shown, is_open, session, earlier, times.opens[session], times)


def volume_share(seconds: Floats, start: int | Ints, opens: int | Ints, closes: int | Ints) -> Floats:
    """Return the share of a day's volume that has traded at each second, from 0 to 1, shape (n,).

    `start` is where the day begins: at its session's opening, or at the close before in a market that is always open.
    """
    inside = np.clip((seconds - opens) / (np.asarray(closes) - opens), 0.0, 1.0)
    traded = (1.4 * inside + 1.6 * ((2 * inside - 1) ** 3 + 1) / 6) / (1.4 + 1.6 / 3)
    evening = np.asarray(opens) - start
    before = np.clip((seconds - start) / np.maximum(evening, 1), 0.0, 1.0)
    overnight = np.where(evening > 0, _OVERNIGHT_SHARE, 0.0)
    return np.asarray(overnight * before + (1 - overnight) * traded, dtype=np.float64)


def _day(second: float, is_open: bool, session: int, close_session: int, start: int, times: Timetable) -> TradingDay:
    return TradingDay(
        second=float(second),
        is_open=is_open,
        session=session,
        close_session=close_session,
        start=start,
        opens=times.opens[session],
        closes=times.closes[session],
    )
