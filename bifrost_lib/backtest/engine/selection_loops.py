"""Which contracts a document's legs are at one moment: groups in order of their days, until one has all strikes."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    D_DAY,
    D_DIVIDEND,
    D_EARNINGS,
    D_SEEN,
    EARNINGS,
    ENTERED,
    EX_DIVIDEND,
    G_CLASS,
    G_EXPIRES,
    G_EXPIRY,
    G_RANK,
    INLINE,
    L_FAR,
    LEG_WIDTH,
    N_GROUP,
    NO_EXPIRY,
    NO_LEGS,
    NOT_THROUGH,
    ONLY_THROUGH,
    PLAIN,
    S_GAP_HIGH,
    S_GAP_LOW,
    S_GAP_TARGET,
    S_HIGH,
    S_LEG,
    S_LEGS,
    S_LOW,
    S_TARGET,
    THROUGHS,
)
from bifrost_lib.backtest.engine.strike_loops import choose_strikes
from bifrost_lib.core.kernels import kernel

_OTHER_CLASS = 2.0**50  # more than any distance in days weighs


@kernel(**PLAIN)
def next_group(
    market: Any, session: int, after: float, base: int, low: int, target: int, high: int, later: float, now: int,
    prefer: float,
) -> tuple[int, float]:  # fmt: skip
    """Return the place of the next group seen in a session, and the key by which groups are in order; -1 for none.

    Groups expire `low` to `high` days from `base`, after day `later` and moment `now`; those of class `prefer` come
    first, then those nearest to `target`. Only keys beyond `after` count.
    """
    place, best = -1, math.inf
    for at in range(market.sessions[session, D_SEEN], market.sessions[session + 1, D_SEEN]):
        group = market.seen[at, N_GROUP]
        expiry = market.groups[group, G_EXPIRY]
        if not low <= expiry - base <= high or expiry <= later or market.groups[group, G_EXPIRES] <= now:
            continue
        key = float(abs(expiry - base - target) * market.groups.shape[0] + market.groups[group, G_RANK])
        if prefer >= 0.0 and market.groups[group, G_CLASS] != prefer:
            key += _OTHER_CLASS
        if after < key < best:
            place, best = at, key
    return place, best


@kernel(**INLINE)
def _event_until(market: Any, session: int, expiry: int, admission: int) -> int:
    # Which event before an expiry, or the lack of it, forbids that one; `ENTERED` for none.
    if _is_missed(admission % THROUGHS, market.sessions[session, D_DIVIDEND] <= expiry):
        return EX_DIVIDEND
    if _is_missed(admission // THROUGHS, market.sessions[session, D_EARNINGS] <= expiry):
        return EARNINGS
    return ENTERED


@kernel(**INLINE)
def _is_missed(asked: int, falls: bool) -> bool:
    return (asked == ONLY_THROUGH and not falls) or (asked == NOT_THROUGH and falls)


@kernel(**PLAIN)
def find_legs(
    market: Any, rules: Any, desk: Any, session: int, moment: int, mask: int, keep: float, later: float,
    later_far: float, near: float, admission: int,
) -> int:  # fmt: skip
    """Find all legs of `mask` anew: `ENTERED` where the first expiry, or pair of them, has them all.

    New expiries come after the days `later` and `later_far`. Where no near leg is moved, `near` is the group that one
    is in; else it is not looked at. Near expiries that `admission` does not allow are passed over.
    """
    legs, day, now = int(rules[S_LEGS]), market.sessions[session, D_DAY], market.moment_us[moment]
    moves_near = moves_far = False
    for leg in range(legs):
        if mask >> leg & 1:
            is_far = rules[S_LEG + leg * LEG_WIDTH + L_FAR] != 0.0
            moves_near, moves_far = moves_near or not is_far, moves_far or is_far
    group, place, far, key, outcome = int(near), -1, -1, -1.0, NO_EXPIRY
    while True:
        if moves_near:
            low, target, high = int(rules[S_LOW]), int(rules[S_TARGET]), int(rules[S_HIGH])
            place, key = next_group(market, session, key, day, low, target, high, later, now, -1.0)
            if place < 0:
                return outcome
            group = market.seen[place, N_GROUP]
            event = _event_until(market, session, market.groups[group, G_EXPIRY], admission)
            if event != ENTERED:
                outcome = event if outcome == NO_EXPIRY else outcome
                continue
        base, prefer, far_key = market.groups[group, G_EXPIRY], float(market.groups[group, G_CLASS]), -1.0
        while True:
            if moves_far:
                low, target, high = int(rules[S_GAP_LOW]), int(rules[S_GAP_TARGET]), int(rules[S_GAP_HIGH])
                far, far_key = next_group(market, session, far_key, base, low, target, high, later_far, now, prefer)
                if far < 0:
                    break
            for leg in range(legs):
                desk.seen[leg] = far if rules[S_LEG + leg * LEG_WIDTH + L_FAR] != 0.0 else place
            outcome = NO_LEGS
            if choose_strikes(market, rules, desk, session, moment, mask, keep):
                return ENTERED
            if not moves_far:
                break
        if not moves_near:
            return outcome
