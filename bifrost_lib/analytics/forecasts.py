"""Forecasts and what became of them: checked, and how certain one may be taken to be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]

#: A forecast of 0 or 1 that fails would be infinitely wrong: it counts as this far from certain.
CERTAIN = 1e-6


def forecast_pairs(forecast: npt.ArrayLike, won: npt.ArrayLike, *, fewest: int = 1) -> tuple[Floats, Floats]:
    """Return forecasts, and 1 or 0 for each that came true or did not, shape (n,); `InputError` if they are none."""
    p, y = finite_numbers("forecast", forecast), finite_numbers("won", won)
    if p.shape != y.shape or len(p) < fewest:
        raise InputError("won", y.shape, f"one outcome for each forecast, at least {fewest}; forecasts are {p.shape}")
    if ((p < 0) | (p > 1)).any():
        raise InputError("forecast", float(p[(p < 0) | (p > 1)][0]), "probabilities from 0 to 1")
    if ((y != 0) & (y != 1)).any():
        raise InputError("won", float(y[(y != 0) & (y != 1)][0]), "true or false")
    return p, y


def finite_numbers(name: str, values: npt.ArrayLike) -> Floats:
    """Return finite numbers of shape (n,); `InputError` if they are not."""
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(name, values, "numbers") from None
    if found.ndim != 1 or not np.isfinite(found).all():
        raise InputError(name, found.shape, "finite numbers of shape (n,): leave out what is not known")
    return found
