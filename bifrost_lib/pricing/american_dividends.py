"""American options on an underlying that pays discrete cash dividends, in the two models that desks use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.american_inputs import american_batch
from bifrost_lib.pricing.american_layout import GRID_ROWS
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.parts import in_parts

DIVIDEND_MODELS = ("spot", "escrowed")

# parts of the coarse grid, and steps in time for the whole life; the fine one has twice as many of both
_SIZES = {"fast": (100, 40), "default": (200, 80), "accurate": (800, 320)}

_price_all = loop("bifrost_lib.pricing.american_dividend_loops", "price_all")


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
        Typical error for a strike of 100: 1e-3, 2e-4 or 3e-5.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain, or if escrowed dividends are worth more than the spot; ``error.name``
        says which.

    Notes
    -----
    NaN in, NaN out. Solved by finite differences on two grids and extrapolated from them, a few hundred options a
    second at "default"; without dividends `american_price` is faster and more accurate.

    References
    ----------
    Haug, Haug, Lewis (2003), "Back to basics: a new approach to the discrete dividend problem", Wilmott, September;
    Brennan, Schwartz (1977), "The valuation of American put options", Journal of Finance 32.
    """
    if dividend_model not in DIVIDEND_MODELS:
        raise UnknownNameError("dividend_model", dividend_model, DIVIDEND_MODELS)
    if accuracy not in _SIZES:
        raise UnknownNameError("accuracy", accuracy, _SIZES)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    when, paid = _schedule(dividend_taus, dividends)
    columns = [np.array(np.broadcast_to(column, given.size)) for column in given.columns]
    escrowed = dividend_model == "escrowed"
    if escrowed:
        _refuse_ruin(columns, when, paid)
    parts, steps = _SIZES[accuracy]
    coarse, fine = np.empty(given.size), np.empty(given.size)

    def run(rows: slice) -> int:
        some = [column[rows] for column in columns]
        for halvings, prices in ((0, coarse), (1, fine)):
            grid = np.empty((GRID_ROWS, (parts << halvings) + 1))
            _price_all(*some, when, paid, int(escrowed), steps, halvings, grid, prices[rows])
        return 0

    in_parts(run, given.size, least=1, block=1)
    out = np.maximum(fine + (fine - coarse) / 3.0, _intrinsic(columns))
    return given.result(out)


def _schedule(dividend_taus: Any, dividends: Any) -> tuple[Floats, Floats]:
    when, paid = (np.asarray(values, dtype=np.float64).reshape(-1) for values in (dividend_taus, dividends))
    if when.shape != paid.shape:
        raise InputError("dividends", f"{paid.size} amounts", f"as many as dividend_taus, {when.size}")
    if not (np.isfinite(when) & (when > 0.0)).all():
        raise InputError("dividend_taus", when, "years > 0")
    if not (np.isfinite(paid) & (paid >= 0.0)).all():
        raise InputError("dividends", paid, "amounts >= 0")
    moments, place = np.unique(when, return_inverse=True)
    return moments, np.bincount(place, weights=paid, minlength=moments.size).astype(np.float64)


def _intrinsic(columns: list[Any]) -> Floats:
    s0, k, call = columns[0], columns[1], columns[4]
    value: Floats = np.maximum(np.where(call != 0, s0 - k, k - s0), 0.0)
    return value


def _refuse_ruin(columns: list[Any], when: Floats, paid: Floats) -> None:
    s0, _, tau, _, _, rate, q = columns
    worth = np.zeros_like(s0)
    for moment, amount in zip(when, paid, strict=True):
        worth += np.where(moment <= tau, amount * np.exp(-(rate - q) * moment), 0.0)
    ruined = worth >= s0
    if ruined.any():
        raise InputError("dividends", float(worth[ruined][0]), "a present value below spot; or dividend_model='spot'")
