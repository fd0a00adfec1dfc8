"""The parts that messages share: contracts, combination legs, tag-value pairs."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Part

#: "No value" of the protocol; written as an empty text, except where IB writes the number itself.
UNSET_INT = 2**31 - 1
UNSET_DOUBLE = sys.float_info.max


@dataclass(frozen=True, slots=True)
class TagValue:
    """One option of a request, or one parameter of an algorithm."""

    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class ComboLeg:
    """One leg of a contract whose `sec_type` is BAG; `open_close` 0 is the same as the parent."""

    con_id: int = 0
    ratio: int = 0
    action: str = ""
    exchange: str = ""
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


@dataclass(frozen=True, slots=True)
class DeltaNeutralContract:
    """The underlying with which a volatility order is hedged."""

    con_id: int = 0
    delta: float = 0.0
    price: float = 0.0


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as the protocol writes it: `expiry` is YYYYMM, YYYYMMDD or empty, `multiplier` is text."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: float = 0.0
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    combo_legs: tuple[ComboLeg, ...] = ()
    combo_legs_descrip: str = ""
    delta_neutral_contract: DeltaNeutralContract | None = None


def _of_contract(names: str) -> tuple[Part, ...]:
    return tuple(f"contract.{name}" for name in names.split())


#: The block of 12 in requests, and the block of 11 in responses.
C12 = _of_contract(
    "con_id symbol sec_type expiry strike right multiplier exchange primary_exchange currency local_symbol"
    " trading_class"
)
C11 = _of_contract("con_id symbol sec_type expiry strike right multiplier exchange currency local_symbol trading_class")
