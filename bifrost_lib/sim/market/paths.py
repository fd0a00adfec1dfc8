"""Spot and volatility through time: log-volatility returns to its mean and rises when spot falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import session_close, session_open
from bifrost_lib.sim.market.universe import RATE, SimulatedUnderlying

Floats = npt.NDArray[np.float64]

STEP = timedelta(minutes=30)
MEAN_REVERSION = 5.0  # a year
_SESSIONS_PER_YEAR = 252.0
_OVERNIGHT = 0.35  # share of a day's variance between close and open
_HALF_HOURS = 13.0


@dataclass(frozen=True)
class Beat:
    """One step of the simulation: the moment at its end, and the trading time that it takes."""

    session: int
    moment: datetime
    years: float
    opens: bool


@dataclass(frozen=True)
class Path:
    """Spot (currency) and instantaneous volatility (decimal, annual) at each beat, shape (beats,)."""

    spot: Floats
    vol: Floats


def beats(days: Sequence[date]) -> list[Beat]:
    """Return every half hour of the sessions `days`; the overnight move belongs to a session's opening beat."""
    steps = []
    for index, day in enumerate(days):
        moment, close = session_open(day), session_close(day)
        steps.append(Beat(index, moment, _OVERNIGHT / _SESSIONS_PER_YEAR, opens=True))
        while moment < close:
            moment = min(moment + STEP, close)
            steps.append(Beat(index, moment, (1 - _OVERNIGHT) / _SESSIONS_PER_YEAR / _HALF_HOURS, opens=False))
    return steps


def shocks_of(seed: int, count: int, *purpose: str | int, width: int = 2) -> Floats:
    """Return independent standard normal numbers, shape (width, count), that belong to `seed` and `purpose`.

    Asking for more numbers leaves the first ones unchanged, so a longer history begins like a shorter one.
    """
    words = [crc32(word.encode()) if isinstance(word, str) else word for word in purpose]
    return np.random.default_rng([seed, *words]).standard_normal((count, width)).T


def simulate_path(underlying: SimulatedUnderlying, days: Sequence[date], steps: Sequence[Beat], *, seed: int) -> Path:
    """Simulate one underlying over `steps` (the beats of `days`).

    Every underlying shares the market's shocks of `seed` and adds its own, so a symbol's path does not depend on
    which other symbols are asked for.
    """
    market = shocks_of(seed, len(steps))
    own = shocks_of(seed, len(steps), underlying.symbol, "path")
    correlation = underlying.market_correlation
    shocks = correlation * market + np.sqrt(1 - correlation**2) * own
    jumps = _earnings_jumps(underlying, days, steps, shocks_of(seed, len(steps), underlying.symbol, "jumps")[0])
    return _walk(underlying, steps, shocks, jumps)


def _earnings_jumps(
    underlying: SimulatedUnderlying, days: Sequence[date], steps: Sequence[Beat], surprises: Floats
) -> Floats:
    jumps = np.zeros(len(steps))
    reported = set(underlying.earnings_days(days[0], days[-1]))
    for index, step in enumerate(steps):
        if step.opens and step.session > 0 and days[step.session - 1] in reported:
            jumps[index] = underlying.earnings_move * surprises[index]
    return jumps


def _walk(underlying: SimulatedUnderlying, steps: Sequence[Beat], shocks: Floats, jumps: Floats) -> Path:
    years = np.array([step.years for step in steps])
    leverage = underlying.leverage
    vol_shocks = leverage * shocks[0] + np.sqrt(1 - leverage**2) * shocks[1]
    mean = np.log(underlying.vol)
    log_spot, log_vol = np.log(underlying.spot), mean
    spot, vol = np.empty(len(steps)), np.empty(len(steps))
    for i, dt in enumerate(years):
        sigma = np.exp(log_vol)
        drift = RATE - underlying.div_yield - 0.5 * sigma**2
        log_spot += drift * dt + sigma * np.sqrt(dt) * shocks[0, i] + jumps[i]
        log_vol += MEAN_REVERSION * (mean - log_vol) * dt + underlying.vol_of_vol * np.sqrt(dt) * vol_shocks[i]
        spot[i], vol[i] = np.exp(log_spot), np.exp(log_vol)
    return Path(spot=np.round(spot, 2), vol=vol)
