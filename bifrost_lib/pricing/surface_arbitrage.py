"""Arbitrage in a surface of SVI slices, removed: no negative density, and no later slice below an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.svi import GRID, SviSlices, slice_arrays
from bifrost_lib.pricing.svi_forms import durrleman_g, svi_total_variance

_OWN_POINTS = np.linspace(-4.0, 4.0, 41)  # sigmas from m, where a slice stands in for its quotes
_LEAST_SIGMA, _SAFETY, _LEAST_SLOPE = 0.05, 1e-12, 1e-9
_STEEPER, _OTHER_SIDE, _G_MARGIN = 1.5, 0.1, 1e-3
_NOTHING = np.array([0.0, 0.0, 0.0, 0.0, 1.0])  # the slice of an expiry now: no variance anywhere


@dataclass(frozen=True)
class _Quotes:
    """The quotes that one slice should stay near, shape (n,), all finite."""

    k: Floats
    w: Floats
    weight: Floats

    @property
    def deviation(self) -> float:
        """The standard deviation of the log of the price that the quotes speak of, about."""
        return float(np.sqrt(np.median(self.w))) + _SAFETY

    def loss(self, raw: Floats) -> float:
        return float((self.weight * (_total(raw, self.k) - self.w) ** 2).sum() / self.weight.sum())


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
    before, steepest = _NOTHING, _steepest_wings(raw, fitted, quotes)
    for number in fitted:
        row, most = raw[number], steepest[number]
        if least_g[number] < 0 or _shortfall(row, before) > 0 or (_wings(row)[0] > most * (1 + _SAFETY)).any():
            raw[number] = _repaired(row, before, most, quotes[number])
            rmse[number] = np.sqrt(quotes[number].loss(raw[number]))
            least_g[number], least_at[number] = _least_g(raw[number])
        before = raw[number]
    a, b, rho, m, sigma = raw.T.copy()
    return SviSlices(a, b, rho, m, sigma, rmse, slices.points, least_g, least_at)


def _quotes_of(
    raw: Floats,
    log_moneyness: npt.ArrayLike | None,
    total_variance: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
) -> list[_Quotes]:
    if total_variance is None or log_moneyness is None:
        if not (total_variance is None and log_moneyness is None and weights is None):
            raise InputError("total_variance", total_variance, "quotes with both log_moneyness and total_variance")
        own = raw[:, 3:4] + raw[:, 4:5] * _OWN_POINTS
        return [_Quotes(k, _total(row, k), np.ones(len(k))) for row, k in zip(raw, own, strict=True)]
    k, w, weight, _ = slice_arrays(log_moneyness, total_variance, weights)
    if len(w) != len(raw):
        raise InputError("total_variance", w.shape, f"{len(raw)} rows, one per slice")
    k, weight = np.broadcast_to(k, w.shape), np.broadcast_to(weight, w.shape)
    counts = np.isfinite(k) & np.isfinite(w) & (weight > 0)
    return [_Quotes(*(table[row][counts[row]] for table in (k, w, weight))) for row in range(len(w))]


def _total(raw: Floats, k: Floats) -> Floats:
    a, b, rho, m, sigma = raw
    total: Floats = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
    return total


def _wings(raw: Floats) -> tuple[Floats, Floats]:
    """Return slope and intercept of the right and of the left wing: w ~ intercept + slope |k|."""
    a, b, rho, m, _ = raw
    right, left = b * (1 + rho), b * (1 - rho)
    return np.array([right, left]), np.array([a - right * m, a + left * m])


def _shortfall(raw: Floats, before: Floats) -> float:
    """Return by how much `raw` lies below `before` at most, in total variance; infinite where a wing is flatter."""
    slope, intercept = _wings(raw)
    slope_before, intercept_before = _wings(before)
    if (slope < slope_before - _SAFETY * slope.sum()).any():  # less than that is rounding of b (1 - abs(rho))
        return float("inf")
    parallel = slope - slope_before <= 10 * _SAFETY
    far = np.max((intercept_before - intercept)[parallel], initial=0.0)
    return float(max(far, _largest_excess(raw, before), 0.0))


def _largest_excess(raw: Floats, before: Floats) -> float:
    """Return the maximum of `before` less `raw` over all log-moneyness, to the last digits."""
    k = np.sort(np.concatenate([raw[3] + raw[4] * GRID, before[3] + before[4] * GRID]))
    largest = -np.inf
    excess = _total(before, k) - _total(raw, k)
    tops = 1 + np.flatnonzero((excess[1:-1] >= excess[:-2]) & (excess[1:-1] >= excess[2:]))
    for top in tops[np.argsort(excess[tops])[-3:]]:  # two hyperbolas have at most three such tops
        low, high = k[top - 1], k[top + 1]
        for _ in range(3):
            near = np.linspace(low, high, 33)
            found = _total(before, near) - _total(raw, near)
            best = int(found.argmax())
            largest = max(largest, float(found[best]))
            low, high = near[max(best - 1, 0)], near[min(best + 1, 32)]
    return max(largest, float(excess.max()))


def _least_g(raw: Floats) -> tuple[float, float]:
    """Return the least of Durrleman's g, to the last digits, and its log-moneyness; where nothing is > 0: ``-inf``."""
    k = raw[3] + raw[4] * GRID
    names = dict(zip(("a", "b", "rho", "m", "sigma"), raw, strict=True))
    if (svi_total_variance(log_moneyness=k, **names) <= 0).any():
        return float("-inf"), float("nan")
    g = durrleman_g(log_moneyness=k, **names)
    least, place = float(g.min()), float(k[g.argmin()])
    inner = g[1:-1]
    valleys = 1 + np.flatnonzero((inner <= g[:-2]) & (inner <= g[2:]))
    for valley in valleys[np.argsort(g[valleys])[:3]]:
        low, high = k[valley - 1], k[valley + 1]
        for _ in range(3):
            near = np.linspace(low, high, 33)
            found = durrleman_g(log_moneyness=near, **names)
            best = int(found.argmin())
            if found[best] < least:
                least, place = float(found[best]), float(near[best])
            low, high = near[max(best - 1, 0)], near[min(best + 1, 32)]
    return least, place


def _has_arbitrage(raw: Floats, least_g: Floats) -> bool:
    crossed = any(_shortfall(late, early) > 0 for early, late in pairwise(raw))
    return bool((least_g < 0).any()) or crossed


def _steepest_wings(raw: Floats, fitted: npt.NDArray[np.int64], quotes: list[_Quotes]) -> Floats:
    """Return the slopes (m, 2) that wings may have at most, rising with time."""
    steepest = np.full((len(raw), 2), np.inf)
    limits = np.empty((len(fitted), 2))
    for place, number in enumerate(fitted):
        k = quotes[number].k
        edges = _slopes_by_k(raw[number], np.array([k.max(), k.min()])) * np.array([1.0, -1.0])
        edges = np.maximum(edges, _OTHER_SIDE * edges[::-1])  # a side without quotes is judged by the other
        limits[place] = np.clip(np.minimum(_wings(raw[number])[0], _STEEPER * edges), _LEAST_SLOPE, 2.0)
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


def _repaired(raw: Floats, before: Floats, steepest: Floats, quotes: _Quotes) -> Floats:
    centred = np.array([raw[0], raw[1], raw[2], 0.0, quotes.deviation])  # a slice far from its quotes is a bad start
    starts = [_lifted(one, before, steepest, quotes) for one in (raw, centred)]
    best = min(starts, key=quotes.loss)
    for with_g in (False, True):  # the constraint on g costs ten times the others, and is seldom needed
        for start in starts:
            found = _lift(_refitted(start, before, steepest, quotes, with_g=with_g), before)
            fine = _shortfall(found, before) <= 0 and _least_g(found)[0] >= 0
            if fine and quotes.loss(found) < quotes.loss(best):
                best = found
        if not any(best is start for start in starts):
            break
    return best


def _lifted(raw: Floats, before: Floats, steepest: Floats, quotes: _Quotes) -> Floats:
    """Give the wings allowed slopes, and raise the level until nothing before lies above it."""
    slope = _allowed(_wings(raw)[0], before, steepest)
    sigma = max(raw[4], _LEAST_SIGMA * quotes.deviation)
    shaped = np.array([0.0, slope.sum() / 2, (slope[0] - slope[1]) / slope.sum(), raw[3], sigma])
    shaped[0] = (quotes.weight * (quotes.w - _total(shaped, quotes.k))).sum() / quotes.weight.sum()
    lifted = _lift(shaped, before)
    step = 0.05 * quotes.deviation**2
    while _least_g(lifted)[0] < 0:  # a level high enough has no arbitrage: g tends to 1 - w'**2 / 16 >= 3/4
        lifted[0] += step
        step *= 2
    return lifted


def _allowed(slope: Floats, before: Floats, steepest: Floats) -> Floats:
    flattest = np.maximum(_wings(before)[0] * (1 + _SAFETY), _LEAST_SLOPE)
    return np.clip(slope, flattest, np.maximum(steepest, flattest))


def _lift(raw: Floats, before: Floats) -> Floats:
    shortfall = _shortfall(raw, before)
    if not 0 < shortfall < np.inf:
        return raw
    lifted = raw.copy()
    lifted[0] += shortfall * (1 + 1e-9) + _SAFETY
    return lifted


def _refitted(start: Floats, before: Floats, steepest: Floats, quotes: _Quotes, *, with_g: bool) -> Floats:
    from scipy.optimize import minimize  # only chains with arbitrage pay for loading it

    look = np.concatenate([before[3] + before[4] * GRID[::3], start[3] + start[4] * GRID[::3], quotes.k])
    floor, flattest = _total(before, look), _wings(before)[0]
    most = np.maximum(steepest, flattest)
    width = quotes.deviation
    units = np.array([width**2, width, 1.0, width, width])  # in which the parameters of any expiry are of like size
    scale = max(quotes.loss(start), 1e-16 * width**4) * quotes.weight.sum()
    per_look = 1 / (width**2 + width * np.abs(look))

    def loss(x: Floats) -> tuple[float, Floats]:
        off = _total(x * units, quotes.k) - quotes.w
        slope = 2 * (quotes.weight * off) @ _slopes(x * units, quotes.k)
        return float((quotes.weight * off**2).sum() / scale), slope * units / scale

    def slack(x: Floats) -> Floats:
        slope = _wings(x * units)[0]
        above = (_total(x * units, look) - floor) * per_look
        slacks: Floats = np.concatenate([above, (slope - flattest) / width, (most - slope) / width])
        return slacks

    def slack_slopes(x: Floats) -> Floats:
        _, b, rho, _, _ = x * units
        edges = np.array([[0.0, 1 + rho, b, 0.0, 0.0], [0.0, 1 - rho, -b, 0.0, 0.0]]) / width
        slopes: Floats = np.vstack([_slopes(x * units, look) * per_look[:, None], edges, -edges]) * units
        return slopes

    first, last = min(start[3], quotes.k.min()), max(start[3], quotes.k.max())
    low = np.array([-np.inf, _LEAST_SLOPE, -0.999, first - 4 * width, _LEAST_SIGMA * width]) / units
    high = np.array([np.inf, 2.0, 0.999, last + 4 * width, 50 * width]) / units
    constraints: list[dict[str, Any]] = [{"type": "ineq", "fun": slack, "jac": slack_slopes}]
    if with_g:
        constraints.append({"type": "ineq", "fun": lambda x: _g_slack(x * units)})
    found = minimize(
        loss, np.clip(start / units, low, high), jac=True, method="SLSQP", bounds=list(zip(low, high, strict=True)),
        constraints=constraints, options={"maxiter": 100, "ftol": 1e-9},
    )  # fmt: skip
    refitted: Floats = np.asarray(found.x) * units
    slope = _allowed(_wings(refitted)[0], before, steepest)  # the solver keeps a constraint only nearly
    refitted[1], refitted[2] = slope.sum() / 2, (slope[0] - slope[1]) / slope.sum()
    return refitted


def _g_slack(raw: Floats) -> Floats:
    """Return Durrleman's g less a margin at 43 points, negative where total variance is."""
    k = raw[3] + raw[4] * GRID[::3]
    if (_total(raw, k) <= 0).any():
        return np.minimum(_total(raw, k), 0.0) - _G_MARGIN
    names = dict(zip(("a", "b", "rho", "m", "sigma"), raw, strict=True))
    slack: Floats = np.minimum(durrleman_g(log_moneyness=k, **names), 1.0) - _G_MARGIN
    return slack


def _slopes(raw: Floats, k: Floats) -> Floats:
    """Return the derivatives of total variance by the five parameters, shape (n, 5)."""
    _, b, rho, m, sigma = raw
    root = np.sqrt((k - m) ** 2 + sigma**2)
    by_m, by_sigma = -b * (rho + (k - m) / root), b * sigma / root
    return np.stack([np.ones_like(k), rho * (k - m) + root, b * (k - m), by_m, by_sigma], axis=-1)
