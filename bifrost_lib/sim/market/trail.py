"""One underlying's spot and volatility at any moment: a simulated path, with a Brownian bridge between its beats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import previous_session, sessions
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.sim.market.noise import key_of
from bifrost_lib.sim.market.paths import ANCHOR, Beat, beats_of, simulate_past, simulate_path
from bifrost_lib.sim.market.timetable import Timetable, timetable
from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: The first year of every synthetic history; before `ANCHOR` a walk of its own leads up to the anchor.
OLDEST_YEAR, LATEST_YEAR = 2023, 2060
_MARKET = "market"
_walk_at = loop("bifrost_lib.sim.market.bridge_loops", "walk_at")
_fill = loop("bifrost_lib.sim.market.bridge_loops", "fill")


class Trail:
    """The whole path of one underlying; every moment of it is a function of the seed and the underlying alone.

    From `ANCHOR` on it is the path of `simulated_history`. It is extended by whole years when later moments are asked.
    """

    def __init__(self, underlying: SimulatedUnderlying, *, seed: int) -> None:
        self.underlying = underlying
        self._seed = seed
        keys = key_of(seed, _MARKET), key_of(seed, underlying.symbol)
        self._keys = np.array(keys, dtype=np.uint64).view(np.int64)
        own = np.sqrt(1 - underlying.market_correlation**2)
        self._weights = np.array([underlying.market_correlation, own])
        past = _past_beats()
        self._past = simulate_past(underlying, past.days, past.steps, seed=seed)
        self._last_year = 0
        self.extend(ANCHOR.year)

    @property
    def times(self) -> Timetable:
        """The sessions that the path covers."""
        return timetable(OLDEST_YEAR, self._last_year)

    def extend(self, year: int) -> None:
        """Make sure that the path reaches beyond the end of `year`."""
        if not OLDEST_YEAR <= year < LATEST_YEAR:
            raise InputError("clock", year, f"a year from {OLDEST_YEAR} to {LATEST_YEAR - 1}")
        if year < self._last_year:
            return
        self._last_year = year + 1
        ahead_beats, past = _beats(ANCHOR, date(self._last_year, 12, 31)), self._past
        ahead = simulate_path(self.underlying, ahead_beats.days, ahead_beats.steps, seed=self._seed)
        self._moment = np.concatenate([_past_beats().moment, ahead_beats.moment])
        self._years = np.concatenate([_past_beats().years, ahead_beats.years])
        self._spot = np.concatenate([past.spot, ahead.spot])
        self._log_spot = np.log(self._spot)
        self._vol = np.concatenate([past.vol, ahead.vol])
        self._jump = np.concatenate([past.jump, ahead.jump])
        self._closes = np.searchsorted(self._moment, np.array(self.times.closes))

    def at(self, moments: Floats) -> tuple[Floats, Floats]:
        """Return spot and volatility at `moments` (epoch seconds), shape (n,)."""
        if len(moments):
            self.extend(datetime.fromtimestamp(float(moments.max()), UTC).year)
        beat, move, vol = np.empty(len(moments), dtype=np.int64), np.empty(len(moments)), np.empty(len(moments))
        outside = _walk_at(np.ascontiguousarray(moments), *self._beats(), beat, move, vol)
        if outside:
            raise InputError("clock", _moment(moments.min()), f"a moment from {_moment(self._moment[0])} on")
        return self._spot[beat] * np.exp(move), vol

    def seconds(self, start: int, end: int) -> Floats:
        """Return spot at every second of [start, end], both included."""
        self.extend(datetime.fromtimestamp(end, UTC).year)
        first = int(np.searchsorted(self._moment, start, side="right")) - 1
        last = max(int(np.searchsorted(self._moment, end, side="left")), first + 1)
        moment = self._moment
        lengths = np.diff(moment[first : last + 1])
        move = np.empty(lengths.sum() + 1)
        work, line = np.empty(128, dtype=np.int64), np.empty(int(lengths.max()) + 1)
        _fill(first, last - first, *self._beats(), work, line, move)
        base = np.append(np.repeat(self._spot[first:last], lengths), self._spot[last])
        return (base * np.exp(move))[start - moment[first] : end - moment[first] + 1]

    def close(self, session: npt.ArrayLike) -> Floats:
        """Return spot at the close of sessions, by their index in `times`."""
        return np.asarray(self._spot[self._closes[np.asarray(session)]], dtype=np.float64)

    def close_vol(self, session: npt.ArrayLike) -> Floats:
        """Return instantaneous volatility at the close of sessions."""
        return np.asarray(self._vol[self._closes[np.asarray(session)]], dtype=np.float64)

    def _beats(self) -> tuple[Ints, Floats, Floats, Floats, Floats, Ints, Floats]:
        return self._moment, self._log_spot, self._vol, self._years, self._jump, self._keys, self._weights


@dataclass(frozen=True)
class _Beats:
    """The beats of consecutive sessions, which all underlyings share."""

    days: list[date]
    steps: list[Beat]
    moment: Ints
    years: Floats


@cache
def _beats(first: date, last: date) -> _Beats:
    days, times = sessions(first, last), timetable(OLDEST_YEAR, last.year)
    place = times.days.index(days[0])
    span = slice(place, place + len(days))
    steps = beats_of(
        [datetime.fromtimestamp(moment, UTC) for moment in times.opens[span]],
        [datetime.fromtimestamp(moment, UTC) for moment in times.closes[span]],
    )
    moment = np.array([int(step.moment.timestamp()) for step in steps])
    return _Beats(days, steps, moment, np.array([step.years for step in steps]))


def _past_beats() -> _Beats:
    return _beats(date(OLDEST_YEAR, 1, 1), previous_session(ANCHOR))


def _moment(second: float) -> datetime:
    return datetime.fromtimestamp(float(second), UTC)
