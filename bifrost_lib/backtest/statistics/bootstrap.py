"""How sure a figure of dependent observations is: the stationary bootstrap with its automatic block length.

Trades that overlap and returns that cluster are no independent draws: resampling them one by one would promise
intervals that are too narrow. Here whole blocks are drawn, of random length, so that what
hangs together stays together.

References
----------
Politis and Romano (1994), "The stationary bootstrap", JASA 89; Politis and White (2004), "Automatic block-length
selection for the dependent bootstrap", Econometric Reviews 23, sections 3 and 4; Patton, Politis and White (2009),
"Correction to ...", Econometric Reviews 28, whose variance constant of the stationary bootstrap is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Below this many observations a resample says nothing that the sample does not.
FEWEST = 8
_AT_ONCE = 2_000_000  # indices that are drawn at a time: 16 MB


@dataclass(frozen=True)
class Interval:
    """An equal-tailed interval, the mean block it rests on, and why it is not known where it is NaN."""

    low: float
    high: float
    block: float
    reason: str = ""


def block_length(values: npt.ArrayLike) -> float:
    """Return the mean length of blocks with which the stationary bootstrap estimates the variance of a mean best.

    Parameters
    ----------
    values : array_like (n,)
        In the order of time, without NaN.

    Returns
    -------
    float
        >= 1, and at most the smaller of 3 sqrt(n) and n / 3; it need not be a whole number. 1 for a constant.

    Notes
    -----
    With autocovariances R, the flat-top window λ and g = Σ λ|k|R(k), s = Σ λR(k) it is (g / s)^(2/3) n^(1/3): the
    paper's (2 g² / D)^(1/3) n^(1/3) with the corrected D = 2 s². The window reaches to twice the first lag from which
    K = max(5, log10 n) autocorrelations in a row are insignificant, below 2 sqrt(log10 n / n). The paper's text takes
    the lag before it; this follows the authors' program, with whose results the field compares.
    """
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < FEWEST or not np.ptp(x) > 0:
        return 1.0
    x = x - x.mean()
    run = max(5, int(math.log10(n)))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    autocovariance = np.array([x[lag:] @ x[: n - lag] for lag in range(most + 1)]) / n
    reach = min(2 * _first_insignificant(autocovariance / autocovariance[0], n, run), most)
    lag = np.arange(1, reach + 1)
    weight = np.minimum(1.0, 2.0 * (1.0 - lag / reach)) * autocovariance[1 : reach + 1]
    slope, level = 2.0 * float(lag @ weight), autocovariance[0] + 2.0 * float(weight.sum())
    if level == 0.0:
        return 1.0
    length = ((slope / level) ** 2) ** (1 / 3) * n ** (1 / 3)
    return float(min(max(length, 1.0), math.ceil(min(3 * math.sqrt(n), n / 3))))


def resamples(count: int, *, block: float, draws: int, seed: int) -> Iterator[Indices]:
    """Yield row after row of indices 0 to count - 1, as the stationary bootstrap draws them, some draws at a time.

    Parameters
    ----------
    count : int
        Observations, and the length of each draw.
    block : float
        Mean length of a block, >= 1: each next index follows the last, around the end, or is drawn anew with
        probability 1 / block.
    draws, seed : int

    Yields
    ------
    int64 (draws of this batch, count)
    """
    if count < 1:
        raise InputError("count", count, "at least 1 observation")
    if not block >= 1:
        raise InputError("block", block, "a mean length of at least 1")
    if draws < 1:
        raise InputError("draws", draws, "at least 1")
    rng = np.random.default_rng(seed)
    place = np.arange(count)
    batch = max(1, _AT_ONCE // count)
    for first in range(0, draws, batch):
        shape = (min(batch, draws - first), count)
        begins = rng.random(shape) < 1.0 / block
        begins[:, 0] = True
        start = rng.integers(0, count, shape)
        latest = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
        yield (np.take_along_axis(start, latest, axis=1) + place - latest) % count


def bootstrap_interval(
    values: npt.ArrayLike,
    figure: Callable[[Floats], Floats],
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    block: float | None = None,
) -> Interval:
    """Return the percentile interval of a figure of dependent observations.

    Parameters
    ----------
    values : array_like (n,)
        In the order of time, without NaN.
    figure : callable
        Takes (draws, n) and returns (draws,); draws of which it is NaN are left out.
    confidence : float
        Share of draws inside, 0 to 1.
    draws, seed : int
        The same seed gives the same interval to the bit.
    block : float, optional
        Mean length of a block; `block_length` by default.
    """
    if not 0 < confidence < 1:
        raise InputError("confidence", confidence, "a share between 0 and 1")
    x = np.asarray(values, dtype=np.float64)
    if len(x) < FEWEST:
        return Interval(math.nan, math.nan, math.nan, f"fewer than {FEWEST} observations")
    mean_block = block_length(x) if block is None else block
    found = np.concatenate([figure(x[rows]) for rows in resamples(len(x), block=mean_block, draws=draws, seed=seed)])
    found = found[np.isfinite(found)]
    if len(found) < draws / 2:
        return Interval(math.nan, math.nan, mean_block, "not defined for most resamples")
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high), mean_block)


def _first_insignificant(autocorrelation: Floats, count: int, run: int) -> int:
    # The first lag from which `run` autocorrelations in a row are insignificant; without any, the last significant one.
    level = 2 * math.sqrt(math.log10(count) / count)
    significant = np.abs(autocorrelation[1:]) >= level
    for lag in range(len(significant) - run + 1):
        if not significant[lag : lag + run].any():
            return lag + 1
    return int(np.flatnonzero(significant)[-1]) + 1
