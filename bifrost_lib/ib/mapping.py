"""Where IB's camelCase and numbers end: tick types, callbacks, contracts and units, as tables and small functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import IntFlag
from functools import lru_cache
from math import isfinite, nan
from operator import itemgetter
from typing import Any, NamedTuple

from bifrost_lib.core.contracts import OptionContract, class_convention
from bifrost_lib.ib.records import ListedOption, Underlying


class Seen(IntFlag):
    """Which parts of an observation have been told, be it as a number or as a definite "none"."""

    BID = 1
    ASK = 2
    LAST = 4
    GREEKS = 8
    OPEN_INTEREST = 16
    VOLUME = 32


QUOTE = int(Seen.BID | Seen.ASK)

#: Price ticks: field, field of the size that comes along, and what has been seen then. 66-75 are delayed.
PRICES: dict[int, tuple[str, str, int]] = {
    1: ("bid", "bid_size", int(Seen.BID)),
    2: ("ask", "ask_size", int(Seen.ASK)),
    4: ("last", "", int(Seen.LAST)),
    9: ("close", "", 0),
    66: ("bid", "bid_size", int(Seen.BID)),
    67: ("ask", "ask_size", int(Seen.ASK)),
    68: ("last", "", int(Seen.LAST)),
    75: ("close", "", 0),
}
SIZES: dict[int, tuple[str, int]] = {
    0: ("bid_size", 0),
    3: ("ask_size", 0),
    8: ("volume", int(Seen.VOLUME)),
    69: ("bid_size", 0),
    70: ("ask_size", 0),
    74: ("volume", int(Seen.VOLUME)),
}
#: Size ticks that come for calls and puts: the one of the other right is 0 and means nothing.
SIDED_SIZES: dict[int, tuple[str, str, int]] = {
    27: ("C", "open_interest", int(Seen.OPEN_INTEREST)),
    28: ("P", "open_interest", int(Seen.OPEN_INTEREST)),
    29: ("C", "volume", int(Seen.VOLUME)),
    30: ("P", "volume", int(Seen.VOLUME)),
}
#: The computations that are read: those of the model price, live and delayed. Those of bid, ask and last (10-12,
#: 80-82) say the same of other prices and are three quarters of all computations.
MODEL_COMPUTATIONS = frozenset({b"13", b"83"})

GENERIC_OPTION_VOLUME, GENERIC_OPEN_INTEREST = "100", "101"

#: What the client library calls, and our names for it (`receiver.Receiver`).
CALLBACKS: dict[str, str] = {
    "tcpDataArrived": "packet_begins",
    "connectAck": "acknowledged",
    "setEventsDone": "ended",
    "error": "error",
    "marketDataType": "data_type_tick",
    "tickSnapshotEnd": "snapshot_ended",
    "contractDetailsEnd": "rows_end",
    "securityDefinitionOptionParameter": "row_of_values",
    "securityDefinitionOptionParameterEnd": "rows_end",
    "historicalData": "row",
    "historicalDataEnd": "rows_end",
    "currentTime": "current_time",
}
#: Messages that no caller reads; their decoding is spared.
IGNORED_MESSAGES = (b"45", b"46", b"81")

_DATE = re.compile(r"\d{8}")
_OCC_DATE = re.compile(r" *(\d{6})[CP]\d{8}$")
_LARGEST = 1e300  # IB sends the largest double where it knows nothing


def price_or_nan(value: float) -> float:
    """Return a price, NaN for IB's 0 and -1 ("none")."""
    return value if 0.0 < value < _LARGEST else nan


def size_or_nan(value: float) -> float:
    """Return a size, NaN for IB's -1 and unset numbers."""
    return value if 0.0 <= value < _LARGEST else nan


def greek_or_nan(value: float, nothing: float) -> float:
    """Return a computed number, NaN where IB sends `nothing` (-1 or -2), NaN or its largest double."""
    return nan if value == nothing or not isfinite(value) or abs(value) >= _LARGEST else value


def vega_per_unit(value: float) -> float:
    """Return vega per 1.00 of volatility; IB quotes it per point (0.01)."""
    return 100.0 * greek_or_nan(value, -2.0)


def theta_per_year(value: float) -> float:
    """Return theta per year; IB quotes it per calendar day."""
    return 365.0 * greek_or_nan(value, -2.0)


def generic_ticks(*, open_interest: bool, delayed: bool) -> str:
    """Return the generic ticks to ask for; delayed data refuse the option volume (100)."""
    if not open_interest:
        return ""
    return GENERIC_OPEN_INTEREST if delayed else f"{GENERIC_OPTION_VOLUME},{GENERIC_OPEN_INTEREST}"


def ib_date(day: date) -> str:
    """Return a date as IB writes it, ``'20261218'``."""
    return f"{day:%Y%m%d}"


@lru_cache(maxsize=4096)
def date_of(text: str) -> date | None:
    """Read IB's date, with or without a time behind it; None when it is none."""
    if not _DATE.match(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def expiry_of(*, local_symbol: str, real_expiration: str, last_trade: str) -> date | None:
    """Return the expiry of an option's details, None when none is told.

    The OCC date of the local symbol comes first: IB shifts the last trading moment into the time zone of the
    gateway's login, which moves it to another day, and for AM-settled classes it is a day before the expiry.
    """
    if found := _OCC_DATE.search(local_symbol):
        return date_of("20" + found[1])
    return date_of(real_expiration) or date_of(last_trade)


def contract_fields(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return IB's names for the fields of a contract that is asked for."""
    return {_CONTRACT_FIELDS[name]: value for name, value in query.items()}


_CONTRACT_FIELDS = {
    "con_id": "conId",
    "symbol": "symbol",
    "sec_type": "secType",
    "expiry": "lastTradeDateOrContractMonth",
    "strike": "strike",
    "right": "right",
    "exchange": "exchange",
    "currency": "currency",
    "trading_class": "tradingClass",
}


class Details(NamedTuple):
    """What of IB's contract details is read: one of the forty fields in three, as IB writes them."""

    symbol: str
    sec_type: str
    last_trade: str
    strike: str
    right: str
    exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    con_id: str
    min_tick: str
    multiplier: str
    long_name: str
    real_expiration: str


#: Where those are in the message, the last one behind a list of `_SECURITY_IDS` pairs.
_DETAILS = itemgetter(2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 19)
_SECURITY_IDS, _REAL_EXPIRATION = 30, 35
#: The first version of the protocol whose details have neither a version nor a market-data size multiplier.
PLAIN_DETAILS = 164


def details_of(fields: list[bytes], *, server_version: int) -> tuple[int, Details]:
    """Read contract details; return the request's id and them.

    A chain has thousands, and the library makes two objects of sixty attributes of each.
    """
    if server_version < PLAIN_DETAILS:
        fields = [fields[0], *fields[2:15], *fields[16:]]
    real_expiration = fields[_REAL_EXPIRATION + 2 * int(fields[_SECURITY_IDS] or 0)]
    words = [field.decode(errors="backslashreplace") for field in (*_DETAILS(fields), real_expiration)]
    return int(fields[1]), Details(*words)


def underlying_of(details: Details) -> Underlying:
    """Return a stock, fund or index from IB's contract details."""
    return Underlying(
        symbol=details.symbol,
        con_id=int(details.con_id),
        sec_type=details.sec_type,
        exchange=details.exchange or "SMART",
        currency=details.currency,
        long_name=details.long_name.encode().decode("unicode-escape"),
    )


def listed_option_of(details: Details) -> ListedOption | None:
    """Return an option from IB's contract details; None when it lacks an expiry, a strike or a right."""
    expiry = expiry_of(
        local_symbol=details.local_symbol, real_expiration=details.real_expiration, last_trade=details.last_trade
    )
    right, strike = details.right[:1].upper(), float(details.strike or 0.0)
    if expiry is None or right not in ("C", "P") or not strike > 0:
        return None
    trading_class = details.trading_class or details.symbol
    convention = class_convention(trading_class)
    option = OptionContract(
        symbol=details.symbol,
        expiry=expiry,
        strike=strike,
        right=right,
        trading_class=trading_class,
        style=convention.style,
        settlement=convention.settlement,
        multiplier=float(details.multiplier or 100.0),
    )
    return ListedOption(int(details.con_id), option, float(details.min_tick or 0.0) or 0.01)
