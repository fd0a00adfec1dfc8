"""Arguments that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import parse_moment
from bifrost_lib.core.errors import InputError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Symbol = Annotated[str, typer.Argument(help="Underlying symbol, for example SPY.", show_default=False)]
At = Annotated[
    str | None,
    typer.Option("--at", help="As-of time: ISO 8601 with an offset, or a date. Default: the newest stored moment."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")]


def read_at(text: str | None) -> datetime | None:
    """Read ``--at``: a moment with an offset, or a date, which means its end at the exchange."""
    if text is None:
        return None
    if _DATE.fullmatch(text.strip()):
        day = read_date(text.strip(), name="--at")
        return datetime.combine(day, time.max, EXCHANGE_TZ).astimezone(UTC)
    return parse_moment(text, name="--at")


def read_date(text: str, *, name: str) -> date:
    """Read a date such as 2026-09-18."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(name, text, "a date such as 2026-09-18") from None


def read_range(text: str | None, *, name: str) -> tuple[int, int] | None:
    """Read a range of whole numbers such as ``20:60``; one number means just that one."""
    if text is None:
        return None
    parts = text.split(":")
    try:
        low, high = (int(parts[0]), int(parts[-1])) if len(parts) <= 2 else (1, 0)
    except ValueError:
        low, high = 1, 0
    if not 0 <= low <= high:
        raise InputError(name, text, "two whole numbers A:B with 0 <= A <= B, for example 20:60")
    return low, high


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse two output formats at once."""
    if as_json and as_csv:
        raise InputError("--json --csv", "both", "one of them")
