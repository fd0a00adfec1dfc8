"""The broker's state, and the few things that everything which happens to an order goes through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bifrost_lib.core.calendar import expiry_moment
from bifrost_lib.core.clock import Clock
from bifrost_lib.sim.broker.accounts import Accounts
from bifrost_lib.sim.broker.events import BrokerEvent, Message
from bifrost_lib.sim.broker.orders import CANCELLED, FILLED, OrderBook, WorkingOrder
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.reports import open_order, order_status
from bifrost_lib.sim.broker.settings import BrokerSettings
from bifrost_lib.sim.broker.tape import Record, Tape
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.wire import error


class Desk:
    """Orders, accounts and executions of one broker, and the events that were not drained yet."""

    def __init__(self, market: Market, clock: Clock, accounts: Accounts, settings: BrokerSettings) -> None:
        self.market, self.clock, self.accounts, self.settings = market, clock, accounts, settings
        self.book, self.tape = OrderBook(), Tape()
        self.events: list[BrokerEvent] = []
        #: Accounts whose positions changed since their values were told.
        self.moved: set[str] = set()
        #: When the next option that an account holds ends; None while none is held.
        self.next_expiry: datetime | None = None

    def tell(self, message: Message, client_id: int | None = None, account: str = "") -> None:
        """Queue one message."""
        self.events.append(BrokerEvent(message, client_id, account))

    def tell_order(self, working: WorkingOrder) -> None:
        """Queue an order and its status."""
        self.tell(open_order(working), working.client_id, working.account)
        self.tell(order_status(working), working.client_id, working.account)

    def tell_records(self, records: Iterable[Record], client_id: int | None) -> None:
        """Queue executions."""
        for record in records:
            self.tell(record.execution, client_id, record.execution.account)

    def tell_reports(self, records: Iterable[Record], client_id: int | None, sheet: QuoteSheet) -> None:
        """Queue the commissions of executions, then the positions that they changed."""
        touched: dict[tuple[str, int], None] = {}
        for record in records:
            if record.report is not None:
                self.tell(record.report, client_id, record.execution.account)
                touched[record.execution.account, record.execution.contract.con_id] = None
        for account, con_id in touched:
            self.tell(self.accounts.portfolio_value(account, con_id, sheet), None, account)
            self.tell(self.accounts.position(account, con_id), None, account)
        self.plan_expiry()
        self.moved.update(account for account, _ in touched)

    def tell_values(self) -> None:
        """Queue the values of accounts whose positions changed, as far as they are news."""
        if self.moved:
            sheet = QuoteSheet(self.market, self.accounts.held_con_ids())
            for account in sorted(self.moved):
                for value in self.accounts.changed_values(account, sheet):
                    self.tell(value, None, account)
            self.moved.clear()

    def plan_expiry(self) -> None:
        """Look for the next option that ends, after positions changed."""
        held = [
            self.market.instruments.by_con_id(holding.con_id)
            for ledger in self.accounts.ledgers.values()
            for holding in ledger.open_positions()
        ]
        self.next_expiry = min(
            (expiry_moment(one.expiry, one.settlement or "PM") for one in held if one is not None and one.expiry),
            default=None,
        )

    def finish(self, working: WorkingOrder, now: datetime) -> None:
        """Mark an order as filled."""
        working.status, working.ended, working.why_held = FILLED, now, ""
        self.book.close(working)

    def end(self, working: WorkingOrder, now: datetime, reason: str = "") -> None:
        """Cancel an order: error 202 with the reason, then its last status; attached orders end with it."""
        if working.is_done:
            return
        working.status, working.ended, working.end_reason, working.why_held = CANCELLED, now, reason, ""
        children = self.book.children(working)
        self.book.close(working)
        self.tell(error(202, working.order_id, reason=reason), working.client_id, working.account)
        self.tell(order_status(working), working.client_id, working.account)
        for child in children:
            self.end_child(working, child, now)

    def end_child(self, parent: WorkingOrder, child: WorkingOrder, now: datetime) -> None:
        """End an order whose parent was cancelled; it goes on for what the parent had been filled."""
        if parent.filled and not child.is_done:
            self.resize(child, min(child.order.total_quantity, parent.filled), now)
        else:
            self.end(child, now, "parent order cancelled")

    def resize(self, working: WorkingOrder, total: float, now: datetime) -> None:
        """Reduce an order's quantity; it ends when nothing is left."""
        if total <= working.filled:
            self.end(working, now, "OCA group filled" if working.order.oca_group else "")
            return
        if total < working.order.total_quantity:
            working.order = replace(working.order, total_quantity=total)
            self.tell_order(working)
