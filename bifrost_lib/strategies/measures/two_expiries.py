"""Structures whose legs expire at different times, judged at the first expiry by a model of the rest.

The later options are valued by Black-Scholes-Merton with their own volatility unchanged, and never below their
intrinsic value, which an American holder can always take. So extremes, breakevens, probability and expected value
are the model's, found numerically on a grid of nine standard deviations either way and refined; they are no facts of
the contract as for one expiry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import loop
from bifrost_lib.strategies.measures.profile import ZERO, Profile

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DEVIATIONS, POINTS = 9.0, 361
_FINE = 14401  # a broken line between so many points is off by a millionth of the curve's bend
_WORK = 64  # numbers of workspace for the loops

_profits, _peaks, _zeros = (
    loop("bifrost_lib.strategies.measures.two_expiry_loops", name) for name in ("profits", "peaks", "zeros")
)


@dataclass(frozen=True)
class TimeSpreads:
    """Many structures of the same legs on the same two expiries.

    `qty` and `is_call` have shape (legs,); `strike` and `iv` (n, legs); `premium` (n,) in currency.
    `gap` is (legs,): years that each leg has left at the first expiry, 0 for the near ones.
    """

    qty: Floats
    is_call: Bools
    gap: Floats
    strike: Floats
    iv: Floats
    premium: Floats
    stock: float
    multiplier: float
    rate: float
    div_yield: float

    @cached_property
    def _arrays(self) -> tuple[npt.NDArray[Any], ...]:
        # What the loops want, in their order.
        terms = np.array([self.stock, self.multiplier, self.rate, self.div_yield])
        numbers = (self.gap, self.strike, self.iv, self.premium, terms)
        return (_plain(self.qty), _plain(self.is_call, np.int8), *(_plain(values) for values in numbers))

    def profit(self, spot: Floats) -> Floats:
        """Return profit at the first expiry, shape (n, m), for prices of shape (n, m) or (m,)."""
        spot = _plain(np.atleast_2d(spot))
        out = np.empty((len(self.premium), spot.shape[1]))
        _profits(spot, *self._arrays, out)
        return out

    def peak_at(self, grid: Floats, values: Floats, sign: float) -> Floats:
        """Return the prices of the largest profit (`sign` 1) or loss (-1), shape (n,), given profits on a grid."""
        out = np.empty(len(self.premium))
        _peaks(sign, _plain(grid), _plain(values), *self._arrays, np.empty(_WORK), out)
        return out

    def zeros(self, rows: npt.NDArray[np.int64], low: Floats, high: Floats, at_low: Floats, at_high: Floats) -> Floats:
        """Return where structures `rows` earn nothing, between prices at which profits of both signs are given."""
        out = np.empty(len(rows))
        ends = (_plain(values) for values in (low, high, at_low, at_high))
        _zeros(_plain(rows, np.int64), *ends, *self._arrays, np.empty(_WORK), out)
        return out

    def later_worth(self, spot: Floats, weights: Floats) -> Floats:
        """Return what the later legs are expected to be worth, shape (n,); `weights` are those of the prices `spot`."""
        later = replace(self, qty=np.where(self.gap > 0, self.qty, 0.0), premium=np.zeros(len(self.premium)), stock=0.0)
        worth: Floats = later.profit(spot) @ weights
        return worth


def model_profile(spreads: TimeSpreads, *, forward: float, total_vol: float) -> Profile:
    """Return the profit of one structure at its first expiry as a broken line that is close to the model's curve.

    Its knots are a fine grid, the strikes, the extremes and the breakevens, so that these are the model's own.
    """
    z = np.linspace(-DEVIATIONS, DEVIATIONS, _FINE)
    centre = forward * np.exp(total_vol * z - 0.5 * total_vol**2)
    grid = _grid(spreads, centre)
    values = spreads.profit(grid)
    _, roots, _ = _crossings(spreads, grid, values)
    peaks = [spreads.peak_at(grid, values, sign) for sign in (-1.0, 1.0)]
    knot = np.unique(np.concatenate([[0.0], grid[0], roots, *peaks]))
    profit = spreads.profit(knot)[0]
    profit[np.isin(knot, roots)] = 0.0
    slope = float(spreads.multiplier * (spreads.qty[spreads.is_call].sum() + spreads.stock))
    return Profile(knot, profit, slope, ZERO * float(np.abs(profit).max()))


@dataclass(frozen=True)
class ModelMeasures:
    """What was found for n structures; `roots` is (n, most), NaN where a structure has fewer."""

    lowest: Floats
    highest: Floats
    end_slope: float
    roots: Floats
    pop: Floats
    ev: Floats
    tail_loss: Floats


def model_measures(
    spreads: TimeSpreads, *, forward: float, total_vol: float, tail: tuple[float, float], near_ev: Floats
) -> ModelMeasures:
    """Return the measures of structures at their first expiry.

    Parameters
    ----------
    spreads : TimeSpreads
    forward, total_vol : float
        Lognormal distribution of the price at the first expiry: mean and log standard deviation (> 0).
    tail : (float, float)
        Prices between which the tail loss is looked for.
    near_ev : array (n,)
        Expected profit of all but the later legs, whose smooth values are added by quadrature.
    """
    z = np.linspace(-DEVIATIONS, DEVIATIONS, POINTS)
    centre = forward * np.exp(total_vol * z - 0.5 * total_vol**2)
    grid = _grid(spreads, centre)
    values = spreads.profit(grid)
    ends = spreads.profit(np.array([0.0]))[:, 0]
    rows, roots, rising = _crossings(spreads, grid, values)
    density = np.exp(-0.5 * z**2)
    return ModelMeasures(
        lowest=np.minimum(-_peak(spreads, grid, values, -1.0), ends),
        highest=np.maximum(_peak(spreads, grid, values, 1.0), ends),
        end_slope=float(spreads.multiplier * (spreads.qty[spreads.is_call].sum() + spreads.stock)),
        roots=_padded(rows, roots, len(ends)),
        pop=_probability(values, rows, roots, rising, forward, total_vol),
        ev=near_ev + spreads.later_worth(centre, density / density.sum()),
        tail_loss=np.maximum(-np.where((grid >= tail[0]) & (grid <= tail[1]), values, np.inf).min(axis=1), 0.0),
    )


def _plain(values: npt.NDArray[Any], dtype: type[np.generic] = np.float64) -> npt.NDArray[Any]:
    return np.ascontiguousarray(values, dtype=dtype)


def _grid(spreads: TimeSpreads, centre: Floats) -> Floats:
    # Beyond nine deviations the model only extrapolates: a carry that is off by a little would make fortunes there.
    rows = len(spreads.premium)
    return np.sort(np.concatenate([np.broadcast_to(centre, (rows, len(centre))), spreads.strike], axis=1), axis=1)


def _peak(spreads: TimeSpreads, grid: Floats, values: Floats, sign: float) -> Floats:
    refined = sign * spreads.profit(spreads.peak_at(grid, values, sign)[:, None])[:, 0]
    peak: Floats = np.maximum(refined, (sign * values).max(axis=1))
    return peak


def _crossings(
    spreads: TimeSpreads, grid: Floats, values: Floats
) -> tuple[npt.NDArray[np.int64], Floats, Bools]:  # fmt: skip
    above = values > 0
    rows, at = np.nonzero(above[:, 1:] != above[:, :-1])
    rising = above[rows, at + 1]
    ends = grid[rows, at], grid[rows, at + 1], values[rows, at], values[rows, at + 1]
    return rows, spreads.zeros(rows, *ends), rising


def _probability(
    values: Floats, rows: npt.NDArray[np.int64], roots: Floats, rising: Bools, forward: float, total_vol: float
) -> Floats:
    from scipy.special import ndtr

    below = ndtr(np.log(roots / forward) / total_vol + 0.5 * total_vol)
    found = (values[:, -1] > 0).astype(np.float64)
    np.add.at(found, rows, np.where(rising, -below, below))
    return np.clip(found, 0.0, 1.0)


def _padded(rows: npt.NDArray[np.int64], roots: Floats, count: int) -> Floats:
    sizes = np.bincount(rows, minlength=count)
    table = np.full((count, max(int(sizes.max(initial=0)), 1)), np.nan)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    table[rows, np.arange(len(rows)) - first[rows]] = roots
    return table
