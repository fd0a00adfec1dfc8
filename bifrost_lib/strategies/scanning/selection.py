"""From strike rules to sets of strikes: which quotes each leg may use, given those that earlier legs use.

Whatever the rule, the quotes that a leg may use are a contiguous range of its pool (its right's usable quotes in
order of strike), so a table of first and last positions, indexed by the legs it refers to, says it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
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
from bifrost_lib.strategies.scanning.slices import ExpirySlice

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SAME = 1e-6  # currency per share within which two strikes are one


@dataclass(frozen=True)
class Aim:
    """The perfect strike as a linear function of those referred to, and the distance from it that scores nothing."""

    offset: float = 0.0
    by_first: float = 0.0
    by_second: float = 0.0
    scale: float = 0.0
    scale_by_distance: float = 0.0


@dataclass(frozen=True)
class Admissible:
    """What a rule allows: pool positions [first, last) for each position of the legs it refers to.

    `rows` are the pool's positions in the slice. `first` and `last` have one axis per leg referred to, or are scalars.
    `miss` (one per pool row) is the distance from the target where that depends on the row alone, from 0 to 1.
    """

    rows: Ints
    first: Ints
    last: Ints
    miss: Floats
    aim: Aim | None = None
    has_target: bool = True


@dataclass(frozen=True)
class Referred:
    """The pool of a leg that a rule refers to: strikes and mid prices, shape (quotes,)."""

    strike: Floats
    mid: Floats


@singledispatch
def admissible(rule: StrikeRule, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    """Return the quotes that `rule` allows, given the pools of the legs it refers to."""
    raise NotImplementedError(type(rule).__name__)


@admissible.register
def _by_delta(rule: ByDelta, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    return _within(rows, quotes.columns["delta"][rows], rule.target, rule.bounds)


@admissible.register
def _pct_otm(rule: PctOtm, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    moneyness = quotes.columns["strike"][rows] / quotes.spot - 1.0
    return _within(rows, moneyness if leg.right == "C" else -moneyness, rule.target, rule.bounds)


@admissible.register
def _by_premium(rule: ByPremium, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    return _within(rows, quotes.columns["mid"][rows], rule.target, rule.bounds)


@admissible.register
def _at_strike(rule: AtStrike, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows, (low, high) = quotes.rows(leg.right), rule.bounds
    return _within(rows, quotes.columns["strike"][rows], rule.target, (low - _SAME, high + _SAME))


@admissible.register
def _at_money(rule: AtMoney, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    distance = np.abs(quotes.columns["strike"][rows] / quotes.forward - 1.0)
    keep = distance <= rule.within
    if len(rows):
        keep[distance.argmin()] = True
    miss = np.clip(distance / rule.within if rule.within else np.zeros(len(rows)), 0.0, 1.0)
    return Admissible(rows[keep], *_whole(int(keep.sum())), miss[keep])


@admissible.register
def _same_as(rule: SameAs, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    return _exactly(refs[0].strike, leg, quotes)


@admissible.register
def _offset(rule: Offset, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    if rule.strikes is None:
        return _exactly(refs[0].strike + (rule.width or 0.0), leg, quotes)
    rows, up = quotes.rows(leg.right), rule.strikes > 0
    edge = np.searchsorted(quotes.columns["strike"][rows], refs[0].strike + (_SAME if up else -_SAME))
    first = edge + rule.strikes - up
    inside = (first >= 0) & (first < len(rows))
    first = np.where(inside, first, 0)
    return Admissible(rows, first, first + inside, np.zeros(len(rows)), has_target=False)


@admissible.register
def _same_premium(rule: SamePremium, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows, is_put = quotes.rows(leg.right), leg.right == "P"
    mid, wanted = quotes.columns["mid"][rows], rule.ratio * refs[0].mid
    # Prices rise with a put's strike and fall with a call's; a quote that is out of order must not break the search.
    rising = np.maximum.accumulate(mid if is_put else mid[::-1])
    first = np.searchsorted(rising, wanted * (1.0 - rule.within) - _SAME)
    last = np.searchsorted(rising, wanted * (1.0 + rule.within) + _SAME)
    first, last = (first, last) if is_put else (len(rows) - last, len(rows) - first)
    return Admissible(rows, first, last, np.zeros(len(rows)), has_target=False)


@admissible.register
def _wing(rule: Wing, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    strike, of = quotes.columns["strike"][rows], refs[0].strike
    edge, near = of + rule.furthest * quotes.spot, of + rule.nearest * quotes.spot
    if rule.target > 0:
        first = np.maximum(np.searchsorted(strike, of + _SAME), np.searchsorted(strike, near - _SAME))
        last = np.maximum(np.searchsorted(strike, edge + _SAME), np.minimum(first + rule.at_least, len(rows)))
    else:
        last = np.minimum(np.searchsorted(strike, of - _SAME), np.searchsorted(strike, near + _SAME))
        first = np.minimum(np.searchsorted(strike, edge - _SAME), np.maximum(last - rule.at_least, 0))
    scale = max(abs(rule.target), abs(rule.furthest - rule.target)) * quotes.spot
    aim = Aim(offset=rule.target * quotes.spot, by_first=1.0, scale=scale)
    return Admissible(rows, first, last, np.zeros(len(rows)), aim)


@admissible.register
def _mirror(rule: Mirror, leg: Leg, quotes: ExpirySlice, refs: Sequence[Referred]) -> Admissible:
    rows = quotes.rows(leg.right)
    strike = quotes.columns["strike"][rows]
    around, of = refs[0].strike[:, None], refs[1].strike[None, :]
    low, high = rule.bounds
    ends = np.sort(np.stack([around + low * (around - of), around + high * (around - of)]), axis=0)
    first, last = np.searchsorted(strike, ends[0] - _SAME), np.searchsorted(strike, ends[1] + _SAME)
    width = max(rule.ratio - low, high - rule.ratio)
    aim = Aim(by_first=1.0 + rule.ratio, by_second=-rule.ratio, scale_by_distance=width) if width > 0 else None
    return Admissible(rows, first, last, np.zeros(len(rows)), aim, has_target=aim is not None)


def _within(rows: Ints, measure: Floats, target: float, bounds: tuple[float, float]) -> Admissible:
    keep = (measure >= bounds[0]) & (measure <= bounds[1])
    scale = max(target - bounds[0], bounds[1] - target)
    miss = np.abs(measure[keep] - target) / scale if scale > 0 else np.zeros(int(keep.sum()))
    return Admissible(rows[keep], *_whole(int(keep.sum())), miss)


def _exactly(wanted: Floats, leg: Leg, quotes: ExpirySlice) -> Admissible:
    rows = quotes.rows(leg.right)
    strike = quotes.columns["strike"][rows]
    first, last = np.searchsorted(strike, wanted - _SAME), np.searchsorted(strike, wanted + _SAME)
    return Admissible(rows, first, last, np.zeros(len(rows)), has_target=False)


def _whole(count: int) -> tuple[Ints, Ints]:
    return np.array(0), np.array(count)


@dataclass(frozen=True)
class Search:
    """All that enumeration needs, for the option legs of a strategy on one expiry (or pair of expiries).

    Tables of first and last positions are laid end to end; leg j's entry for positions (p, q) of the legs it refers
    to is at ``offset[j] + p * stride[j, 0] + q * stride[j, 1]``.
    """

    legs: tuple[Leg, ...]
    slices: tuple[ExpirySlice, ...]
    pools: tuple[Admissible, ...]
    ref: Ints
    stride: Ints
    offset: Ints
    first: Ints
    last: Ints

    @property
    def near(self) -> ExpirySlice:
        """The slice of the first expiry."""
        return min(self.slices, key=lambda quotes: quotes.tau)

    @property
    def far(self) -> ExpirySlice:
        """The slice of the last expiry; `near` where there is only one."""
        return max(self.slices, key=lambda quotes: quotes.tau)


def plan_search(strategy: StrategyDocument, near: ExpirySlice, far: ExpirySlice | None = None) -> Search | str:
    """Return the search of a strategy over one expiry, or in words why a leg has no admissible quote there."""
    legs = strategy.option_legs
    names = [leg.name for leg in legs]
    pools: list[Admissible] = []
    slices: list[ExpirySlice] = []
    for leg in legs:
        quotes = near if leg.expiry == "near" else far
        assert leg.rule is not None and quotes is not None  # noqa: S101 - documents are checked when made
        if leg.dte is not None and not leg.dte.low <= quotes.dte <= leg.dte.high:
            return f"{leg.name} wants {leg.dte.low} to {leg.dte.high} days to expiry"
        refs = [_referred(slices[at], pools[at]) for at in map(names.index, leg.rule.refs)]
        found = admissible(leg.rule, leg, quotes, refs)
        if not (found.last > found.first).any():
            return f"no quote is admissible for {leg.name}"
        pools.append(found)
        slices.append(quotes)
    return _layout(legs, tuple(slices), tuple(pools), names)


def _referred(quotes: ExpirySlice, pool: Admissible) -> Referred:
    return Referred(quotes.columns["strike"][pool.rows], quotes.columns["mid"][pool.rows])


def _layout(
    legs: tuple[Leg, ...], slices: tuple[ExpirySlice, ...], pools: tuple[Admissible, ...], names: list[str]
) -> Search:
    ref, stride = np.zeros((len(legs), 2), dtype=np.int64), np.zeros((len(legs), 2), dtype=np.int64)
    sizes = [pool.first.size for pool in pools]
    for position, (leg, pool) in enumerate(zip(legs, pools, strict=True)):
        for axis, name in enumerate(leg.rule.refs if leg.rule else ()):
            ref[position, axis] = names.index(name)
            stride[position, axis] = pool.first.strides[axis] // pool.first.itemsize
    return Search(
        legs=legs,
        slices=slices,
        pools=pools,
        ref=ref,
        stride=stride,
        offset=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        first=np.concatenate([np.ravel(pool.first) for pool in pools]).astype(np.int64),
        last=np.concatenate([np.ravel(pool.last) for pool in pools]).astype(np.int64),
    )
