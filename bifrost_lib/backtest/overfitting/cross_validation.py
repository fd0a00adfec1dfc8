"""The probability of backtest overfitting: how often the best in one half of the time is poor in the other.

References
----------
Bailey, Borwein, López de Prado and Zhu (2015), "The probability of backtest overfitting", Journal of Computational
Finance 20(4): combinatorially symmetric cross-validation (CSCV), section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]

_AT_ONCE = 4_000_000  # figures that are looked at at a time: 32 MB


@dataclass(frozen=True)
class Overfitting:
    """What CSCV found, over all ways to split the time into two halves.

    `probability` (PBO) is the share of splits in which the set that was best in sample is out of sample no better than
    the median; `logits` of its relative rank there; `in_sample` and `out_of_sample` its Sharpe ratios, of one session;
    `loss` the share of splits in which it loses out of sample; `slope` and `intercept` of out of sample on in sample
    (a negative slope: the better it looked, the worse it did); `dominance` by how much more often than a random set it
    is above the median, out of sample (0: selecting adds nothing).
    """

    probability: float
    logits: Floats
    in_sample: Floats
    out_of_sample: Floats
    loss: float
    slope: float
    intercept: float
    dominance: float
    blocks: int
    sets: int
    reason: str = ""


def probability_of_overfitting(daily: npt.ArrayLike, *, blocks: int = 16) -> Overfitting:
    """Return the probability that choosing the best set of a search overfits.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Results of each parameter set and session; 0 where nothing was held. At least two sets that ever move.
    blocks : int
        Even, >= 2: into how many stretches of time the sessions are cut; each half of them is in sample once, which
        makes 12,870 splits of 16.

    Notes
    -----
    The figure is the Sharpe ratio; a set that does not move in a half has 0 there if it has no result, and its sign's
    infinity otherwise. Equal sets share the mean of their ranks. Sets that never move are left out.

    Raises
    ------
    InputError
        If the blocks are odd or more than the sessions allow (two sessions each), or a figure is NaN.
    """
    x = np.asarray(daily, dtype=np.float64)
    if x.ndim != 2:
        raise InputError("daily", x.shape, "results of shape (sets, sessions)")
    if not np.isfinite(x).all():
        raise InputError("daily", math.nan, "a number for each set and session: 0 where nothing was held")
    if blocks < 2 or blocks % 2 or blocks > 24 or x.shape[1] < 2 * blocks:
        raise InputError("blocks", blocks, f"an even number from 2 to {max(2, min(24, x.shape[1] // 4 * 2))}")
    moved = np.flatnonzero(np.ptp(x, axis=1) > 0)
    if len(moved) < 2:
        nothing, nan = np.empty(0), math.nan
        why = "fewer than two sets ever moved"
        return Overfitting(nan, nothing, nothing, nothing, nan, nan, nan, nan, blocks, len(moved), why)
    inside, outside, rank = _best_of_each_split(x[moved], blocks)
    share = rank / (len(moved) + 1)
    logits = np.log(share / (1 - share))
    slope, intercept = _line(inside, outside)
    return Overfitting(
        probability=float((logits <= 0).mean()),
        logits=logits,
        in_sample=inside,
        out_of_sample=outside,
        loss=float((outside < 0).mean()),
        slope=slope,
        intercept=intercept,
        dominance=float((share > 0.5).mean() - 0.5),
        blocks=blocks,
        sets=len(moved),
    )


def _best_of_each_split(x: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    # Sharpe ratios come from sums over blocks, so that a split costs a product and no pass over the sessions.
    edges = np.linspace(0, x.shape[1], blocks + 1).round().astype(np.int64)
    centred = x / x.std(axis=1, keepdims=True)  # of one size, so that squares do not lose digits
    sums, squares = (np.add.reduceat(part, edges[:-1], axis=1).T for part in (centred, centred**2))
    sizes = np.diff(edges).astype(np.float64)
    chosen = np.array([[b in half for b in range(blocks)] for half in combinations(range(blocks), blocks // 2)])
    splits, batch = len(chosen), max(1, _AT_ONCE // x.shape[0])
    inside, outside, rank = np.empty(splits), np.empty(splits), np.empty(splits)
    for first in range(0, splits, batch):
        here = chosen[first : first + batch]
        seen = _ratios(here.astype(np.float64), sums, squares, sizes)
        unseen = _ratios((~here).astype(np.float64), sums, squares, sizes)
        best = seen.argmax(axis=1)
        place = slice(first, first + len(here))
        rows = np.arange(len(here))
        inside[place], outside[place] = seen[rows, best], unseen[rows, best]
        mine = unseen[rows, best][:, None]
        rank[place] = (unseen < mine).sum(axis=1) + ((unseen == mine).sum(axis=1) + 1) / 2
    return inside, outside, rank


def _ratios(member: Floats, sums: Floats, squares: Floats, sizes: Floats) -> Floats:
    count = (member @ sizes)[:, None]
    total = member @ sums
    spread = (member @ squares - total**2 / count) / (count - 1)
    still = spread < 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = total / count / np.sqrt(np.where(still, math.nan, spread))
    quiet = np.where(np.abs(total) < 1e-12, 0.0, np.copysign(math.inf, total))
    return np.where(still, quiet, ratio.round(12))  # equal sets stay equal, whatever the order of the sums


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2 or not np.ptp(x) > 0:
        return math.nan, math.nan
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return slope, float(y.mean() - slope * x.mean())
