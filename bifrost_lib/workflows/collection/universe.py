"""Which contracts to observe: the nearest expiries, and the strikes around the money of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from bifrost_lib.core.calendar import dte, expiry_moment
from bifrost_lib.core.contracts import class_convention
from bifrost_lib.core.errors import InputError
from bifrost_lib.ib import ListedOption, OptionClass
from bifrost_lib.store import Watch

#: Options of one class and expiry are observed, stored and valued together.
GroupKey = tuple[date, str]


@dataclass(frozen=True)
class Selection:
    """What of a chain is wanted.

    Attributes
    ----------
    expiries : int
        The nearest ones of those within `min_dte` to `max_dte` calendar days; 0: every one.
    strikes : int
        Around the money of each expiry and class; 0: every one.
    min_dte, max_dte : int
    days : tuple of date
        These expiries and no others, where not empty.
    """

    expiries: int = 2
    strikes: int = 0
    min_dte: int = 0
    max_dte: int = 10_000
    days: tuple[date, ...] = ()

    @classmethod
    def of(cls, watch: Watch) -> Selection:
        """Return what a row of the watchlist wants."""
        return cls(watch.expiries, watch.strikes, watch.min_dte, watch.max_dte)


def expiries_to_observe(classes: Iterable[OptionClass], selection: Selection, *, at: datetime) -> list[date]:
    """Return the expiries of all `classes` together that are wanted and have not passed at `at`, ascending.

    Parameters
    ----------
    classes : iterable of OptionClass
    selection : Selection
    at : datetime
        Aware. A day counts until the last class that is listed for it expires: on a third Friday the classes that
        settle on the opening are gone after it, those that settle on the close are not.
    """
    _check_count("expiries", selection.expiries)
    alive = {
        day
        for listed in classes
        for day in listed.expiries
        if expiry_moment(day, class_convention(listed.trading_class).settlement) > at
    }
    if selection.days:
        return sorted(alive & set(selection.days))
    return sorted(day for day in alive if selection.min_dte <= dte(at, day) <= selection.max_dte)[
        : selection.expiries or None
    ]


def options_to_observe(
    options: Iterable[ListedOption], *, spot: float, at: datetime, strikes: int
) -> list[ListedOption]:
    """Return the options to observe, in the order in which to observe them.

    Parameters
    ----------
    options : iterable of ListedOption
    spot : float
        Currency per share; NaN where unknown, then the middle of the listed strikes stands for the money.
    at : datetime
        Aware; options that have expired by then are left out.
    strikes : int
        How many strikes of each expiry and class, those nearest the money first; 0: all.

    Returns
    -------
    list of ListedOption
        By expiry, class and strike, the put before the call, so that both sides of a parity are observed together.
    """
    _check_count("strikes", strikes)
    listed = list(options)
    ends = {terms: expiry_moment(*terms) for terms in set(map(_terms, listed))}
    alive = [option for option in listed if ends[_terms(option)] > at]
    alive.sort(key=_order)
    if not strikes:
        return alive
    return [option for _, group in groupby(alive, key=group_key) for option in _around(list(group), spot, strikes)]


def nearest_the_money(options: Sequence[ListedOption], *, spot: float, count: int) -> list[ListedOption]:
    """Return the `count` options whose strikes are nearest `spot`, nearer expiries first among equals.

    The list is empty where spot is unknown: nobody knows then which ones they are.
    """
    if not spot > 0:
        return []

    def distance(option: ListedOption) -> tuple[float, date, str]:
        return abs(math.log(option.contract.strike / spot)), option.contract.expiry, option.contract.right

    return sorted(options, key=distance)[:count]


def group_key(option: ListedOption) -> GroupKey:
    """Return what the options that share a parity have in common."""
    return option.contract.expiry, option.contract.trading_class


def _around(group: list[ListedOption], spot: float, count: int) -> list[ListedOption]:
    ladder = sorted({option.contract.strike for option in group})
    centre = spot if spot > 0 else ladder[len(ladder) // 2]
    kept = set(sorted(ladder, key=lambda strike: (abs(strike - centre), strike))[:count])
    return [option for option in group if option.contract.strike in kept]


def _terms(option: ListedOption) -> tuple[date, str]:
    return option.contract.expiry, option.contract.settlement


def _order(option: ListedOption) -> tuple[date, str, float, bool]:
    contract = option.contract
    return contract.expiry, contract.trading_class, contract.strike, contract.right == "C"


def _check_count(name: str, count: int) -> None:
    if count < 0:
        raise InputError(name, count, "a whole number >= 0, 0 for all")
