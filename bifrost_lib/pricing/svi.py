"""SVI slices fitted to quotes, with what they allow in arbitrage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.arguments import Floats, numbers
from bifrost_lib.pricing.parts import in_parts
from bifrost_lib.pricing.svi_forms import durrleman_g, svi_total_variance

#: Where g is looked at, in sigmas from m: 4,000 to either side, evenly spaced in arcsinh.
GRID: Floats = np.sinh(np.linspace(-9.0, 9.0, 129))
_ROWS, _RESULTS, _SCRATCH = 8, 9, 160  # as in the compiled loops, from which reading them would import the compiler
_LEAST_PART = 32  # slices of half a millisecond at least

_fit_all = loop("bifrost_lib.pricing.svi_loops", "fit_all")


@dataclass(frozen=True)
class SviSlices:
    """Fitted slices in raw parameters; scalars for one slice, arrays (m,) for a batch.

    `rmse`: root of the weighted mean squared error in total variance; `points`: how many quotes the fit rests on;
    `least_g`: the least value of Durrleman's g anywhere and `least_g_at` its log-moneyness (``-inf`` where total
    variance is negative). All but `points` are NaN where a slice could not be fitted.
    """

    a: Floats
    b: Floats
    rho: Floats
    m: Floats
    sigma: Floats
    rmse: Floats
    points: Floats
    least_g: Floats
    least_g_at: Floats

    @property
    def has_butterfly_arbitrage(self) -> npt.NDArray[np.bool_]:
        """Whether the risk-neutral density is negative somewhere; false for slices that could not be fitted."""
        found: npt.NDArray[np.bool_] = np.less(self.least_g, 0.0)
        return found

    def total_variance(self, log_moneyness: npt.ArrayLike) -> Floats:
        """Return total variance at `log_moneyness` (n,): shape (n,) for one slice, (m, n) for a batch."""
        return svi_total_variance(log_moneyness=log_moneyness, **self._columns())

    def g(self, log_moneyness: npt.ArrayLike) -> Floats:
        """Return Durrleman's g at `log_moneyness` (n,): shape (n,) for one slice, (m, n) for a batch."""
        return durrleman_g(log_moneyness=log_moneyness, **self._columns())

    def _columns(self) -> dict[str, Floats]:
        return {name: np.asarray(getattr(self, name))[..., None] for name in ("a", "b", "rho", "m", "sigma")}


def fit_svi(
    *, log_moneyness: npt.ArrayLike, total_variance: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> SviSlices:
    """Fit raw SVI to the total variances of one slice or of many.

    Parameters
    ----------
    log_moneyness : array_like (n,) or (m, n)
        ln(strike / forward), in any order; (n,) serves all slices of a batch.
    total_variance : array_like (n,) or (m, n)
        iv**2 * tau, >= 0. NaN in either array: the point is missing.
    weights : array_like (n,) or (m, n), optional
        Weights of the squared errors, >= 0, such as 1 / (ask - bid)**2 in total variance; NaN counts as 0. Without
        them all points weigh the same.

    Returns
    -------
    SviSlices
        With scalars for one slice, arrays (m,) for a batch; NaN parameters where a slice has fewer than 5 points that
        count, or all at one log-moneyness.

    Raises
    ------
    InputError
        If a number is outside its domain or shapes do not agree; ``error.name`` says which.

    Notes
    -----
    Weighted least squares in total variance, under the bounds that no slice free of arbitrage can break: both wings
    rise, by a slope of at most 2 (Lee's moment formula), and total variance is nowhere negative. Butterfly arbitrage
    is measured, not prevented; `without_butterfly_arbitrage` removes it. `sigma` is between 0.001 and 20 times the
    range of log-moneyness, and `m` within 1.5 ranges of it.

    References
    ----------
    Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model", 2009; Gatheral & Jacquier (2014).
    """
    k, w, weight, single = slice_arrays(log_moneyness, total_variance, weights)
    found = np.empty((len(w), _RESULTS))

    def run(rows: slice) -> int:
        some = [table if len(table) == 1 else table[rows] for table in (k, w, weight)]
        work = np.empty((_ROWS, max(w.shape[1], 1)))
        return _fit_all(*some, GRID, found[rows], work, np.empty((2, _SCRATCH)))

    in_parts(run, len(w), least=_LEAST_PART, block=1)
    return as_slices(found, single)


def as_slices(found: Floats, single: bool) -> SviSlices:
    """Return the rows that a compiled loop wrote as a result."""
    return SviSlices(*(column[0] if single else column for column in np.ascontiguousarray(found.T)))


def slice_arrays(
    log_moneyness: npt.ArrayLike, total_variance: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats, bool]:
    """Check the quotes of slices; tables of as many rows as slices, or one for all, and whether it was one slice."""
    k, w = numbers("log_moneyness", log_moneyness), numbers("total_variance", total_variance)
    weight = np.ones(w.shape[-1:]) if weights is None else numbers("weights", weights)
    if w.ndim not in (1, 2):
        raise InputError("total_variance", w.shape, "shape (n,) or (m, n)")
    for name, array in (("log_moneyness", k), ("weights", weight)):
        if array.shape not in (w.shape, w.shape[-1:]):
            raise InputError(name, array.shape, f"shape {w.shape} or {w.shape[-1:]}, as total_variance has")
    if np.isinf(k).any():
        raise InputError("log_moneyness", float(k[np.isinf(k)][0]), "finite numbers, or NaN where a point is missing")
    if (wrong := (w < 0) | np.isinf(w)).any():
        raise InputError("total_variance", float(w[wrong][0]), "finite numbers >= 0, or NaN where a point is missing")
    if (wrong := (weight < 0) | np.isinf(weight)).any():
        raise InputError("weights", float(weight[wrong][0]), "finite numbers >= 0")
    tables = [np.ascontiguousarray(np.atleast_2d(array)) for array in (k, w, weight)]
    return tables[0], tables[1], tables[2], w.ndim == 1
