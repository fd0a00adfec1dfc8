"""A structure over prices, days and volatilities that may come: profit and greeks, as curves and as maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import greeks, price, probability_itm, probability_touch
from bifrost_lib.strategies import value_before_expiry
from bifrost_lib.workflows.builder.building import Structure
from bifrost_lib.workflows.builder.payoffs import price_grid

Floats = npt.NDArray[np.float64]

GREEKS = ("delta", "gamma", "theta", "vega")
QUANTITIES = ("profit", *GREEKS)
DAYS_PER_YEAR = 365.0
LEAST_VOL = 0.01
SPOTS, DATES, SHIFTS = 121, 41, np.linspace(-0.20, 0.20, 41)


@dataclass(frozen=True)
class ScenarioCurves:
    """A quantity over spot.

    `frame` has ``spot`` and ``pnl_at_expiry, pnl_then, pnl_now`` (currency for one unit) or, for a greek, ``then``
    and ``now`` (raw, times quantity and multiplier). `band` is one standard deviation down and up at the first
    expiry. `at_spot` is the quantity then, at today's price of the underlying.
    """

    quantity: str
    frame: pd.DataFrame
    band: tuple[float, float]
    at_spot: float


@dataclass(frozen=True)
class ScenarioMap:
    """A quantity over spot and a second axis, ``days`` from now or ``vol_shift``.

    `values` is (m, n): rows for `other`, columns for `spot`. `zero` are the points at which it changes its sign.
    """

    quantity: str
    axis: str
    spot: Floats
    other: Floats
    values: Floats
    zero: tuple[Floats, Floats]


def scenario_curves(
    structure: Structure, *, quantity: str = "profit", days: float = 0.0, vol_shift: float = 0.0
) -> ScenarioCurves:
    """Return a quantity over spot: now, and in `days` with all volatilities moved by `vol_shift`.

    Parameters
    ----------
    structure : Structure
    quantity : {"profit", "delta", "gamma", "theta", "vega"}
    days : float
        Calendar days from now; the first expiry is the furthest.
    vol_shift : float
        Added to each leg's own volatility, a decimal; no volatility falls below 0.01.

    Raises
    ------
    InputError, UnknownNameError
        If an argument is outside its domain.
    """
    _check(quantity, days)
    near = structure.near
    move = near.vol * np.sqrt(near.tau)
    spot = price_grid(near.spot, move, _strikes(structure), structure.measures["breakevens"])
    elapsed = _elapsed(structure, days)
    columns = {"spot": spot}
    if quantity == "profit":
        columns["pnl_at_expiry"] = _profit(structure, spot, near.tau, 0.0)
        columns["pnl_then"] = _profit(structure, spot, elapsed, vol_shift)
        columns["pnl_now"] = _profit(structure, spot, 0.0, 0.0)
    else:
        columns["then"] = _greek(structure, quantity, spot, elapsed, vol_shift)
        columns["now"] = _greek(structure, quantity, spot, 0.0, 0.0)
    here = _values(structure, quantity, np.array([near.spot]), elapsed, vol_shift)
    forward = float(near.forward)
    band = (float(forward * np.exp(-move)), float(forward * np.exp(move)))
    return ScenarioCurves(quantity, pd.DataFrame(columns), band, float(here[0]))


def scenario_map(
    structure: Structure, *, quantity: str = "profit", axis: str = "days", days: float = 0.0, vol_shift: float = 0.0
) -> ScenarioMap:
    """Return a quantity over spot and days (all volatilities moved by `vol_shift`), or over spot and `vol_shift`
    (in `days`).

    Parameters are those of `scenario_curves`; `axis` is ``days`` or ``vol_shift``.
    """
    _check(quantity, days)
    if axis not in ("days", "vol_shift"):
        raise UnknownNameError("axis", axis, ("days", "vol_shift"))
    near = structure.near
    wide = price_grid(near.spot, near.vol * np.sqrt(near.tau), _strikes(structure), ())
    spot = np.linspace(wide[0], wide[-1], SPOTS)
    if axis == "days":
        other = np.linspace(0.0, near.tau * DAYS_PER_YEAR, DATES)
        moments = [(min(day / DAYS_PER_YEAR, near.tau), vol_shift) for day in other]
        moments[-1] = (near.tau, vol_shift)
    else:
        other = SHIFTS
        moments = [(_elapsed(structure, days), float(shift)) for shift in other]
    values = np.array([_values(structure, quantity, spot, elapsed, shift) for elapsed, shift in moments])
    return ScenarioMap(quantity, axis, spot, other, values, _zero(spot, other, values))


def leg_details(structure: Structure) -> list[dict[str, Any]]:
    """Return for each leg its share of the greeks (raw, times quantity and multiplier) and its probabilities.

    Notes
    -----
    The greeks add up to those of the structure. ``itm`` is the probability of ending in the money at the leg's own
    expiry and ``touch`` of being touched before, lognormal with the leg's own volatility, as `strategies.evaluate` has
    them of short legs; None for stock.
    """
    return [{**leg, **_leg_greeks(structure, leg), **_chances(structure, leg)} for leg in structure.legs]


def _leg_greeks(structure: Structure, leg: Mapping[str, Any]) -> dict[str, float]:
    size = structure.terms["multiplier"] * leg["qty"]
    if leg["right"] == "S":
        return {name: size if name == "delta" else 0.0 for name in GREEKS}
    each = greeks(
        spot=structure.terms["spot"], strike=leg["strike"], tau=leg["tau"], vol=_vol(structure, leg, 0.0),
        right=leg["right"], rate=structure.terms["rate"], div_yield=structure.terms["div_yield"],
    )  # fmt: skip
    return {name: float(size * each[name]) for name in GREEKS}


def _chances(structure: Structure, leg: Mapping[str, Any]) -> dict[str, float | None]:
    if leg["right"] == "S":
        return {"itm": None, "touch": None}
    terms = {
        "spot": structure.terms["spot"], "strike": leg["strike"], "tau": leg["tau"], "vol": _vol(structure, leg, 0.0),
        "rate": structure.terms["rate"], "div_yield": structure.terms["div_yield"],
    }  # fmt: skip
    return {"itm": float(probability_itm(right=leg["right"], **terms)), "touch": float(probability_touch(**terms))}


def _values(structure: Structure, quantity: str, spot: Floats, elapsed: float, shift: float) -> Floats:
    if quantity == "profit":
        return _profit(structure, spot, elapsed, shift)
    return _greek(structure, quantity, spot, elapsed, shift)


def _profit(structure: Structure, spot: Floats, elapsed: float, shift: float) -> Floats:
    terms = structure.terms
    legs = [
        leg if leg["right"] == "S" else {**leg, "iv": _vol(structure, leg, shift)} for leg in structure.legs
    ]  # fmt: skip
    total = value_before_expiry(
        legs=legs, spot=spot, elapsed=elapsed, tau=structure.near.tau, rate=terms["rate"],
        div_yield=terms["div_yield"], premium=structure.measures["premium"], multiplier=terms["multiplier"],
    )  # fmt: skip
    if elapsed < structure.near.tau:
        return total
    # At the first expiry the measures take a later leg for no less than its intrinsic value; so must the picture.
    for leg in legs:
        if leg["right"] != "S" and leg["tau"] > elapsed + 1e-9:
            total += terms["multiplier"] * leg["qty"] * _below_intrinsic(structure, leg, spot, leg["tau"] - elapsed)
    return total


def _below_intrinsic(structure: Structure, leg: Mapping[str, Any], spot: Floats, left: float) -> Floats:
    intrinsic = np.maximum(spot - leg["strike"] if leg["right"] == "C" else leg["strike"] - spot, 0.0)
    value = price(
        spot=spot, strike=leg["strike"], tau=left, vol=leg["iv"], right=leg["right"],
        rate=structure.terms["rate"], div_yield=structure.terms["div_yield"],
    )  # fmt: skip
    missing: Floats = np.maximum(intrinsic - value, 0.0)
    return missing


def _greek(structure: Structure, name: str, spot: Floats, elapsed: float, shift: float) -> Floats:
    terms, total = structure.terms, np.zeros_like(spot)
    for leg in structure.legs:
        size = terms["multiplier"] * leg["qty"]
        if leg["right"] == "S":
            total += size if name == "delta" else 0.0
            continue
        left = leg["tau"] - elapsed
        each = greeks(
            spot=spot, strike=leg["strike"], tau=max(left, 0.0), vol=_vol(structure, leg, shift), right=leg["right"],
            rate=terms["rate"], div_yield=terms["div_yield"],
        )  # fmt: skip
        total += size * each[name]
    return total


def _vol(structure: Structure, leg: Mapping[str, Any], shift: float) -> float:
    own = structure.terms["vol"] if leg["iv"] is None else leg["iv"]
    return float(own) if shift == 0 else max(float(own) + shift, LEAST_VOL)


def _elapsed(structure: Structure, days: float) -> float:
    # The last day of the slider is the expiry itself, also where that is at another hour than now.
    near = structure.near
    return near.tau if days >= near.dte else min(days / DAYS_PER_YEAR, near.tau)


def _strikes(structure: Structure) -> list[float]:
    return [leg["strike"] for leg in structure.legs if leg["right"] != "S"]


def _zero(spot: Floats, other: Floats, values: Floats) -> tuple[Floats, Floats]:
    above = values > 0
    rows, at = np.nonzero(above[:, 1:] != above[:, :-1])
    left, right = values[rows, at], values[rows, at + 1]
    return spot[at] + (spot[at + 1] - spot[at]) * left / (left - right), other[rows]


def _check(quantity: str, days: float) -> None:
    if quantity not in QUANTITIES:
        raise UnknownNameError("quantity", quantity, QUANTITIES)
    if not days >= 0:
        raise InputError("days", days, "calendar days from now, >= 0")
