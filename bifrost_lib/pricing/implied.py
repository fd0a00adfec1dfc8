"""Implied volatility of European options: for every price that has one, with the reason where there is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.arguments import Batch, Floats, batch, refuse
from bifrost_lib.pricing.parts import in_parts
from bifrost_lib.pricing.workspace import workspace

METHODS = ("householder", "lets_be_rational")

_DOMAIN = {"spot": "numbers > 0", "strike": "numbers > 0", "tau": "years >= 0"}
_implied_all = loop("bifrost_lib.pricing.implied_loops", "implied_all")


def implied_vol(
    *,
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    method: str = "householder",
    return_status: bool = False,
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Solve European prices for volatility, element by element.

    Parameters
    ----------
    price : array_like (...)
        Currency per share.
    spot, strike, tau, right, rate, div_yield : array_like (...)
        As for `bifrost_lib.pricing.price`.
    method : {"householder", "lets_be_rational"}
        "householder" is Bifrost's own compiled solver. "lets_be_rational" is the published reference solver, in
        pure Python and about a thousand times slower, for independent checks.
    return_status : bool
        Also return why there is no volatility.
    out : ndarray (...) of float64, optional
        Where the result is written, contiguous and of the broadcast shape.

    Returns
    -------
    ndarray (...) of float64
        Annual decimal; a float for scalar arguments; NaN where no volatility gives that price.
    ndarray (...) of int8
        Only with `return_status`: codes of `bifrost_lib.core.quality.Quality`; OK, BELOW_INTRINSIC, ABOVE_MAXIMUM,
        EXPIRED (``tau == 0``), NO_IV (the price equals the intrinsic value), NO_QUOTE and NO_SPOT (NaN arguments).

    Raises
    ------
    InputError
        If `spot`, `strike`, `tau`, `right` or `method` is outside its domain; ``error.name`` says which. A price
        outside the no-arbitrage bounds is never an error.

    Notes
    -----
    The result is within a few ulp of the volatility that the price carries, for out-of-the-money prices down to
    1e-290 of the strike. An in-the-money price is reduced by its intrinsic value first, and a price near its maximum
    by that maximum; what is left has an absolute error of about 1e-16 of the larger of spot and strike, and nothing
    can bring back the digits below it. Where it is no larger than that error, the status is NO_IV.

    References
    ----------
    Jäckel (2015), "Let's Be Rational", Wilmott 75, 40-53.

    Examples
    --------
    >>> round(float(implied_vol(price=10.450584, spot=100, strike=100, tau=1, right="C", rate=0.05)), 6)
    0.2
    """
    if method not in METHODS:
        raise InputError("method", method, " or ".join(METHODS))
    given = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    iv, status = given.target(out), np.empty(given.size, dtype=np.int8)
    flags = in_parts(
        lambda rows: _implied_all(*given.part(rows), given.steps, iv[rows], status[rows], workspace()), given.size
    )
    refuse(flags, _DOMAIN, given.columns[1:4])
    if method == "lets_be_rational":
        _reference_solver(given, iv, status == Quality.OK)
    return (given.result(iv), given.result(status)) if return_status else given.result(iv)


def _reference_solver(given: Batch, iv: Floats, solvable: npt.NDArray[np.bool_]) -> None:
    from vollib.lets_be_rational import implied_volatility_from_a_transformed_rational_guess as solve

    value, s0, k, tau, call, rate, q = (np.broadcast_to(column, given.size) for column in given.columns)
    for i in np.flatnonzero(solvable):
        growth = math.exp(rate[i] * tau[i])
        forward = s0[i] * math.exp((rate[i] - q[i]) * tau[i])
        iv[i] = solve(value[i] * growth, forward, k[i], tau[i], 1 if call[i] else -1)
