"""Options on futures and forwards under Black (1976), by name: the European formulas with the forward as the asset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, batch, numbers
from bifrost_lib.pricing.european import GREEKS, greeks, price
from bifrost_lib.pricing.implied import implied_vol


@contextmanager
def _forward_named() -> Iterator[None]:
    """Call the asset by its name here in what the European formulas refuse."""
    try:
        yield
    except InputError as error:
        raise (InputError("forward", error.value, error.expected) if error.name == "spot" else error) from None


def black_76_price(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Price European options on a futures or forward price, element by element.

    Parameters
    ----------
    forward : array_like (...)
        Futures or forward price for the option's expiry, > 0.
    strike, tau, vol, right, rate, out
        As for `bifrost_lib.pricing.price`; `rate` only discounts.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    References
    ----------
    Black (1976), "The pricing of commodity contracts", Journal of Financial Economics 3; Haug (2007), section 1.1.5.
    """
    with _forward_named():
        return price(spot=forward, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=rate, out=out)


def black_76_greeks(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    names: Sequence[str] = GREEKS,
    out: Mapping[str, Floats] | Floats | None = None,
) -> dict[str, Any]:
    """Differentiate Black-76 prices, element by element.

    Parameters
    ----------
    forward, strike, tau, vol, right, rate
        As for `black_76_price`.
    names, out
        As for `bifrost_lib.pricing.greeks`.

    Returns
    -------
    dict of str to ndarray (...)
        In the units of `bifrost_lib.pricing.greeks`, with the forward in the place of spot: delta is per 1.00 of the
        forward, theta and charm hold it still, and rho moves the discount factor only (-tau times the price).
    """
    wanted = list(dict.fromkeys(names))
    with _forward_named():
        given = batch(spot=forward, strike=strike, tau=tau, vol=vol, right=right, rate=rate)
        memory = {name: one.reshape(given.shape) for name, one in given.targets(wanted, out).items()}
        if "rho" in wanted:
            memory.setdefault("price", np.empty(given.shape))
        greeks(
            spot=forward, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=rate,
            names=list(memory), out=memory,
        )  # fmt: skip
    if "rho" in wanted:
        np.multiply(-numbers("tau", tau), memory["price"], out=memory["rho"])
    return {name: memory[name][()] for name in wanted}


def black_76_implied_vol(
    *,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    return_status: bool = False,
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Solve Black-76 prices for volatility: `bifrost_lib.pricing.implied_vol` with the forward as the asset."""
    with _forward_named():
        return implied_vol(
            price=price, spot=forward, strike=strike, tau=tau, right=right, rate=rate, div_yield=rate,
            return_status=return_status, out=out,
        )  # fmt: skip
