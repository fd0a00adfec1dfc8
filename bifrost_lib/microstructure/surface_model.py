"""A volatility surface as a Gaussian process, and its calibration to a sweep of a chain.

The logarithm of implied volatility is a level, plus a line and a smooth curve across standardised log-moneyness that
change slowly from expiry to expiry, plus what is peculiar to one expiry (an announcement, a holiday). A quote shows it
with an error that grows with its spread.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.microstructure.surface_points import Floats, Ints, Quotes, TermVol, read_quotes, term_vol

#: Where the wings begin, in standard deviations: beyond, log volatility rises with the logarithm of moneyness.
WING = 2.0
#: What early exercise and the forward's error may add to an in-the-money volatility, relative to it.
IN_THE_MONEY_NOISE = 0.02
#: How far a level may lie from the quotes' median, in log volatility.
LEVEL_SD = 1.0

_WIDTHS = (1.0, 1.0, 1.0, 0.5, 0.7, 1.0, 0.5, 1.0, 1.0)


@dataclass(frozen=True)
class SurfaceModel:
    """Parameters of the process; amplitudes are standard deviations of log volatility.

    `level`, `slope`, `curve`: of the parts that expiries share, `curve_reach` how far apart (in warped standard
    deviations) and `expiry_reach` (in log years) the curve is still alike; `peculiar`, `peculiar_reach`: of the part
    that each expiry has for itself; `spread_share`: the error of a mid as a share of the half spread; `nugget`: error
    of a quote without a spread. `term` standardises moneyness.
    """

    term: TermVol
    level: float = 0.35
    slope: float = 0.10
    curve: float = 0.45
    curve_reach: float = 3.7
    expiry_reach: float = 4.8
    peculiar: float = 0.015
    peculiar_reach: float = 2.3
    spread_share: float = 0.25
    nugget: float = 0.002

    def covariance(self, one: Places, two: Places) -> Floats:
        """Return the covariance of log volatility between places, shape (n of one, n of two)."""
        apart = np.abs(one.across[:, None] - two.across)
        time = np.sqrt(3.0) * np.abs(one.log_tau[:, None] - two.log_tau) / self.expiry_reach
        shared = self.level**2 + self.slope**2 * (one.across[:, None] * two.across)
        shared += self.curve**2 * _matern(apart / self.curve_reach)
        total = LEVEL_SD**2 + (1.0 + time) * np.exp(-time) * shared
        same = np.nonzero(one.expiry[:, None] == two.expiry)
        total[same] += self.peculiar**2 * _matern(apart[same] / self.peculiar_reach)
        return np.asarray(total)

    def variance(self, places: Places) -> Floats:
        """Return the diagonal of `covariance`."""
        shared = self.level**2 + self.curve**2 + self.peculiar**2
        return np.asarray(LEVEL_SD**2 + shared + (self.slope * places.across) ** 2)

    def quote_variance(self, quotes: Quotes) -> Floats:
        """Return the variance of each row's quoted log volatility around the surface; infinite without a quote."""
        inside = np.where(quotes.in_the_money, IN_THE_MONEY_NOISE, 0.0)
        share = np.where(quotes.in_the_money, 1.0, self.spread_share)
        return np.asarray((share * quotes.relative_noise) ** 2 + self.nugget**2 + inside**2)


@dataclass(frozen=True)
class Places:
    """Where points lie: `across` in warped standard deviations, `log_tau`, and the number of the expiry."""

    across: Floats
    log_tau: Floats
    expiry: Ints

    def at(self, rows: Ints) -> Places:
        """Return some of the places."""
        return Places(self.across[rows], self.log_tau[rows], self.expiry[rows])


def places_of(quotes: Quotes, model: SurfaceModel) -> Places:
    """Return where the points of a chain lie."""
    standard = quotes.log_moneyness / (model.term.at(quotes.tau) * np.sqrt(quotes.tau))
    return Places(WING * np.arcsinh(standard / WING), np.log(quotes.tau), quotes.expiry)


def typical_surface(chain: pd.DataFrame) -> SurfaceModel:
    """Return the model with parameters that are typical of stocks and index funds, on the chain's own term structure.

    Raises
    ------
    NoDataError
        If no quote of the chain tells a volatility.
    """
    return SurfaceModel(term_vol(chain))


def calibrate_surface(chain: pd.DataFrame, *, sample: int = 200, seed: int = 0) -> SurfaceModel:
    """Calibrate the model to a sweep of a chain, by the largest marginal likelihood of its quotes.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS, as complete as possible, in any order.
    sample : int
        Points that the likelihood looks at, >= 20; time grows with the cube. They are drawn with a preference for
        vega, each with its out-of-the-money quote.
    seed : int
        Of the draw.

    Returns
    -------
    SurfaceModel
        For `choose_lines` and `estimate_surface`. It stays valid for days; a second or two to make.

    Raises
    ------
    NoDataError
        If fewer than 20 points are quoted.
    InputError
        If `sample` is too small or a column is missing.

    Notes
    -----
    Weak lognormal priors around typical values keep what a chain cannot tell (the reach between expiries of a chain
    with one) where it is typical.

    References
    ----------
    Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), eq. 5.8.
    """
    if sample < 20:
        raise InputError("sample", sample, "at least 20 points")
    from scipy.optimize import minimize

    start = typical_surface(chain)
    quotes = read_quotes(chain, start.term)
    points = quotes.informed
    if len(points) < 20:
        raise NoDataError("surface", points=len(points), hint="20 quoted out-of-the-money options are needed")
    likes: Floats = quotes.vega[points] ** 0.25
    size = min(sample, int(np.count_nonzero(likes)))
    points = np.sort(np.random.default_rng(seed).choice(points, size, replace=False, p=likes / likes.sum()))
    places, rows = places_of(quotes, start).at(points), quotes.best[points]
    seen = quotes.log_iv[rows] - np.median(quotes.log_iv[rows])
    centre = np.log([getattr(start, name) for name in _NAMES])

    def badness(logs: Floats) -> float:
        model = _with(start, logs)
        covariance = model.covariance(places, places)
        covariance[np.diag_indices_from(covariance)] += model.quote_variance(quotes)[rows]
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return 1e10
        white = np.linalg.solve(factor, seen)
        return float(
            0.5 * white @ white + np.log(np.diag(factor)).sum() + 0.5 * (((logs - centre) / _WIDTHS) ** 2).sum()
        )

    bounds = [(middle - 4 * width, middle + 4 * width) for middle, width in zip(centre, _WIDTHS, strict=True)]
    found = minimize(badness, centre, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40})
    return _with(start, found.x)


_NAMES = tuple(each.name for each in fields(SurfaceModel) if each.name != "term")


def _with(model: SurfaceModel, logs: Floats) -> SurfaceModel:
    return SurfaceModel(model.term, *(float(value) for value in np.exp(logs)))


def posterior(quotes: Quotes, model: SurfaceModel, rows: Ints) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of every point's log volatility, given the quotes of `rows`.

    `rows` are rows of the chain whose quotes tell a volatility; none of them leaves the prior.
    """
    places = places_of(quotes, model)
    if not len(rows):
        return np.log(quotes.level), np.sqrt(model.variance(places))
    from scipy.linalg import cho_solve, solve_triangular

    seen_at = places.at(quotes.point[rows])
    covariance = model.covariance(seen_at, seen_at)
    covariance[np.diag_indices_from(covariance)] += model.quote_variance(quotes)[rows]
    factor = np.linalg.cholesky(covariance)
    middle = float(np.median(quotes.log_iv[rows]))
    across = model.covariance(seen_at, places)
    mean = middle + cho_solve((factor, True), quotes.log_iv[rows] - middle, check_finite=False) @ across
    reach = solve_triangular(factor, across, lower=True, overwrite_b=True, check_finite=False)
    left = model.variance(places) - np.einsum("ij,ij->j", reach, reach)
    return mean, np.sqrt(np.maximum(left, 0.0))


def _matern(distance: Floats) -> Floats:
    # Smoothness 5/2: curves that have a curvature, as smiles do.
    scaled = np.sqrt(5.0) * distance
    return np.asarray((1.0 + scaled + scaled * scaled / 3.0) * np.exp(-scaled))
