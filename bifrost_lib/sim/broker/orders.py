"""Orders that the broker knows, and where to find them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import nan

from bifrost_lib.sim.broker.commissions import OrderBill
from bifrost_lib.sim.broker.products import Product
from bifrost_lib.sim.wire import UNSET_DOUBLE, Order

#: An order that was never transmitted is known to nobody but its client.
HELD, PRE_SUBMITTED, SUBMITTED = "PendingSubmit", "PreSubmitted", "Submitted"
FILLED, CANCELLED = "Filled", "Cancelled"
DONE = frozenset({FILLED, CANCELLED})

#: Order types that sleep until a price is seen, and what they become.
TRIGGERED_TYPES = {
    "STP": "MKT", "STP LMT": "LMT", "TRAIL": "MKT", "TRAIL LIMIT": "LMT", "MIT": "MKT", "LIT": "LMT",
}  # fmt: skip
AUCTION_TYPES = frozenset({"MOC", "LOC", "MOO", "LOO"})
PLAIN_TYPES = frozenset({"MKT", "LMT", "MIDPRICE", "PEG MID", "REL", "MTL"})
LIMIT_NEEDED = frozenset({"LMT", "STP LMT", "LIT", "LOC", "LOO"})
ORDER_TYPES = PLAIN_TYPES | AUCTION_TYPES | TRIGGERED_TYPES.keys()


@dataclass(slots=True, eq=False)
class WorkingOrder:
    """One order and its state; `order` always carries the ids and the quantity that are in force.

    `deadline` is when it ends by itself, `auction` when it takes part in an opening or closing auction, `starts` before
    which it sleeps. `rested` is True once its limit has been seen away from the market.
    """

    client_id: int
    order: Order
    product: Product
    account: str
    placed: datetime
    deadline: datetime | None = None
    auction: datetime | None = None
    starts: datetime | None = None
    status: str = HELD
    why_held: str = ""
    filled: float = 0.0
    paid: float = 0.0  # sum of quantity times price
    last_price: float = 0.0
    submitted: datetime | None = None
    conditions_met: bool = False
    triggered: bool = False
    trigger_count: int = 0
    stop: float = nan  # where a trailing stop stands
    rested: bool = False
    volume_before: float = nan
    bill: OrderBill = field(default_factory=OrderBill)
    ended: datetime | None = None
    end_reason: str = ""

    @property
    def order_id(self) -> int:
        return self.order.order_id

    @property
    def perm_id(self) -> int:
        return self.order.perm_id

    @property
    def is_buy(self) -> bool:
        return self.order.action == "BUY"

    @property
    def sign(self) -> float:
        return 1.0 if self.is_buy else -1.0

    @property
    def remaining(self) -> float:
        return max(self.order.total_quantity - self.filled, 0.0)

    @property
    def average_price(self) -> float:
        return round(self.paid / self.filled, 8) if self.filled else 0.0

    @property
    def is_done(self) -> bool:
        return self.status in DONE

    @property
    def is_open(self) -> bool:
        """Transmitted and not done."""
        return self.status in (PRE_SUBMITTED, SUBMITTED)

    @property
    def limit(self) -> float | None:
        """The limit price, None where there is none."""
        price = self.order.lmt_price
        kind = self.order.order_type
        if price == UNSET_DOUBLE or kind in ("MKT", "STP", "TRAIL", "MIT", "MOC", "MOO", "MTL"):
            return None
        # Pegged orders carry 0 when they have no cap.
        return None if kind in ("MIDPRICE", "PEG MID", "REL") and price == 0.0 else price


class OrderBook:
    """All orders by client and id; permIds are unique account-wide."""

    def __init__(self, first_perm_id: int = 1_700_000_001) -> None:
        self._orders: dict[tuple[int, int], WorkingOrder] = {}
        self._open: dict[int, WorkingOrder] = {}
        self._next_perm_id = first_perm_id
        self._highest: dict[int, int] = {}
        self._forgotten: set[tuple[int, int]] = set()

    def new_perm_id(self) -> int:
        """Return a permId that was never used."""
        self._next_perm_id += 1
        return self._next_perm_id - 1

    def add(self, working: WorkingOrder) -> None:
        """Keep a new order."""
        self._orders[working.client_id, working.order_id] = working
        self._open[working.perm_id] = working
        self._highest[working.client_id] = max(self._highest.get(working.client_id, 0), working.order_id)

    def find(self, client_id: int, order_id: int) -> WorkingOrder | None:
        """Return an order of a client, also one that is done."""
        return self._orders.get((client_id, order_id))

    def close(self, working: WorkingOrder) -> None:
        """Take an order that is done out of the open ones."""
        self._open.pop(working.perm_id, None)

    def unfinished(self) -> list[WorkingOrder]:
        """Return orders that are not done, held ones too, oldest first."""
        return list(self._open.values())

    def finished(self) -> Iterator[WorkingOrder]:
        """Return orders that are done, oldest first."""
        return (working for working in self._orders.values() if working.is_done)

    def forget_finished(self, before: datetime) -> None:
        """Forget orders that ended before a moment; their ids stay used."""
        gone = [key for key, old in self._orders.items() if old.ended is not None and old.ended < before]
        for key in gone:
            del self._orders[key]
        self._forgotten.update(gone)

    def was_used(self, client_id: int, order_id: int) -> bool:
        """Tell whether a client used an id for an order that is forgotten."""
        return (client_id, order_id) in self._forgotten

    def highest_id(self, client_id: int) -> int:
        """Return the highest id that a client used, 0 when none."""
        return self._highest.get(client_id, 0)

    def children(self, parent: WorkingOrder) -> list[WorkingOrder]:
        """Return unfinished orders attached to an order."""
        return [
            child for child in self.unfinished()
            if child.client_id == parent.client_id and child.order.parent_id == parent.order_id
        ]  # fmt: skip

    def parent(self, child: WorkingOrder) -> WorkingOrder | None:
        """Return the order that an order is attached to."""
        return self.find(child.client_id, child.order.parent_id) if child.order.parent_id else None

    def family(self, member: WorkingOrder) -> list[WorkingOrder]:
        """Return the root of an order's family and all unfinished descendants, parents first."""
        root = member
        while (above := self.parent(root)) is not None:
            root = above
        found = [root]
        for one in found:
            found += self.children(one)
        return found

    def rivals(self, member: WorkingOrder) -> list[WorkingOrder]:
        """Return the other unfinished orders of an order's OCA group."""
        group = member.order.oca_group
        return [
            other for other in self.unfinished()
            if group and other is not member and other.order.oca_group == group and other.account == member.account
        ]  # fmt: skip
