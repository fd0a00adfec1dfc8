"""The compiled removal of butterfly arbitrage from SVI slices, in jump wings of unit time."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats, Table
from bifrost_lib.pricing.svi_inner import EXACT, LEE, SUMS
from bifrost_lib.pricing.svi_shape import least_g

_HALVINGS = 40
_LEAST_WING = 1e-3  # of the other one: without any put wing no slice of SSVI has sigma > 0
_LINES = 9  # of the first search, from the original to the guaranteed least variance
_SECTIONS = 14
_GOLDEN = 0.6180339887498949


@kernel(**EXACT)
def _raw(wings: tuple[float, float, float, float, float]) -> tuple[float, float, float, float, float]:
    """Return raw parameters of jump wings (v, psi, p, c, v_tilde); sigma is NaN where there is no such slice."""
    v, psi, p, c, least = wings
    root = math.sqrt(v)
    b = 0.5 * root * (p + c)
    rho, lean = (c - p) / (p + c), 4.0 * psi / (p + c)
    place = rho - lean
    if not (-1.0 < place < 1.0 and lean != 0.0 and least < v):
        return 0.0, b, rho, 0.0, math.nan
    across = math.sqrt(1.0 - place * place)
    turned = math.sqrt(max(1.0 - rho * rho, 0.0))
    r = (v - least) / b * (1.0 - rho * place + across * turned) / (lean * lean)
    return least - b * r * across * turned, b, rho, r * place, r * across


@kernel(**EXACT)
def _least(raw: tuple[float, float, float, float, float], grid: Any, work: Any) -> float:
    """Return the least g, ``-inf`` where there is no slice or its wings are too steep."""
    a, b, rho, m, sigma = raw
    if not (sigma > 0.0 and b * (1.0 + math.fabs(rho)) <= LEE):
        return -math.inf
    return least_g(a, b, rho, m, sigma, grid, work)[0]


@kernel(**EXACT)
def _is_free(raw: tuple[float, float, float, float, float], grid: Any, work: Any) -> bool:
    return _least(raw, grid, work) >= 0.0


@kernel(**SUMS)
def _distance(raw: tuple[float, float, float, float, float], k: Any, w: Any, weight: Any) -> float:
    a, b, rho, m, sigma = raw
    total, heaviness = 0.0, 0.0
    for i in range(len(k)):
        if k[i] == k[i] and w[i] == w[i] and weight[i] > 0.0:
            x = k[i] - m
            r = a + b * (rho * x + math.sqrt(x * x + sigma * sigma)) - w[i]
            total += weight[i] * r * r
            heaviness += weight[i]
    return math.sqrt(total / heaviness)


@kernel(**EXACT)
def _symmetric(v: float, p: float, c: float) -> tuple[float, float, float, float, float]:
    """Return the raw parameters of the SSVI slice with at-the-money variance v and these wings."""
    b, rho = 0.5 * math.sqrt(v) * (p + c), (c - p) / (p + c)
    r = 0.5 * v / b
    return 0.5 * v * (1.0 - rho * rho), b, rho, -rho * r, r * math.sqrt(1.0 - rho * rho)


@kernel(**EXACT)
def guaranteed(v: float, psi: float, p: float, grid: Any, work: Any) -> tuple[float, float, float, float, float]:
    """Return the slice of Gatheral & Jacquier (section 5.1), in raw parameters: c' = p + 2 psi, v_tilde' to match.

    It belongs to SSVI, which is free of arbitrage unless its wings are too steep; then they are lowered together until
    it is.
    """
    call = max(p + 2.0 * psi, 1e-9 * p)
    p = max(p, _LEAST_WING * call)
    whole = _symmetric(v, p, call)
    if _is_free(whole, grid, work):
        return whole
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if _is_free(_symmetric(v, middle * p, middle * call), grid, work):
            low = middle
        else:
            high = middle
    low = max(low, 1e-9)
    return _symmetric(v, low * p, low * call)


@kernel(**EXACT)
def _on_line(
    wings: tuple[float, float, float, float, float],
    end: tuple[float, float],
    share: float,
    grid: Any,
    work: Any,
) -> tuple[float, float, float, float, float]:
    """Return the slice nearest the original with the least variance moved by `share`; sigma is NaN without one."""
    v, psi, p, c, least = wings
    moved = least + share * (end[1] - least)
    near, far = c, end[0]
    found = _raw((v, psi, p, near, moved))
    below = _least(found, grid, work)
    if below >= 0.0:
        return found
    found = _raw((v, psi, p, far, moved))
    above = _least(found, grid, work)
    if not above >= 0.0:
        return 0.0, 0.0, 0.0, 0.0, math.nan
    side = 0
    for _ in range(_HALVINGS):  # false position, Illinois variant; halving while there is nothing to interpolate
        if math.fabs(far - near) <= 1e-12 * c or above <= 1e-12:
            break
        share_of_far = -below / (above - below) if below > -1.0 else 0.5
        middle = near + min(max(share_of_far, 0.01), 0.99) * (far - near)
        candidate = _raw((v, psi, p, middle, moved))
        least_here = _least(candidate, grid, work)
        if least_here >= 0.0:
            far, above, found = middle, least_here, candidate
            below = 0.5 * below if side == 1 else below
            side = 1
        else:
            near, below = middle, least_here
            above = 0.5 * above if side == -1 else above
            side = -1
    return found


@kernel(**EXACT)
def _cost(raw: tuple[float, float, float, float, float], k: Any, w: Any, weight: Any) -> float:
    return _distance(raw, k, w, weight) if raw[4] > 0.0 else math.inf


@kernel(**EXACT)
def _repaired(raw: Any, k: Any, w: Any, weight: Any, grid: Any, work: Any) -> tuple[float, float, float, float, float]:
    a, b, rho, m, sigma = raw[0], raw[1], raw[2], raw[3], raw[4]
    r = math.sqrt(m * m + sigma * sigma)
    v = a + b * (r - rho * m)
    root = math.sqrt(v)
    psi, p, c = 0.5 * b / root * (rho - m / r), b * (1.0 - rho) / root, b * (1.0 + rho) / root
    least = a + b * sigma * math.sqrt(max(1.0 - rho * rho, 0.0))
    wings = (v, psi, p, c, least)
    best = guaranteed(v, psi, p, grid, work)
    lowest = _cost(best, k, w, weight)
    call = max(p + 2.0 * psi, 1e-9 * p)
    end = (call, v * 4.0 * p * call / ((p + call) * (p + call)))
    share = 1.0
    for i in range(_LINES):
        candidate = _on_line(wings, end, i / (_LINES - 1), grid, work)
        cost = _cost(candidate, k, w, weight)
        if cost < lowest:
            lowest, best, share = cost, candidate, i / (_LINES - 1)
    low, high = max(share - 1.0 / (_LINES - 1), 0.0), min(share + 1.0 / (_LINES - 1), 1.0)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    one, other = _on_line(wings, end, left, grid, work), _on_line(wings, end, right, grid, work)
    left_cost, right_cost = _cost(one, k, w, weight), _cost(other, k, w, weight)
    for _ in range(_SECTIONS):
        if left_cost < lowest:
            lowest, best = left_cost, one
        if right_cost < lowest:
            lowest, best = right_cost, other
        if left_cost < right_cost:
            high, right, right_cost = right, left, left_cost
            left = high - _GOLDEN * (high - low)
            one = _on_line(wings, end, left, grid, work)
            left_cost = _cost(one, k, w, weight)
        else:
            low, left, left_cost = left, right, right_cost
            right = low + _GOLDEN * (high - low)
            other = _on_line(wings, end, right, grid, work)
            right_cost = _cost(other, k, w, weight)
    return best


def repair_all(slices: Table, k: Table, w: Table, weight: Table, nearest: int, grid: Floats, work: Floats) -> int:
    """Replace the rows of `slices` (as `fit_all` writes them) that allow butterfly arbitrage; returns how many.

    Without `nearest` it is the guaranteed slice. `work` takes as many values as `grid`.
    """
    replaced = 0
    for row in range(len(slices)):
        raw = slices[row]
        if not raw[7] < 0.0:
            continue
        r = math.sqrt(raw[3] * raw[3] + raw[4] * raw[4])
        v = raw[0] + raw[1] * (r - raw[2] * raw[3])
        quoted = k[row if len(k) > 1 else 0], w[row], weight[row if len(weight) > 1 else 0]
        replaced += 1
        if not v > 0.0:
            raw[:6], raw[7], raw[8] = math.nan, math.nan, math.nan
            continue
        if nearest:
            found = _repaired(raw, quoted[0], quoted[1], quoted[2], grid, work)
        else:
            root = math.sqrt(v)
            found = guaranteed(
                v, 0.5 * raw[1] / root * (raw[2] - raw[3] / r), raw[1] * (1.0 - raw[2]) / root, grid, work
            )
        raw[0], raw[1], raw[2], raw[3], raw[4] = found
        raw[5] = _distance(found, quoted[0], quoted[1], quoted[2])
        raw[7], raw[8] = least_g(raw[0], raw[1], raw[2], raw[3], raw[4], grid, work)
    return replaced
