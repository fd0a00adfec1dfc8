"""Which contracts to hold on market-data lines, so that the surface is known best where no line is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.microstructure.surface_model import (
    Places,
    SurfaceModel,
    places_of,
    posterior,
    typical_surface,
)
from bifrost_lib.microstructure.surface_points import Bools, Floats, Ints, Quotes, read_quotes

#: Relative error of volatility that the factorised covariance may leave out.
FACTOR_ERROR = 1e-3
FACTOR_RANK = 400


@dataclass(frozen=True)
class LineChoice:
    """The contracts to hold, and how well they let the rest be known.

    `held`: rows of the chain, the most telling first (forced ones before the others). `sd`: per row of the chain, the
    standard deviation of its volatility given the held lines; NaN where a row has no place on the surface.
    `weight`: per row, its share in the error. `path`: weighted root mean square of `sd` over all rows after 0, 1, 2...
    lines. `expected_before` and `expected_after`: the same over the rows that are not held, with no line and with all.
    Volatilities are decimals.
    """

    held: Ints
    sd: Floats
    weight: Floats
    path: Floats
    expected_before: float
    expected_after: float
    model: SurfaceModel


def choose_lines(
    chain: pd.DataFrame,
    lines: int,
    *,
    model: SurfaceModel | None = None,
    interest: npt.ArrayLike | None = None,
    forced: Sequence[int] = (),
) -> LineChoice:
    """Choose the contracts that tell most about the volatility surface of a chain.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS of one underlying as last seen, in any order; quotes tell how noisy a contract is.
    lines : int
        Contracts that may be held, >= 0.
    model : SurfaceModel, optional
        From `calibrate_surface`; by default typical parameters.
    interest : array_like (n,), optional
        How much the user cares about each row, >= 0, such as an absolute delta or 0 for expiries that nobody watches;
        it multiplies vega. By default 1.
    forced : sequence of int
        Rows that must be held (positions, what a page shows), at most `lines`.

    Returns
    -------
    LineChoice

    Raises
    ------
    InputError
        If an argument is outside its domain or a column is missing; ``error.name`` says which.
    NoDataError
        If no quote of the chain tells a volatility.

    Notes
    -----
    The error is the variance of volatility that the held quotes leave, weighted by vega times interest, over all
    contracts. Each step takes the contract that lowers it most, exactly: the gains of all candidates are updated
    together, in a low-rank factor of the covariance, so nothing is gained by evaluating them lazily. Variance
    reduction is submodular only without suppressor variables, so the guarantee is that of Das and Kempe,
    1 - exp(-gamma) of the optimum with the submodularity ratio gamma; 1 - 1/e is its limit.

    A call and put of one strike show the same volatility, so only one of them is taken, the out-of-the-money one where
    it is quoted; the other sides follow when every strike is held.

    References
    ----------
    Krause, Singh and Guestrin, "Near-Optimal Sensor Placements in Gaussian Processes", JMLR 9 (2008) 235-284; Das and
    Kempe, "Submodular meets Spectral", ICML (2011).
    """
    model = model or typical_surface(chain)
    quotes = read_quotes(chain, model.term)
    wanted = _interest(interest, len(chain))
    must = _forced(forced, lines, len(chain))
    greedy = _Greedy(quotes, model, _point_weights(quotes, wanted))
    for row in greedy.in_order_of_value(must):
        greedy.hold(row)
    for _ in range(lines - len(greedy.held)):
        if not greedy.hold_best():
            break
    held = np.array((greedy.held + greedy.the_rest())[:lines], dtype=np.int64)
    return _choice(quotes, greedy, held, wanted, model)


class _Greedy:
    """Posterior covariance of the points as F S F', and what holding each would gain."""

    def __init__(self, quotes: Quotes, model: SurfaceModel, weight: Floats) -> None:
        places = places_of(quotes, model)
        self.quotes, self.weight, self.noise = quotes, weight * quotes.level**2, model.quote_variance(quotes)
        self.factor = _factor(places, model, self.weight)
        self.left_out = np.maximum(model.variance(places) - (self.factor**2).sum(axis=1), 0.0)
        self.variance = (self.factor**2).sum(axis=1)
        self.spread = np.eye(self.factor.shape[1])
        self.weighted = (self.factor.T * self.weight) @ self.factor
        self.gain = ((self.factor @ self.weighted) * self.factor).sum(axis=1)
        self.open: Bools = quotes.best >= 0
        self.held: list[int] = []
        self.errors = [self.error()]

    def error(self) -> float:
        """Weighted variance over all points."""
        return float(self.weight @ (self.variance + self.left_out))

    def in_order_of_value(self, rows: Ints) -> list[int]:
        gain = {row: self._value(row) for row in rows.tolist()}
        return sorted(gain, key=lambda row: (-gain[row], row))

    def hold_best(self) -> bool:
        """Hold the open point that gains most; false when none is open."""
        if not self.open.any():
            return False
        noise = np.where(self.open, self.noise[self.quotes.best], np.inf)
        value = np.where(self.open, self.gain / (self.variance + self.left_out + noise), -1.0)
        self.hold(int(self.quotes.best[int(value.argmax())]))
        return True

    def hold(self, row: int) -> None:
        """Take the quote of `row` into account."""
        self.held.append(row)
        point = int(self.quotes.point[row])
        if point >= 0 and math.isfinite(self.noise[row]):
            self._learn(point, float(self.noise[row]))
            self.open[point] = False
        self.errors.append(self.error())

    def the_rest(self) -> list[int]:
        """What is not held although every point is: other sides by their noise, then contracts without a quote."""
        rest = np.setdiff1d(np.arange(len(self.noise)), self.held)
        return [int(row) for row in rest[np.argsort(self.noise[rest], kind="stable")]]

    def _value(self, row: int) -> float:
        point = int(self.quotes.point[row])
        noise = self.noise[row]
        return float(self.gain[point] / (self.variance[point] + noise)) if point >= 0 else 0.0

    def _learn(self, point: int, noise: float) -> None:
        # All in the factor's few dimensions; only two of its combinations are spread out over the points.
        pulled = self.spread @ self.factor[point]
        pushed = self.weighted @ pulled
        column, back = (self.factor @ np.column_stack([pulled, self.spread @ pushed])).T
        total = float(self.variance[point] + self.left_out[point] + noise)
        self.gain += (column / total) * (column / total * float(pushed @ pulled) - 2.0 * back)
        self.variance = np.maximum(self.variance - column**2 / total, 0.0)
        self.spread -= np.outer(pulled, pulled) / total
        self.left_out[point] *= noise / (noise + self.left_out[point])


def _factor(places: Places, model: SurfaceModel, weight: Floats) -> Floats:
    # Pivoted incomplete Cholesky: as many columns as the tolerance asks for, where it matters.
    heaviest = float(weight.max(initial=0.0))
    matters = np.sqrt(weight / heaviest) if heaviest > 0 else np.ones(len(weight))
    left = model.variance(places)
    factor = np.zeros((min(FACTOR_RANK, len(left)), len(left)))
    for rank in range(len(factor)):
        pivot = int((left * matters).argmax())
        if left[pivot] * matters[pivot] < FACTOR_ERROR**2:
            return np.ascontiguousarray(factor[:rank].T)
        column = model.covariance(places.at(np.array([pivot])), places)[0]
        column = (column - factor[:rank, pivot] @ factor[:rank]) / math.sqrt(left[pivot])
        factor[rank] = column
        left = np.maximum(left - column**2, 0.0)
        left[pivot] = 0.0
    return np.ascontiguousarray(factor.T)


def _choice(quotes: Quotes, greedy: _Greedy, held: Ints, wanted: Floats, model: SurfaceModel) -> LineChoice:
    placed, at = quotes.point >= 0, np.maximum(quotes.point, 0)
    telling = held[np.isfinite(quotes.log_iv[held])]
    # Exact, where the factor that led the choice leaves a little out.
    before, after = (quotes.level * posterior(quotes, model, rows)[1] for rows in (telling[:0], telling))
    weight = np.where(placed, quotes.vega[at] * wanted, 0.0)
    free = placed.copy()
    free[held] = False
    total = float((greedy.weight / quotes.level**2).sum())
    errors = np.maximum(greedy.errors[: len(held) + 1], 0.0)
    return LineChoice(
        held=held,
        sd=np.where(placed, after[at], np.nan),
        weight=weight,
        path=np.sqrt(errors / total) if total > 0 else np.full(len(errors), np.nan),
        expected_before=weighted_rms(before[at][free], weight[free]),
        expected_after=weighted_rms(after[at][free], weight[free]),
        model=model,
    )


def weighted_rms(values: Floats, weight: Floats) -> float:
    """Return the weighted root mean square; NaN of nothing."""
    total = float(weight.sum())
    return math.sqrt(float(weight @ values**2) / total) if total > 0 else math.nan


def _point_weights(quotes: Quotes, wanted: Floats) -> Floats:
    placed = quotes.point >= 0
    return quotes.vega * np.bincount(quotes.point[placed], wanted[placed], minlength=len(quotes.vega))


def _interest(interest: npt.ArrayLike | None, rows: int) -> Floats:
    wanted = np.ones(rows) if interest is None else np.asarray(interest, dtype=np.float64)
    if wanted.shape != (rows,) or not (np.isfinite(wanted) & (wanted >= 0)).all():
        raise InputError("interest", wanted, f"one finite number >= 0 for each of the {rows} rows")
    return wanted


def _forced(forced: Sequence[int], lines: int, rows: int) -> Ints:
    if lines < 0:
        raise InputError("lines", lines, "a number >= 0")
    must = np.unique(np.asarray(forced, dtype=np.int64))
    if len(must) > lines:
        raise InputError("forced", len(must), f"at most {lines} rows, as many as there are lines")
    if len(must) and not (must[0] >= 0 and must[-1] < rows):
        raise InputError("forced", forced, f"rows of the chain, 0 to {rows - 1}")
    return must
