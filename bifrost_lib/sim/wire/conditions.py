"""Conditions under which an order becomes active or is cancelled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriceCondition:
    """A contract trades above or below a price; `conjunction` is "a" (and) or "o" (or) with the next condition."""

    conjunction: str = "a"
    is_more: bool = True
    price: float = 0.0
    con_id: int = 0
    exchange: str = ""
    trigger_method: int = 0


@dataclass(frozen=True, slots=True)
class TimeCondition:
    """A moment has passed."""

    conjunction: str = "a"
    is_more: bool = True
    time: str = ""


@dataclass(frozen=True, slots=True)
class MarginCondition:
    """The margin cushion is above or below a percentage."""

    conjunction: str = "a"
    is_more: bool = True
    percent: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionCondition:
    """A contract was traded by this account."""

    conjunction: str = "a"
    sec_type: str = ""
    exchange: str = ""
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class VolumeCondition:
    """A contract's volume is above or below a number."""

    conjunction: str = "a"
    is_more: bool = True
    volume: int = 0
    con_id: int = 0
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class PercentChangeCondition:
    """A contract's change of the day is above or below a percentage."""

    conjunction: str = "a"
    is_more: bool = True
    change_percent: float = 0.0
    con_id: int = 0
    exchange: str = ""


Condition = (
    PriceCondition | TimeCondition | MarginCondition | ExecutionCondition | VolumeCondition | PercentChangeCondition
)

#: The number that says which condition follows.
CONDITIONS: dict[int, type] = {
    1: PriceCondition,
    3: TimeCondition,
    4: MarginCondition,
    5: ExecutionCondition,
    6: VolumeCondition,
    7: PercentChangeCondition,
}
