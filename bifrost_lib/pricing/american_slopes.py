"""Greeks of American options: delta, gamma and theta from one solution, vega and rho from its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.pricing.american_engine import Device, Reduced, on_processor, solve
from bifrost_lib.pricing.american_inputs import american_batch, reduced_batch, unit
from bifrost_lib.pricing.american_layout import EUROPEAN
from bifrost_lib.pricing.american_presets import Levels, preset_named
from bifrost_lib.pricing.arguments import Batch, Floats
from bifrost_lib.pricing.european import greeks

AMERICAN_GREEKS: tuple[str, ...] = ("delta", "gamma", "vega", "theta", "rho")

_A, _C, _W = 1, 2, 3  # rows of the data
_BUMP = 1e-4  # of vol, relative
_RATE_BUMP = 1e-5  # of rate times tau, absolute


def american_greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    out: Mapping[str, Floats] | Floats | None = None,
) -> dict[str, Any]:
    """Differentiate the prices of American options, element by element.

    Parameters
    ----------
    spot, strike, tau, vol, right, rate, div_yield, accuracy
        As for `american_price`.
    out : mapping of str to ndarray (...), or ndarray (5, ...), of float64, optional
        Where the results are written, contiguous and each of the broadcast shape.

    Returns
    -------
    dict of str to ndarray (...) of float64
        Raw, per share: ``delta`` and ``gamma`` per 1.00 of spot, ``vega`` per 1.00 of vol, ``theta`` per year of
        calendar time, ``rho`` per 1.00 of rate.

    Raises
    ------
    InputError
        If an argument is outside its domain, or `out` does not fit; ``error.name`` says which.

    Notes
    -----
    Delta and gamma differentiate the integral for the price, in which the boundary does not depend on spot. Theta
    follows from them by the Black-Scholes equation. Vega and rho are central differences of two solutions each, which
    share nodes and sweeps, so that what is left of their error is as smooth as the price. An option that is to be
    exercised now has delta -1 or 1 and no other greeks. NaN in, NaN out.
    """
    levels = preset_named(accuracy)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    return slopes_of(given, levels, on_processor, out)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def slopes_of(
    given: Batch, levels: Levels, device: Device, out: Mapping[str, Floats] | Floats | None = None
) -> dict[str, Any]:
    """Return the greeks of the options in `given`, solved on `device` and written to `out`."""
    memory = given.targets(AMERICAN_GREEKS, out)
    s0, _, years, sigma, call, r, q = given.columns
    data = reduced_batch(given)
    found = solve(data, levels, device=device)
    is_call = call != 0
    scale = unit(given)
    per_spot = scale / s0
    delta = np.where(is_call, found.value - found.slope, per_spot * found.slope)
    gamma = per_spot / s0 * (found.bend - found.slope)
    decay = r * scale * found.value - (r - q) * s0 * delta - 0.5 * (sigma * s0) ** 2 * gamma
    slopes = {
        "delta": delta,
        "gamma": gamma,
        "vega": scale * np.sqrt(years) * _difference(data, found, levels, device, _vol_bump(found)),
        "theta": np.where(_exercised(found), 0.0, decay),
        "rho": scale * years * _difference(data, found, levels, device, _rate_bump(found, is_call)),
    }
    for name, one in memory.items():
        one[:] = slopes[name]
    _take_european(memory, found.kind == EUROPEAN, given.columns)
    return {name: given.result(one) for name, one in memory.items()}


def _exercised(found: Reduced) -> npt.NDArray[np.bool_]:
    intrinsic = -np.expm1(found.x)
    now: npt.NDArray[np.bool_] = (intrinsic > 0.0) & (found.value - intrinsic <= 1e-15) & (found.bend == found.slope)
    return now


def _vol_bump(found: Reduced) -> Floats:
    bump = np.zeros((4, found.x.size))
    bump[_W] = _BUMP * found.w
    return bump


def _rate_bump(found: Reduced, is_call: npt.NDArray[np.bool_]) -> Floats:
    # a call's rate is the dividend yield of the put that it was reduced to; neither may change how the put is solved,
    # so a put's rate keeps its sign, and a yield below a rate that is not > 0 stays below it
    bump = np.zeros((4, found.x.size))
    room = np.where(found.a > 0.0, np.inf, 0.5 * (found.a - found.c))
    bump[_C] = np.where(is_call, np.minimum(_RATE_BUMP, room), 0.0)
    own = np.where(found.a == 0.0, np.inf, 0.1 * np.abs(found.a))
    bump[_A] = np.where(is_call, 0.0, np.minimum(_RATE_BUMP, np.minimum(own, room)))
    return bump


def _difference(data: Floats, found: Reduced, levels: Levels, device: Device, bump: Floats) -> Floats:
    ahead, behind = data.copy(), data.copy()
    ahead[:4] += bump
    behind[:4] -= bump
    behind[_A] = np.where(found.a == 0.0, 0.0, behind[_A])  # below 0 a second boundary begins
    width = (ahead - behind)[:4].sum(axis=0)
    change = solve(ahead, levels, found.kind, device).value - solve(behind, levels, found.kind, device).value
    quotient: Floats = np.divide(change, width, out=np.zeros_like(change), where=width != 0.0)
    return quotient


def _take_european(out: dict[str, Floats], chosen: npt.NDArray[np.bool_], columns: tuple[Any, ...]) -> None:
    places = np.flatnonzero(chosen)
    if not places.size:
        return
    names = ("spot", "strike", "tau", "vol", "right", "rate", "div_yield")
    some = {n: col if col.size == 1 else col[places] for n, col in zip(names, columns, strict=True)}
    found = greeks(**some)
    for name, column in out.items():
        column[places] = found[name]
