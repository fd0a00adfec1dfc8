"""What an order trades: one instrument, or a combination with its legs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from bifrost_lib.sim.instruments import Instrument, InstrumentBook
from bifrost_lib.sim.wire import Contract

#: The conId under which IB reports every combination.
COMBO_CON_ID = 28812380
COMBO_TICK = 0.01


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg: `ratio` contracts per unit, positive where buying the product buys them."""

    instrument: Instrument
    ratio: float


@dataclass(frozen=True, slots=True)
class Product:
    """A tradable thing: `contract` as messages show it, and one leg, or several for a combination."""

    contract: Contract
    legs: tuple[Leg, ...]
    is_combo: bool = False

    @property
    def con_ids(self) -> tuple[int, ...]:
        """The instruments whose quotes make its price."""
        return tuple(leg.instrument.con_id for leg in self.legs)

    @property
    def is_stock(self) -> bool:
        """A single stock or fund."""
        return not self.is_combo and self.legs[0].instrument.sec_type == "STK"

    @property
    def has_options(self) -> bool:
        """At least one leg is an option."""
        return any(leg.instrument.sec_type == "OPT" for leg in self.legs)

    def increment(self, price: float) -> float:
        """Return the smallest price increment around `price`."""
        if self.is_combo:
            return COMBO_TICK
        fitting = [step for low, step in self.legs[0].instrument.ticks if low <= abs(price) + 1e-9]
        return fitting[-1] if fitting else self.legs[0].instrument.min_tick

    def is_on_tick(self, price: float) -> bool:
        """Tell whether `price` is a multiple of the increment."""
        steps = price / self.increment(price)
        return abs(steps - round(steps)) < 1e-6


def product_of(book: InstrumentBook, contract: Contract) -> Product | None:
    """Return what a contract of a request means; None when nothing, or more than one thing, fits."""
    if contract.sec_type == "BAG":
        return _combo(book, contract)
    instrument = instrument_of(book, contract)
    if instrument is None or not _on_exchange(instrument, contract.exchange):
        return None
    shown = replace(contract_of(instrument), exchange=contract.exchange or instrument.exchange)
    return Product(shown, (Leg(instrument, 1.0),))


def instrument_of(book: InstrumentBook, contract: Contract) -> Instrument | None:
    """Return the one instrument that fits a contract: by its conId, else by its description."""
    if contract.con_id:
        return book.by_con_id(contract.con_id)
    if contract.sec_type in ("STK", "IND"):
        found = book.underlying(contract.symbol or contract.local_symbol)
        return found if found is not None and found.sec_type == contract.sec_type else None
    if contract.sec_type != "OPT":
        return None
    local, symbol = contract.local_symbol, contract.symbol or contract.local_symbol[:6].strip()
    fitting = [option for option in book.options(symbol) if _fits(option, contract)]
    if local:
        fitting = [option for option in fitting if option.local_symbol.split() == local.split()]
    return fitting[0] if len(fitting) == 1 else None


def contract_of(instrument: Instrument) -> Contract:
    """Return an instrument as messages show it."""
    option = instrument.sec_type == "OPT"
    return Contract(
        con_id=instrument.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.sec_type,
        expiry=f"{instrument.expiry:%Y%m%d}" if instrument.expiry else "",
        strike=instrument.strike,
        right=instrument.right,
        multiplier=f"{instrument.multiplier:g}" if option else "",
        exchange=instrument.exchange,
        primary_exchange=instrument.primary_exchange,
        currency=instrument.currency,
        local_symbol=instrument.local_symbol,
        trading_class=instrument.trading_class,
    )


def _combo(book: InstrumentBook, contract: Contract) -> Product | None:
    legs = []
    for part in contract.combo_legs:
        instrument = book.by_con_id(part.con_id)
        if instrument is None or part.ratio <= 0 or part.action not in ("BUY", "SELL"):
            return None
        legs.append(Leg(instrument, float(part.ratio if part.action == "BUY" else -part.ratio)))
    if len(legs) < 2 or len({leg.instrument.con_id for leg in legs}) < len(legs):
        return None
    shown = replace(
        contract,
        con_id=contract.con_id or COMBO_CON_ID,
        exchange=contract.exchange or "SMART",
        currency=contract.currency or legs[0].instrument.currency,
        local_symbol=contract.local_symbol or contract.symbol,
        trading_class=contract.trading_class or "COMB",
    )
    return Product(shown, tuple(legs), is_combo=True)


def _on_exchange(instrument: Instrument, exchange: str) -> bool:
    return not exchange or exchange == instrument.exchange or exchange in instrument.valid_exchanges


def _fits(option: Instrument, contract: Contract) -> bool:
    day = _day(contract.expiry)
    return (
        (not contract.expiry or (option.expiry is not None and day == option.expiry))
        and (not contract.strike or abs(option.strike - contract.strike) < 1e-9)
        and (not contract.right or option.right == contract.right[0].upper())
        and (not contract.trading_class or option.trading_class == contract.trading_class)
        and (not contract.multiplier or float(contract.multiplier) == option.multiplier)
    )


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 (a calendar day has no zone)
    except ValueError:
        return None
