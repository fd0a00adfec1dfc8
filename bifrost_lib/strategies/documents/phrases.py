"""A strategy document in words, for people who read it rather than run it."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.entry import Entry, EventWindow
from bifrost_lib.strategies.documents.exits import Exits, Roll, Target
from bifrost_lib.strategies.documents.part import Range
from bifrost_lib.strategies.documents.rules import (
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    Mirror,
    Offset,
    PctOtm,
    SameAs,
    SamePremium,
    StrikeRule,
    Wing,
)

_RIGHTS = {"C": "call", "P": "put", "S": "stock"}
_WATCHED = {"dte": "days to expiry", "delta": "delta", "loss": "loss", "profit": "profit", "tested": "strike touched"}


def describe_document(document: StrategyDocument) -> dict[str, str]:
    """Return what a document says, by topic, in short phrases; topics on which it says nothing are left out."""
    dte = _days(document.dte) + (f", the far one {_days(document.gap)} later" if document.has_two_expiries else "")
    shape = f"{document.risk_shape} risk, {document.cash if document.cash != 'any' else 'credit or debit'}"
    found = {
        "view": document.view,
        "outlook": ", ".join(document.outlook).replace("_", " "),
        "risk": document.risk,
        "shape": f"{shape}, {'secured by cash' if document.margin == 'cash' else 'Regulation T margin'}",
        "also called": ", ".join(document.aliases).replace("_", " "),
        "meant for": ", ".join(document.symbols),
        "days to expiry": dte,
        "entry": entry_words(document.entry),
        "exit": exit_words(document.exits),
        "size": _size(document),
        "costs": f"{document.costs.commission:g} a contract; fills give away "
        f"{document.costs.fill_of(len(document.option_legs)):.0%} of the spread",
    }
    return {topic: text for topic, text in found.items() if text}


def leg_words(leg: Leg) -> str:
    """Return a leg in words: ``sell 1 put, delta -0.16 (-0.35 to -0.08)``."""
    verb = "buy" if leg.qty > 0 else "sell"
    if leg.rule is None:
        return f"{verb} {abs(leg.qty)} contract's worth of stock"
    far = "far " if leg.expiry == "far" else ""
    return f"{verb} {abs(leg.qty)} {far}{_RIGHTS[leg.right]}, {rule_words(leg.rule)}"


@singledispatch
def rule_words(rule: StrikeRule) -> str:
    """Return a strike rule in words."""
    raise NotImplementedError(type(rule).__name__)


@rule_words.register
def _(rule: ByDelta) -> str:
    return f"delta {rule.target:g} ({_span(rule.bounds)})"


@rule_words.register
def _(rule: PctOtm) -> str:
    low, high = rule.bounds
    return f"{rule.target:.1%} out of the money ({low:.1%} to {high:.1%})"


@rule_words.register
def _(rule: ByPremium) -> str:
    return f"at a price of {rule.target:g} ({_span(rule.bounds)})"


@rule_words.register
def _(rule: AtStrike) -> str:
    low, high = rule.bounds
    return f"strike {rule.target:g}" + (f" ({_span(rule.bounds)})" if low < high else "")


@rule_words.register
def _(rule: AtMoney) -> str:
    return f"at the money (within {rule.within:.1%} of the forward)"


@rule_words.register
def _(rule: SameAs) -> str:
    return f"at the strike of {rule.of}"


@rule_words.register
def _(rule: Offset) -> str:
    distance = rule.width if rule.strikes is None else rule.strikes
    assert distance is not None  # noqa: S101 - a document has one of them
    unit = "" if rule.strikes is None else " strike" + ("s" if abs(distance) > 1 else "")
    return f"{abs(distance):g}{unit} {_side(distance)} {rule.of}"


@rule_words.register
def _(rule: SamePremium) -> str:
    times = "" if rule.ratio == 1 else f"{rule.ratio:g} times "
    return f"at {times}the price of {rule.of}, within {rule.within:.0%}"


@rule_words.register
def _(rule: Wing) -> str:
    return f"{abs(rule.target):.1%} of the spot {_side(rule.target)} {rule.of} (at most {abs(rule.furthest):.1%})"


@rule_words.register
def _(rule: Mirror) -> str:
    low, high = rule.bounds
    span = f" ({_span(rule.bounds)})" if low < high else ""
    return f"across {rule.around} from {rule.of}, at {rule.ratio:g} times its distance{span}"


def entry_words(entry: Entry) -> str:
    """Return the conditions of entry in words; nothing where there are none."""
    parts = ["on " + ", ".join(entry.weekdays)] if entry.weekdays else []
    parts += [f"IV rank {_range(entry.iv_rank)}"] if entry.iv_rank else []
    parts += [f"volatility index {_range(entry.vol_index)}"] if entry.vol_index else []
    parts += [f"spreads up to {entry.max_spread:.0%}"] if entry.max_spread is not None else []
    parts += [f"open interest of {entry.min_open_interest:g}"] if entry.min_open_interest is not None else []
    parts += [f"volume of {entry.min_volume:g}"] if entry.min_volume is not None else []
    parts += [_event("earnings", entry.earnings)] if entry.earnings else []
    parts += [_event("an ex-dividend date", entry.ex_dividend)] if entry.ex_dividend else []
    parts += [f"{one.column.replace('_', ' ')} {_range(Range(one.low, one.high))}" for one in entry.conditions]
    return "; ".join(parts)


def exit_words(exits: Exits) -> str:
    """Return the exits in words."""
    parts = [f"take profit at {_target(exits.take_profit)}"] if exits.take_profit else []
    parts += [f"stop at a loss of {_target(exits.stop)}"] if exits.stop else []
    parts += [f"after {exits.days_in_trade} days"] if exits.days_in_trade is not None else []
    parts += [f"{exits.dte} days before expiry"] if exits.dte is not None else []
    parts += [f"when a short leg's delta reaches {exits.delta:g}"] if exits.delta is not None else []
    parts += [_roll(roll) for roll in exits.roll]
    parts += [f"after assignment go on with {exits.after_assignment}"] if exits.after_assignment else []
    return "; ".join(parts) or "held to expiry"


def _target(target: Target) -> str:
    return f"{target.share:.0%} of the {target.of.replace('_', ' ')}"


def _roll(roll: Roll) -> str:
    level = "" if roll.at is None else f" {roll.at:g}"
    legs = ", ".join(roll.legs) or "all options"
    return (
        f"roll {legs} at {_WATCHED[roll.when]}{level}"
        + (" for a credit only" if roll.only_for_credit else "")
        + (f", at most {roll.most} times" if roll.most > 1 else "")
    )


def _event(name: str, window: EventWindow) -> str:
    sides = [f"{days} days {side}" for days, side in ((window.before, "before"), (window.after, "after")) if days]
    parts = [f"within {' or '.join(sides)} {name}"] if sides else []
    parts += [f"with {name} before expiry"] if window.through_expiry else []
    return f"{'not' if window.entry == 'avoid' else 'only'} {' or '.join(parts)}"


def _size(document: StrategyDocument) -> str:
    sizing = document.sizing
    share = sizing.capital_share
    size = f"{share:.1%} of the capital" if share is not None else f"{sizing.contracts or 1} of each"
    return f"{size}, at most {sizing.max_active} at once"


def _days(dte: DteRange) -> str:
    return f"{dte.target} ({dte.low} to {dte.high})"


def _span(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g}"


def _range(wanted: Any) -> str:
    if wanted.low is None:
        return f"up to {wanted.high:g}"
    return f"from {wanted.low:g}" + ("" if wanted.high is None else f" to {wanted.high:g}")


def _side(distance: float) -> str:
    return "above" if distance > 0 else "below"
