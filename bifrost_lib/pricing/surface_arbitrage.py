"""Arbitrage in a surface of SVI slices, removed: no negative density, and no later slice below an earlier one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.svi import GRID, SviSlices, slice_arrays
from bifrost_lib.pricing.svi_refit import (
    LEAST_SIGMA,
    LEAST_SLOPE,
    NOTHING,
    SAFETY,
    SliceQuotes,
    allowed_slopes,
    lowest_g,
    refitted,
    slice_quotes,
    total,
    wings,
)

_OWN_POINTS = np.linspace(-4.0, 4.0, 41)  # sigmas from m, where a slice stands in for its quotes
_STEEPER, _OTHER_SIDE = 1.5, 0.1


def without_arbitrage(
    slices: SviSlices,
    *,
    log_moneyness: npt.ArrayLike | None = None,
    total_variance: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> SviSlices:
    """Replace slices that admit butterfly arbitrage, or lie below an earlier one anywhere; the others stay.

    Parameters
    ----------
    slices : SviSlices
        A batch ordered by time to expiry.
    log_moneyness, total_variance, weights : array_like (m, n), optional
        The quotes, as for `fit_svi`, near which a replaced slice stays. Without them it stays near the slice itself,
        seen at 41 points within 4 sigma of m.

    Returns
    -------
    SviSlices
        Every slice free of butterfly arbitrage, and at or above the one before, in the wings too (their slopes and
        intercepts are compared). Slices that could not be fitted stay NaN and bind nothing.

    Raises
    ------
    InputError
        If `slices` is not a batch or the quotes do not fit it; ``error.name`` says which.

    Notes
    -----
    Far wings are extrapolated and often hardly determined, and a steep one far out forces every later slice up. So,
    unless there is no arbitrage at all, a wing may at most be half as steep again as the slice is at its outermost
    quotes, and these limits are made to rise with time by isotonic regression of their logarithms. Then, expiry by
    expiry, a slice that admits butterfly arbitrage, lies below the one before or has too steep a wing gives way, since
    nearer expiries are quoted more tightly. It is refitted under the constraints by sequential quadratic programming
    from a start that keeps them by construction: allowed slopes and a higher level. That start is the answer where the
    solver finds nothing better.

    References
    ----------
    Gatheral & Jacquier (2014), Lemma 2.1 (what calendar arbitrage is) and section 5.2 (refitting against it).
    """
    if np.ndim(slices.a) != 1:
        raise InputError("slices", np.shape(slices.a), "a batch of slices, one for each expiry")
    raw = np.stack([slices.a, slices.b, slices.rho, slices.m, slices.sigma], axis=-1)
    quotes = _quotes_of(raw, log_moneyness, total_variance, weights)
    rmse, least_g, least_at = slices.rmse.copy(), slices.least_g.copy(), slices.least_g_at.copy()
    fitted = np.flatnonzero(np.isfinite(raw).all(axis=1))
    if not _has_arbitrage(raw[fitted], least_g[fitted]):
        return slices
    before, steepest = NOTHING, _steepest_wings(raw, fitted, quotes)
    for number in fitted:
        row, most = raw[number], steepest[number]
        if least_g[number] < 0 or _shortfall(row, before) > 0 or (wings(row)[0] > most * (1 + SAFETY)).any():
            raw[number] = _repaired(row, before, most, quotes[number])
            rmse[number] = np.sqrt(quotes[number].loss(raw[number]))
            least_g[number], least_at[number] = lowest_g(raw[number])
        before = raw[number]
    a, b, rho, m, sigma = raw.T.copy()
    return SviSlices(a, b, rho, m, sigma, rmse, slices.points, least_g, least_at)


def _quotes_of(
    raw: Floats,
    log_moneyness: npt.ArrayLike | None,
    total_variance: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
) -> list[SliceQuotes]:
    if total_variance is None or log_moneyness is None:
        if not (total_variance is None and log_moneyness is None and weights is None):
            raise InputError("total_variance", total_variance, "quotes with both log_moneyness and total_variance")
        own = raw[:, 3:4] + raw[:, 4:5] * _OWN_POINTS
        return [SliceQuotes(k, total(row, k), np.ones(len(k))) for row, k in zip(raw, own, strict=True)]
    k, w, weight, _ = slice_arrays(log_moneyness, total_variance, weights)
    if len(w) != len(raw):
        raise InputError("total_variance", w.shape, f"{len(raw)} rows, one per slice")
    return slice_quotes(k, w, weight)


def _shortfall(raw: Floats, before: Floats) -> float:
    """Return by how much `raw` lies below `before` at most, in total variance; infinite where a wing is flatter."""
    slope, intercept = wings(raw)
    slope_before, intercept_before = wings(before)
    if (slope < slope_before - SAFETY * slope.sum()).any():  # less than that is rounding of b (1 - abs(rho))
        return float("inf")
    parallel = slope - slope_before <= 10 * SAFETY
    far = np.max((intercept_before - intercept)[parallel], initial=0.0)
    return float(max(far, _largest_excess(raw, before), 0.0))


def _largest_excess(raw: Floats, before: Floats) -> float:
    """Return the maximum of `before` less `raw` over all log-moneyness, to the last digits."""
    k = np.sort(np.concatenate([raw[3] + raw[4] * GRID, before[3] + before[4] * GRID]))
    largest = -np.inf
    excess = total(before, k) - total(raw, k)
    tops = 1 + np.flatnonzero((excess[1:-1] >= excess[:-2]) & (excess[1:-1] >= excess[2:]))
    for top in tops[np.argsort(excess[tops])[-3:]]:  # two hyperbolas have at most three such tops
        low, high = k[top - 1], k[top + 1]
        for _ in range(3):
            near = np.linspace(low, high, 33)
            found = total(before, near) - total(raw, near)
            best = int(found.argmax())
            largest = max(largest, float(found[best]))
            low, high = near[max(best - 1, 0)], near[min(best + 1, 32)]
    return max(largest, float(excess.max()))


def _has_arbitrage(raw: Floats, least_g: Floats) -> bool:
    crossed = any(_shortfall(late, early) > 0 for early, late in pairwise(raw))
    return bool((least_g < 0).any()) or crossed


def _steepest_wings(raw: Floats, fitted: npt.NDArray[np.int64], quotes: list[SliceQuotes]) -> Floats:
    """Return the slopes (m, 2) that wings may have at most, rising with time."""
    steepest = np.full((len(raw), 2), np.inf)
    limits = np.empty((len(fitted), 2))
    for place, number in enumerate(fitted):
        k = quotes[number].k
        edges = _slopes_by_k(raw[number], np.array([k.max(), k.min()])) * np.array([1.0, -1.0])
        edges = np.maximum(edges, _OTHER_SIDE * edges[::-1])  # a side without quotes is judged by the other
        limits[place] = np.clip(np.minimum(wings(raw[number])[0], _STEEPER * edges), LEAST_SLOPE, 2.0)
    for side in range(2):
        steepest[fitted, side] = np.exp(isotonic(np.log(limits[:, side]), np.ones(len(fitted))))
    return steepest


def _slopes_by_k(raw: Floats, k: Floats) -> Floats:
    _, b, rho, m, sigma = raw
    slopes: Floats = b * (rho + (k - m) / np.sqrt((k - m) ** 2 + sigma**2))
    return slopes


def isotonic(values: Floats, weights: Floats) -> Floats:
    """Return the non-decreasing sequence nearest `values` in weighted squares (pool adjacent violators)."""
    means: list[float] = []
    masses: list[float] = []
    lengths: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        means.append(value)
        masses.append(weight)
        lengths.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            mass = masses[-2] + masses[-1]
            means[-2:] = [(means[-2] * masses[-2] + means[-1] * masses[-1]) / mass]
            masses[-2:] = [mass]
            lengths[-2:] = [lengths[-2] + lengths[-1]]
    return np.repeat(np.array(means), lengths)


def _repaired(raw: Floats, before: Floats, steepest: Floats, quotes: SliceQuotes) -> Floats:
    centred = np.array([raw[0], raw[1], raw[2], 0.0, quotes.deviation])  # a slice far from its quotes is a bad start
    starts = [_lifted(one, before, steepest, quotes) for one in (raw, centred)]
    best = min(starts, key=quotes.loss)
    for with_g in (False, True):  # the constraint on g costs ten times the others, and is seldom needed
        for start in starts:
            found = _lift(refitted(start, quotes, before=before, steepest=steepest, with_g=with_g), before)
            fine = _shortfall(found, before) <= 0 and lowest_g(found)[0] >= 0
            if fine and quotes.loss(found) < quotes.loss(best):
                best = found
        if not any(best is start for start in starts):
            break
    return best


def _lifted(raw: Floats, before: Floats, steepest: Floats, quotes: SliceQuotes) -> Floats:
    """Give the wings allowed slopes, and raise the level until nothing before lies above it."""
    slope = allowed_slopes(wings(raw)[0], before, steepest)
    sigma = max(raw[4], LEAST_SIGMA * quotes.deviation)
    shaped = np.array([0.0, slope.sum() / 2, (slope[0] - slope[1]) / slope.sum(), raw[3], sigma])
    shaped[0] = (quotes.weight * (quotes.w - total(shaped, quotes.k))).sum() / quotes.weight.sum()
    lifted = _lift(shaped, before)
    step = 0.05 * quotes.deviation**2
    while lowest_g(lifted)[0] < 0:  # a level high enough has no arbitrage: g tends to 1 - w'**2 / 16 >= 3/4
        lifted[0] += step
        step *= 2
    return lifted


def _lift(raw: Floats, before: Floats) -> Floats:
    shortfall = _shortfall(raw, before)
    if not 0 < shortfall < np.inf:
        return raw
    lifted = raw.copy()
    lifted[0] += shortfall * (1 + 1e-9) + SAFETY
    return lifted
