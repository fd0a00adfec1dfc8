"""European options under Black-Scholes-Merton: price and greeks, vectorised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.arguments import Batch, Floats, batch, refuse
from bifrost_lib.pricing.parts import in_parts
from bifrost_lib.pricing.workspace import workspace

GREEKS: tuple[str, ...] = (
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "vanna",
    "volga",
    "charm",
    "speed",
    "zomma",
    "color",
)

MEASURES: tuple[str, ...] = ("price", *GREEKS)

_NOTHING = np.empty(0)
_DOMAIN = {"spot": "numbers > 0", "strike": "numbers > 0", "tau": "years >= 0", "vol": "numbers >= 0"}


_LOOPS = "bifrost_lib.pricing.european_loops"
_price_all = loop(_LOOPS, "price_all")
_greeks_all = loop(_LOOPS, "greeks_all")


def _prepare(spot: Any, strike: Any, tau: Any, vol: Any, right: Any, rate: Any, div_yield: Any) -> Batch:
    return batch(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)


def price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Price European options, element by element.

    Parameters
    ----------
    spot, strike : array_like (...)
        Currency per share, > 0. All arguments broadcast against each other.
    tau : array_like (...)
        Years to expiry, ACT/365F, >= 0.
    vol : array_like (...)
        Annual volatility, a decimal, >= 0.
    right : str or array_like (...)
        "C" or "P": text, an array of text, a pandas Series or categorical, or booleans (int8) true for calls.
    rate, div_yield : array_like (...)
        Continuous annual decimals. ``rate=r, div_yield=r`` with a futures price as `spot` is Black-76.
    out : ndarray (...) of float64, optional
        Where the result is written, contiguous and of the broadcast shape.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside the domain given above; ``error.name`` says which.

    Notes
    -----
    At ``tau == 0`` or ``vol == 0``: the discounted intrinsic value of the forward. NaN in, NaN out. Out-of-the-money
    prices keep their relative accuracy down to about 1e-300.

    References
    ----------
    Merton (1973), "Theory of Rational Option Pricing"; Haug, "The Complete Guide to Option Pricing Formulas",
    2nd ed. (2007), section 1.1.6.

    Examples
    --------
    >>> round(float(price(spot=100, strike=100, tau=1, vol=0.2, right="C", rate=0.05)), 6)
    10.450584
    """
    given = _prepare(spot, strike, tau, vol, right, rate, div_yield)
    found = given.target(out)
    refuse(fill_prices(given, found), _DOMAIN, given.columns)
    return given.result(found)


def fill_prices(given: Batch, found: Floats) -> int:
    """Write the prices of the options in `given` to `found`; return a bit for each argument outside its domain."""
    return in_parts(lambda rows: _price_all(*given.part(rows), given.steps, found[rows], workspace()), given.size)


def greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    names: Sequence[str] = GREEKS,
    out: Mapping[str, Floats] | Floats | None = None,
) -> dict[str, Any]:
    """Differentiate the prices of European options, element by element.

    Parameters
    ----------
    spot, strike, tau, vol, right, rate, div_yield : array_like (...)
        As for `price`.
    names : sequence of str
        Which greeks to return; "price" may be among them, and costs less there than a call of its own.
    out : mapping of str to ndarray (...), or ndarray (len(names), ...), of float64, optional
        Where the results are written, contiguous and each of the broadcast shape.

    Returns
    -------
    dict of str to ndarray (...) of float64
        Raw, per share: ``delta`` and ``gamma`` per 1.00 of spot, ``vega`` per 1.00 of vol, ``theta`` per year of
        calendar time, ``rho`` per 1.00 of rate, ``vanna`` (delta per vol), ``volga`` (vega per vol), ``charm``
        (delta per year of calendar time), ``speed`` (gamma per spot), ``zomma`` (gamma per vol), ``color`` (gamma
        per year of calendar time).

    Raises
    ------
    InputError
        If an argument is outside its domain, or `out` does not fit; ``error.name`` says which.

    Notes
    -----
    At ``tau == 0`` or ``vol == 0`` the greeks are those of the discounted intrinsic value; exactly at the kink delta
    is the mean of both sides and gamma exceeds 1e+90. NaN in, NaN out.

    References
    ----------
    Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed. (2007), chapter 2.
    """
    given = _prepare(spot, strike, tau, vol, right, rate, div_yield)
    for name in names:
        if name not in MEASURES:
            raise UnknownNameError("names", name, MEASURES)
    memory = given.targets(list(dict.fromkeys(names)), out)
    found = [memory.get(name, _NOTHING) for name in MEASURES]
    flags = in_parts(
        lambda rows: _greeks_all(
            *given.part(rows), given.steps, rows.stop - rows.start, *(one[rows] for one in found), workspace()
        ),
        given.size,
    )
    refuse(flags, _DOMAIN, given.columns)
    return {name: given.result(one) for name, one in memory.items()}
