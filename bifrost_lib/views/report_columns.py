"""The columns of a report's tables: what each is called, its unit, and how its values are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.badges import SIMULATED_SOURCE, age_text
from bifrost_lib.views.formats import MINUS, MISSING, day, money, percent, plain, strike_text

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One column: its header, its unit, and the HTML of a row's cell; `kind` is number, text or prose."""

    header: str
    unit: str
    cell: Callable[[Row], str]
    kind: str = "number"


def is_missing(value: Any) -> bool:
    """Tell whether there is no value: None, NaN or NaT."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) == "NaT"


def known(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return `write`, with a dash where there is no value."""
    return lambda value: MISSING if is_missing(value) else write(value)


def of(name: str, write: Callable[[Any], str]) -> Callable[[Row], str]:
    """Return the writer of one key of a row."""
    return lambda row: escape(known(write)(row.get(name)))


def words(name: str, header: str) -> Figure:
    """Return a column of text."""
    return Figure(header, "", of(name, str), "text")


def count(name: str, header: str, unit: str = "") -> Figure:
    """Return a column of whole numbers; a zero is written as one."""
    return Figure(header, unit, of(name, lambda value: money(float(value))))


def share(name: str, header: str, *, decimals: int = 1, warn_below: float = -math.inf) -> Figure:
    """Return a column of shares, written in percent; those below `warn_below` stand out."""
    return Figure(header, "%", of_share(name, decimals, warn_below))


def of_share(name: str, decimals: int, warn_below: float) -> Callable[[Row], str]:
    """Return the writer of a share."""

    def cell(row: Row) -> str:
        text = of(name, lambda value: percent(value, decimals=decimals))(row)
        is_low = not is_missing(row.get(name)) and row[name] < warn_below
        return f"<span class='bf-warned'>{text}</span>" if is_low else text

    return cell


def number(name: str, header: str, unit: str = "", *, decimals: int = 2) -> Figure:
    """Return a column of plain numbers."""
    return Figure(header, unit, of(name, lambda value: plain(float(value), decimals=decimals)))


def signed(name: str, header: str, unit: str, *, scale: float = 1.0, decimals: int = 2) -> Figure:
    """Return a column of numbers that are neither good nor bad by their sign, times `scale`; a zero has no sign."""
    return Figure(header, unit, of(name, lambda value: _signed(value * scale, decimals)))


def change(name: str, header: str, unit: str, *, scale: float = 1.0, decimals: int = 2) -> Figure:
    """Return a column of changes: with their sign, coloured by it, times `scale`."""

    def cell(row: Row) -> str:
        text = of(name, lambda value: _signed(value * scale, decimals))(row)
        ways = {"+": "up", MINUS: "down"}
        return f"<span class='bf-{ways[text[0]]}'>{text}</span>" if text[0] in ways else text

    return Figure(header, unit, cell)


def moment(name: str, header: str) -> Figure:
    """Return a column of moments in the exchange's time."""
    return Figure(header, "New York", of(name, _moment))


def age(name: str, header: str) -> Figure:
    """Return a column of ages, given in seconds."""
    return Figure(header, "", of(name, age_text))


def session(name: str, header: str = "Session") -> Figure:
    """Return a column of sessions."""
    return Figure(header, "", of(name, _session), "text")


def contract() -> Figure:
    """Return the column that names a contract: symbol, expiry, strike and right."""
    return Figure("Contract", "", lambda row: escape(contract_text(row)), "text")


def contract_text(row: Row) -> str:
    """Return a contract in words, with its class where that is not the symbol."""
    symbol, name = str(row["symbol"]), str(row["trading_class"])
    head = symbol if symbol == name else f"{symbol} ({name})"
    side = "call" if row["right"] == "C" else "put"
    return f"{head} {day(row['expiry'])} {strike_text(float(row['strike']))} {side}"


def source(name: str = "source", header: str = "Source") -> Figure:
    """Return a column of sources; simulated ones cannot be overlooked."""

    def cell(row: Row) -> str:
        text = escape(str(row[name]))
        return f"<span class='bf-made-up'>{text}</span>" if SIMULATED_SOURCE in text else text

    return Figure(header, "", cell, "text")


def reasons(name: str, header: str) -> Figure:
    """Return a column of counts by reason."""
    return Figure(header, "", of(name, _reasons), "prose")


def _reasons(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{reason.replace('_', ' ')} {money(number)}" for reason, number in counts.items())
    return told or "nothing"


def _moment(value: datetime) -> str:
    local = value.astimezone(EXCHANGE_TZ)
    return f"{local.day} {local:%b %Y %H:%M}"


def _session(value: date) -> str:
    return f"{value:%a} {value.day} {value:%b}"


def _signed(value: float, decimals: int) -> str:
    text = money(float(value), decimals=decimals, signed=True)
    return text if any(digit in text for digit in "123456789") else text[1:]
