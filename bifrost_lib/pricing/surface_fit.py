"""From quoted volatilities to a surface without arbitrage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.pricing.arguments import Floats, numbers
from bifrost_lib.pricing.surface import VolSurface
from bifrost_lib.pricing.surface_arbitrage import without_arbitrage
from bifrost_lib.pricing.svi import SviSlices, fit_svi

_LEAST_POINTS = 5
_NARROWEST = 0.25  # of the median spread: no single quote may dominate a slice


def fit_surface(
    *,
    tau: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    iv: npt.ArrayLike,
    iv_spread: npt.ArrayLike | None = None,
    arbitrage: str = "remove",
) -> VolSurface:
    """Fit a volatility surface to quotes, one SVI slice for each expiry, and remove arbitrage.

    Parameters
    ----------
    tau : array_like (n,)
        Years to expiry, > 0; quotes of one expiry carry the same number.
    forward : array_like (n,)
        Forward of the quote's expiry, > 0.
    strike, iv : array_like (n,)
        Currency per share, > 0; decimal, annual, > 0. A quote with NaN anywhere is left out. Use out-of-the-money
        quotes: those in the money carry the same information less exactly.
    iv_spread : array_like (n,), optional
        Volatility of the ask less that of the bid, > 0. Squared errors in total variance then weigh one over its
        square; without it all quotes weigh the same.
    arbitrage : {"remove", "allow"}
        Whether slices give way where they admit butterfly or calendar arbitrage.

    Returns
    -------
    VolSurface

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.
    NoDataError
        If no expiry has the five quotes that a slice needs; expiries with fewer are left out.

    References
    ----------
    Gatheral & Jacquier (2014); Zeliade Systems (2009).
    """
    if arbitrage not in ("remove", "allow"):
        raise InputError("arbitrage", arbitrage, "remove or allow")
    t, f, x, vol, spread = _columns(tau, forward, strike, iv, iv_spread)
    years, forwards, k, w, weights, half = _tables(t, f, x, vol, spread)
    found = fit_svi(log_moneyness=k, total_variance=w, weights=weights)
    fitted = np.isfinite(found.a)
    if arbitrage == "remove":
        kept = without_arbitrage(found, log_moneyness=k, total_variance=w, weights=weights)
    else:
        kept = found
    moved: npt.NDArray[np.bool_] = np.zeros(len(years), dtype=bool)
    for name in ("a", "b", "rho", "m", "sigma"):
        moved |= np.asarray(getattr(kept, name)) != np.asarray(getattr(found, name))
    rmse, within = _quality(kept, years, k, w, half)
    columns = (getattr(kept, name)[fitted] for name in SviSlices.__dataclass_fields__)
    return VolSurface(years[fitted], forwards[fitted], SviSlices(*columns), rmse[fitted], within[fitted], moved[fitted])


def _columns(
    tau: npt.ArrayLike, forward: npt.ArrayLike, strike: npt.ArrayLike, iv: npt.ArrayLike, spread: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    given = {"tau": tau, "forward": forward, "strike": strike, "iv": iv}
    given |= {"iv_spread": np.nan if spread is None else spread}
    arrays = [numbers(name, value) for name, value in given.items()]
    try:
        columns = np.broadcast_arrays(*arrays)
    except ValueError:
        raise InputError("iv", [array.shape for array in arrays], "columns of one length") from None
    if columns[0].ndim != 1:
        raise InputError("tau", columns[0].shape, "shape (n,)")
    for name, column in zip(given, columns, strict=True):
        if (column <= 0).any():
            raise InputError(name, float(column[column <= 0][0]), "numbers > 0, or NaN where a quote is missing")
    needed = columns[:4] if spread is None else columns
    whole = np.isfinite(np.stack(needed)).all(axis=0)
    t, f, x, vol, width = (column[whole] for column in columns)
    return t, f, x, vol, width


def _tables(t: Floats, f: Floats, x: Floats, vol: Floats, spread: Floats) -> tuple[Floats, ...]:
    """Return one row for each expiry that has enough quotes, padded with NaN."""
    years, row, counts = np.unique(t, return_inverse=True, return_counts=True)
    enough = counts >= _LEAST_POINTS
    if not enough.any():
        raise NoDataError("surface", hint=f"an expiry needs {_LEAST_POINTS} quotes", quotes=len(t))
    kept = enough[row]
    t, f, x, vol, spread = (column[kept] for column in (t, f, x, vol, spread))
    row = (np.cumsum(enough) - 1)[row[kept]]
    order = np.argsort(row, kind="stable")
    starts = np.r_[0, np.cumsum(counts[enough])[:-1]]
    place = np.empty(len(row), dtype=np.int64)
    place[order] = np.arange(len(row)) - starts[row[order]]
    shape = (int(enough.sum()), int(counts[enough].max()))
    k, w, half, weight = (np.full(shape, np.nan) for _ in range(4))
    k[row, place], w[row, place], half[row, place] = np.log(x / f), vol**2 * t, spread / 2
    width = 2 * vol * t * spread  # of the quote, in total variance
    median = np.array([np.median(width[row == number]) for number in range(shape[0])])
    with np.errstate(invalid="ignore"):
        weight[row, place] = np.where(np.isnan(width), 1.0, 1 / np.maximum(width, _NARROWEST * median[row]) ** 2)
    weight /= np.nanmax(weight, axis=1, keepdims=True)
    forwards = np.array([f[row == number][0] for number in range(shape[0])])
    return years[enough], forwards, k, w, weight, half


def _quality(slices: SviSlices, years: Floats, k: Floats, w: Floats, half: Floats) -> tuple[Floats, Floats]:
    fitted = np.array([_row(slices, number, k[number]) for number in range(len(years))])
    with np.errstate(invalid="ignore"):
        off = (np.sqrt(fitted) - np.sqrt(w)) / np.sqrt(years)[:, None]
    there, known = np.isfinite(off), np.isfinite(half)
    rmse = np.sqrt(np.where(there, off**2, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))
    inside = (there & known & (np.abs(off) <= half)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(there.any(axis=1), rmse, np.nan), inside / (there & known).sum(axis=1)


def _row(slices: SviSlices, number: int, k: Floats) -> Floats:
    a, b, rho, m, sigma = (getattr(slices, name)[number] for name in ("a", "b", "rho", "m", "sigma"))
    w: Floats = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
    return w
