"""What a trader would call a position: the strategy of the catalogue whose legs it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.catalogue import CATALOG
from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.documents.rules import Mirror, SameAs
from bifrost_lib.strategies.measures.example import example_legs
from bifrost_lib.strategies.measures.positions import as_number

CUSTOM = "custom"
_SAME = 1e-6  # currency within which strikes are one, and share within which proportions are


class Held(NamedTuple):
    """An option that is held: `when` orders expiries, by date or years."""

    when: Any
    right: str
    strike: float
    qty: int


class Place(NamedTuple):
    """Where an option stands among the others of its structure: ranks of its expiry and strike, its right and share."""

    expiry: int
    strike: int
    right: str
    qty: int


Shape = tuple[int, tuple[Place, ...]]  # contracts' worth of shares, and the options in order


@dataclass(frozen=True)
class Match:
    """What a position is called.

    Attributes
    ----------
    name : str
        A name of the catalogue; ``"long_stock"`` or ``"short_stock"`` for shares alone; ``"custom"`` for the rest.
    units : int
        How many of the structure.
    document : StrategyDocument or None
        That of the catalogue.
    strikes, expiries : dict
        By the document's names of the legs; empty for custom ones.
    ratio : tuple of int
        Quantities of one unit in the order of the document's legs.
    is_exact : bool
        Whether quantities and the proportions of the wings are the document's too.
    """

    name: str
    units: int
    document: StrategyDocument | None = None
    strikes: dict[str, float] | None = None
    expiries: dict[str, Any] | None = None
    ratio: tuple[int, ...] = ()
    is_exact: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "name": self.name, "units": self.units, "strikes": dict(self.strikes or {}),
            "expiries": {leg: str(when) for leg, when in (self.expiries or {}).items()},
            "ratio": list(self.ratio), "is_exact": self.is_exact,
        }  # fmt: skip


def name_of(legs: Sequence[Mapping[str, Any]]) -> Match:
    """Return the name of any legs, and the parameters that make them this one of its kind.

    Parameters
    ----------
    legs : sequence of mapping
        ``right`` ("C", "P", or "S" for the underlying), ``qty`` (whole contracts, signed; a stock leg of 1 is a
        contract's worth of shares), and for options ``strike`` and, where they differ, ``expiry`` (date or ISO text)
        or ``tau`` (years).

    Raises
    ------
    InputError
        If a leg is no leg.

    Notes
    -----
    Order does not matter and equal legs add up. Strikes decide only by their order, so any iron condor is one. Names
    that stand for the same legs with another conduct (`StrategyDocument.variant_of`) are never returned.

    Examples
    --------
    >>> put = {"right": "P", "strike": 90, "qty": -2, "expiry": "2026-12-18"}
    >>> found = name_of([put, {**put, "strike": 85, "qty": 2}])
    >>> found.name, found.units, found.strikes
    ('bull_put_spread', 2, {'short_put': 90.0, 'long_put': 85.0})
    """
    stock, options = read_holdings(legs)
    if not options:
        return Match("long_stock" if stock > 0 else "short_stock" if stock < 0 else CUSTOM, abs(stock))
    units = math.gcd(stock, *(option.qty for option in options))
    unit = [option._replace(qty=option.qty // units) for option in options]
    return _match(stock // units, unit, units) or Match(CUSTOM, units, ratio=tuple(one.qty for one in unit))


def read_holdings(legs: Sequence[Mapping[str, Any]]) -> tuple[int, list[Held]]:
    """Return the contracts' worth of shares, and the options in order, with equal ones added up and none that cancel.

    Raises
    ------
    InputError
        Naming the leg and field, for example ``legs[1].strike``.
    """
    stock, found = 0, dict[tuple[Any, str, float], int]()
    for position, leg in enumerate(legs):
        name, right, qty = f"legs[{position}]", leg.get("right"), leg.get("qty")
        if right not in ("C", "P", "S"):
            raise InputError(f"{name}.right", right, "C, P, or S for the underlying")
        count = as_number(f"{name}.qty", qty)
        if not (math.isfinite(count) and count == int(count)):
            raise InputError(f"{name}.qty", qty, "a whole number of contracts")
        if right == "S":
            stock += int(count)
            continue
        strike = as_number(f"{name}.strike", leg.get("strike"))
        if not 0 < strike < math.inf:
            raise InputError(f"{name}.strike", strike, "a number > 0")
        key = (_when(leg), right, strike)
        found[key] = found.get(key, 0) + int(count)
    if len({type(when) for when, _, _ in found}) > 1:
        raise InputError("legs", "a mixture", "an expiry in all option legs, tau in all, or neither in any")
    return stock, [Held(*key, qty) for key, qty in sorted(found.items()) if qty]


def _match(stock: int, options: Sequence[Held], units: int) -> Match | None:
    shape = shape_of(stock, options)
    for is_exact, key in ((True, shape), (False, _signs(shape)), (False, _loosely(shape))):
        known = _shapes().get(key, ())
        found = sorted((_distance(document, order, options), document.name, order) for document, order in known)
        if found:
            (bent, _, _), name, order = found[0]
            document, by_leg = CATALOG[name], [options[place] for place in order]
            names = [leg.name for leg in document.option_legs]
            return Match(
                name,
                units,
                document,
                strikes={leg: option.strike for leg, option in zip(names, by_leg, strict=True)},
                expiries={leg: option.when for leg, option in zip(names, by_leg, strict=True) if option.when},
                ratio=_ratio(document, stock, by_leg),
                is_exact=is_exact and not bent,
            )
    return None


def quantities_known(options: Sequence[Held]) -> list[tuple[int, tuple[int, ...]]]:
    """Return the shares and quantities with which these options, given in order, are one unit of a named structure."""
    return _quantities().get(_pattern(shape_of(0, options)[1]), [])


def shape_of(stock: int, options: Sequence[Held]) -> Shape:
    """Return what decides the name: ranks of expiries and strikes, rights and quantities."""
    expiries = sorted({option.when for option in options})
    strikes = sorted({option.strike for option in options})
    return stock, tuple(
        Place(expiries.index(option.when), strikes.index(option.strike), option.right, option.qty) for option in options
    )


@cache
def _shapes() -> dict[Any, list[tuple[StrategyDocument, tuple[int, ...]]]]:
    # By shape: the documents that have it, each with the place of its legs in the order of the shape.
    found: dict[Any, list[tuple[StrategyDocument, tuple[int, ...]]]] = {}
    for document in CATALOG.values():
        if document.variant_of:
            continue
        options = _example(document)
        in_order = sorted(options)
        order = tuple(in_order.index(option) for option in options)
        shape = shape_of(document.stock_qty, in_order)
        for key in dict.fromkeys([shape, *_looser(document, shape)]):
            found.setdefault(key, []).append((document, order))
    return found


@cache
def _quantities() -> dict[Any, list[tuple[int, tuple[int, ...]]]]:
    found: dict[Any, list[tuple[int, tuple[int, ...]]]] = {}
    for key in _shapes():
        if isinstance(key[0], int):
            found.setdefault(_pattern(key[1]), []).append((key[0], tuple(place.qty for place in key[1])))
    return found


def _pattern(places: Sequence[Place]) -> Any:
    return tuple((place.expiry, place.strike, place.right, place.qty > 0) for place in places)


def _looser(document: StrategyDocument, shape: Shape) -> Iterator[Any]:
    # Front and back ratios keep their name with other quantities, diagonals with any strikes.
    places = shape[1]
    if not shape[0] and len(places) == 2 and abs(places[0].qty) != abs(places[1].qty):
        yield _signs(shape)
    shared = [leg for leg in document.option_legs if leg.expiry == "far" and isinstance(leg.rule, SameAs)]
    if document.has_two_expiries and not shared:
        yield _loosely(shape)


def _signs(shape: Shape) -> Any:
    # Which side has more contracts is part of the name; how many more is not.
    sizes = sorted({abs(place.qty) for place in shape[1]})
    return "signs", shape[0], tuple(
        (p.expiry, p.strike, p.right, p.qty > 0, sizes.index(abs(p.qty))) for p in shape[1]
    )  # fmt: skip


def _loosely(shape: Shape) -> Any:
    return "loosely", shape[0], tuple(sorted((p.expiry, p.right, p.qty) for p in shape[1]))


def _example(document: StrategyDocument) -> list[Held]:
    legs = [leg for leg in example_legs(document, step=0.5) if leg["right"] != "S"]
    return [Held(leg["tau"], leg["right"], leg["strike"], leg["qty"]) for leg in legs]


def _distance(
    document: StrategyDocument, order: Sequence[int], options: Sequence[Held]
) -> tuple[bool, bool, bool]:  # fmt: skip
    # Among documents of one shape: does a rule that fixes proportions fail, do the widths differ in symmetry, and
    # does no rule fix proportions? The least is the closest.
    names = [leg.name for leg in document.option_legs]
    strike = {name: options[place].strike for name, place in zip(names, order, strict=True)}
    fixed = [leg for leg in document.option_legs if isinstance(leg.rule, Mirror) and leg.rule.low == leg.rule.high]
    bent = not all(_mirrors(leg.rule, strike[leg.name], strike) for leg in fixed)
    return bent, _symmetric(options) != _symmetric(_example(document)), not fixed


def _mirrors(rule: Any, strike: float, strikes: Mapping[str, float]) -> bool:
    around = strikes[rule.around]
    return math.isclose(strike - around, rule.ratio * (around - strikes[rule.of]), rel_tol=_SAME)


def _symmetric(options: Sequence[Held]) -> bool:
    strikes = sorted({option.strike for option in options})
    return all(
        abs(low + high - strikes[0] - strikes[-1]) < _SAME for low, high in zip(strikes, strikes[::-1], strict=True)
    )


def _ratio(document: StrategyDocument, stock: int, options: Sequence[Held]) -> tuple[int, ...]:
    left = iter(options)
    return tuple(next(left).qty if leg.is_option else stock for leg in document.legs)


def _when(leg: Mapping[str, Any]) -> Any:
    expiry, tau = leg.get("expiry"), leg.get("tau")
    if expiry is not None:
        return str(expiry)[:10]
    return "" if tau is None else float(tau)
