"""What happens to an open trade: splits, dividends, marks, rolls, exits, exercise and expiry."""

from __future__ import annotations

import math
from datetime import date, datetime

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.strategies import Target
from tests.backtest.reference.rolling import roll_is_due, rolled, short_delta
from tests.backtest.reference.tape import Tape
from tests.backtest.reference.terms import Terms
from tests.backtest.reference.trade import Held, Trade, value_of

NEVER = math.inf


def begin_session(trade: Trade, tape: Tape, day: date, terms: Terms) -> None:
    """Do what happens before the first quote of a session: missed expiries, splits, dividends, AM settlement."""
    first, expires = tape.moments[day][0], trade.expires(tape)
    if exchange_date(expires) < day:
        trade.end(expires, "unpriceable: no session", math.nan, math.nan)
        return
    for ratio in tape.splits(day):
        if not _split(trade, tape, day, ratio):
            trade.end(first, "unpriceable: split", math.nan, math.nan)
            return
    trade.dividends += trade.stock_shares * sum(tape.dividends(day))
    if exchange_date(expires) == day and any(
        tape.settles_at_open[held.contract] for held in trade.legs if tape.expires[held.contract] == expires
    ):
        settle(trade, tape, first, tape.open_price(day), terms)


def _split(trade: Trade, tape: Tape, day: date, ratio: float) -> bool:
    """Move the legs to the contracts that a split made of theirs; tell whether they exist."""
    if ratio != int(ratio) or ratio <= 1:
        return False
    listed, moves = tape.seen(day), []
    for held in trade.legs:
        group, right, strike = held.contract
        wanted = round(strike / ratio, 2)
        found = [one for one in listed if one.group == group and one.right == right]
        found = [one for one in found if abs(one.strike - wanted) <= 0.005 + 1e-9]
        if not found:
            return False
        moves.append(min(found, key=lambda one: abs(one.strike - wanted)))
    for held, contract in zip(trade.legs, moves, strict=True):
        held.contract, held.qty = contract, held.qty * int(ratio)
    trade.stock_shares *= ratio
    return True


def live_through(trade: Trade, tape: Tape, moment: datetime, terms: Terms) -> None:
    """Do what happens to a trade at a moment after its entry and before its first option expires."""
    prices = trade.prices(tape, moment, terms.fill(len(trade.legs)))
    stock = trade.stock_value(tape.spot[moment])
    if prices is None or math.isnan(stock):
        trade.carried += 1
        return
    gross = trade.gross(value_of(trade.legs, prices) + stock)
    trade.note(gross)
    for place, roll in enumerate(terms.document.exits.roll):
        done = trade.rolled.get(place, 0)
        if (
            done < roll.most
            and roll_is_due(trade, roll, gross, tape, moment)
            and rolled(trade, roll, tape, moment, terms)
        ):
            trade.rolled[place] = done + 1
            return
    reason = exit_due(trade, gross, tape, moment, terms)
    if reason:
        for held, price in zip(trade.legs, prices, strict=True):
            held.close_price = price
        trade.commission += terms.commission(trade.legs)
        trade.end(moment, reason, gross, tape.spot[moment])
    elif moment == tape.moments[tape.session_of(moment)][-1]:
        _exercise(trade, tape, moment, terms)


def exit_due(trade: Trade, gross: float, tape: Tape, moment: datetime, terms: Terms) -> str:
    """Return which exit of the document is due; empty if none is."""
    exits, today = terms.document.exits, tape.session_of(moment)
    if exits.stop is not None and gross <= -_amount(exits.stop, trade):
        return "stop"
    if exits.take_profit is not None and gross >= _amount(exits.take_profit, trade):
        return "take profit"
    if exits.delta is not None and short_delta(trade.legs, tape, moment) >= exits.delta:
        return "delta"
    if exits.dte is not None and (trade.near_expiry(tape) - today).days <= exits.dte:
        return "dte"
    if exits.days_in_trade is not None and (today - exchange_date(trade.opened)).days >= exits.days_in_trade:
        return "days in trade"
    return ""


def _amount(target: Target, trade: Trade) -> float:
    figure = {
        "credit": trade.option_premium,
        "debit": -trade.option_premium,
        "max_profit": trade.max_profit,
        "max_loss": trade.max_loss,
    }[target.of]
    return target.share * figure if figure > 0 else NEVER


def _exercise(trade: Trade, tape: Tape, moment: datetime, terms: Terms) -> None:
    """End the trade if the holder of an option it has sold does better to exercise it tonight."""
    today, spot = tape.session_of(moment), tape.spot[moment]
    tomorrow = tape.next_session(today)
    if tomorrow is None or math.isnan(spot):
        return
    days = (tomorrow - today).days
    assigned = [held for held in trade.legs if _is_exercised(held, tape, moment, spot, tomorrow, days, terms.rate)]
    if not assigned:
        return
    others = [held for held in trade.legs if held not in assigned]
    prices = trade.prices(tape, moment, terms.fill(len(others)), others)
    assert prices is not None  # the whole trade could be priced
    for held, price in zip(others, prices, strict=True):
        held.close_price = price
    for held in assigned:
        held.close_price, held.is_exercised = held.intrinsic(spot), True
    trade.commission += terms.commission(others)
    value = sum(held.shares * held.close_price for held in trade.legs) + trade.stock_value(spot)
    trade.end(moment, "assigned", trade.gross(value), spot)


def _is_exercised(
    held: Held, tape: Tape, moment: datetime, spot: float, tomorrow: date, days: int, rate: float
) -> bool:
    intrinsic, contract = held.intrinsic(spot), held.contract
    if held.qty > 0 or intrinsic <= 0 or not tape.american[contract]:
        return False
    if tape.session_of(tape.expires[contract]) == tape.session_of(moment):
        return False
    time_value = tape.quotes[moment][contract].mid - intrinsic
    if contract.right == "C":
        dividend = sum(tape.dividends(tomorrow))
        return dividend > 0 and time_value < dividend
    return rate > 0 and time_value < contract.strike * (math.exp(rate * days / 365) - 1)


def settle(trade: Trade, tape: Tape, moment: datetime, price: float, terms: Terms) -> None:
    """Pay out the options that expire at the settlement `price`, and close the rest at the quotes of `moment`."""
    expiry, spot = trade.expires(tape), tape.spot[moment]
    later = [held for held in trade.legs if tape.expires[held.contract] > expiry]
    prices = trade.prices(tape, moment, terms.fill(len(later)), later)
    stock = trade.stock_value(spot)
    if math.isnan(price):
        trade.end(expiry, "unpriceable: settlement", math.nan, spot)
        return
    if prices is None or math.isnan(stock):
        trade.end(expiry, "unpriceable: quotes", math.nan, spot)
        return
    paid = sum(held.shares * held.intrinsic(price) for held in trade.legs if held not in later)
    for held in trade.legs:
        held.close_price = held.intrinsic(price)
        held.is_exercised = held.close_price > 0 and tape.american[held.contract]
    for held, closing in zip(later, prices, strict=True):
        held.close_price, held.is_exercised = closing, False
    trade.commission += terms.commission(later)
    trade.end(expiry, "expired", trade.gross(paid + value_of(later, prices) + stock), spot)
