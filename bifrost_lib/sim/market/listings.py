"""Which contracts are listed in which session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import is_session, previous_session, third_friday
from bifrost_lib.sim.market.universe import Ladder, SimulatedUnderlying

Floats = npt.NDArray[np.float64]

WEEKLIES, MONTHLIES, QUARTERLIES = 6, 3, 3


@dataclass(frozen=True)
class Listings:
    """Contracts sorted by class, expiry, strike, put before call (n,), and when they are listed (n, sessions)."""

    trading_class: npt.NDArray[np.str_]
    is_am: npt.NDArray[np.bool_]
    expiry: npt.NDArray[np.datetime64]
    strike: Floats
    is_call: npt.NDArray[np.bool_]
    listed: npt.NDArray[np.bool_]


def expiries_on(day: date) -> list[date]:
    """Return the expiries listed on session `day`: the next weekly, monthly and quarterly ones, sorted."""
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    weeklies = [_session_on_or_before(friday + timedelta(weeks=n)) for n in range(WEEKLIES)]
    months = [(day.year + (day.month - 1 + n) // 12, (day.month - 1 + n) % 12 + 1) for n in range(13)]
    monthlies = [third_friday(*month) for month in months]
    ahead = [expiry for expiry in monthlies if expiry >= day]
    quarterlies = [expiry for expiry in ahead if expiry.month % 3 == 0]
    return sorted({*weeklies, *ahead[:MONTHLIES], *quarterlies[:QUARTERLIES]} - _before(day, weeklies))


def list_contracts(underlying: SimulatedUnderlying, days: Sequence[date], closes: Floats) -> Listings:
    """Return the contracts of `underlying` over the sessions `days`.

    A strike is listed once the ladder around some close since the expiry's listing has reached it, as exchanges add
    strikes when spot moves; nothing about later sessions is used. `closes` has shape (sessions,).
    """
    listed_on = [set(expiries_on(day)) for day in days]
    blocks = []
    for expiry in sorted(set().union(*listed_on)):
        first = next(index for index, expiries in enumerate(listed_on) if expiry in expiries)
        strikes, listed = _strikes(underlying.ladder, closes, first)
        listed &= np.array([day <= expiry for day in days])
        blocks.append((*underlying.option_class(expiry), expiry, strikes, listed))
    blocks.sort(key=lambda block: (block[0], block[2]))
    sizes = [2 * len(block[3]) for block in blocks]
    return Listings(
        trading_class=np.repeat(np.array([block[0] for block in blocks]), sizes),
        is_am=np.repeat(np.array([block[1] == "AM" for block in blocks]), sizes),
        expiry=np.repeat(np.array([block[2] for block in blocks], dtype="datetime64[s]"), sizes),
        strike=np.repeat(np.concatenate([block[3] for block in blocks]), 2),
        is_call=np.tile([False, True], sum(sizes) // 2),
        listed=np.repeat(np.vstack([block[4] for block in blocks]), 2, axis=0),
    )


def _strikes(ladder: Ladder, closes: Floats, first: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    low, high = np.full_like(closes, np.inf), np.full_like(closes, -np.inf)
    low[first:] = np.minimum.accumulate(closes[first:])
    high[first:] = np.maximum.accumulate(closes[first:])
    lowest, highest = low.min() * (1 - ladder.down), high.max() * (1 + ladder.up)
    # Strikes are integer multiples of a step so that ladders of different expiries meet exactly.
    near = np.arange(np.ceil(lowest / ladder.near_step), np.floor(highest / ladder.near_step) + 1)
    strikes = near * ladder.near_step
    is_far = np.isclose(strikes / ladder.far_step, np.round(strikes / ladder.far_step))
    listed = _within(strikes, low, high, ladder.near_width, ladder.near_width)
    listed |= is_far[:, None] & _within(strikes, low, high, ladder.down, ladder.up)
    ever = listed.any(axis=1)
    return strikes[ever], listed[ever]


def _within(strikes: Floats, low: Floats, high: Floats, down: float, up: float) -> npt.NDArray[np.bool_]:
    return (strikes[:, None] >= low * (1 - down)) & (strikes[:, None] <= high * (1 + up))


def _session_on_or_before(day: date) -> date:
    return day if is_session(day) else previous_session(day)


def _before(day: date, expiries: Sequence[date]) -> set[date]:
    # A holiday on this week's Friday can put its expiry before today.
    return {expiry for expiry in expiries if expiry < day}
