"""One subscription: what was asked for, and what has come so far."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import NamedTuple, Protocol

from bifrost_lib.core.vocabulary import MARKET_DATA_TYPES
from bifrost_lib.ib.mapping import (
    PRICES,
    QUOTE,
    SIDED_SIZES,
    SIZES,
    Seen,
    greek_or_nan,
    price_or_nan,
    size_or_nan,
    theta_per_year,
    vega_per_unit,
)
from bifrost_lib.ib.records import ListedOption, Observation, Underlying


class Ask(NamedTuple):
    """What is asked for: the contract's key, its right ("" for an underlying), and what makes it complete."""

    con_id: int
    exchange: str
    right: str
    wanted: int
    open_interest: bool


def ask_for(item: ListedOption | Underlying, *, open_interest: bool = False) -> Ask:
    """Return the question for an option (quote, greeks, perhaps open interest) or an underlying (quote or index)."""
    if isinstance(item, ListedOption):
        wanted = QUOTE | int(Seen.GREEKS) | (int(Seen.OPEN_INTEREST) if open_interest else 0)
        return Ask(item.con_id, "SMART", item.contract.right, wanted, open_interest)
    wanted = int(Seen.LAST) if item.sec_type == "IND" else QUOTE | int(Seen.LAST)
    return Ask(item.con_id, item.exchange, "", wanted, False)


class Listener(Protocol):
    """Whoever asked."""

    def ticked(self, slot: Slot) -> None:
        """Something came for the slot."""
        ...

    def refused(self, slot: Slot, code: int, text: str) -> None:
        """An error or a notice came for it."""
        ...

    def snapshot_ended(self, slot: Slot) -> None:
        """Its snapshot is over, and so is its line."""
        ...


class Slot:
    """A request for market data and its observation; ticks write straight into it."""

    __slots__ = (
        "ask", "attempts", "begun", "begun_machine", "data_type", "done", "listener", "observation", "quoted",
        "req_id", "seen",
    )  # fmt: skip

    def __init__(self, ask: Ask, listener: Listener) -> None:
        self.ask, self.listener = ask, listener
        self.attempts = 0
        self.begin(-1, 0.0, 0.0, 1)

    def begin(self, req_id: int, now: float, machine: float, data_type: int) -> None:
        """Forget what came before: a new request starts, under the market-data type of that number."""
        self.req_id, self.begun, self.begun_machine, self.data_type = req_id, now, machine, data_type
        self.seen, self.quoted, self.done = 0, 0.0, False
        self.observation = Observation(self.ask.con_id, market_data_type=MARKET_DATA_TYPES[data_type])

    @property
    def complete(self) -> bool:
        """Whether all that was wanted has been told, and there is a quote or an index level in it."""
        return self.seen & self.ask.wanted == self.ask.wanted and self.has_price

    @property
    def has_price(self) -> bool:
        """Whether there is a bid, an ask or (for an underlying) a last price."""
        seen = self.observation
        return not (isnan(seen.bid) and isnan(seen.ask) and (bool(self.ask.right) or isnan(seen.last)))

    @property
    def told_empty(self) -> bool:
        """Whether both sides were told, and both are none."""
        return self.seen & QUOTE == QUOTE and not self.has_price

    def price(self, tick: int, price: float, size: float, moment: datetime) -> None:
        """Take in a price tick; a bid or ask of 0 or -1 says that there is none."""
        known = PRICES.get(tick)
        if known is None:
            return
        field, size_field, seen = known
        observation = self.observation
        setattr(observation, field, price_or_nan(price))
        if size_field:
            setattr(observation, size_field, size_or_nan(size))
        observation.ts = moment
        self.seen |= seen
        self.listener.ticked(self)

    def size(self, tick: int, size: float, moment: datetime) -> None:
        """Take in a size tick."""
        plain = SIZES.get(tick)
        if plain is not None:
            field, seen = plain
        else:
            sided = SIDED_SIZES.get(tick)
            if sided is None or sided[0] != self.ask.right:
                return
            _, field, seen = sided
        setattr(self.observation, field, size_or_nan(size))
        self.observation.ts = moment
        self.seen |= seen
        self.listener.ticked(self)

    def computation(
        self, iv: float, delta: float, gamma: float, vega: float, theta: float, spot: float, moment: datetime
    ) -> None:
        """Take in IB's greeks of the model price, and the underlying's price behind them."""
        observation = self.observation
        observation.spot = price_or_nan(spot)
        observation.ib_iv = greek_or_nan(iv, -1.0)
        observation.ib_delta = greek_or_nan(delta, -2.0)
        observation.ib_gamma = greek_or_nan(gamma, -2.0)
        observation.ib_vega = vega_per_unit(vega)
        observation.ib_theta = theta_per_year(theta)
        observation.ts = moment
        self.seen |= Seen.GREEKS
        self.listener.ticked(self)
