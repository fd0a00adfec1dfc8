"""How good the best of many trials looks without any skill.

References
----------
Harter (1961), "Expected values of normal order statistics"; Bailey and López de Prado (2014), "The deflated Sharpe
ratio", on what the number of trials does to the best of them.
"""

from __future__ import annotations

import math

from bifrost_lib.core.errors import InputError

_REACH = 10.0  # standard deviations: beyond lies less than 1e-23


def expected_best(trials: int) -> float:
    """Return the expected largest of `trials` independent standard normal values.

    It is what the best t statistic of as many strategies without skill amounts to. Strategies that resemble each other
    count as fewer trials, so that this is what luck reaches at most.

    Parameters
    ----------
    trials : int
        >= 1.

    Examples
    --------
    >>> round(expected_best(10), 5)
    1.53875
    """
    from scipy.integrate import quad
    from scipy.special import ndtr

    _check_trials(trials)
    if trials == 1:
        return 0.0

    def weighted(value: float) -> float:
        density = math.exp(-value * value / 2) / math.sqrt(2 * math.pi)
        return float(value * trials * density * ndtr(value) ** (trials - 1))

    return float(quad(weighted, -_REACH, _REACH, epsabs=1e-10, limit=200)[0])


def chance_of_best(t: float, *, trials: int, count: int) -> float:
    """Return the probability that the best of `trials` independent strategies without skill has a t of `t` or more.

    Parameters
    ----------
    t : float
        The best t statistic that was seen; NaN gives NaN.
    trials : int
        >= 1. How many strategies were looked at, also those that were dropped.
    count : int
        >= 2. Independent observations behind each.
    """
    from scipy.stats import t as student

    _check_trials(trials)
    if count < 2:
        raise InputError("count", count, "at least 2 independent observations")
    return float(-math.expm1(trials * student.logcdf(t, count - 1)))


def _check_trials(trials: int) -> None:
    if trials < 1:
        raise InputError("trials", trials, "at least 1")
