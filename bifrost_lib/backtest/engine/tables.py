"""From strategy documents to rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]

#: Shares of the spread by name; `realistic` is the document's own.
FILLS = {"mid": 0.5, "worst": 1.0}
_CASH = {"credit": at.CREDIT, "debit": at.DEBIT, "any": at.ANY}
_BASES = {"credit": at.OF_CREDIT, "debit": at.OF_DEBIT, "max_profit": at.OF_MAX_PROFIT, "max_loss": at.OF_MAX_LOSS}
_WATCHED = {"dte": at.BY_DTE, "delta": at.BY_DELTA, "loss": at.BY_LOSS, "profit": at.BY_PROFIT, "tested": at.BY_TEST}
_MOST_GROUPINGS = 4096


@dataclass(frozen=True)
class Terms:
    """What a run is asked beside its documents."""

    fills: str | float = "realistic"
    capital: float = 100_000.0
    rate: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.fills, str) and self.fills not in (*FILLS, "realistic"):
            raise InputError("fills", self.fills, "realistic, mid, worst, or a share of the spread from 0 to 1")
        if not isinstance(self.fills, str) and not 0.0 <= self.fills <= 1.0:
            raise InputError("fills", self.fills, "a share of the spread from 0 to 1")
        if not (self.capital > 0 and math.isfinite(self.capital)):
            raise InputError("capital", self.capital, "a number > 0")
        if not math.isfinite(self.rate):
            raise InputError("rate", self.rate, "an annual rate, continuous")


def rows_of(documents: Sequence[StrategyDocument], terms: Terms) -> Array:
    """Return the documents as numbers, a row each; `layout` says which is where.

    Raises
    ------
    InputError
        If a document asks what cannot be replayed; `error.name` says what.
    """
    found = np.full((len(documents), at.SET_WIDTH), np.nan)
    for row, document in zip(found, documents, strict=True):
        _write(row, document, terms)
    return found


def choice_of(row: Array) -> bytes:
    """Return what decides which legs a row's set chooses on a day, what they tie up, and what they are worth later."""
    picked = np.concatenate(
        [row[: at.S_CASH], row[at.S_SECURED : at.S_CONTRACTS], row[at.S_FILL : at.S_ROLL]]
    )  # fmt: skip
    return picked.tobytes()


def _write(row: Array, document: StrategyDocument, terms: Terms) -> None:
    entry, exits, sizing = document.entry, document.exits, document.sizing
    _check_margin(document)
    numbers: dict[int, float | None] = {
        at.S_LEGS: len(document.option_legs), at.S_STOCK: document.stock_qty, at.S_FAR: document.has_two_expiries,
        at.S_LOW: document.dte.low, at.S_TARGET: document.dte.target, at.S_HIGH: document.dte.high,
        at.S_GAP_LOW: document.gap.low, at.S_GAP_TARGET: document.gap.target, at.S_GAP_HIGH: document.gap.high,
        at.S_CASH: _CASH[document.cash], at.S_SECURED: document.margin == "cash",
        at.S_MAX_SPREAD: entry.max_spread, at.S_MIN_INTEREST: entry.min_open_interest,
        at.S_MIN_VOLUME: entry.min_volume, at.S_CONTRACTS: sizing.contracts or 0,
        at.S_SHARE: sizing.capital_share or 0.0, at.S_MAX_ACTIVE: sizing.max_active,
        at.S_COMMISSION: document.costs.commission, at.S_DELTA: exits.delta, at.S_DTE: exits.dte,
        at.S_DAYS: exits.days_in_trade, at.S_ROLLS: len(exits.roll), at.S_CAPITAL: terms.capital,
        at.S_RATE: terms.rate,
    }  # fmt: skip
    for target, share, of in ((exits.take_profit, at.S_PROFIT, at.S_PROFIT_OF), (exits.stop, at.S_STOP, at.S_STOP_OF)):
        numbers[share], numbers[of] = (None, 0) if target is None else (target.share, _BASES[target.of])
    for place, value in numbers.items():
        row[place] = math.nan if value is None else float(value)
    for legs in range(1, at.MOST_LEGS + 1):
        row[at.S_FILL + legs - 1] = _fill(document, terms.fills, legs)
    names = [leg.name for leg in document.option_legs]
    for number, leg in enumerate(document.option_legs):
        base = at.S_LEG + number * at.LEG_WIDTH
        row[base : base + at.LEG_WIDTH] = _leg(leg, names)
    for number, roll in enumerate(exits.roll):
        base = at.S_ROLL + number * at.ROLL_WIDTH
        mask = sum(1 << names.index(name) for name in roll.legs) or (1 << len(names)) - 1
        row[base : base + at.ROLL_WIDTH] = (
            _WATCHED[roll.when], math.nan if roll.at is None else roll.at, mask, roll.expiry == "next",
            roll.strikes == "rule", roll.only_for_credit, roll.most,
        )  # fmt: skip


def _fill(document: StrategyDocument, fills: str | float, legs: int) -> float:
    if fills == "realistic":
        return document.costs.fill_of(legs)
    return FILLS[fills] if isinstance(fills, str) else float(fills)


def _leg(leg: Any, names: list[str]) -> list[float]:
    low, high = (leg.dte.low, leg.dte.high) if leg.dte is not None else (-math.inf, math.inf)
    kind, target, first, last, count = _rule(leg.rule)
    refs = [names.index(name) for name in leg.rule.refs]
    one, two = (*refs, 0, 0)[:2]
    return [leg.right == "C", leg.qty, leg.expiry == "far", low, high, kind, one, two, target, first, last, count]


def _rule(rule: Any) -> tuple[int, float, float, float, float]:
    """Return a strike rule as its kind, target, two ends and a count."""
    ranged = {"delta": at.K_DELTA, "otm": at.K_OTM, "premium": at.K_PREMIUM, "strike": at.K_STRIKE}
    if rule.by in ranged:
        return (ranged[rule.by], rule.target, *rule.bounds, 0)
    if rule.by == "at_money":
        return at.K_MONEY, 0.0, 0.0, 0.0, 0
    if rule.by == "same_as" or (rule.by == "offset" and rule.strikes is None):
        return at.K_SAME, getattr(rule, "width", None) or 0.0, 0.0, 0.0, 0
    if rule.by == "offset":
        return at.K_STEPS, 0.0, 0.0, 0.0, rule.strikes
    if rule.by == "same_premium":
        return at.K_SAME_PREMIUM, rule.ratio, rule.within, 0.0, 0
    if rule.by == "wing":
        return at.K_WING, rule.target, rule.nearest, rule.furthest, rule.at_least
    return (at.K_MIRROR, rule.ratio, *rule.bounds, 0)


def _check_margin(document: StrategyDocument) -> None:
    # The simulation tries all groupings of sold contracts, which many contracts have too many of.
    if document.margin == "cash":
        return
    sizes = [1 - leg.qty for leg in document.option_legs if leg.qty < 0]
    if document.has_two_expiries:
        sizes += [1 + leg.qty for leg in document.option_legs if leg.qty > 0 and leg.expiry == "far"]
    if math.prod(sizes) > _MOST_GROUPINGS:
        raise InputError("document.legs", max(sizes) - 1, "fewer contracts a unit: use sizing.contracts for more units")
