"""American options on an underlying that pays discrete cash dividends, in the two models that desks use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.pricing.american_dividend_engine import CashPayers, cash_payers
from bifrost_lib.pricing.american_inputs import american_batch
from bifrost_lib.pricing.american_slopes import AMERICAN_GREEKS
from bifrost_lib.pricing.arguments import Floats

# wide bumps, for the exercise at a payment makes prices waver from node to node
_VOL_BUMP = 0.03  # relative
_RATE_BUMP = (1e-3, 2e-3)  # absolute: half of the rate, which is not to change its sign, within these
_NOTHING = 1e-12  # of the strike: as much as an option to be exercised now is worth more than its exercise


def american_dividend_price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    dividend_taus: npt.ArrayLike,
    dividends: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    dividend_model: str = "spot",
    accuracy: str = "default",
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Price American options on an underlying that pays known amounts of cash.

    Parameters
    ----------
    spot, strike, tau, vol, right, rate : array_like (...)
        As for `american_price`.
    div_yield : array_like (...)
        Whatever the underlying yields continuously besides the cash, for example its borrowing fee.
    dividend_taus : array_like (m,)
        Years from now to each ex-dividend moment, > 0; the same for all options. Those after an option's expiry do not
        concern it; one at its expiry goes to who exercises.
    dividends : array_like (m,)
        Currency per share, >= 0.
    dividend_model : {"spot", "escrowed"}
        "spot": the spot itself is lognormal between payments and falls by each, by no more than there is. "escrowed":
        what is lognormal is the spot less the present value of the payments until expiry, and `vol` is that of the
        difference.
    accuracy : {"fast", "default", "accurate"}
        Typical error for a strike of 100: 1e-3, 3e-4 or 3e-5.
    out : ndarray (...) of float64, optional
        Where the result is written, contiguous and of the broadcast shape.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain, if escrowed dividends are worth more than the spot, or if `out` does not
        fit; ``error.name`` says which.

    Notes
    -----
    NaN in, NaN out. Solved by finite differences on two grids and extrapolated from them, a few hundred options a
    second at "default"; without dividends `american_price` is faster and more accurate.

    References
    ----------
    Haug, Haug, Lewis (2003), "Back to basics: a new approach to the discrete dividend problem", Wilmott, September;
    Brennan, Schwartz (1977), "The valuation of American put options", Journal of Finance 32.
    """
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    options = cash_payers(given, dividend_taus, dividends, dividend_model, accuracy)
    target = given.target(out)
    np.maximum(options.values()[0], options.intrinsic, out=target)
    return given.result(target)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def american_dividend_greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    dividend_taus: npt.ArrayLike,
    dividends: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    dividend_model: str = "spot",
    accuracy: str = "default",
    out: Mapping[str, Floats] | Floats | None = None,
) -> dict[str, Any]:
    """Differentiate the prices of American options on an underlying that pays known amounts of cash.

    Parameters
    ----------
    spot, strike, tau, vol, right, dividend_taus, dividends, rate, div_yield, dividend_model, accuracy
        As for `american_dividend_price`.
    out
        As for `american_greeks`.

    Returns
    -------
    dict of str to ndarray (...) of float64
        Raw, per share, as `american_greeks` has them: ``delta``, ``gamma``, ``vega``, ``theta`` and ``rho``. The
        payments' moments draw nearer with theta; their amounts stay. Vega is per 1.00 of the model's own `vol`.

    Raises
    ------
    InputError
        As `american_dividend_price`.

    Notes
    -----
    Delta and gamma are read off the grids around the spot, theta follows from them by the pricing equation; vega and
    rho are central differences on unchanged grids, good to about 0.2 % and 1 % at "default". An option that is to be
    exercised now has delta -1 or 1 and no other greeks. NaN in, NaN out.
    """
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    options = cash_payers(given, dividend_taus, dividends, dividend_model, accuracy)
    memory = given.targets(AMERICAN_GREEKS, out)
    value, slope, bend = options.values()
    start, carry = options.start, options.rate - options.div_yield
    delta, gamma = slope / start, (bend - slope) / start**2
    drifts = carry * options.spot * delta + 0.5 * (options.vol * start) ** 2 * gamma
    found = {
        "delta": delta,
        "gamma": gamma,
        "vega": _difference(options, "vol", _VOL_BUMP * options.vol),
        "theta": options.rate * value - drifts,
        "rho": _difference(options, "rate", np.clip(0.5 * np.abs(options.rate), *_RATE_BUMP)),
    }
    exercised = (options.intrinsic > 0.0) & (value - options.intrinsic <= _NOTHING * options.strike)
    for name, column in memory.items():
        once_exercised = np.where(options.is_call != 0, 1.0, -1.0) if name == "delta" else 0.0
        column[:] = np.where(exercised, once_exercised, found[name])
    return {name: given.result(column) for name, column in memory.items()}


def _difference(options: CashPayers, name: str, bump: Floats) -> Floats:
    everywhere, at = np.arange(bump.size), getattr(options, name)
    ahead, behind = (options.some(everywhere, **{name: at + side * bump}) for side in (1.0, -1.0))
    change = ahead.values(options.width)[0] - behind.values(options.width)[0]
    quotient: Floats = np.divide(change, 2.0 * bump, out=change * 0.0, where=bump > 0.0)
    return quotient
