"""Arbitrage between and within SVI slices: measured, and removed where it is within one."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.arguments import Floats, numbers
from bifrost_lib.pricing.svi import GRID, SviSlices, as_slices, slice_arrays
from bifrost_lib.pricing.svi_forms import svi_total_variance
from bifrost_lib.pricing.svi_refit import SliceQuotes, lowest_g, refitted, slice_quotes

_METHODS = ("nearest", "call_wing", "guaranteed")
_SIGMA, _RMSE, _LEAST_G = 4, 5, 7  # columns of a row that `fit_svi` makes
_HALVINGS = 12
_CLEAR = 1e-6  # of g, by which its least value may be missed
_WORTH_ANOTHER = 0.98  # of the loss: the solver is asked again while it gets on by as much
_OWN_POINTS = np.linspace(-4.0, 4.0, 41)  # sigmas from m, where a slice stands in for its quotes

_repair_all = loop("bifrost_lib.pricing.svi_repair_loops", "repair_all")


@dataclass(frozen=True)
class CalendarCrossings:
    """Where total variance falls from one slice to the next, one element per pair of neighbours (m - 1,).

    `excess`: by how much the earlier slice's total variance exceeds the later one's at most, 0 where it nowhere does;
    `log_moneyness`: where that is, NaN without excess; `wings`: whether a wing of the earlier slice is steeper, so that
    the two cross far out even if they do not in the range looked at.
    """

    excess: Floats
    log_moneyness: Floats
    wings: npt.NDArray[np.bool_]

    @property
    def crossed(self) -> npt.NDArray[np.bool_]:
        """Whether the pair allows calendar arbitrage in the range looked at."""
        found: npt.NDArray[np.bool_] = self.excess > 0
        return found


def without_butterfly_arbitrage(
    slices: SviSlices,
    *,
    log_moneyness: npt.ArrayLike | None = None,
    total_variance: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    method: str = "nearest",
) -> SviSlices:
    """Replace slices that allow butterfly arbitrage by ones that do not; the others stay as they are.

    Parameters
    ----------
    slices : SviSlices
        One slice or a batch.
    log_moneyness, total_variance, weights : array_like, optional
        The quotes, as for `fit_svi`. Without them the result stays near the slices themselves, seen at 41 points
        within 4 sigma of m.
    method : str
        ``"nearest"``: of all slices free of arbitrage the one nearest the quotes, in weighted squares of total variance
        as in `fit_svi`. The others keep at-the-money variance, skew and put wing: ``"guaranteed"`` is the slice that
        is known to be free of arbitrage (c' = p + 2 psi); ``"call_wing"`` the nearest of those whose call wing and
        least variance are between the original and the guaranteed slice.

    Returns
    -------
    SviSlices
        With `least_g` and `rmse` of the new slices; NaN where at-the-money variance is not > 0.

    Raises
    ------
    InputError
        If quotes are incomplete or do not fit the slices; ``error.name`` says which.

    Notes
    -----
    Where even the guaranteed slice has wings too steep for SSVI's conditions, its wings are lowered together, which
    changes its skew. The nearest slice is looked for by sequential quadratic programming from those of the other two
    methods, tens of milliseconds each; where that finds nothing better, the better of these is the answer.

    References
    ----------
    Gatheral & Jacquier (2014), section 5.1.
    """
    if method not in _METHODS:
        raise UnknownNameError("method", method, _METHODS)
    table = np.ascontiguousarray(np.atleast_2d(np.stack([np.asarray(x, dtype=float) for x in astuple(slices)], -1)))
    single = np.ndim(slices.a) == 0
    k, w, weight = _quotes_of(slices, log_moneyness, total_variance, weights)
    if len(w) != len(table):
        raise InputError("total_variance", w.shape, f"{len(table)} rows, one per slice")
    starts = table.copy()
    _repair_all(starts, k, w, weight, 0, GRID, np.empty(len(GRID)))
    if method == "guaranteed":
        return as_slices(starts, single)
    wrong = np.flatnonzero(table[:, _LEAST_G] < 0)
    _repair_all(table, k, w, weight, 1, GRID, np.empty(len(GRID)))
    if method == "nearest":
        for row, quotes in zip(wrong, _counted(k, w, weight, wrong), strict=True):
            _move_nearer(table[row], starts[row], quotes)
    return as_slices(table, single)


def _counted(k: Floats, w: Floats, weight: Floats, rows: npt.NDArray[np.int64]) -> list[SliceQuotes]:
    some = [np.broadcast_to(one, w.shape)[rows] for one in (k, w, weight)]
    return slice_quotes(*some)


def _move_nearer(found: Floats, other: Floats, quotes: SliceQuotes) -> None:
    """Replace the slice in the row `found` by the nearest one free of arbitrage, if that is nearer."""
    if not (np.isfinite(found[:_RMSE]).all() and quotes.k.size):
        return
    best, loss = found[:_RMSE].copy(), quotes.loss(found[:_RMSE])
    starts = [best, other[:_RMSE], np.array([*best[:_SIGMA], quotes.deviation])]
    while starts:
        moved = _freed(refitted(starts.pop(), quotes), quotes.deviation)
        if (nearer := quotes.loss(moved)) < loss:
            if nearer < _WORTH_ANOTHER * loss:
                starts.append(moved)
            best, loss = moved, nearer
            found[:_RMSE], found[_RMSE] = best, np.sqrt(loss)
            found[_LEAST_G], found[_LEAST_G + 1] = lowest_g(best)


def _freed(raw: Floats, deviation: float) -> Floats:
    """Raise the level of a slice by what its g lacks; the solver keeps g > 0 only nearly, and at its own points."""
    level, low, step = raw[0], raw[0], 1e-6 * deviation**2
    freed = raw.copy()
    while lowest_g(freed)[0] < _CLEAR:
        low, level = level, level + step
        freed[0] = level
        step *= 2
    for _ in range(_HALVINGS if level > low else 0):
        freed[0] = 0.5 * (low + level)
        low, level = (low, freed[0]) if lowest_g(freed)[0] >= _CLEAR else (freed[0], level)
    freed[0] = level
    return freed


def _quotes_of(
    slices: SviSlices,
    log_moneyness: npt.ArrayLike | None,
    total_variance: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
) -> tuple[Floats, Floats, Floats]:
    if total_variance is None:
        if log_moneyness is not None or weights is not None:
            raise InputError("total_variance", None, "total variances, where other parts of the quotes are given")
        m, sigma = np.atleast_1d(slices.m)[:, None], np.atleast_1d(slices.sigma)[:, None]
        k = m + sigma * _OWN_POINTS
        return k, np.atleast_2d(slices.total_variance(k[0] if np.ndim(slices.a) == 0 else k)), np.ones((1, k.shape[1]))
    if log_moneyness is None:
        raise InputError("log_moneyness", None, "where the total variances are quoted")
    k, w, weight, _ = slice_arrays(log_moneyness, total_variance, weights)
    return k, w, weight


def calendar_crossings(slices: SviSlices, *, log_moneyness: npt.ArrayLike | None = None) -> CalendarCrossings:
    """Measure where total variance falls with time between neighbouring slices, which is calendar arbitrage.

    Parameters
    ----------
    slices : SviSlices
        A batch of at least two, ordered by time to expiry.
    log_moneyness : array_like (n,), optional
        Where to look; by default 301 points from -1.5 to 1.5.

    Returns
    -------
    CalendarCrossings
        One element per pair of neighbours. A pair with a slice that could not be fitted has an excess of NaN.

    Raises
    ------
    InputError
        If there is only one slice, or `log_moneyness` is not a row of numbers; ``error.name`` says which.

    References
    ----------
    Gatheral & Jacquier (2014), Lemma 2.1 and, for the measure, section 5.2.
    """
    if np.ndim(slices.a) != 1 or len(slices.a) < 2:
        raise InputError("slices", np.shape(slices.a), "a batch of at least two slices")
    k = np.linspace(-1.5, 1.5, 301) if log_moneyness is None else numbers("log_moneyness", log_moneyness)
    if k.ndim != 1 or not k.size or not np.isfinite(k).all():
        raise InputError("log_moneyness", log_moneyness, "finite numbers (n,)")
    columns = {name: getattr(slices, name)[:, None] for name in ("a", "b", "rho", "m", "sigma")}
    w = svi_total_variance(log_moneyness=k, **columns)
    above = w[:-1] - w[1:]
    at = above.argmax(axis=1)
    excess = np.maximum(np.take_along_axis(above, at[:, None], axis=1)[:, 0], 0.0)
    rising, falling = slices.b * (1 + slices.rho), slices.b * (1 - slices.rho)
    wings = (rising[:-1] > rising[1:]) | (falling[:-1] > falling[1:])
    return CalendarCrossings(excess, np.where(excess > 0, k[at], np.nan), wings)
