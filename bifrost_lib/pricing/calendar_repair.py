"""Calendar arbitrage between SVI slices, removed: a later slice never lies below an earlier one, however far out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.svi import GRID, SviSlices, slice_arrays
from bifrost_lib.pricing.svi_forms import durrleman_g, svi_total_variance

_OWN_POINTS = np.linspace(-4.0, 4.0, 41)  # sigmas from m, where a slice stands in for its quotes
_LEAST_SIGMA, _SAFETY = 1e-3, 1e-12


@dataclass(frozen=True)
class _Quotes:
    """The quotes that one slice should stay near, shape (n,), all finite."""

    k: Floats
    w: Floats
    weight: Floats

    def loss(self, raw: Floats) -> float:
        return float((self.weight * (_total(raw, self.k) - self.w) ** 2).sum() / self.weight.sum())


def without_calendar_arbitrage(
    slices: SviSlices,
    *,
    log_moneyness: npt.ArrayLike | None = None,
    total_variance: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> SviSlices:
    """Replace slices that lie below an earlier one somewhere by the nearest that do not; the others stay.

    Parameters
    ----------
    slices : SviSlices
        A batch ordered by time to expiry, best free of butterfly arbitrage.
    log_moneyness, total_variance, weights : array_like (m, n), optional
        The quotes, as for `fit_svi`, near which a replaced slice stays. Without them it stays near the slice itself,
        seen at 41 points within 4 sigma of m.

    Returns
    -------
    SviSlices
        Every slice at or above the one before, in the wings too (their slopes and intercepts are compared), and
        every replaced slice free of butterfly arbitrage. Slices that could not be fitted stay NaN and bind nothing.

    Raises
    ------
    InputError
        If `slices` is not a batch or the quotes do not fit it; ``error.name`` says which.

    Notes
    -----
    A later slice gives way, since nearer expiries are quoted more tightly. It is refitted under the constraints by
    sequential quadratic programming from a start that keeps them by construction: steeper wings and a higher level.
    That start is the answer where the solver finds nothing better.

    References
    ----------
    Gatheral & Jacquier (2014), Lemma 2.1 (what calendar arbitrage is) and section 5.2 (refitting against it).
    """
    if np.ndim(slices.a) != 1:
        raise InputError("slices", np.shape(slices.a), "a batch of slices, one for each expiry")
    raw = np.stack([slices.a, slices.b, slices.rho, slices.m, slices.sigma], axis=-1)
    quotes = _quotes_of(raw, log_moneyness, total_variance, weights)
    rmse, least_g, least_at = slices.rmse.copy(), slices.least_g.copy(), slices.least_g_at.copy()
    before: Floats | None = None
    for number, row in enumerate(raw):
        if not np.isfinite(row).all():
            continue
        if before is not None and _shortfall(row, before) > 0:
            raw[number] = _repaired(row, before, quotes[number])
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
    if (slope < slope_before).any():
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
    k = raw[3] + raw[4] * GRID
    names = dict(zip(("a", "b", "rho", "m", "sigma"), raw, strict=True))
    if (svi_total_variance(log_moneyness=k, **names) <= 0).any():
        return float("-inf"), float("nan")
    g = durrleman_g(log_moneyness=k, **names)
    return float(g.min()), float(k[g.argmin()])


def _repaired(raw: Floats, before: Floats, quotes: _Quotes) -> Floats:
    lifted = _lifted(raw, before, quotes)
    refitted = _lift(_refitted(lifted, before, quotes), before)
    better = _shortfall(refitted, before) <= 0 and _least_g(refitted)[0] >= 0
    return refitted if better and quotes.loss(refitted) < quotes.loss(lifted) else lifted


def _lifted(raw: Floats, before: Floats, quotes: _Quotes) -> Floats:
    """Steepen the wings to those of the slice before, and raise the level until nothing lies below it."""
    slope = np.maximum(_wings(raw)[0], _wings(before)[0] * (1 + _SAFETY))
    b, rho = slope.sum() / 2, (slope[0] - slope[1]) / max(slope.sum(), _SAFETY)
    shaped = np.array([0.0, b, np.clip(rho, -1.0, 1.0), raw[3], raw[4]])
    shaped[0] = (quotes.weight * (quotes.w - _total(shaped, quotes.k))).sum() / quotes.weight.sum()
    lifted = _lift(shaped, before)
    step = max(1e-4, 0.1 * abs(lifted[0]))
    while _least_g(lifted)[0] < 0:  # a level high enough has no arbitrage: g tends to 1 - w'**2 / 16 >= 3/4
        lifted[0] += step
        step *= 2
    return lifted


def _lift(raw: Floats, before: Floats) -> Floats:
    shortfall = _shortfall(raw, before)
    if not 0 < shortfall < np.inf:
        return raw
    lifted = raw.copy()
    lifted[0] += shortfall * (1 + 1e-9) + _SAFETY
    return lifted


def _refitted(start: Floats, before: Floats, quotes: _Quotes) -> Floats:
    from scipy.optimize import minimize  # only chains with arbitrage pay for loading it

    scale = max(quotes.loss(start), 1e-16) * quotes.weight.sum()
    look = np.unique(np.concatenate([before[3] + before[4] * GRID[::3], start[3] + start[4] * GRID[::3], quotes.k]))
    floor, wings = _total(before, look), _wings(before)[0]

    def loss(raw: Floats) -> tuple[float, Floats]:
        off = _total(raw, quotes.k) - quotes.w
        slope = 2 * (quotes.weight * off) @ _slopes(raw, quotes.k)
        return float((quotes.weight * off**2).sum() / scale), slope / scale

    def slack(raw: Floats) -> Floats:
        return np.concatenate([(_total(raw, look) - floor) / (1 + np.abs(look)), _wings(raw)[0] - wings])

    def slack_slopes(raw: Floats) -> Floats:
        _, b, rho, _, _ = raw
        edges = [[0.0, 1 + rho, b, 0.0, 0.0], [0.0, 1 - rho, -b, 0.0, 0.0]]
        return np.vstack([_slopes(raw, look) / (1 + np.abs(look))[:, None], edges])

    low = np.array([-np.inf, 1e-9, -0.999, start[3] - 2.0, _LEAST_SIGMA])
    high = np.array([np.inf, 2.0, 0.999, start[3] + 2.0, 5.0])
    found = minimize(
        loss, np.clip(start, low, high), jac=True, method="SLSQP", bounds=list(zip(low, high, strict=True)),
        constraints=[{"type": "ineq", "fun": slack, "jac": slack_slopes}], options={"maxiter": 80, "ftol": 1e-9},
    )  # fmt: skip
    refitted = np.asarray(found.x)
    slope = np.maximum(_wings(refitted)[0], wings * (1 + _SAFETY))  # the solver keeps a constraint only nearly
    refitted[1], refitted[2] = slope.sum() / 2, (slope[0] - slope[1]) / slope.sum()
    return refitted


def _slopes(raw: Floats, k: Floats) -> Floats:
    """Return the derivatives of total variance by the five parameters, shape (n, 5)."""
    _, b, rho, m, sigma = raw
    root = np.sqrt((k - m) ** 2 + sigma**2)
    by_m, by_sigma = -b * (rho + (k - m) / root), b * sigma / root
    return np.stack([np.ones_like(k), rho * (k - m) + root, b * (k - m), by_m, by_sigma], axis=-1)
