"""Strategy documents of every kind: those of the catalogue with other terms, and legs thrown together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bifrost_lib.strategies import (
    CATALOG,
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    Condition,
    Costs,
    DteRange,
    Entry,
    EventWindow,
    Exits,
    Leg,
    Mirror,
    Offset,
    PctOtm,
    Range,
    Roll,
    SameAs,
    SamePremium,
    Sizing,
    StrategyDocument,
    StrikeRule,
    Target,
    Wing,
)

Random = np.random.Generator
BASES = ("credit", "debit", "max_profit", "max_loss")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def random_document(rng: Random, *, spot: float) -> StrategyDocument:
    """Return a document that has a chance of trading in a small market whose price is about `spot`."""
    terms: dict[str, Any] = {"dte": _days(rng, 15), "gap": _days(rng, 20), "costs": _costs(rng), "sizing": _sizing(rng)}
    if rng.random() < 0.5:
        found = CATALOG[_one_of(rng, list(CATALOG))]
        own = {"exits": found.exits} if rng.random() < 0.2 else {"exits": _exits(rng, found.option_legs)}
        return found.with_(**terms, **own, entry=_entry(rng))
    legs = _legs(rng, spot)
    options = tuple(leg for leg in legs if leg.is_option)
    return StrategyDocument(
        name="thrown_together",
        view="anything",
        legs=legs,
        cash=_one_of(rng, ["any", "any", "any", "credit", "debit"]),
        margin=_one_of(rng, ["reg_t", "reg_t", "cash"]),
        exits=_exits(rng, options),
        entry=_entry(rng),
        **terms,
    )


def _one_of(rng: Random, options: Sequence[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def _days(rng: Random, about: int) -> DteRange:
    low = int(rng.integers(1, max(about // 2, 2)))
    high = low + int(rng.integers(5, 2 * about))
    return DteRange(low, int(rng.integers(low, high + 1)), high)


def _legs(rng: Random, spot: float) -> tuple[Leg, ...]:
    legs: list[Leg] = []
    if rng.random() < 0.15:
        legs.append(Leg("stock", "S", _one_of(rng, [-1, 1])))
    count, two_expiries = int(rng.integers(1, 5)), rng.random() < 0.25
    for number in range(count):
        earlier = [leg for leg in legs if leg.is_option]
        right = _one_of(rng, ["C", "P"])
        is_far = two_expiries and number > 0 and (number == 1 or rng.random() < 0.5)
        legs.append(
            Leg(
                f"leg{number}",
                right,
                _one_of(rng, [-2, -1, -1, 1, 1, 2]),
                _rule(rng, right, earlier, spot),
                expiry="far" if is_far else "near",
                dte=DteRange(2, 10, 60) if rng.random() < 0.05 else None,
            )
        )
    return tuple(legs)


def _rule(rng: Random, right: str, earlier: list[Leg], spot: float) -> StrikeRule:
    sign = 1 if right == "C" else -1
    size = float(rng.uniform(0.1, 0.6))
    end = sign * min(1.7 * size, 0.95)
    target = float(rng.uniform(0.005, 0.06))
    roots: list[StrikeRule] = [
        ByDelta(sign * size, low=min(0.3 * sign * size, end), high=max(0.3 * sign * size, end)),
        ByDelta(sign * size),
        PctOtm(target, target - 0.05, target + 0.08),
        ByPremium(spot * 0.02, spot * 0.002, spot * 0.1),
        AtStrike(round(spot), 0.8 * spot, 1.2 * spot),
        AtMoney(within=float(rng.uniform(0.0, 0.1))),
    ]
    if not earlier or rng.random() < 0.35:
        root: StrikeRule = _one_of(rng, roots)
        return root
    of, way = _one_of(rng, [leg.name for leg in earlier]), _one_of(rng, [-1.0, 1.0])
    others: list[StrikeRule] = [
        SameAs(of),
        Offset(of, strikes=int(way) * int(rng.integers(1, 4))),
        Offset(of, width=way * _one_of(rng, [1.0, 5.0, 10.0])),
        SamePremium(of, ratio=float(rng.uniform(0.4, 1.5)), within=0.5),
        Wing(of, target=way * target, furthest=way * 2.5 * target, at_least=int(rng.integers(0, 4))),
        Wing(of, target=way * target, furthest=way * 3 * target, nearest=way * 0.5 * target),
    ]
    if len(earlier) > 1:
        around, mirrored = (str(name) for name in rng.choice([leg.name for leg in earlier], size=2, replace=False))
        others.append(Mirror(of=mirrored, around=around, low=0.5, high=2.0, ratio=float(rng.uniform(0.6, 1.8))))
        others.append(Mirror(of=mirrored, around=around))
    other: StrikeRule = _one_of(rng, others)
    return other


def _exits(rng: Random, options: tuple[Leg, ...]) -> Exits:
    terms: dict[str, Any] = {}
    if rng.random() < 0.5:
        terms["take_profit"] = Target(float(rng.uniform(0.05, 1.0)), _one_of(rng, BASES))
    if rng.random() < 0.5:
        terms["stop"] = Target(float(rng.uniform(0.1, 2.0)), _one_of(rng, BASES))
    if rng.random() < 0.3:
        terms["days_in_trade"] = int(rng.integers(1, 30))
    if rng.random() < 0.3:
        terms["dte"] = int(rng.integers(0, 6))
    if rng.random() < 0.2:
        terms["delta"] = float(rng.uniform(0.3, 0.9))
    if rng.random() < 0.5:
        terms["roll"] = tuple(_roll(rng, options) for _ in range(int(rng.integers(1, 3))))
    return Exits(**terms)


def _roll(rng: Random, options: tuple[Leg, ...]) -> Roll:
    when = _one_of(rng, ["dte", "delta", "loss", "profit", "tested"])
    level: dict[str, Any] = {"dte": rng.integers(1, 12), "delta": rng.uniform(0.2, 0.7), "loss": rng.uniform(0.1, 1.0)}
    level["profit"] = rng.uniform(0.05, 0.5)
    names = [leg.name for leg in options]
    chosen = rng.choice(names, size=int(rng.integers(1, len(names) + 1)), replace=False)
    return Roll(
        when,
        at=None if when == "tested" else float(level[when]),
        legs=() if rng.random() < 0.5 else tuple(str(name) for name in chosen),
        expiry=_one_of(rng, ["next", "same"]),
        strikes=_one_of(rng, ["rule", "rule", "same"]),
        only_for_credit=bool(rng.random() < 0.3),
        most=int(rng.integers(1, 4)),
    )


def _entry(rng: Random) -> Entry:
    terms: dict[str, Any] = {}
    if rng.random() < 0.1:
        terms["weekdays"] = tuple(str(day) for day in rng.choice(WEEKDAYS, size=int(rng.integers(2, 5)), replace=False))
    if rng.random() < 0.1:
        terms["iv_rank"] = Range(low=float(rng.uniform(0, 0.5)))
    if rng.random() < 0.1:
        terms["vol_index"] = Range(high=float(rng.uniform(20, 40)))
    if rng.random() < 0.1:
        terms["conditions"] = (Condition("skew", low=float(rng.uniform(-0.1, 0.0))),)
    if rng.random() < 0.15:
        terms["max_spread"] = float(rng.uniform(0.05, 0.3))
    if rng.random() < 0.1:
        terms["min_open_interest"] = float(rng.integers(10, 150))
    if rng.random() < 0.1:
        terms["min_volume"] = float(rng.integers(1, 15))
    if rng.random() < 0.12:
        before, after = (int(days) for days in rng.integers(0, 12, size=2))
        through = bool(rng.random() < 0.4) or not (before or after)
        way = _one_of(rng, ["avoid", "avoid", "only"])
        terms["ex_dividend"] = EventWindow(before, after, through, way)
    own = rng.spawn(1)[0]  # so that the rest stays what it was
    if own.random() < 0.15:
        before, after = (int(days) for days in own.integers(0, 15, size=2))
        through = bool(own.random() < 0.4) or not (before or after)
        terms["earnings"] = EventWindow(before, after, through, _one_of(own, ["avoid", "avoid", "only"]))
    return Entry(**terms)


def _sizing(rng: Random) -> Sizing:
    active = _one_of(rng, [1, 1, 2, 5])
    draw = rng.random()
    if draw < 0.4:
        return Sizing(contracts=int(rng.integers(1, 6)), max_active=active)
    if draw < 0.7:
        return Sizing(capital_share=float(rng.uniform(0.02, 0.6)), max_active=active)
    return Sizing(max_active=active)


def _costs(rng: Random) -> Costs:
    if rng.random() < 0.5:
        return Costs()
    shares = tuple(float(share) for share in rng.uniform(0.4, 1.0, size=int(rng.integers(1, 7))))
    return Costs(commission=float(rng.uniform(0, 2)), fill=shares)
