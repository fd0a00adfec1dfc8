"""What options are worth at any moments: the surface over the path, priced by the pricing package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import SECONDS_PER_YEAR
from bifrost_lib.pricing import american_greeks, american_price, greeks
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.surface import atm_variance, implied_vol_surface
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.universe import RATE, SimulatedUnderlying

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GREEK_NAMES = ("delta", "gamma", "vega", "theta")
_SHORTEST_S = 1.0  # before expiry, so that nothing is divided by zero


@dataclass(frozen=True)
class Shapes:
    """The parameters of underlyings, one number each, or one for each contract."""

    vol: Floats
    earnings_move: Floats
    skew: Floats
    curvature: Floats
    div_yield: Floats
    spread: Floats
    activity: Floats
    small_tick: Floats
    large_tick: Floats
    american: npt.NDArray[np.bool_]

    def of(self, index: Ints) -> Shapes:
        """Return those of the underlyings `index`."""
        return Shapes(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Valuation:
    """Contracts at moments, shape (n,): currency per share, decimals, years; vega per 1.00 vol, theta per year.

    `premium` is what early exercise adds to the European price, and `european` the greeks of the latter.
    """

    shapes: Shapes
    spot: Floats
    strike: Floats
    tau: Floats
    is_call: npt.NDArray[np.bool_]
    iv: Floats
    value: Floats
    premium: Floats
    european: dict[str, Floats]
    deviations: Floats  # log-moneyness in standard deviations

    def arguments(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return what every function of pricing needs, but for volatility or price."""
        return {
            "spot": self.spot,
            "strike": self.strike,
            "tau": self.tau,
            "right": self.is_call.view(np.int8),
            "div_yield": self.shapes.div_yield,
        }


class Valuer:
    """Values contracts of a table along the trails of their underlyings."""

    def __init__(
        self, underlyings: Sequence[SimulatedUnderlying], trails: Sequence[Trail], table: ContractTable
    ) -> None:
        self._trails, self._table = trails, table
        facts = [
            (
                one.vol, one.earnings_move, one.skew, one.curvature, one.div_yield, one.spread, one.activity,
                *one.ticks, one.style == "american",
            )
            for one in underlyings
        ]  # fmt: skip
        columns = [np.array(column) for column in zip(*facts, strict=True)]
        self.shapes = Shapes(*columns)

    def at(self, rows: Ints, moments: Floats, *, accuracy: str = "default") -> Valuation:
        """Value contracts, each at its moment (epoch seconds), shape (n,)."""
        table, index = self._table, self._table.underlying[rows]
        shapes = self.shapes.of(index)
        spot, vol, events = self._states(index, moments)
        strike, is_call = table.strike[rows], table.is_call[rows]
        tau = np.maximum(table.expiry_s[rows] - moments, _SHORTEST_S) / SECONDS_PER_YEAR
        events = np.maximum(table.events[rows] - events, 0.0)
        log_moneyness = np.log(strike / spot) - (RATE - shapes.div_yield) * tau
        iv = implied_vol_surface(shapes, log_moneyness=log_moneyness, tau=tau, vol=vol, events=events)
        arguments: dict[str, Any] = {
            "spot": spot, "strike": strike, "tau": tau, "vol": iv, "right": is_call.view(np.int8),
            "rate": RATE, "div_yield": shapes.div_yield,
        }  # fmt: skip
        found = greeks(**arguments, names=("price", *GREEK_NAMES))
        value = np.array(found.pop("price"))
        american = shapes.american
        premium = np.zeros(len(rows))
        if american.any():
            chosen = {name: one if name == "rate" else one[american] for name, one in arguments.items()}
            exact = american_price(**chosen, accuracy=accuracy)
            premium[american] = np.maximum(exact - value[american], 0.0)
            value[american] += premium[american]
        return Valuation(
            shapes=shapes,
            spot=spot,
            strike=strike,
            tau=tau,
            is_call=is_call,
            iv=iv,
            value=value,
            premium=premium,
            european=found,
            deviations=log_moneyness / np.sqrt(atm_variance(shapes, tau=tau, vol=vol, events=events)),
        )

    def _states(self, index: Ints, moments: Floats) -> tuple[Floats, Floats, Floats]:
        spot, vol, events = np.empty(len(index)), np.empty(len(index)), np.empty(len(index))
        for which in np.unique(index).tolist():
            mine = np.flatnonzero(index == which)
            unique, inverse = _distinct(moments[mine])
            at_spot, at_vol = self._trails[which].at(unique)
            spot[mine], vol[mine] = at_spot[inverse], at_vol[inverse]
            known = [self._table.events_until(which, second) for second in unique.tolist()]
            events[mine] = np.array(known, dtype=np.float64)[inverse]
        return spot, vol, events


def exercise_greeks(found: Valuation) -> Floats:
    """Return what early exercise adds to the greeks of European options, shape (4, n) as ``GREEK_NAMES``."""
    added = np.zeros((len(GREEK_NAMES), len(found.spot)))
    american = found.shapes.american & (found.premium > 1e-6)
    if american.any():
        chosen: dict[str, Any] = {name: one[american] for name, one in found.arguments().items()}
        exact = american_greeks(**chosen, vol=found.iv[american], rate=RATE, accuracy="fast")
        for place, name in enumerate(GREEK_NAMES):
            added[place, american] = exact[name] - found.european[name][american]
    return added


def _distinct(moments: Floats) -> tuple[Floats, Ints]:
    if len(moments) == 0 or (moments[0] == moments[-1] and (moments == moments[0]).all()):
        return moments[:1], np.zeros(len(moments), dtype=np.int64)
    unique, inverse = np.unique(moments, return_inverse=True)
    return unique, inverse
