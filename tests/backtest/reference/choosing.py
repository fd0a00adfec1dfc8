"""Which contracts become the legs of a document at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from bifrost_lib.strategies import (
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    DteRange,
    Entry,
    Leg,
    Mirror,
    Offset,
    PctOtm,
    SameAs,
    SamePremium,
    StrategyDocument,
    Wing,
)
from tests.backtest.reference.tape import Contract, Group, Quote, Tape

SAME = 1e-6  # strikes that are closer are one


@dataclass(frozen=True)
class Choice:
    """A leg of the document, the contract that it takes, and its quote."""

    leg: Leg
    contract: Contract
    quote: Quote


def choose(
    document: StrategyDocument, tape: Tape, moment: datetime, pairs: list[tuple[Group, Group]]
) -> list[Choice] | None:
    """Return the option legs in the first pair of groups that has all of them."""
    for near, far in pairs:
        found = choose_in(document, tape, moment, near, far)
        if found is not None:
            return found
    return None


def pairs_of_groups(document: StrategyDocument, tape: Tape, moment: datetime) -> list[tuple[Group, Group]]:
    """Return the near and far groups that may be traded, the best first; documents of one expiry have it twice."""
    return [
        (near, far)
        for near in near_groups(document, tape, moment)
        for far in (far_groups(document, tape, moment, near) if document.has_two_expiries else [near])
    ]


def near_groups(document: StrategyDocument, tape: Tape, moment: datetime) -> list[Group]:
    """Return the groups within the document's days to expiry, the best first."""
    return _best_first(tape.groups(moment), document.dte, tape.session_of(moment))


def far_groups(document: StrategyDocument, tape: Tape, moment: datetime, near: Group) -> list[Group]:
    """Return the groups that may follow `near`, the best first: those of its class, then the others."""
    ordered = _best_first(tape.groups(moment), document.gap, near.expiry)
    return sorted(ordered, key=lambda group: group.trading_class != near.trading_class)


def _best_first(groups: set[Group], wanted: DteRange, since: date) -> list[Group]:
    def order(group: Group) -> tuple[int, date, bool, str]:
        days = (group.expiry - since).days
        return abs(days - wanted.target), group.expiry, group.multiplier != 100.0, group.trading_class

    return sorted((one for one in groups if wanted.low <= (one.expiry - since).days <= wanted.high), key=order)


def choose_in(document: StrategyDocument, tape: Tape, moment: datetime, near: Group, far: Group) -> list[Choice] | None:
    """Return the option legs of a pair of groups, one after the other; None if one finds no contract."""
    chosen: dict[str, Choice] = {}
    for leg in document.option_legs:
        group = near if leg.expiry == "near" else far
        contract = choose_leg(leg, document.entry, tape, moment, group, chosen)
        if contract is None or contract in [other.contract for other in chosen.values()]:
            return None
        chosen[leg.name] = Choice(leg, contract, tape.quotes[moment][contract])
    return list(chosen.values())


def choose_leg(
    leg: Leg, entry: Entry, tape: Tape, moment: datetime, group: Group, chosen: dict[str, Choice]
) -> Contract | None:
    """Return the contract of a group that suits a leg best: of those admissible, the nearest to the target."""
    days = (group.expiry - tape.session_of(moment)).days
    if leg.dte is not None and not leg.dte.low <= days <= leg.dte.high:
        return None
    usable = usable_quotes(tape, moment, group, leg.right, entry)
    misses = list(_misses(leg, usable, tape, moment, group, chosen))
    if not misses:
        return None
    nearest = min(miss for miss, _ in misses)
    return Contract(group, leg.right, min(strike for miss, strike in misses if miss == nearest))


def usable_quotes(tape: Tape, moment: datetime, group: Group, right: str, entry: Entry) -> dict[float, Quote]:
    """Return the quotes of a group that may become legs, by strike, in order."""
    found = {
        contract.strike: quote
        for contract, quote in tape.quotes[moment].items()
        if contract.group == group and contract.right == right and quote.can_be_opened and _suits(quote, entry)
    }
    return dict(sorted(found.items()))


def _suits(quote: Quote, entry: Entry) -> bool:
    # Comparisons with what is not known are false.
    if entry.max_spread is not None and not (quote.ask - quote.bid) / quote.mid <= entry.max_spread:
        return False
    if entry.min_open_interest is not None and not quote.open_interest >= entry.min_open_interest:
        return False
    return entry.min_volume is None or quote.volume >= entry.min_volume


def _misses(
    leg: Leg, usable: dict[float, Quote], tape: Tape, moment: datetime, group: Group, chosen: dict[str, Choice]
) -> Iterator[tuple[float, float]]:
    """Yield how far each admissible strike lies from the rule's target, and the strike."""
    rule, spot = leg.rule, tape.spot[moment]
    strikes = list(usable)
    if isinstance(rule, ByDelta | PctOtm | ByPremium | AtStrike):
        low, high = rule.bounds
        slack = SAME if isinstance(rule, AtStrike) else 0.0
        for strike, quote in usable.items():
            measure = _measure(rule, leg.right, strike, quote, spot)
            if low - slack <= measure <= high + slack:
                yield abs(measure - rule.target), strike
    elif isinstance(rule, AtMoney):
        forward = tape.forward_or_spot(moment, group)
        if not math.isnan(forward):
            yield from ((abs(strike / forward - 1), strike) for strike in strikes)
    elif isinstance(rule, SameAs):
        wanted = chosen[rule.of].contract.strike
        yield from ((0.0, strike) for strike in strikes if abs(strike - wanted) < SAME)
    elif isinstance(rule, Offset):
        yield from ((0.0, strike) for strike in _offset(rule, strikes, chosen[rule.of].contract.strike))
    elif isinstance(rule, SamePremium):
        wanted = rule.ratio * chosen[rule.of].quote.mid
        for strike, quote in usable.items():
            if wanted * (1 - rule.within) - SAME <= quote.mid <= wanted * (1 + rule.within) + SAME:
                yield abs(quote.mid - wanted), strike
    elif isinstance(rule, Wing):
        start = chosen[rule.of].contract.strike
        if not math.isnan(spot):
            for strike in _wing(rule, strikes, start, spot):
                yield abs(strike - (start + rule.target * spot)), strike
    elif isinstance(rule, Mirror):
        around, of = chosen[rule.around].contract.strike, chosen[rule.of].contract.strike
        low, high = sorted(around + ratio * (around - of) for ratio in rule.bounds)
        for strike in strikes:
            if low - SAME <= strike <= high + SAME:
                yield abs(strike - (around + rule.ratio * (around - of))), strike
    else:
        raise NotImplementedError(type(rule).__name__)


def _measure(
    rule: ByDelta | PctOtm | ByPremium | AtStrike, right: str, strike: float, quote: Quote, spot: float
) -> float:
    if isinstance(rule, ByDelta):
        return quote.delta
    if isinstance(rule, ByPremium):
        return quote.mid
    if isinstance(rule, AtStrike):
        return strike
    return (strike / spot - 1) * (1 if right == "C" else -1)


def _offset(rule: Offset, strikes: list[float], start: float) -> list[float]:
    if rule.width is not None:
        return [strike for strike in strikes if abs(strike - (start + rule.width)) < SAME]
    assert rule.strikes is not None
    if rule.strikes > 0:
        above = [strike for strike in strikes if strike >= start + SAME]
        return above[rule.strikes - 1 : rule.strikes]
    below = [strike for strike in reversed(strikes) if strike < start - SAME]
    return below[-rule.strikes - 1 : -rule.strikes]


def _wing(rule: Wing, strikes: list[float], start: float, spot: float) -> list[float]:
    nearest, furthest = start + rule.nearest * spot, start + rule.furthest * spot
    if rule.target > 0:
        beyond = [strike for strike in strikes if strike >= start + SAME and strike >= nearest - SAME]
        within = [strike for strike in beyond if strike < furthest + SAME]
    else:
        beyond = [strike for strike in reversed(strikes) if strike < start - SAME and strike < nearest + SAME]
        within = [strike for strike in beyond if strike >= furthest - SAME]
    return within if len(within) >= rule.at_least else beyond[: rule.at_least]
