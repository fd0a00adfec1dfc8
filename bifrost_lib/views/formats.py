"""Numbers as people read them; missing is a dash, unbounded an infinity sign, never a made-up number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ

MISSING = "\N{EN DASH}"
UNBOUNDED = "\N{INFINITY}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
#: What differs behind this place is the order of a sum, and must not show as another amount.
EXACT_DECIMALS = 9
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"


def money(value: float | None, *, decimals: int = 0, signed: bool = False) -> str:
    """Format an amount of currency with thousands separators and a true minus sign."""
    return _number(value, f"{'+' if signed else ''},.{decimals}f")


def usd(value: float | None, *, decimals: int = 0, signed: bool = False) -> str:
    """Format an amount of US dollars, the sign before the currency: ``−$418``."""
    text = money(value, decimals=decimals, signed=signed)
    if text == MISSING:
        return text
    return f"{text[0]}${text[1:]}" if text[0] in ("+", MINUS) else f"${text}"


def percent(value: float | None, *, decimals: int = 1) -> str:
    """Format a decimal such as 0.125 as ``12.5``; the unit stands in the column's header."""
    return _number(None if value is None else value * 100, f",.{decimals}f")


def plain(value: float | None, *, decimals: int = 2) -> str:
    """Format a number with thousands separators."""
    return _number(value, f",.{decimals}f")


def signed(value: float, *, decimals: int = 1) -> str:
    """Format a change with its sign; one that rounds to nothing has none."""
    text = _number(value, f"+,.{decimals}f")
    return text if text == MISSING or any(digit in text for digit in "123456789") else text[1:]


def strike_text(value: float) -> str:
    """Format a strike without needless decimals: ``480``, ``482.5``."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def bounded(record: Mapping[str, Any], name: str) -> str:
    """Format ``max_profit`` or ``max_loss`` of a record, which may be unbounded."""
    return UNBOUNDED if record.get(f"{name}_unbounded") else money(record.get(name))


def day(value: date | datetime | str) -> str:
    """Format an expiry as ``16 Oct 26``; texts are ISO dates."""
    moment = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{moment.day} {moment:%b %y}"


def exchange_time(moment: datetime) -> str:
    """Format a moment in the exchange's time: ``30 Sep 2026 16:00 New York``."""
    local = moment.astimezone(EXCHANGE_TZ)
    return f"{local.day} {local:%b %Y %H:%M} New York"


def _number(value: float | None, pattern: str) -> str:
    if value is None or math.isnan(value):
        return MISSING
    return format(round(value, EXACT_DECIMALS), pattern).replace("-", MINUS)  # 366.50000000000006 is a half as 366.5 is
