"""Which contracts a document's legs are in groups that have been chosen: strikes by their rules."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    C_CALL,
    D_DAY,
    D_MOMENT,
    G_EXPIRY,
    INLINE,
    K_DELTA,
    K_KEPT,
    K_MIRROR,
    K_MONEY,
    K_OTM,
    K_PREMIUM,
    K_SAME,
    K_SAME_PREMIUM,
    K_STEPS,
    K_STRIKE,
    K_WING,
    L_CALL,
    L_COUNT,
    L_DTE_HIGH,
    L_DTE_LOW,
    L_FIRST,
    L_HIGH,
    L_KIND,
    L_LOW,
    L_SECOND,
    L_TARGET,
    LEG_WIDTH,
    N_FORWARD,
    N_GROUP,
    N_ROW,
    PLAIN,
    Q_CONTRACT,
    Q_QUOTE,
    S_LEG,
    S_LEGS,
    S_MAX_SPREAD,
    S_MIN_INTEREST,
    S_MIN_VOLUME,
    SAME,
)
from bifrost_lib.core.kernels import kernel

_FIT = 2


@kernel(**PLAIN)
def choose_strikes(market: Any, rules: Any, desk: Any, session: int, moment: int, mask: int, keep: float) -> bool:
    """Find the rows of all legs of `mask` in the groups `desk.seen`; False if one has no quote that it may use.

    The others keep their rows. Unless `keep` is 0 the new legs keep their strikes. None is exchanged for what it is.
    """
    legs = int(rules[S_LEGS])
    shift = moment - market.sessions[session, D_MOMENT]
    for leg in range(legs):
        row = desk.row[leg]
        if mask >> leg & 1:
            row = _row_of(market, rules, desk, leg, session, moment, keep)
            if row < 0 or market.rows[row, Q_CONTRACT] == desk.contract[leg]:
                return False
        desk.chosen[leg] = row
        if row < 0:  # a leg that stays has its strike even where nobody quotes it
            desk.wanted_strike[leg], desk.wanted_mid[leg] = market.strike[desk.contract[leg]], math.nan
            continue
        quote = market.rows[row, Q_QUOTE] + shift
        desk.wanted_strike[leg] = market.strike[market.rows[row, Q_CONTRACT]]
        desk.wanted_mid[leg] = 0.5 * (market.bid[quote] + market.ask[quote])
        for other in range(leg):
            if desk.chosen[other] == row:
                return False
    return True


@kernel(**PLAIN)
def _row_of(market: Any, rules: Any, desk: Any, leg: int, session: int, moment: int, keep: float) -> int:
    at, base = desk.seen[leg], S_LEG + leg * LEG_WIDTH
    if at < 0:
        return -1
    days = market.groups[market.seen[at, N_GROUP], G_EXPIRY] - market.sessions[session, D_DAY]
    if days < rules[base + L_DTE_LOW] or days > rules[base + L_DTE_HIGH]:
        return -1
    is_call = rules[base + L_CALL] != 0.0
    split = _first_put(market, market.seen[at, N_ROW], market.seen[at + 1, N_ROW])
    first = market.seen[at, N_ROW] if is_call else split
    last = split if is_call else market.seen[at + 1, N_ROW]
    shift = moment - market.sessions[session, D_MOMENT]
    kind = int(rules[base + L_KIND]) if keep == 0.0 else K_KEPT
    if kind in (K_STEPS, K_WING):
        of, spot = desk.wanted_strike[int(rules[base + L_FIRST])], market.spot[moment]
        if kind == K_STEPS:
            return _by_steps(market, rules, first, last, shift, of, int(rules[base + L_COUNT]))
        return _wing(market, rules, first, last, shift, base, of, spot)
    return _by_measure(market, rules, desk, leg, kind, at, first, last, shift, moment)


@kernel(**PLAIN)
def _by_measure(
    market: Any, rules: Any, desk: Any, leg: int, kind: int, at: int, first: int, last: int, shift: int, moment: int
) -> int:  # fmt: skip
    # All rules that want the quote nearest to a target within two ends.
    base = S_LEG + leg * LEG_WIDTH
    target, low, high = rules[base + L_TARGET], rules[base + L_LOW], rules[base + L_HIGH]
    one, unit, sign, measure = int(rules[base + L_FIRST]), 1.0, 1.0, kind
    if kind == K_OTM:
        unit, sign = market.spot[moment], 1.0 if rules[base + L_CALL] != 0.0 else -1.0
    elif kind == K_MONEY:
        forward = market.forward[market.seen[at, N_FORWARD] + shift]
        unit = market.spot[moment] if math.isnan(forward) else forward
        target, low, high = 0.0, -math.inf, math.inf
    elif kind == K_SAME:
        target = desk.wanted_strike[one] + target
        low, high, measure = target - SAME, target + SAME, K_STRIKE
    elif kind == K_SAME_PREMIUM:
        target = target * desk.wanted_mid[one]
        within = rules[base + L_LOW]
        low, high, measure = target * (1.0 - within) - SAME, target * (1.0 + within) + SAME, K_PREMIUM
    elif kind == K_MIRROR:
        around, of = desk.wanted_strike[one], desk.wanted_strike[int(rules[base + L_SECOND])]
        target = around + target * (around - of)
        end, other = around + low * (around - of), around + high * (around - of)
        low, high, measure = min(end, other) - SAME, max(end, other) + SAME, K_STRIKE
    elif kind == K_STRIKE:
        low, high = low - SAME, high + SAME
    elif kind == K_KEPT:
        target = market.strike[desk.contract[leg]]
        low, high, measure = target - SAME, target + SAME, K_STRIKE
    return _nearest(market, rules, first, last, shift, measure, target, low, high, unit, sign)


@kernel(**PLAIN)
def _nearest(
    market: Any, rules: Any, first: int, last: int, shift: int, measure: int, target: float, low: float, high: float,
    unit: float, sign: float,
) -> int:  # fmt: skip
    # The usable row nearest to the target; of two the lower strike, which comes first.
    found, best = -1, math.inf
    for row in range(first, last):
        quote = market.rows[row, Q_QUOTE] + shift
        if not _usable(market, rules, quote):
            continue
        if measure == K_DELTA:
            value = float(market.delta[quote])
        elif measure == K_PREMIUM:
            value = 0.5 * (market.bid[quote] + market.ask[quote])
        else:
            value = market.strike[market.rows[row, Q_CONTRACT]]
            if measure in (K_OTM, K_MONEY):
                value = sign * (value / unit - 1.0)
        if value >= low and value <= high and abs(value - target) < best:
            found, best = row, abs(value - target)
    return found


@kernel(**PLAIN)
def _by_steps(market: Any, rules: Any, first: int, last: int, shift: int, of: float, steps: int) -> int:
    # The usable strike that lies so many usable strikes above (> 0) or below (< 0) another.
    count = 0
    for step in range(last - first):
        row = first + step if steps > 0 else last - 1 - step
        strike = market.strike[market.rows[row, Q_CONTRACT]]
        is_beyond = strike >= of + SAME if steps > 0 else strike < of - SAME
        if is_beyond and _usable(market, rules, market.rows[row, Q_QUOTE] + shift):
            count += 1
            if count == abs(steps):
                return row
    return -1


@kernel(**PLAIN)
def _wing(market: Any, rules: Any, first: int, last: int, shift: int, base: int, of: float, spot: float) -> int:
    # Outward from the leg: strikes up to the furthest, and in any case the first few beyond the nearest.
    target, up = rules[base + L_TARGET], rules[base + L_TARGET] > 0.0
    near, edge, wanted = of + rules[base + L_LOW] * spot, of + rules[base + L_HIGH] * spot, of + target * spot
    found, best, count = -1, math.inf, 0
    for step in range(last - first):
        row = first + step if up else last - 1 - step
        strike = market.strike[market.rows[row, Q_CONTRACT]]
        if up:
            is_beyond, is_within = strike >= of + SAME and strike >= near - SAME, strike < edge + SAME
        else:
            is_beyond, is_within = strike < of - SAME and strike < near + SAME, strike >= edge - SAME
        if not is_beyond or not _usable(market, rules, market.rows[row, Q_QUOTE] + shift):
            continue
        count += 1
        if not (is_within or count <= rules[base + L_COUNT]):
            break
        distance = abs(strike - wanted)
        if distance < best or (distance == best and not up):
            found, best = row, distance
    return found


@kernel(**INLINE)
def _usable(market: Any, rules: Any, quote: int) -> bool:
    # A figure that is asked for and not known is no figure.
    if not market.flags[quote] & _FIT:
        return False
    most = rules[S_MAX_SPREAD]
    if not math.isnan(most):
        bid, ask = market.bid[quote], market.ask[quote]
        if not (ask - bid) / (0.5 * (bid + ask)) <= most:
            return False
    least = rules[S_MIN_INTEREST]
    if not math.isnan(least) and (market.open_interest.size == 0 or not market.open_interest[quote] >= least):
        return False
    least = rules[S_MIN_VOLUME]
    return math.isnan(least) or (market.volume.size > 0 and bool(market.volume[quote] >= least))


@kernel(**PLAIN)
def _first_put(market: Any, first: int, last: int) -> int:
    # Calls come before puts.
    while first < last:
        middle = (first + last) // 2
        if market.contracts[market.rows[middle, Q_CONTRACT], C_CALL]:
            first = middle + 1
        else:
            last = middle
    return first
