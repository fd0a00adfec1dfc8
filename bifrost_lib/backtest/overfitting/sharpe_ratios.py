"""How much of a Sharpe ratio is skill, when it was short, skewed, and the best of many.

References
----------
Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15(2) [PSR, MinTRL]; (2014),
"The deflated Sharpe ratio", Journal of Portfolio Management 40(5) [DSR]; Bailey, Borwein, López de Prado and Zhu
(2014), "Pseudo-mathematics and financial charlatanism", Notices of the AMS 61(5) [MinBTL]; López de Prado and Lewis
(2019), "Detection of false investment strategies using unsupervised learning methods", Quantitative Finance 19
[clusters]. Sharpe ratios are those of one observation, not annual; kurtosis is 3 for a normal distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()
_GAMMA = 0.5772156649015329  # Euler and Mascheroni's
#: Clusterings of so many groups are compared at most, and of so many sets.
MOST_CLUSTERS, MOST_SETS = 50, 2000
_LEAST_WIDTH = 0.1  # mean silhouette below which groups are no groups


@dataclass(frozen=True)
class Trials:
    """What a search amounts to: how many independent trials, and the variance of their Sharpe ratios.

    `count` need not be whole; `labels` says to which cluster each set belongs, -1 where it never moved.
    """

    count: float
    variance: float
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class DeflatedSharpe:
    """The best of a search: its Sharpe ratio, the `benchmark` that luck alone reaches, and the probability of more.

    `chosen` is its row, `psr` the probability that its true Sharpe ratio is above 0 had it been the only trial.
    """

    chosen: int
    sharpe: float
    benchmark: float
    probability: float
    psr: float
    trials: Trials
    reason: str = ""


def moments(values: npt.ArrayLike) -> tuple[float, float]:
    """Return the skew and the kurtosis (3 is normal) of a sample; NaN for a constant."""
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or not np.ptp(x) > 0:
        return math.nan, math.nan
    x = (x - x.mean()) / x.std()
    return float((x**3).mean()), float((x**4).mean())


def probabilistic_sharpe(
    sharpe: float, *, benchmark: float = 0.0, count: int, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark (PSR, 2012, equation 11).

    Parameters
    ----------
    sharpe, benchmark : float
        Of one observation.
    count : int
        Observations, >= 2.
    skew, kurtosis : float
        Of the returns.

    Examples
    --------
    >>> round(probabilistic_sharpe(0.458, count=24, skew=-2.448, kurtosis=10.164), 3)
    0.913
    """
    if count < 2:
        raise InputError("count", count, "at least 2 observations")
    return _normal((sharpe - benchmark) * math.sqrt(count - 1) / _error(sharpe, skew, kurtosis))


def min_track_record(
    sharpe: float, *, benchmark: float = 0.0, skew: float = 0.0, kurtosis: float = 3.0, confidence: float = 0.95
) -> float:
    """Return how many observations it takes to be sure that a Sharpe ratio is above a benchmark (MinTRL, 2012).

    NaN where it is not above it, because then no number does.
    """
    if not 0.5 <= confidence < 1:
        raise InputError("confidence", confidence, "a probability from 0.5 up to 1")
    if not sharpe > benchmark:
        return math.nan
    return 1 + (_error(sharpe, skew, kurtosis) * _NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def expected_max_sharpe(trials: float, *, variance: float = 1.0) -> float:
    """Return the Sharpe ratio that the best of many trials without skill is expected to show (DSR, 2014, equation 1).

    Parameters
    ----------
    trials : float
        Independent trials, >= 1; one shows none. Need not be whole. It is the paper's approximation, which holds from
        about five on; `analytics.expected_best` is exact for whole numbers.
    variance : float
        Of the trials' Sharpe ratios.
    """
    if not trials >= 1:
        raise InputError("trials", trials, "at least 1")
    if not variance >= 0:
        raise InputError("variance", variance, "a variance >= 0")
    if trials == 1:
        return 0.0
    best = (1 - _GAMMA) * _NORMAL.inv_cdf(1 - 1 / trials) + _GAMMA * _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * max(best, 0.0)


def min_backtest_years(trials: float, *, sharpe: float = 1.0) -> float:
    """Return the years of history below which the best of `trials` without skill shows an annual `sharpe` (MinBTL)."""
    if not sharpe > 0:
        raise InputError("sharpe", sharpe, "an annual Sharpe ratio > 0")
    return (expected_max_sharpe(trials) / sharpe) ** 2


def deflated_sharpe_ratio(
    sharpe: float, *, trials: float, variance: float, count: int, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return the probability that the best of `trials` has a true Sharpe ratio above what luck reaches (DSR, 2014).

    Examples
    --------
    The paper's: an annual 2.5 over 1,250 days, the best of 100 trials whose annual ratios have a variance of 1/2.

    >>> facts = {"count": 1250, "skew": -3, "kurtosis": 10}
    >>> round(deflated_sharpe_ratio(2.5 / 250**0.5, trials=100, variance=0.5 / 250, **facts), 4)
    0.9004
    """
    return probabilistic_sharpe(
        sharpe, benchmark=expected_max_sharpe(trials, variance=variance), count=count, skew=skew, kurtosis=kurtosis
    )


def deflate(
    daily: npt.ArrayLike, *, method: Literal["clusters", "correlation", "all"] = "clusters", tried: int | None = None
) -> DeflatedSharpe:
    """Deflate the best of a search by how many independent trials it amounts to.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Results of each parameter set and session; any unit, since Sharpe ratios have none.
    method : {"clusters", "correlation", "all"}
        How trials are counted, see `effective_trials`.
    tried : int, optional
        Sets that were looked at before and are not in `daily`; they count as trials as these do.

    Notes
    -----
    `probability` is NaN, with a `reason`, where no set moved.
    """
    x = _matrix(daily)
    sharpe = sharpe_ratios(x)
    trials = effective_trials(x, method=method)
    if np.isnan(sharpe).all():
        return DeflatedSharpe(-1, math.nan, math.nan, math.nan, math.nan, trials, "no set ever moved")
    best = int(np.nanargmax(sharpe))
    if tried:
        scale = 1 + tried / len(x)
        trials = Trials(trials.count * scale, trials.variance, trials.labels)
    skew, kurtosis = moments(x[best])
    count, ratio = x.shape[1], float(sharpe[best])
    luck = expected_max_sharpe(trials.count, variance=trials.variance)
    return DeflatedSharpe(
        chosen=best,
        sharpe=ratio,
        benchmark=luck,
        probability=probabilistic_sharpe(ratio, benchmark=luck, count=count, skew=skew, kurtosis=kurtosis),
        psr=probabilistic_sharpe(ratio, count=count, skew=skew, kurtosis=kurtosis),
        trials=trials,
    )


def effective_trials(daily: npt.ArrayLike, *, method: Literal["clusters", "correlation", "all"] = "clusters") -> Trials:
    """Return how many independent trials a search amounts to.

    Parameters
    ----------
    daily : array_like (sets, sessions)
    method : {"clusters", "correlation", "all"}
        ``clusters`` groups sets that move together, by the number of groups whose silhouettes are best; the variance
        is that between the groups' average sets or between all sets, whichever is larger, because the choice is made
        among all. ``correlation`` is the DSR paper's ρ + (1 - ρ) N with the mean
        correlation ρ. ``all`` counts every set, which deflates the most.

    Notes
    -----
    Sets that never moved are no trials; sets that form no groups are one trial each. Of more than 2,000 sets, clusters
    are sought among 2,000 spread evenly.
    """
    x = _matrix(daily)
    ratios = sharpe_ratios(x)
    moved = np.flatnonzero(~np.isnan(ratios))
    labels = np.full(len(x), -1, dtype=np.int64)
    if len(moved) < 2:
        labels[moved] = 0
        return Trials(float(max(len(moved), 1)), 0.0, labels)
    if method == "clusters":
        picked = moved[np.unique(np.linspace(0, len(moved) - 1, min(len(moved), MOST_SETS)).astype(np.int64))]
        labels[picked] = found = _clusters(np.atleast_2d(np.corrcoef(x[picked])))
        scaled = x[picked] / x[picked].std(axis=1, keepdims=True)
        groups = np.stack([scaled[found == label].mean(axis=0) for label in range(found.max() + 1)])
        between = float(np.var(sharpe_ratios(groups), ddof=1)) if len(groups) > 1 else 0.0
        return Trials(float(len(groups)), max(between, float(np.var(ratios[moved], ddof=1))), labels)
    labels[moved] = np.arange(len(moved))
    count, spread = float(len(moved)), float(np.var(ratios[moved], ddof=1))
    if method == "correlation":
        mean = float(_mean_correlation(x[moved]))
        count = max(1.0, mean + (1 - mean) * count)
    elif method != "all":
        raise InputError("method", method, "clusters, correlation or all")
    return Trials(count, spread, labels)


def sharpe_ratios(daily: Floats) -> Floats:
    """Return the Sharpe ratio of each row, of one observation; NaN for a row that never moved."""
    spread = daily.std(axis=1, ddof=1)
    moved = np.ptp(daily, axis=1) > 0
    ratios: Floats = np.divide(daily.mean(axis=1), spread, out=np.full(len(daily), math.nan), where=moved)
    return ratios


def _mean_correlation(x: Floats) -> float:
    # The mean of all pairs without making them: the sum of all correlations is the squared length of the sum.
    z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    n, total = len(z), z.sum(axis=0)
    return float((total @ total / x.shape[1] - n) / (n * (n - 1)))


def _clusters(correlation: Floats) -> npt.NDArray[np.int64]:
    # Average linkage of the distance sqrt((1 - ρ) / 2), cut where the silhouettes' mean per spread is largest.
    from scipy.cluster.hierarchy import cut_tree, linkage

    n = len(correlation)
    distance = np.sqrt(np.clip((1 - correlation) / 2, 0, 1))
    np.fill_diagonal(distance, 0.0)
    if distance.max() < 1e-6:
        return np.zeros(n, dtype=np.int64)
    tree = linkage(distance[np.triu_indices(n, 1)], "average")
    best, score = np.arange(n, dtype=np.int64), -math.inf
    counts = list(range(2, min(n - 1, MOST_CLUSTERS) + 1))
    for count, labels in zip(counts, cut_tree(tree, n_clusters=counts).T.astype(np.int64), strict=True):
        width = _silhouettes(distance, labels, count)
        found = float(width.mean()) / (float(width.std()) + 1e-9)
        if width.mean() >= _LEAST_WIDTH and found > score:
            best, score = labels, found
    return best


def _silhouettes(distance: Floats, labels: npt.NDArray[np.int64], count: int) -> Floats:
    # Rousseeuw's: by how much the nearest other group is farther than one's own; 0 for a group of one.
    member = np.zeros((len(labels), count))
    member[np.arange(len(labels)), labels] = 1.0
    sizes, total = member.sum(axis=0), distance @ member
    own = total[np.arange(len(labels)), labels] / np.maximum(sizes[labels] - 1, 1)
    other = np.where(member > 0, math.inf, total / sizes).min(axis=1)
    width: Floats = np.where(sizes[labels] > 1, (other - own) / np.maximum(np.maximum(other, own), 1e-12), 0.0)
    return width


def _matrix(daily: npt.ArrayLike) -> Floats:
    x = np.asarray(daily, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] < 1 or x.shape[1] < 2:
        raise InputError("daily", x.shape, "results of shape (sets, sessions) with at least two sessions")
    if not np.isfinite(x).all():
        raise InputError("daily", math.nan, "a number for each set and session: 0 where nothing was held")
    return x


def _error(sharpe: float, skew: float, kurtosis: float) -> float:
    # The standard error of a Sharpe ratio, times sqrt(n - 1); a sample's own moments never make it negative.
    square = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe * sharpe
    return math.sqrt(square) if square > 0 else math.nan


def _normal(value: float) -> float:
    return math.nan if math.isnan(value) else _NORMAL.cdf(value)
