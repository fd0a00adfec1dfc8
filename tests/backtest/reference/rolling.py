"""Rolls: some legs are closed, and opened anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime

from bifrost_lib.strategies import Roll
from tests.backtest.reference.choosing import (
    SAME,
    Choice,
    choose_leg,
    far_groups,
    near_groups,
    usable_quotes,
)
from tests.backtest.reference.tape import Contract, Group, Tape
from tests.backtest.reference.terms import Terms
from tests.backtest.reference.trade import Held, Trade, value_of


def roll_is_due(trade: Trade, roll: Roll, gross: float, tape: Tape, moment: datetime) -> bool:
    """Tell whether what a roll watches has come about, at a moment at which the trade's profit is `gross`."""
    watched = _legs_of(trade, roll)
    if roll.when == "tested":
        spot = tape.spot[moment]
        return any(_is_tested(held, spot) for held in watched if held.qty < 0)
    assert roll.at is not None
    if roll.when == "dte":
        return (trade.near_expiry(tape) - tape.session_of(moment)).days <= roll.at
    if roll.when == "delta":
        return short_delta(watched, tape, moment) >= roll.at
    profit = gross if roll.when == "profit" else -gross
    return profit >= roll.at * abs(trade.option_premium)


def _legs_of(trade: Trade, roll: Roll) -> list[Held]:
    return [held for held in trade.legs if not roll.legs or held.leg.name in roll.legs]


def _is_tested(held: Held, spot: float) -> bool:
    strike = held.contract.strike
    return spot > strike if held.contract.right == "C" else spot < strike


def short_delta(legs: list[Held], tape: Tape, moment: datetime) -> float:
    """Return the largest size of a short leg's delta; below any level if none is known."""
    deltas = [abs(tape.quotes[moment][held.contract].delta) for held in legs if held.qty < 0]
    return max((delta for delta in deltas if not math.isnan(delta)), default=-1.0)


def rolled(trade: Trade, roll: Roll, tape: Tape, moment: datetime, terms: Terms) -> bool:
    """Roll a trade and tell whether that was possible: two orders, one that closes and one that opens."""
    old = _legs_of(trade, roll)
    choices = _choose(trade, roll, old, tape, moment, terms)
    if choices is None:
        return False
    fill = terms.fill(len(old))
    closing = trade.prices(tape, moment, fill, old)
    assert closing is not None  # the whole trade could be priced
    new = [_open(held, choice, moment, fill) for held, choice in zip(old, choices, strict=True)]
    cash = value_of(old, closing) - value_of(new, [held.open_price for held in new])
    if roll.only_for_credit and cash <= 0:
        return False
    for held, price in zip(old, closing, strict=True):
        held.close_price, held.closed = price, moment
    trade.past_legs += old
    trade.legs = [new[old.index(held)] if held in old else held for held in trade.legs]
    trade.premium += cash
    trade.option_premium += cash
    trade.commission += terms.commission(old) + terms.commission(new)
    trade.mark_at(tape, moment, terms.fill(len(trade.legs)))
    return True


def _open(held: Held, choice: Choice, moment: datetime, fill: float) -> Held:
    price = choice.quote.buy(fill) if held.qty > 0 else choice.quote.sell(fill)
    return Held(held.leg, choice.contract, held.qty, moment, price, choice.quote.delta)


def _choose(
    trade: Trade, roll: Roll, old: list[Held], tape: Tape, moment: datetime, terms: Terms
) -> list[Choice] | None:
    for near, far in _groups(trade, roll, old, tape, moment, terms):
        found = _choose_in(trade, roll, old, near, far, tape, moment, terms)
        if found is not None:
            return found
    return None


def _groups(
    trade: Trade, roll: Roll, old: list[Held], tape: Tape, moment: datetime, terms: Terms
) -> Iterator[tuple[Group | None, Group | None]]:
    """Yield the groups of new near and far legs; None stands for the group that a leg is in."""
    if roll.expiry == "same":
        yield None, None
        return
    document = terms.document
    rolled_near, rolled_far = ([one for one in old if one.leg.expiry == expiry] for expiry in ("near", "far"))
    nears = [next(one.contract.group for one in trade.legs if one.leg.expiry == "near")]
    if rolled_near:
        nears = [one for one in near_groups(document, tape, moment) if one.expiry > _latest(rolled_near)]
    for near in nears:
        fars: list[Group | None] = [None]
        if rolled_far:
            fars = [one for one in far_groups(document, tape, moment, near) if one.expiry > _latest(rolled_far)]
        for far in fars:
            yield near, far


def _latest(legs: list[Held]) -> date:
    return max(held.contract.group.expiry for held in legs)


def _choose_in(
    trade: Trade,
    roll: Roll,
    old: list[Held],
    near: Group | None,
    far: Group | None,
    tape: Tape,
    moment: datetime,
    terms: Terms,
) -> list[Choice] | None:
    chosen = {
        held.leg.name: Choice(held.leg, held.contract, tape.quotes[moment][held.contract])
        for held in trade.legs
        if held not in old
    }
    for held in old:
        group = (near if held.leg.expiry == "near" else far) or held.contract.group
        if roll.strikes == "same":
            contract = _same_strike(held, group, tape, moment, terms)
        else:
            contract = choose_leg(held.leg, terms.document.entry, tape, moment, group, chosen)
        if contract is None or contract == held.contract or contract in [one.contract for one in chosen.values()]:
            return None
        chosen[held.leg.name] = Choice(held.leg, contract, tape.quotes[moment][contract])
    return [chosen[held.leg.name] for held in old]


def _same_strike(held: Held, group: Group, tape: Tape, moment: datetime, terms: Terms) -> Contract | None:
    right, strike = held.contract.right, held.contract.strike
    usable = usable_quotes(tape, moment, group, right, terms.document.entry)
    return next((Contract(group, right, one) for one in usable if abs(one - strike) < SAME), None)
