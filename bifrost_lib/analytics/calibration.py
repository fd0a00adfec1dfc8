"""Were the probabilities true, and the expected profits? Reliability and scores, with intervals.

References
----------
Brier (1950), "Verification of forecasts expressed in terms of probability"; Murphy (1973), "A new vector partition of
the probability score".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.analytics.forecasts import CERTAIN, finite_numbers, forecast_pairs
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.intervals import Z95, wilson_interval

BINS = 10
#: With fewer forecasts a single bias is not worth telling.
FEWEST = 20


def reliability_curve(forecast: npt.ArrayLike, won: npt.ArrayLike, *, bins: int = BINS) -> pd.DataFrame:
    """Compare forecasts with how often they came true, in bins of equal width.

    Parameters
    ----------
    forecast : array_like (n,)
        Probabilities, 0 to 1.
    won : array_like (n,)
        Whether each came true.
    bins : int

    Returns
    -------
    DataFrame
        One row per bin that holds forecasts: `low`, `high`, `n`, `forecast` (their mean), `observed` (share that came
        true), `observed_low`, `observed_high` (Wilson, 95 %) and `is_off` (the mean forecast lies outside).
    """
    p, y = forecast_pairs(forecast, won)
    if bins < 1:
        raise InputError("bins", bins, "at least 1")
    place = np.minimum((p * bins).astype(int), bins - 1)
    rows = []
    for one in np.unique(place):
        inside = place == one
        low, high = wilson_interval(float(y[inside].sum()), int(inside.sum()))
        mean = float(p[inside].mean())
        rows.append((one / bins, (one + 1) / bins, int(inside.sum()), mean, float(y[inside].mean()), low, high,
                     not low <= mean <= high))  # fmt: skip
    names = ["low", "high", "n", "forecast", "observed", "observed_low", "observed_high", "is_off"]
    return pd.DataFrame(rows, columns=names)


@dataclass(frozen=True)
class ForecastScores:
    """How good probabilities were.

    Attributes
    ----------
    n : int
    forecast, observed : float
        Mean forecast, and share that came true with its 95 % interval (`observed_low`, `observed_high`).
    bias, bias_low, bias_high : float
        Forecast less observed, in probability, and its 95 % interval given that the forecasts differ.
    is_biased : bool
        Whether that interval leaves out 0: the forecasts are off by more than luck explains. False below `FEWEST`.
    brier, reliability, resolution, uncertainty, within : float
        Mean squared error, and Murphy's parts: brier = reliability - resolution + uncertainty + within, where the
        last is what forecasts of one bin differ by.
    skill : float
        1 less brier over that of always forecasting the observed share; NaN where all came out alike.
    log_loss : float
        Mean of -log of the probability given to what happened; forecasts are kept 1e-6 away from certainty.
    """

    n: int
    forecast: float
    observed: float
    observed_low: float
    observed_high: float
    bias: float
    bias_low: float
    bias_high: float
    is_biased: bool
    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    skill: float
    log_loss: float


def score_forecasts(forecast: npt.ArrayLike, won: npt.ArrayLike, *, bins: int = BINS) -> ForecastScores:
    """Score probabilities by what happened.

    Parameters
    ----------
    forecast, won, bins
        As for `reliability_curve`.

    Raises
    ------
    InputError
        If there is nothing to score, or a value is outside its domain.

    Notes
    -----
    Under honest forecasts the number that comes true is a sum of independent Bernoulli draws of those probabilities,
    so that the bias has variance sum p (1 - p) / n^2; the interval uses it, whatever the sizes of the forecasts.
    Outcomes that overlap in time are not independent: then the true interval is wider.
    """
    p, y = forecast_pairs(forecast, won)
    n, observed = len(p), float(y.mean())
    low, high = wilson_interval(float(y.sum()), n)
    curve = reliability_curve(p, y, bins=bins)
    weight = curve["n"].to_numpy() / n
    reliability = float(weight @ (curve["forecast"] - curve["observed"]).to_numpy() ** 2)
    resolution = float(weight @ (curve["observed"] - observed).to_numpy() ** 2)
    uncertainty, brier = observed * (1 - observed), float(((p - y) ** 2).mean())
    bias, half = float(p.mean()) - observed, Z95 * math.sqrt(float((p * (1 - p)).sum())) / n
    safe = np.clip(p, CERTAIN, 1 - CERTAIN)
    return ForecastScores(
        n=n, forecast=float(p.mean()), observed=observed, observed_low=low, observed_high=high,
        bias=bias, bias_low=bias - half, bias_high=bias + half, is_biased=n >= FEWEST and abs(bias) > half,
        brier=brier, reliability=reliability, resolution=resolution, uncertainty=uncertainty,
        within=brier - (reliability - resolution + uncertainty),
        skill=1 - brier / uncertainty if uncertainty > 0 else math.nan,
        log_loss=float(-(y * np.log(safe) + (1 - y) * np.log1p(-safe)).mean()),
    )  # fmt: skip


@dataclass(frozen=True)
class ExpectedValueCheck:
    """Whether expected profits came true: `hit_rate` is the share of entries with `ev` > 0 that made money.

    `ev` and `pnl` are means over all entries, `difference` is pnl less ev with its 95 % interval from the entries'
    scatter; `sign_rate` is the share whose profit had the sign of its expectation.
    """

    n: int
    positive: int
    hit_rate: float
    hit_low: float
    hit_high: float
    sign_rate: float
    ev: float
    pnl: float
    difference: float
    difference_low: float
    difference_high: float


def check_expected_values(ev: npt.ArrayLike, pnl: npt.ArrayLike) -> ExpectedValueCheck:
    """Compare expected profits with those that were made; both in currency, shape (n,)."""
    expected, made = finite_numbers("ev", ev), finite_numbers("pnl", pnl)
    if expected.shape != made.shape or not len(expected):
        raise InputError("pnl", made.shape, f"as many profits as expectations, at least one; got {expected.shape}")
    positive = expected > 0
    wins, count = int((made[positive] > 0).sum()), int(positive.sum())
    low, high = wilson_interval(wins, count)
    gap, n = made - expected, len(made)
    half = Z95 * float(gap.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return ExpectedValueCheck(
        n=n, positive=count, hit_rate=wins / count if count else math.nan, hit_low=low, hit_high=high,
        sign_rate=float((np.sign(made) == np.sign(expected)).mean()), ev=float(expected.mean()),
        pnl=float(made.mean()), difference=float(gap.mean()), difference_low=float(gap.mean()) - half,
        difference_high=float(gap.mean()) + half,
    )  # fmt: skip
