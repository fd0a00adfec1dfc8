"""A portfolio on one underlying as the strategies that it consists of, grouped so that they need the least margin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.holdings.matching import Held, Match, name_of, quantities_known, read_holdings
from bifrost_lib.strategies.margins.regulation_t import EQUITY_RATE, reg_t_margin

Floats = npt.NDArray[np.float64]

MOST_CONTRACTS, MOST_LEGS = 16, 4
_TIDINESS = 1e-6  # of the spot, per group: among groupings of equal margin the one with fewer groups


@dataclass(frozen=True)
class Group:
    """A strategy within a portfolio: what it is called, its legs with their quantities, and the margin they need."""

    match: Match
    legs: tuple[dict[str, Any], ...]
    margin: float


@dataclass(frozen=True)
class Grouping:
    """A portfolio taken apart.

    Attributes
    ----------
    groups : tuple of Group
        Those that need most margin first; their quantities add up to the portfolio's.
    margin : float
        Sum of the groups' initial margins, currency: the least of all groupings into named structures of at most four
        option legs, with or without shares.
    margin_together : float
        Initial margin of the portfolio taken whole; it may be less, because of a naked put and a naked call anywhere
        only one counts, and any number of legs may share a spread.
    """

    groups: tuple[Group, ...]
    margin: float
    margin_together: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        groups = [{**group.match.as_dict(), "legs": list(group.legs), "margin": group.margin} for group in self.groups]
        return {"groups": groups, "margin": self.margin, "margin_together": self.margin_together}


def split_portfolio(
    legs: Sequence[Mapping[str, Any]], *, spot: float, rate: float = EQUITY_RATE, multiplier: float = 100.0
) -> Grouping:
    """Return the grouping of holdings into named strategies that needs the least margin.

    Parameters
    ----------
    legs : sequence of mapping
        As in `name_of`, of one underlying; options with ``price`` (per share; without it, their intrinsic value).
    spot : float
        Price of the underlying, > 0.
    rate : float
        Share of the underlying that a naked option needs: `margin.naked_rate` of the symbol.
    multiplier : float
        Shares per contract.

    Raises
    ------
    InputError
        If a leg is no leg, or the portfolio has more than 16 different contracts.

    Notes
    -----
    Exact, as an integer programme over every named structure of at most four of the contracts; contracts that belong
    to none stand alone. Among groupings of equal margin, the one with fewest groups.
    """
    if not 0 < spot < math.inf:
        raise InputError("spot", spot, "a number > 0")
    stock, options = read_holdings(legs)
    if len(options) > MOST_CONTRACTS:
        raise InputError("legs", f"{len(options)} contracts", f"at most {MOST_CONTRACTS} different ones")
    if not (stock or options):
        raise InputError("legs", "nothing", "holdings that do not cancel")
    requirement = _Requirement(_prices(legs, spot), spot, rate, multiplier)
    units = list(_units(stock, options))
    costs = [requirement.of(unit) for unit in units]
    counts = _least(units, np.array(costs) + _TIDINESS * spot * multiplier, _Unit(stock, tuple(options)))
    chosen = zip(units, costs, counts, strict=True)
    groups = [_group(unit, int(count), cost * int(count)) for unit, cost, count in chosen if count]
    groups.sort(key=lambda group: (-group.margin, group.match.name))
    together = requirement.of(_Unit(stock, tuple(options)))
    return Grouping(tuple(groups), float(sum(group.margin for group in groups)), together)


class _Unit(NamedTuple):
    """Contracts' worth of shares, and options."""

    stock: int
    options: tuple[Held, ...]


@dataclass(frozen=True)
class _Requirement:
    """What a structure needs at first, at the prices that its options have."""

    prices: Mapping[tuple[Any, str, float], float]
    spot: float
    rate: float
    multiplier: float

    def of(self, unit: _Unit) -> float:
        """Return the initial margin, currency."""
        options = unit.options
        expiries = sorted({option.when for option in options})
        return reg_t_margin(
            strike=np.array([option.strike for option in options], dtype=np.float64),
            price=np.array([self.prices[option.when, option.right, option.strike] for option in options]),
            qty=np.array([option.qty for option in options], dtype=np.float64),
            is_call=np.array([option.right == "C" for option in options], dtype=np.bool_),
            tau=np.array([expiries.index(option.when) for option in options], dtype=np.float64),
            stock=float(unit.stock),
            spot=self.spot,
            rate=self.rate,
            multiplier=self.multiplier,
        ).initial


def _prices(legs: Sequence[Mapping[str, Any]], spot: float) -> dict[tuple[Any, str, float], float]:
    found: dict[tuple[Any, str, float], float] = {}
    for position, leg in enumerate(legs):
        if leg["right"] == "S":
            continue
        (option,) = read_holdings([{**leg, "qty": 1}])[1]
        move = spot - option.strike if option.right == "C" else option.strike - spot
        price = leg.get("price")
        if price is not None and not (isinstance(price, int | float) and 0 <= price < math.inf):
            raise InputError(f"legs[{position}].price", price, "currency per share, >= 0")
        found[option.when, option.right, option.strike] = max(move, 0.0) if price is None else float(price)
    return found


def _units(stock: int, options: Sequence[Held]) -> Iterator[_Unit]:
    # Every structure with a name that the holdings have the contracts for; single options all have one.
    if stock:
        yield _Unit(int(math.copysign(1, stock)), ())
    for count in range(1, min(MOST_LEGS, len(options)) + 1):
        for chosen in combinations(options, count):
            for shares, quantities in quantities_known(chosen):
                enough = all(abs(qty) <= abs(held.qty) for qty, held in zip(quantities, chosen, strict=True))
                if enough and abs(shares) <= abs(stock) and shares * stock >= 0:
                    held = zip(quantities, chosen, strict=True)
                    yield _Unit(shares, tuple(option._replace(qty=qty) for qty, option in held))


def _least(units: Sequence[_Unit], costs: Floats, whole: _Unit) -> Floats:
    from scipy.optimize import Bounds, LinearConstraint, milp

    place = {option[:3]: row for row, option in enumerate(whole.options)}
    table = np.zeros((len(place) + 1, len(units)))
    for column, unit in enumerate(units):
        table[-1, column] = unit.stock
        for option in unit.options:
            table[place[option[:3]], column] = option.qty
    target = np.array([*(option.qty for option in whole.options), whole.stock], dtype=np.float64)
    found = milp(
        costs,
        integrality=np.ones(len(units)),
        bounds=Bounds(0, np.inf),
        constraints=LinearConstraint(table, target, target),
    )
    if not found.success:
        raise InputError("legs", found.message, "holdings that can be grouped")
    counts: Floats = np.round(found.x)
    return counts


def _group(unit: _Unit, count: int, margin: float) -> Group:
    legs: list[dict[str, Any]] = [{"right": "S", "qty": unit.stock * count}] if unit.stock else []
    for option in unit.options:
        legs.append({"right": option.right, "qty": option.qty * count, "strike": option.strike})
        if option.when != "":
            legs[-1]["expiry" if isinstance(option.when, str) else "tau"] = option.when
    return Group(name_of(legs), tuple(legs), margin)
