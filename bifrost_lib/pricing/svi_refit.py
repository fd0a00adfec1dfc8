"""SVI slices fitted again under constraints: above a floor, wings not too steep, no negative density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.svi import GRID

SAFETY, LEAST_SLOPE, LEAST_SIGMA = 1e-12, 1e-9, 0.05
LEE = np.array([2.0, 2.0])  # the steepest wings of total variance that moments allow
NOTHING = np.array([0.0, 0.0, 0.0, 0.0, 1.0])  # the slice of an expiry now: no variance anywhere
_G_MARGIN = 1e-4


@dataclass(frozen=True)
class SliceQuotes:
    """The quotes that one slice should stay near, shape (n,), all finite."""

    k: Floats
    w: Floats
    weight: Floats

    @property
    def deviation(self) -> float:
        """The standard deviation of the log of the price that the quotes speak of, about."""
        return float(np.sqrt(np.median(np.abs(self.w)))) + SAFETY

    def loss(self, raw: Floats) -> float:
        """Return the weighted mean squared error of a slice in total variance."""
        return float((self.weight * (total(raw, self.k) - self.w) ** 2).sum() / self.weight.sum())


def slice_quotes(k: Floats, w: Floats, weight: Floats) -> list[SliceQuotes]:
    """Return each row's quotes that count, of tables as `slice_arrays` checks them."""
    k, weight = np.broadcast_to(k, w.shape), np.broadcast_to(weight, w.shape)
    counts = np.isfinite(k) & np.isfinite(w) & (weight > 0)
    return [SliceQuotes(*(table[row][counts[row]] for table in (k, w, weight))) for row in range(len(w))]


def total(raw: Floats, k: Floats) -> Floats:
    """Return the total variance of raw parameters (5,) at `k` (n,)."""
    a, b, rho, m, sigma = raw
    found: Floats = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
    return found


def wings(raw: Floats) -> tuple[Floats, Floats]:
    """Return slope and intercept of the right and of the left wing: w ~ intercept + slope |k|."""
    a, b, rho, m, _ = raw
    right, left = b * (1 + rho), b * (1 - rho)
    return np.array([right, left]), np.array([a - right * m, a + left * m])


def allowed_slopes(slope: Floats, before: Floats, steepest: Floats) -> Floats:
    """Return slopes of wings (2,) no flatter than those of the slice `before`, and no steeper than `steepest`."""
    flattest = np.maximum(wings(before)[0] * (1 + SAFETY), LEAST_SLOPE)
    return np.clip(slope, flattest, np.maximum(steepest, flattest))


def lowest_g(raw: Floats) -> tuple[float, float]:
    """Return the least of Durrleman's g, to the last digits, and its log-moneyness; where nothing is > 0: ``-inf``."""
    k = raw[3] + raw[4] * GRID
    if (total(raw, k) <= 0).any():
        return float("-inf"), float("nan")
    g = _durrleman(raw, k)
    least, place = float(g.min()), float(k[g.argmin()])
    inner = g[1:-1]
    valleys = 1 + np.flatnonzero((inner <= g[:-2]) & (inner <= g[2:]))
    for valley in valleys[np.argsort(g[valleys])[:3]]:
        low, high = k[valley - 1], k[valley + 1]
        for _ in range(3):
            near = np.linspace(low, high, 33)
            found = _durrleman(raw, near)
            best = int(found.argmin())
            if found[best] < least:
                least, place = float(found[best]), float(near[best])
            low, high = near[max(best - 1, 0)], near[min(best + 1, 32)]
    return least, place


def _durrleman(raw: Floats, k: Floats) -> Floats:
    # `durrleman_g` without the care for what callers may pass, which costs five times as much
    a, b, rho, m, sigma = raw
    x = k - m
    h = np.sqrt(x**2 + sigma**2)
    w, first = a + b * (rho * x + h), b * (rho + x / h)
    g: Floats = (1 - 0.5 * k * first / w) ** 2 - 0.25 * first**2 * (1 / w + 0.25) + 0.5 * b * sigma**2 / h**3
    return g


def refitted(
    start: Floats, quotes: SliceQuotes, *, before: Floats = NOTHING, steepest: Floats = LEE, with_g: bool = True
) -> Floats:
    """Return the slice nearest `quotes`, as far as it is found from `start` by sequential quadratic programming.

    It is to lie above the slice `before` with wings at least as steep, its wings are not to be steeper than `steepest`
    (2,), and `with_g` Durrleman's g is to exceed a small margin; all but the slopes the solver keeps only nearly.
    """
    from scipy.optimize import minimize  # only chains with arbitrage pay for loading it

    look = np.concatenate([before[3] + before[4] * GRID[::3], start[3] + start[4] * GRID[::3], quotes.k])
    look = look[: 0 if before is NOTHING and with_g else None]  # g says already that total variance is > 0
    floor, flattest = total(before, look), wings(before)[0]
    most = np.maximum(steepest, flattest)
    width = quotes.deviation
    units = np.array([width**2, width, 1.0, width, width])  # in which the parameters of any expiry are of like size
    scale = max(quotes.loss(start), 1e-16 * width**4) * quotes.weight.sum()
    per_look = 1 / (width**2 + width * np.abs(look))

    def loss(x: Floats) -> tuple[float, Floats]:
        off = total(x * units, quotes.k) - quotes.w
        slope = 2 * (quotes.weight * off) @ _slopes(x * units, quotes.k)
        return float((quotes.weight * off**2).sum() / scale), slope * units / scale

    def slack(x: Floats) -> Floats:
        slope = wings(x * units)[0]
        above = (total(x * units, look) - floor) * per_look
        slacks: Floats = np.concatenate([above, (slope - flattest) / width, (most - slope) / width])
        return slacks

    def slack_slopes(x: Floats) -> Floats:
        _, b, rho, _, _ = x * units
        edges = np.array([[0.0, 1 + rho, b, 0.0, 0.0], [0.0, 1 - rho, -b, 0.0, 0.0]]) / width
        slopes: Floats = np.vstack([_slopes(x * units, look) * per_look[:, None], edges, -edges]) * units
        return slopes

    first, last = min(start[3], quotes.k.min()), max(start[3], quotes.k.max())
    low = np.array([-np.inf, LEAST_SLOPE, -0.999, first - 4 * width, LEAST_SIGMA * width]) / units
    high = np.array([np.inf, 2.0, 0.999, last + 4 * width, 50 * width]) / units
    constraints: list[dict[str, Any]] = [{"type": "ineq", "fun": slack, "jac": slack_slopes}]
    if with_g:
        at_g: dict[str, Any] = {
            "fun": lambda x: _g_slack(x * units)[0], "jac": lambda x: _g_slack(x * units)[1] * units,
        }  # fmt: skip
        constraints.append({"type": "ineq"} | at_g)
    found = minimize(
        loss, np.clip(start / units, low, high), jac=True, method="SLSQP", bounds=list(zip(low, high, strict=True)),
        constraints=constraints, options={"maxiter": 100, "ftol": 1e-9},
    )  # fmt: skip
    refitted: Floats = np.asarray(found.x) * units
    slope = allowed_slopes(wings(refitted)[0], before, steepest)  # the solver keeps a constraint only nearly
    refitted[1], refitted[2] = slope.sum() / 2, (slope[0] - slope[1]) / slope.sum()
    return refitted


def _g_slack(raw: Floats) -> tuple[Floats, Floats]:
    """Return Durrleman's g less a margin, at most 1, at the points of GRID around the slice, and its slopes (n, 5).

    Where total variance is not > 0 somewhere, both speak of total variance instead.
    """
    a, b, rho, m, sigma = raw
    root = np.sqrt(1 + GRID**2)
    lean, zero = rho * GRID + root, np.zeros_like(GRID)
    w = a + b * sigma * lean
    by_w = np.stack([zero + 1, sigma * lean, b * sigma * GRID, zero, b * lean], axis=-1)
    if (w <= 0).any():
        return np.minimum(w, 0.0) - _G_MARGIN, by_w * (w < 0)[:, None]
    first, second = b * (rho + GRID / root), b / (sigma * root**3)
    by_first = np.stack([zero, rho + GRID / root, zero + b, zero, zero], axis=-1)
    by_second = second[:, None] * np.array([0.0, 1 / b, 0.0, 0.0, -1 / sigma])
    by_k = np.stack([zero, zero, zero, zero + 1, GRID], axis=-1)
    k = m + sigma * GRID
    skewed, share = 1 - 0.5 * k * first / w, first / w
    g = skewed**2 - 0.25 * first**2 * (1 / w + 0.25) + 0.5 * second
    g_by_w = skewed * k * share / w + 0.25 * share**2
    g_by_first = -skewed * k / w - 0.5 * first * (1 / w + 0.25)
    slopes = g_by_w[:, None] * by_w + g_by_first[:, None] * by_first + 0.5 * by_second
    slopes -= (skewed * share)[:, None] * by_k
    return np.minimum(g, 1.0) - _G_MARGIN, np.where(g[:, None] < 1, slopes, 0.0)


def _slopes(raw: Floats, k: Floats) -> Floats:
    """Return the derivatives of total variance by the five parameters, shape (n, 5)."""
    _, b, rho, m, sigma = raw
    root = np.sqrt((k - m) ** 2 + sigma**2)
    by_m, by_sigma = -b * (rho + (k - m) / root), b * sigma / root
    return np.stack([np.ones_like(k), rho * (k - m) + root, b * (k - m), by_m, by_sigma], axis=-1)
