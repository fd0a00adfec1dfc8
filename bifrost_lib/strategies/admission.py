"""Whether a document's conditions of entry hold on an underlying at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies.document import StrategyDocument
from bifrost_lib.strategies.entry import Entry

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def admit(
    document: StrategyDocument, *, symbol: str, at: datetime, conditions: Mapping[str, float] | None
) -> tuple[str, ...]:  # fmt: skip
    """Return what could not be checked of a document's conditions of entry, or does not suit this underlying.

    Parameters
    ----------
    document : StrategyDocument
    symbol : str
    at : datetime, aware
    conditions : mapping, optional
        The underlying's ``market_conditions``, by column; a column that is missing or NaN is not known.

    Raises
    ------
    NoDataError
        If a condition does not hold; the hint names each with its figure. With `conditions`, a figure that is not
        known fails its condition.
    """
    entry, refusals = document.entry, list(_weekday(document.entry, at))
    wanted = list(_ranges(entry))
    if conditions is not None:
        refusals += [_refusal(name, low, high, conditions.get(name, math.nan)) for name, low, high in wanted]
    if refusals := [refusal for refusal in refusals if refusal]:
        raise NoDataError(
            "candidate", at=at, hint="not entered: " + "; ".join(refusals), symbol=symbol, strategy=document.name
        )
    unchecked = [name for name, _, _ in wanted] if conditions is None else []
    if document.symbols and symbol not in document.symbols:
        unchecked.append(f"meant for {', '.join(document.symbols)}")
    return (*unchecked, *(name for name in ("earnings", "ex_dividend") if getattr(entry, name) is not None))


def _weekday(entry: Entry, at: datetime) -> Iterator[str]:
    today = _WEEKDAYS[at.astimezone(EXCHANGE_TZ).weekday()]
    if entry.weekdays and today not in entry.weekdays:
        yield f"{today} is not among {', '.join(entry.weekdays)}"


def _ranges(entry: Entry) -> Iterator[tuple[str, float | None, float | None]]:
    for name in ("iv_rank", "vol_index"):
        if (asked := getattr(entry, name)) is not None:
            yield name, asked.low, asked.high
    for condition in entry.conditions:
        yield condition.column, condition.low, condition.high


def _refusal(name: str, low: float | None, high: float | None, value: float) -> str:
    if not math.isfinite(value):
        return f"{name} is not known"
    if low is not None and value < low:
        return f"{name} {value:.4g} is below {low:g}"
    return f"{name} {value:.4g} is above {high:g}" if high is not None and value > high else ""
