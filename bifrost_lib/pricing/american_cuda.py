"""American prices, greeks and implied volatilities on a GPU: the processor's loops, one option a thread.

The processor reduces options to puts, sorts them by difficulty and steers the search for volatilities; the GPU
solves. Options without early exercise have the greeks of European ones, which the processor computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from bifrost_lib.pricing.american_engine import Device, Groups, solve
from bifrost_lib.pricing.american_implied import volatilities_of
from bifrost_lib.pricing.american_inputs import american_batch, reduced_batch, unit
from bifrost_lib.pricing.american_layout import DOUBLE
from bifrost_lib.pricing.american_presets import preset_named
from bifrost_lib.pricing.american_slopes import slopes_of
from bifrost_lib.pricing.arguments import batch


def gpu_american_price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
) -> Any:
    """Price American options on the GPU; arguments, result and errors as for `bifrost_lib.pricing.american_price`.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    levels = preset_named(accuracy)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    return given.result(unit(given) * solve(reduced_batch(given), levels, device=_gpu()).value)


def gpu_american_greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
) -> dict[str, Any]:
    """Differentiate American prices on the GPU; as `bifrost_lib.pricing.american_greeks`.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    levels = preset_named(accuracy)
    return slopes_of(american_batch(spot, strike, tau, vol, right, rate, div_yield), levels, _gpu())


def gpu_american_implied_vol(
    *,
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    return_status: bool = False,
) -> Any:
    """Solve American prices for volatility on the GPU; as `bifrost_lib.pricing.american_implied_vol`.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    levels = preset_named(accuracy)
    quoted = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    iv, status = volatilities_of(quoted, levels, _gpu())
    return (quoted.result(iv), quoted.result(status)) if return_status else quoted.result(iv)


def _gpu() -> Device:
    from bifrost_lib.core.cuda import change_on_gpu, require_gpu

    require_gpu()
    return lambda data, groups: change_on_gpu(data, _steps(groups))


def _steps(groups: Groups) -> Iterator[tuple[Any, int, tuple[Any, ...]]]:
    from bifrost_lib.pricing.american_cuda_loops import solve_double_each, solve_each

    for group, chosen, nodes in groups:
        if group == DOUBLE:
            yield solve_double_each, chosen.size, (chosen, *nodes.columns()[:-1])
        else:
            yield solve_each, chosen.size, (chosen, group, *nodes.columns())
