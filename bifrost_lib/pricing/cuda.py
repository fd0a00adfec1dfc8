"""European prices, greeks and implied volatilities on a GPU: the processor's functions, one option a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing.arguments import Batch, batch
from bifrost_lib.pricing.european import GREEKS, MEASURES


def gpu_price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
) -> Any:
    """Price European options on the GPU; arguments, result and errors as for `bifrost_lib.pricing.price`.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    from bifrost_lib.core.cuda import run_on_gpu
    from bifrost_lib.pricing.cuda_loops import price_each

    given = batch(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
    _check(given, {"spot": 0, "strike": 1}, {"tau": 2, "vol": 3})
    (found,) = run_on_gpu(price_each, given.columns, given.size, [np.float64])
    return given.result(found)


def gpu_greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    names: Sequence[str] = GREEKS,
) -> dict[str, Any]:
    """Differentiate European prices on the GPU; as `bifrost_lib.pricing.greeks`, `EnvironmentProblem` without one."""
    from bifrost_lib.core.cuda import run_on_gpu
    from bifrost_lib.pricing.cuda_loops import greeks_each

    for name in names:
        if name not in MEASURES:
            raise UnknownNameError("names", name, MEASURES)
    given = batch(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
    _check(given, {"spot": 0, "strike": 1}, {"tau": 2, "vol": 3})
    found = run_on_gpu(greeks_each, given.columns, given.size, [np.float64] * len(MEASURES))
    return {name: given.result(found[MEASURES.index(name)]) for name in names}


def gpu_implied_vol(
    *,
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    return_status: bool = False,
) -> Any:
    """Solve for volatility on the GPU; as `bifrost_lib.pricing.implied_vol`, `EnvironmentProblem` without one."""
    from bifrost_lib.core.cuda import run_on_gpu
    from bifrost_lib.pricing.cuda_loops import implied_each

    given = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    _check(given, {"spot": 1, "strike": 2}, {"tau": 3})
    iv, status = run_on_gpu(implied_each, given.columns, given.size, [np.float64, np.int8])
    return (given.result(iv), given.result(status)) if return_status else given.result(iv)


def _check(given: Batch, positive: dict[str, int], not_negative: dict[str, int]) -> None:
    for names, wrong, expected in ((positive, np.less_equal, "numbers > 0"), (not_negative, np.less, "numbers >= 0")):
        for name, position in names.items():
            column = given.columns[position]
            if (bad := wrong(column, 0)).any():
                raise InputError(name, float(column[bad][0]), expected)
