"""Quotes as plain arrays while they are read, checked and sorted, and as a frame when they are handed over."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.contracts import class_convention, trading_class_of
from bifrost_lib.core.vocabulary import QUOTE_COLUMNS, RIGHTS, SETTLEMENTS, STYLES

Array = npt.NDArray[Any]
#: Our columns by name, all of one length: ts (UTC microseconds), expiry (days since 1970), is_call, the codes of
#: symbol, trading_class, style and settlement, the numbers of QUOTE_COLUMNS, and the line and part they come from.
Quotes = dict[str, Array]

PRICES = ("bid", "ask", "last")
SIZES = ("bid_size", "ask_size", "volume", "open_interest")
DTYPES: dict[str, str] = {
    "ts": "int64",
    "expiry": "int32",
    "strike": "float64",
    "is_call": "bool",
    "symbol": "int32",
    "trading_class": "int32",
    "style": "int8",
    "settlement": "int8",
    "multiplier": "float64",
    **dict.fromkeys((*PRICES, *SIZES, "spot"), "float64"),
    "line": "int64",
    "part": "int16",
}
_NAME = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,11}")
_EPOCH = date(1970, 1, 1)


class Names:
    """Distinct names of a feed and their codes, in the order in which they appeared."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        """Return the code of `name`, a new one when it is new."""
        known = self._codes.get(name)
        if known is None:
            known = self._codes[name] = len(self.names)
            self.names.append(name)
        return known

    def ranks(self) -> Array:
        """Return each code's place in alphabetical order."""
        ranks = np.empty(len(self.names), dtype=np.int64)
        ranks[sorted(range(len(self.names)), key=self.names.__getitem__)] = np.arange(len(self.names))
        return ranks


class Listing:
    """What is known about the names of a feed: symbols, trading classes, and the convention of each class."""

    def __init__(self) -> None:
        self.symbols, self.classes = Names(), Names()
        self._class_of: dict[tuple[int, int], int] = {}

    def class_codes(self, symbol: Array, expiry: Array) -> Array:
        """Return the class that each symbol's options of an expiry belong to."""
        if not len(symbol):
            return np.empty(0, dtype=np.int32)
        keys = symbol.astype(np.int64) * (1 << 20) + expiry
        starts = np.concatenate(([0], np.flatnonzero(np.diff(keys)) + 1))
        distinct, place = np.unique(keys[starts], return_inverse=True)
        codes = np.array([self._class(int(key >> 20), int(key & ((1 << 20) - 1))) for key in distinct], dtype=np.int32)
        return np.repeat(codes[place], np.diff(np.concatenate((starts, [len(keys)]))))

    def _class(self, symbol: int, expiry: int) -> int:
        known = self._class_of.get((symbol, expiry))
        if known is None:
            name = trading_class_of(self.symbols.names[symbol], _EPOCH + timedelta(days=expiry))
            known = self._class_of[symbol, expiry] = self.classes.code(name)
        return known

    def conventions(self, classes: Array) -> tuple[Array, Array]:
        """Return the codes of exercise style and settlement of each class."""
        known = [class_convention(name) for name in self.classes.names]
        styles = np.array([STYLES.index(convention.style) for convention in known], dtype=np.int8)
        settlements = np.array([SETTLEMENTS.index(convention.settlement) for convention in known], dtype=np.int8)
        return styles[classes], settlements[classes]

    def symbol_of_class(self, classes: Array) -> Array:
        """Return the code of the underlying of each class."""
        symbols = [self.symbols.code(class_convention(name).symbol) for name in self.classes.names]
        return np.array(symbols, dtype=np.int32)[classes]


def clean_name(text: str) -> str:
    """Return a symbol as we write it: capitals, no index mark in front, dots for slashes; '' if it is none."""
    name = text.strip().upper().lstrip("^$").replace("/", ".")
    return name if _NAME.fullmatch(name) else ""


def empty_quotes(count: int = 0) -> Quotes:
    """Return `count` rows of all columns, numbers NaN and the rest zero."""
    return {
        name: np.full(count, np.nan) if dtype == "float64" else np.zeros(count, dtype=dtype)
        for name, dtype in DTYPES.items()
    }


def take(quotes: Quotes, rows: Any) -> Quotes:
    """Return the rows that a mask, an order or a slice selects."""
    return {name: values[rows] for name, values in quotes.items()}


def joined(pieces: list[Quotes]) -> Quotes:
    """Return all pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return empty_quotes()
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in DTYPES}


def count_of(quotes: Quotes) -> int:
    """Return the number of rows."""
    return len(quotes["ts"])


def to_frame(quotes: Quotes, listing: Listing) -> pd.DataFrame:
    """Return the quotes as a frame with `QUOTE_COLUMNS`."""
    columns: dict[str, Any] = {
        "ts": pd.DatetimeIndex(quotes["ts"].view("datetime64[us]")).tz_localize("UTC"),
        "symbol": _category(quotes["symbol"], listing.symbols.names),
        "trading_class": _category(quotes["trading_class"], listing.classes.names),
        "expiry": quotes["expiry"].astype("datetime64[D]").astype("datetime64[s]"),
        "strike": quotes["strike"],
        "right": _category(np.where(quotes["is_call"], 0, 1), list(RIGHTS)),
        "style": _category(quotes["style"], list(STYLES)),
        "settlement": _category(quotes["settlement"], list(SETTLEMENTS)),
    }
    numbers = {name: quotes[name] for name in QUOTE_COLUMNS if name not in columns}
    frame = pd.DataFrame(columns | numbers, copy=False)
    return frame[list(QUOTE_COLUMNS)]


def _category(codes: Array, names: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.astype(np.int32), categories=pd.Index(names, dtype="str"), validate=False)


def describe(quotes: Quotes, row: int, listing: Listing) -> str:
    """Return one quote as a line of text, for the reject file."""
    moment = np.datetime64(int(quotes["ts"][row]), "us")
    expiry = np.datetime64(int(quotes["expiry"][row]), "D")
    right = "C" if quotes["is_call"][row] else "P"
    values = " ".join(f"{name} {quotes[name][row]:g}" for name in ("bid", "ask", "last", "volume"))
    symbol = listing.classes.names[quotes["trading_class"][row]]
    return f"{moment}Z {symbol} {expiry} {right} {quotes['strike'][row]:g} {values}"
