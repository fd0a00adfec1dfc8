"""Which contracts the synthetic exchange lists on a day, for programs that expect as many as a real one has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import is_session, previous_session, sessions, third_friday
from bifrost_lib.sim.market.profiles import Profile
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.universe import Ladder, SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAILIES_DAYS, FRIDAYS, MONTHLIES, QUARTERS = 14, 8, 6, 5
#: Days before expiry from which strikes are added near the money, near it but fewer, and far from it.
NEAR_DAYS, MIDDLE_DAYS, FAR_DAYS = 63, 200, 1_000
_EPOCH = date(2020, 1, 1)
_STRIKES = 4_096


@dataclass(frozen=True)
class Listed:
    """Contracts of one underlying, sorted by class, expiry, strike, call before put; shape (n,)."""

    con_id: Ints
    class_index: Ints  # into Profile.class_codes
    expiry: Ints  # date ordinals
    strike: Floats
    is_call: npt.NDArray[np.bool_]


def con_ids(class_code: int | Ints, expiry: Ints, units: Ints, is_call: npt.NDArray[np.bool_]) -> Ints:
    """Return the conIds of contracts: class, expiry, strike and right packed into 31 bits, so that no two collide."""
    return (class_code << 27) | ((expiry - _EPOCH.toordinal()) << 13) | (units << 1) | is_call


@cache
def expirations(day: date, *, daily: bool) -> tuple[date, ...]:
    """Return the expiries listed on `day`: dailies, Fridays, monthlies, quarterlies and Januaries beyond, sorted."""
    friday = day + timedelta(days=(4 - day.weekday()) % 7)
    fridays = [_session_on_or_before(friday + timedelta(weeks=n)) for n in range(FRIDAYS)]
    dailies = sessions(day, day + timedelta(days=DAILIES_DAYS)) if daily else []
    months = [(day.year + (day.month - 1 + n) // 12, (day.month - 1 + n) % 12 + 1) for n in range(28)]
    ahead = [expiry for expiry in (third_friday(*month) for month in months) if expiry >= day]
    quarters = [expiry for expiry in ahead if expiry.month % 3 == 0]
    leaps = [expiry for expiry in ahead if expiry.month in (1, 6, 12)]
    found = {*fridays, *dailies, *ahead[:MONTHLIES], *quarters[:QUARTERS], *leaps}
    return tuple(sorted(expiry for expiry in found if expiry >= day))


def list_on(underlying: SimulatedUnderlying, profile: Profile, trail: Trail, day: date) -> Listed:
    """Return what is listed on `day`.

    A strike is added when a close brings it within reach, and stays until it expires. Only closes before `day` count,
    so the same contracts are listed whenever the program was started.
    """
    known = np.array([session.toordinal() for session in trail.times.days])
    closes = trail.close(np.arange(np.searchsorted(known, day.toordinal())))
    blocks = []
    for expiry in expirations(day, daily=profile.daily_expiries):
        units = _units(underlying.ladder, profile.strike_unit, closes, known, expiry)
        for class_index in _classes(underlying, profile, expiry):
            blocks.append((class_index, expiry.toordinal(), units))
    blocks.sort(key=lambda block: (block[0], block[1]))
    return _joined(profile, blocks)


def _units(ladder: Ladder, unit: float, closes: Floats, known: Ints, expiry: date) -> Ints:
    ordinal, found = expiry.toordinal(), []
    tiers = (
        (NEAR_DAYS, ladder.near_step, ladder.near_width, ladder.near_width),
        (MIDDLE_DAYS, ladder.near_step, ladder.near_width / 2, ladder.near_width / 2),
        (FAR_DAYS, ladder.far_step, ladder.down, ladder.up),
    )
    for days, step, down, up in tiers:
        first = min(int(np.searchsorted(known, ordinal - days)), len(closes) - 1)
        if ordinal - known[len(closes) - 1] > days:
            continue
        # what is listed far ahead follows spot in its own time; a weekly is listed only weeks before it expires
        first = max(first, int(np.searchsorted(known, ordinal - listed_for(expiry))))
        reach = closes[min(first, len(closes) - 1) :]
        low, high = np.ceil(reach.min() * (1 - down) / step), np.floor(reach.max() * (1 + up) / step)
        found.append(np.arange(max(low, 1), high + 1) * round(step / unit))
    return np.unique(np.concatenate(found).astype(np.int64).clip(1, _STRIKES - 1))


def listed_for(expiry: date) -> int:
    """Return how many days before its expiry a contract is first listed."""
    if expiry != third_friday(expiry.year, expiry.month):
        return NEAR_DAYS
    return FAR_DAYS if expiry.month in (1, 3, 6, 9, 12) else MIDDLE_DAYS


def _classes(underlying: SimulatedUnderlying, profile: Profile, expiry: date) -> list[int]:
    names = [name for name, _ in profile.class_codes]
    own = underlying.option_class(expiry)[0]
    # On the third Friday an index with daily expiries has both: one settles on the opening, the other on the close.
    return list(range(len(names))) if profile.daily_expiries and own == names[0] else [names.index(own)]


def _joined(profile: Profile, blocks: list[tuple[int, int, Ints]]) -> Listed:
    codes = np.array([code for _, code in profile.class_codes])
    sizes = [2 * len(units) for _, _, units in blocks]
    class_index = np.repeat(np.array([block[0] for block in blocks]), sizes)
    expiry = np.repeat(np.array([block[1] for block in blocks]), sizes)
    units = np.repeat(np.concatenate([block[2] for block in blocks]), 2)
    is_call = np.tile([True, False], len(units) // 2)
    return Listed(
        con_id=con_ids(codes[class_index], expiry, units, is_call),
        class_index=class_index,
        expiry=expiry,
        strike=units * profile.strike_unit,
        is_call=is_call,
    )


def _session_on_or_before(day: date) -> date:
    return day if is_session(day) else previous_session(day)
