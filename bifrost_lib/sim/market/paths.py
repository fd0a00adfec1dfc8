"""Spot and volatility through time: log-volatility returns to its mean and rises when spot falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import session_close, session_open, sessions
from bifrost_lib.sim.market.universe import RATE, SimulatedUnderlying

Floats = npt.NDArray[np.float64]

STEP = timedelta(minutes=30)
#: Where every underlying stands at its `spot`: what comes after is walked forward, what came before backward.
ANCHOR = date(2026, 7, 8)
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
    jump: Floats  # of log-spot, inside the step


@dataclass(frozen=True)
class Turmoil:
    """Days on which the market falls and its volatility leaps; afterwards that calms down.

    `fall` is what the market's logarithm loses over `falling` sessions, `leap` what the logarithm of its volatility
    gains; an underlying takes part by its correlation with the market.
    """

    day: date
    falling: int
    calming: int
    fall: float
    leap: float


#: The past would be all alike without one. It ends before the anchor, so nothing of it is left there.
TURMOIL = Turmoil(day=date(2026, 4, 13), falling=5, calming=50, fall=0.09, leap=1.25)


def beats(days: Sequence[date]) -> list[Beat]:
    """Return every half hour of the sessions `days`; the overnight move belongs to a session's opening beat."""
    return beats_of([session_open(day) for day in days], [session_close(day) for day in days])


def beats_of(opens: Sequence[datetime], closes: Sequence[datetime]) -> list[Beat]:
    """Return every half hour of sessions whose moments of opening and closing are known."""
    steps = []
    for index, (opening, close) in enumerate(zip(opens, closes, strict=True)):
        moment = opening
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


def simulate_through(
    underlying: SimulatedUnderlying, days: Sequence[date], steps: Sequence[Beat], *, seed: int
) -> Path:
    """Simulate over `days`, some of which may lie before the anchor: their path leads up to the one that starts there.

    From days that begin after the anchor on, the path is `simulate_path`'s.
    """
    before = sum(day < ANCHOR for day in days)
    if not before:
        return simulate_path(underlying, days, steps, seed=seed)
    past_days = [*days[:before], *([] if before < len(days) else sessions_between(days[-1], ANCHOR))]
    past_steps = [step for step in steps if step.session < before]
    if before == len(days):
        past_steps = beats(past_days)
    past = simulate_past(underlying, past_days, past_steps, seed=seed)
    ahead_steps = [replace(step, session=step.session - before) for step in steps if step.session >= before]
    if not ahead_steps:
        return Path(past.spot[: len(steps)], past.vol[: len(steps)], past.jump[: len(steps)])
    ahead = simulate_path(underlying, days[before:], ahead_steps, seed=seed)
    return Path(*(np.concatenate([getattr(past, name), getattr(ahead, name)]) for name in ("spot", "vol", "jump")))


def sessions_between(day: date, end: date) -> list[date]:
    """Return the sessions after `day` and before `end`."""
    return [one for one in sessions(day, end) if day < one < end]


def simulate_past(underlying: SimulatedUnderlying, days: Sequence[date], steps: Sequence[Beat], *, seed: int) -> Path:
    """Simulate what came before the path of `simulate_path`: it ends where that one starts.

    The walk is simulated backward from there, so that a longer past ends like a shorter one.
    """
    count = len(steps)
    market, own = shocks_of(seed, count, "past"), shocks_of(seed, count, underlying.symbol, "past")
    correlation = underlying.market_correlation
    shocks = (correlation * market + np.sqrt(1 - correlation**2) * own)[:, ::-1]
    jumps = _earnings_jumps(underlying, days, steps, shocks_of(seed, count, underlying.symbol, "past jumps")[0, ::-1])
    years, leverage = np.array([step.years for step in steps]), underlying.leverage
    # Seen backward, volatility moves the other way: its correlation with returns changes sign.
    back = -(leverage * shocks[0] + np.sqrt(1 - leverage**2) * shocks[1])[::-1]
    falls, leaps = _turmoil(days, steps)
    vol = np.exp(_log_vols(underlying, years[::-1], back)[-2::-1] + correlation * leaps)
    drift = RATE - underlying.div_yield - 0.5 * vol**2
    moves = drift * years + vol * np.sqrt(years) * shocks[0] + jumps - correlation * falls
    log_spot = np.log(underlying.spot) - np.cumsum(moves[::-1])[::-1]
    spot = np.exp(np.append(log_spot[1:], np.log(underlying.spot)))
    return Path(spot=np.round(spot, 2), vol=vol, jump=jumps)


def _earnings_jumps(
    underlying: SimulatedUnderlying, days: Sequence[date], steps: Sequence[Beat], surprises: Floats
) -> Floats:
    jumps = np.zeros(len(steps))
    reported = set(underlying.earnings_days(days[0], days[-1]))
    for index, step in enumerate(steps):
        if step.opens and step.session > 0 and days[step.session - 1] in reported:
            jumps[index] = underlying.earnings_move * surprises[index]
    return jumps


def _turmoil(days: Sequence[date], steps: Sequence[Beat]) -> tuple[Floats, Floats]:
    """Return what each step loses, and by how much the logarithm of volatility is raised at it."""
    place = {day: index for index, day in enumerate(sessions(TURMOIL.day, ANCHOR))}
    since = np.array([place.get(day, -1) for day in days])[[step.session for step in steps]]
    share = np.array([step.years for step in steps]) * _SESSIONS_PER_YEAR / TURMOIL.falling
    falls = np.where((since >= 0) & (since < TURMOIL.falling), TURMOIL.fall * share, 0.0)
    risen = np.clip((since + 1) / TURMOIL.falling, 0.0, 1.0)
    calmed = np.clip((since + 1 - TURMOIL.falling) / TURMOIL.calming, 0.0, 1.0)
    return falls, TURMOIL.leap * risen * (1 - calmed) ** 2


def _walk(underlying: SimulatedUnderlying, steps: Sequence[Beat], shocks: Floats, jumps: Floats) -> Path:
    years = np.array([step.years for step in steps])
    leverage = underlying.leverage
    log_vol = _log_vols(underlying, years, leverage * shocks[0] + np.sqrt(1 - leverage**2) * shocks[1])
    sigma, vol = np.exp(log_vol[:-1]), np.exp(log_vol[1:])
    drift = RATE - underlying.div_yield - 0.5 * sigma**2
    moves = drift * years + sigma * np.sqrt(years) * shocks[0] + jumps
    log_spot = np.cumsum(np.concatenate([[np.log(underlying.spot)], moves]))[1:]
    return Path(spot=np.round(np.exp(log_spot), 2), vol=vol, jump=jumps)


def _log_vols(underlying: SimulatedUnderlying, years: Floats, shocks: Floats) -> Floats:
    # plain numbers: each value needs the one before it, and NumPy's scalars are ten times slower
    mean, log_vol = float(np.log(underlying.vol)), float(np.log(underlying.vol))
    found = [log_vol]
    for dt, push in zip(years.tolist(), (underlying.vol_of_vol * np.sqrt(years) * shocks).tolist(), strict=True):
        log_vol += MEAN_REVERSION * (mean - log_vol) * dt + push
        found.append(log_vol)
    return np.array(found)
