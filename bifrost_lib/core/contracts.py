"""Option contracts, their OCC symbols, and what the exchange says about a class of options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bifrost_lib.core.calendar import third_friday
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import RIGHTS, SETTLEMENTS, STYLES

_OCC = re.compile(r"(?P<root>[A-Z][A-Z0-9.]{0,5}) *(?P<ymd>\d{6})(?P<right>[CP])(?P<strike>\d{8})")


@dataclass(frozen=True, order=True)
class OptionContract:
    """One listed option. `trading_class` is the option root (SPXW), `symbol` the underlying (SPX)."""

    symbol: str
    expiry: date
    strike: float
    right: str
    trading_class: str = ""
    style: str = "american"
    settlement: str = "PM"
    multiplier: float = 100.0

    def __post_init__(self) -> None:
        if not self.trading_class:
            object.__setattr__(self, "trading_class", self.symbol)
        for name, allowed in (("right", RIGHTS), ("style", STYLES), ("settlement", SETTLEMENTS)):
            if getattr(self, name) not in allowed:
                raise InputError(name, getattr(self, name), " or ".join(allowed))
        if not self.strike > 0:
            raise InputError("strike", self.strike, "a number > 0")


@dataclass(frozen=True)
class ClassConvention:
    """What the listing exchange says about a class of options."""

    symbol: str
    style: str
    settlement: str


#: Cboe index options: class -> underlying index, exercise style, settlement of its own expiries.
INDEX_CLASSES: dict[str, ClassConvention] = {
    "SPX": ClassConvention("SPX", "european", "AM"),
    "SPXW": ClassConvention("SPX", "european", "PM"),
    "XSP": ClassConvention("XSP", "european", "PM"),
    "NDX": ClassConvention("NDX", "european", "AM"),
    "NDXP": ClassConvention("NDX", "european", "PM"),
    "XND": ClassConvention("XND", "european", "PM"),
    "RUT": ClassConvention("RUT", "european", "AM"),
    "RUTW": ClassConvention("RUT", "european", "PM"),
    "MRUT": ClassConvention("MRUT", "european", "PM"),
    "DJX": ClassConvention("DJX", "european", "AM"),
    "VIX": ClassConvention("VIX", "european", "AM"),
    "VIXW": ClassConvention("VIX", "european", "AM"),
    "OEX": ClassConvention("OEX", "american", "PM"),
    "XEO": ClassConvention("OEX", "european", "PM"),
    # the simulated index, whose live options are those of its stored history
    "SIMX": ClassConvention("SIMX", "european", "AM"),
    "SIMXW": ClassConvention("SIMX", "european", "PM"),
}
_WEEKLY_CLASS = {"SPX": "SPXW", "NDX": "NDXP", "RUT": "RUTW"}


def class_convention(trading_class: str) -> ClassConvention:
    """Return exercise style and settlement of a class; anything not listed is an American stock option."""
    return INDEX_CLASSES.get(trading_class) or ClassConvention(trading_class, "american", "PM")


def trading_class_of(symbol: str, expiry: date) -> str:
    """Return the class that `symbol`'s options of `expiry` belong to when a source names only the underlying.

    Index monthlies settle on the opening of the third Friday, and the weekly class takes every other day. On the
    third Friday both classes trade; a source that does not tell them apart means the monthly one.
    """
    weekly = _WEEKLY_CLASS.get(symbol)
    if weekly is None or expiry == third_friday(expiry.year, expiry.month):
        return symbol
    return weekly


def occ_symbol(contract: OptionContract) -> str:
    """Return the 21-character OCC symbol, for example ``'AAPL  140607C00650000'``.

    Raises
    ------
    InputError
        If the class is longer than 6 characters, the year is outside 2000-2099, or the strike is not a multiple
        of 0.001 below 100,000.
    """
    thousandths = round(contract.strike * 1000)
    if abs(thousandths - contract.strike * 1000) > 1e-6 or not 0 < thousandths < 10**8:
        raise InputError("strike", contract.strike, "a multiple of 0.001 below 100000, as OCC symbols hold")
    if not 2000 <= contract.expiry.year <= 2099:
        raise InputError("expiry", contract.expiry, "a year from 2000 to 2099, as OCC symbols hold two digits")
    if not re.fullmatch(r"[A-Z][A-Z0-9.]{0,5}", contract.trading_class):
        raise InputError("trading_class", contract.trading_class, "1 to 6 capital letters or digits")
    return f"{contract.trading_class:<6}{contract.expiry:%y%m%d}{contract.right}{thousandths:08d}"


def parse_occ_symbol(text: str) -> OptionContract:
    """Read an OCC symbol, padded to 21 characters or without the padding.

    The underlying, style and settlement are those of the class (`class_convention`).
    """
    found = _OCC.fullmatch(text.strip())
    expected = "an OCC symbol such as 'AAPL  140607C00650000'"
    if not found:
        raise InputError("occ_symbol", text, expected)
    ymd = found["ymd"]
    try:
        expiry = date(2000 + int(ymd[:2]), int(ymd[2:4]), int(ymd[4:]))
    except ValueError:
        raise InputError("occ_symbol", text, f"{expected}; {ymd} is no date") from None
    if int(found["strike"]) == 0:
        raise InputError("occ_symbol", text, f"{expected}; the strike must be > 0")
    convention = class_convention(found["root"])
    return OptionContract(
        symbol=convention.symbol,
        expiry=expiry,
        strike=int(found["strike"]) / 1000,
        right=found["right"],
        trading_class=found["root"],
        style=convention.style,
        settlement=convention.settlement,
    )
