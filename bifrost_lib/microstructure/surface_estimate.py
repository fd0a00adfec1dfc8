"""Volatilities of contracts that are not on a line, from those that are, and how wrong they turn out to be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.microstructure.line_choice import LineChoice, weighted_rms
from bifrost_lib.microstructure.surface_model import SurfaceModel, posterior, typical_surface
from bifrost_lib.microstructure.surface_points import Floats, Ints, read_quotes


@dataclass(frozen=True)
class SurfaceEstimate:
    """Per row of a chain, the volatility that the held quotes imply and its standard deviation, as decimals.

    NaN where a contract has no place on the surface (no forward, expired).
    """

    iv: Floats
    sd: Floats


@dataclass(frozen=True)
class HeldOutError:
    """How wrong the surface is where no line is, measured at strikes whose quotes were not used.

    `rmse`: vega-weighted root mean square difference to the quoted volatility, a decimal. `expected`: what the model
    said it would be, the quotes' own noise included; `ratio` = rmse / expected, 1 is honest. `within_spread`: share of
    vega at which the estimate lies between the volatilities of bid and ask. `strikes`: how many were compared.
    """

    rmse: float
    expected: float
    within_spread: float
    strikes: int

    @property
    def ratio(self) -> float:
        return self.rmse / self.expected


def estimate_surface(
    chain: pd.DataFrame, held: Sequence[int] | Ints, *, model: SurfaceModel | None = None
) -> SurfaceEstimate:
    """Estimate the volatility of every contract of a chain from the quotes of some of them.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS; of the rows that are not held only contract, forward and tau are looked at.
    held : sequence of int
        Rows whose quotes are live.
    model : SurfaceModel, optional
        From `calibrate_surface`, or a choice's; by default typical parameters on the held quotes' term structure.

    Returns
    -------
    SurfaceEstimate
        What a page may show for a contract without a line; a held row gets the smoothed value, too.

    Raises
    ------
    NoDataError
        If no held quote tells a volatility.
    InputError
        If `held` are no rows of the chain or a column is missing.

    References
    ----------
    Rasmussen and Williams (2006), eqs. 2.23-2.24.
    """
    rows = np.unique(np.asarray(held, dtype=np.int64))
    if len(rows) and not (rows[0] >= 0 and rows[-1] < len(chain)):
        raise InputError("held", held, f"rows of the chain, 0 to {len(chain) - 1}")
    model = model or typical_surface(chain.iloc[rows])
    quotes = read_quotes(chain, model.term)
    rows = rows[np.isfinite(quotes.log_iv[rows])]
    if not len(rows):
        raise NoDataError("implied volatility", held=len(held), hint="no held line has a two-sided quote yet")
    mean, sd = posterior(quotes, model, rows)
    placed, at = quotes.point >= 0, np.maximum(quotes.point, 0)
    iv = np.where(placed, np.exp(mean)[at], np.nan)
    return SurfaceEstimate(iv, np.where(placed, iv * sd[at], np.nan))


def held_out_error(
    chain: pd.DataFrame, choice: LineChoice, *, among: Sequence[int] | Ints | None = None
) -> HeldOutError:
    """Measure the error of a choice on real quotes: fit on the held ones, compare with the others.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS, the chain of the choice or the same contracts seen later.
    choice : LineChoice
        Its `held`, `weight` and `model` are used.
    among : sequence of int, optional
        Rows to compare at, for choices that are compared with each other; by default all that are not held.

    Returns
    -------
    HeldOutError
        Over strikes neither side of which is held, each by its out-of-the-money quote: an in-the-money volatility says
        more about the forward than about the surface. NaN where nothing can be compared.

    Raises
    ------
    InputError
        If the chain has not as many rows as that of the choice.
    NoDataError
        If no held quote tells a volatility.
    """
    if len(chain) != len(choice.sd):
        raise InputError("chain", len(chain), f"the {len(choice.sd)} rows of the choice's chain")
    quotes = read_quotes(chain, choice.model.term)
    estimate = estimate_surface(chain, choice.held, model=choice.model)
    free = np.ones(len(quotes.best), dtype=bool)
    of_held = quotes.point[choice.held]
    free[of_held[of_held >= 0]] = False
    rows = quotes.best[free & (quotes.best >= 0)]
    if among is not None:
        rows = np.intersect1d(rows, np.asarray(among, dtype=np.int64))
    if not len(rows):
        return HeldOutError(math.nan, math.nan, math.nan, 0)
    quoted, weight = np.exp(quotes.log_iv[rows]), choice.weight[rows]
    error = estimate.iv[rows] - quoted
    variance = estimate.sd[rows] ** 2 + quoted**2 * choice.model.quote_variance(quotes)[rows]
    inside = np.abs(error) <= quotes.relative_noise[rows] * quoted
    return HeldOutError(
        weighted_rms(error, weight),
        weighted_rms(np.sqrt(variance), weight),
        float(weight @ inside / weight.sum()) if weight.sum() > 0 else math.nan,
        len(rows),
    )
