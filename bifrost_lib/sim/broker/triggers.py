"""What wakes a sleeping order: stop, touch and trailing prices, and conditions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import isnan

from bifrost_lib.sim.broker.moments import parse_moment_text
from bifrost_lib.sim.broker.orders import TRIGGERED_TYPES, WorkingOrder
from bifrost_lib.sim.broker.quotes import Quote
from bifrost_lib.sim.wire import (
    UNSET_DOUBLE,
    ExecutionCondition,
    MarginCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from bifrost_lib.sim.wire.conditions import Condition

LAST, DOUBLE_BID_ASK, BID_ASK, LAST_OR_BID_ASK, MIDPOINT = 2, 1, 4, 7, 8


def watched_price(quote: Quote, method: int, *, is_buy: bool, is_stock: bool) -> float:
    """Return the price that a trigger method looks at; NaN when it is not shown.

    Stocks look at the last trade by default; options and combinations, which seldom trade, at the side that the
    triggered order would take.
    """
    side = quote.ask if is_buy else quote.bid
    if method == MIDPOINT:
        return quote.mid
    if method in (DOUBLE_BID_ASK, BID_ASK):
        return side
    if method == LAST_OR_BID_ASK:
        return side if isnan(quote.last) else quote.last
    if method in (LAST, 3):
        return quote.last
    return quote.last if is_stock else side


def wakes(working: WorkingOrder, quote: Quote) -> bool:
    """Tell whether an order's stop or touch price is reached now; moves a trailing stop."""
    order, kind = working.order, working.order.order_type
    if kind not in TRIGGERED_TYPES or working.triggered:
        return True
    watched = watched_price(quote, order.trigger_method, is_buy=working.is_buy, is_stock=working.product.is_stock)
    if isnan(watched):
        return False
    rises = working.is_buy if kind not in ("MIT", "LIT") else not working.is_buy
    level = _trail(working, watched) if kind.startswith("TRAIL") else order.aux_price
    reached = watched >= level if rises else watched <= level
    working.trigger_count = working.trigger_count + 1 if reached else 0
    return working.trigger_count >= (2 if order.trigger_method == DOUBLE_BID_ASK else 1)


def _trail(working: WorkingOrder, watched: float) -> float:
    order = working.order
    percent = order.trailing_percent
    distance = order.aux_price if percent in (UNSET_DOUBLE, 0.0) else watched * percent / 100
    candidate = watched + working.sign * distance
    if isnan(working.stop):
        working.stop = order.trail_stop_price if order.trail_stop_price != UNSET_DOUBLE else candidate
    # It only ever follows the market in the order's favour.
    working.stop = min(working.stop, candidate) if working.is_buy else max(working.stop, candidate)
    return working.stop


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions are judged by: `traded` are the symbols that the account traded since the order was placed."""

    now: datetime
    quote: Callable[[int], Quote]
    cushion: Callable[[], float]
    traded: Collection[str]


def conditions_hold(conditions: tuple[Condition, ...], facts: Facts) -> bool:
    """Judge conditions from left to right, each joined to the next by its own conjunction; none at all hold."""
    if not conditions:
        return True
    result = _holds(conditions[0], facts)
    for before, condition in pairwise(conditions):
        holds = _holds(condition, facts)
        result = (result or holds) if before.conjunction == "o" else (result and holds)
    return result


def _holds(condition: Condition, facts: Facts) -> bool:
    if isinstance(condition, ExecutionCondition):
        return condition.symbol in facts.traded
    if isinstance(condition, TimeCondition):
        moment = parse_moment_text(condition.time)
        return moment is not None and (facts.now >= moment if condition.is_more else facts.now <= moment)
    if isinstance(condition, MarginCondition):
        found, bound = 100 * facts.cushion(), float(condition.percent)
    elif isinstance(condition, PriceCondition):
        quote = facts.quote(condition.con_id)
        found = watched_price(quote, condition.trigger_method, is_buy=condition.is_more, is_stock=True)
        found, bound = (quote.reference if isnan(found) else found), condition.price
    elif isinstance(condition, VolumeCondition):
        found, bound = facts.quote(condition.con_id).volume, float(condition.volume)
    elif isinstance(condition, PercentChangeCondition):
        quote = facts.quote(condition.con_id)
        found, bound = 100 * (quote.reference / quote.close - 1), condition.change_percent
    # A comparison with NaN is False: what is not known does not hold.
    return found >= bound if condition.is_more else found <= bound
