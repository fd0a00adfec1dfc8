"""Implied volatility of American options on shares that pay cash, with the reason where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.american_dividend_engine import CashPayers, cash_payers
from bifrost_lib.pricing.american_implied import american_implied_vol
from bifrost_lib.pricing.american_inputs import american_batch
from bifrost_lib.pricing.arguments import Flags, Floats, batch
from bifrost_lib.pricing.european import greeks

_TURNS = 40
_CLOSE = 1e-9  # relative change of the volatility at which the search ends
_LARGEST_WIDTH = 20.0  # vol sqrt(tau)
_LEAST_START = 0.1  # of the spot: payments that leave less are no guide
_FIRST = 0.3  # where there is nothing better
_NOISE = {"fast": 1e-5, "default": 2e-6, "accurate": 3e-7}  # of the strike: errors of a grid's price


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def american_dividend_implied_vol(
    *,
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    dividend_taus: npt.ArrayLike,
    dividends: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    dividend_model: str = "spot",
    accuracy: str = "default",
    return_status: bool = False,
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Solve prices of American options on an underlying that pays known amounts of cash for volatility.

    Parameters
    ----------
    price : array_like (...)
        Currency per share.
    spot, strike, tau, right, dividend_taus, dividends, rate, div_yield, dividend_model, accuracy, out
        As for `american_dividend_price`.
    return_status : bool
        Also return why there is no volatility.

    Returns
    -------
    ndarray (...) of float64
        Annual decimal, the model's own `vol`; a float for scalar arguments; NaN where no volatility gives that price.
    ndarray (...) of int8
        Only with `return_status`: codes of `bifrost_lib.core.quality.Quality`, as for `american_implied_vol`.

    Raises
    ------
    InputError
        As `american_dividend_price`. A price outside the no-arbitrage bounds is never an error.

    Notes
    -----
    The search starts at the volatility of the option without payments on what they leave of the spot, and follows
    secants within a bracket. A price that exceeds the best exercise on the only path without volatility by less than a
    grid's error (2e-6 of the strike by default) has the status NO_IV.
    """
    quoted = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    value, s0, k, years, call, r, q = quoted.columns
    given = american_batch(s0, k, years, np.full(quoted.size, _FIRST), call, r, q)
    options = cash_payers(given, dividend_taus, dividends, dividend_model, accuracy)
    values = np.array(np.broadcast_to(value, quoted.size))
    status = _reasons(values, options)
    iv = quoted.target(out)
    iv[:] = np.nan
    places = np.flatnonzero(status == Quality.OK)
    iv[places] = _search(values[places], options.some(places))
    status[places] = np.where(np.isnan(iv[places]), Quality.NO_IV, Quality.OK)
    return (quoted.result(iv), quoted.result(status)) if return_status else quoted.result(iv)


def _reasons(value: Floats, options: CashPayers) -> Flags:
    size = value.size
    least = options.some(np.arange(size), vol=np.zeros(size)).values()[0]
    most = np.where(
        options.is_call != 0,
        options.spot * np.exp(np.maximum(-options.div_yield * options.tau, 0.0)),
        options.strike * np.exp(np.maximum(-options.rate * options.tau, 0.0)),
    )
    noise = _NOISE[options.accuracy] * options.strike
    conditions = [
        (np.isnan(value), Quality.NO_QUOTE),
        (np.isnan(options.spot), Quality.NO_SPOT),
        (~np.isfinite(value + least), Quality.NO_IV),
        (options.tau == 0.0, Quality.EXPIRED),
        ((value < least - noise) | (value < 0.0), Quality.BELOW_INTRINSIC),
        (value <= least + noise, Quality.NO_IV),
        (value >= most, Quality.ABOVE_MAXIMUM),
    ]
    tests, reasons = zip(*conditions, strict=True)
    found: Flags = np.select(tests, [np.int8(reason) for reason in reasons], np.int8(Quality.OK))
    return found


def _search(value: Floats, options: CashPayers) -> Floats:
    """Return volatilities; NaN where even the largest gives less than `value`."""
    vol = _first_guess(value, options)
    low, high = np.zeros_like(vol), np.full_like(vol, np.inf)
    most = _LARGEST_WIDTH / np.sqrt(options.tau)
    slope = _vega(options, vol)
    before, gap_before = np.full_like(vol, np.nan), np.full_like(vol, np.nan)
    places = np.arange(vol.size)
    for _ in range(_TURNS):
        here = vol[places]
        found = options.some(places, vol=here)
        gap = np.maximum(found.values()[0], found.intrinsic) - value[places]
        above = gap > 0.0
        low[places], high[places] = np.where(above, low[places], here), np.where(above, here, high[places])
        with np.errstate(divide="ignore", invalid="ignore"):
            secant = (gap - gap_before[places]) / (here - before[places])
            slope[places] = np.where(secant > 0.0, secant, slope[places])
            moved = here - gap / slope[places]
            inside = (moved > low[places]) & (moved < high[places])
            middle = np.where(np.isinf(high[places]), 2.0 * here, 0.5 * (low[places] + high[places]))
        before[places], gap_before[places] = here, gap
        vol[places] = np.where(gap == 0.0, here, np.where(inside, moved, middle))
        beyond = vol[places] > most[places]
        vol[places[beyond]] = np.nan
        places = places[~beyond & (np.abs(vol[places] - here) > _CLOSE * here)]
        if not places.size:
            break
    return vol


def _first_guess(value: Floats, options: CashPayers) -> Floats:
    start = replace(options, escrowed=True).start
    start = np.where(start > _LEAST_START * options.spot, start, options.spot)
    found = american_implied_vol(
        price=value, spot=start, strike=options.strike, tau=options.tau, right=options.is_call, rate=options.rate,
        div_yield=options.div_yield, accuracy="fast",
    )  # fmt: skip
    share = 1.0 if options.escrowed else start / options.spot
    guess: Floats = np.where(np.isnan(found), _FIRST, np.clip(found, 0.01, 5.0)) * share
    return guess


def _vega(options: CashPayers, vol: Floats) -> Floats:
    found: Floats = greeks(
        spot=options.start, strike=options.strike, tau=options.tau, vol=vol, right=options.is_call, rate=options.rate,
        div_yield=options.div_yield, names=("vega",),
    )["vega"]  # fmt: skip
    return found
