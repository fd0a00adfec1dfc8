"""The broker behind the simulated gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date
from bifrost_lib.core.clock import Clock
from bifrost_lib.sim.broker.accounts import Accounts
from bifrost_lib.sim.broker.desk import Desk
from bifrost_lib.sim.broker.events import BrokerEvent, PositionProfit, ProfitAndLoss
from bifrost_lib.sim.broker.exercising import end_expired, exercise_early
from bifrost_lib.sim.broker.moments import next_closing
from bifrost_lib.sim.broker.orders import HELD
from bifrost_lib.sim.broker.placing import place
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.refusals import READ_ONLY
from bifrost_lib.sim.broker.reports import completed_order, open_order, order_status
from bifrost_lib.sim.broker.settings import BrokerSettings
from bifrost_lib.sim.broker.working import watched_con_ids, work
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.wire import (
    AccountValue,
    CommissionReport,
    CompletedOrder,
    ExecutionData,
    ExerciseOptions,
    OpenOrder,
    OrderStatus,
    PlaceOrder,
    PortfolioValue,
    PositionData,
    ReqExecutions,
    error,
)


class Broker:
    """Accounts, orders and executions of one simulated broker.

    Every method leaves what happened in a queue that `drain` empties; nothing is sent in the middle of a call. The same
    calls at the same moments of the clock always give the same events.

    Parameters
    ----------
    market : Market
        Where quotes and instruments come from.
    clock : Clock
        The market's clock.
    accounts : sequence of str
        Names of the accounts, each with `cash` (currency) at the start.
    settings : BrokerSettings
        How it behaves; assign new ones to `Broker.settings` at any time.
    """

    def __init__(
        self,
        market: Market,
        clock: Clock,
        accounts: Sequence[str] = ("DU1234567",),
        cash: float = 1_000_000.0,
        settings: BrokerSettings = BrokerSettings(),  # noqa: B008 (frozen)
    ) -> None:
        self._desk = Desk(market, clock, Accounts(market, accounts, cash, settings), settings)
        self._day = exchange_date(clock.now())
        # The calendar takes most of a second to load, which no client should wait for with its first order.
        next_closing(clock.now())

    @property
    def accounts(self) -> tuple[str, ...]:
        """The names of all accounts."""
        return self._desk.accounts.names

    @property
    def settings(self) -> BrokerSettings:
        """How it behaves now."""
        return self._desk.settings

    @settings.setter
    def settings(self, settings: BrokerSettings) -> None:
        self._desk.settings = settings

    def drain(self) -> list[BrokerEvent]:
        """Return the events since the last call, oldest first."""
        events, self._desk.events = self._desk.events, []
        return events

    # What clients ask for

    def place(self, client_id: int, request: PlaceOrder) -> None:
        """Place, change (same order id) or, with what_if, only judge an order. Never raises for a bad order."""
        place(self._desk, client_id, request, self._now())

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel one order of that client; errors 10147 and 10148 for unknown and finished ones."""
        desk = self._desk
        if self._refused(client_id, order_id):
            return
        found = desk.book.find(client_id, order_id)
        if found is None:
            desk.tell(error(10147, order_id, order_id=order_id), client_id)
        elif found.is_done:
            desk.tell(error(10148, order_id, order_id=order_id, state=found.status), client_id)
        else:
            desk.end(found, self._now())

    def global_cancel(self, client_id: int) -> None:
        """Cancel every unfinished order of every client."""
        if not self._refused(client_id, -1):
            now = self._now()
            for working in self._desk.book.unfinished():
                self._desk.end(working, now)

    def exercise(self, client_id: int, request: ExerciseOptions) -> None:
        """Exercise long options now, or let them lapse at their expiry."""
        if not self._refused(client_id, request.req_id):
            exercise_early(self._desk, client_id, request, self._now())
            self._desk.tell_values()

    def step(self) -> None:
        """Match working orders against the market's present quotes, end orders and options whose time has come."""
        desk, now = self._desk, self._now()
        unfinished = desk.book.unfinished()
        if unfinished:
            wanted = {con_id for working in unfinished for con_id in watched_con_ids(desk, working)}
            sheet = QuoteSheet(desk.market, wanted)
            for working in unfinished:
                work(desk, working, sheet, now)
        end_expired(desk, now)
        desk.tell_values()

    # What can be read at any time

    def next_order_id(self, client_id: int) -> int:
        """Return an id greater than any that this client used."""
        return self._desk.book.highest_id(client_id) + 1

    def open_orders(self, client_id: int | None = None) -> list[tuple[OpenOrder, OrderStatus]]:
        """Return transmitted orders that are not done, of one client or of all, oldest first."""
        return [
            (open_order(working), order_status(working))
            for working in self._desk.book.unfinished()
            if client_id in (None, working.client_id) and working.status != HELD
        ]

    def completed_orders(self, *, api_only: bool = False) -> list[CompletedOrder]:
        """Return the day's finished orders, oldest first; all of them came through the API."""
        self._now()
        return [completed_order(working) for working in self._desk.book.finished()]

    def executions(self, request: ReqExecutions) -> list[tuple[ExecutionData, CommissionReport | None]]:
        """Return the day's executions that pass the request's filter, with its req_id; combos have no commission."""
        self._now()
        return self._desk.tape.matching(request)

    def positions(self, account: str | None = None) -> list[PositionData]:
        """Return positions that are not zero, of one account or of all."""
        return self._desk.accounts.positions(account)

    def portfolio(self, account: str) -> list[PortfolioValue]:
        """Return positions with their market values; also those closed today (position 0)."""
        self._now()
        return self._desk.accounts.portfolio(account, self._sheet())

    def account_values(self, account: str) -> list[AccountValue]:
        """Return every key of account updates and summaries; those per currency in USD and BASE."""
        self._now()
        return self._desk.accounts.values(account, self._sheet())

    def pnl(self, account: str) -> ProfitAndLoss:
        """Return the account's profit and loss; never NaN."""
        self._now()
        return self._desk.accounts.pnl(account, self._sheet())

    def pnl_single(self, account: str, con_id: int) -> PositionProfit:
        """Return one position's profit and loss: NaN where there is no price, zeros where there is no position."""
        self._now()
        return self._desk.accounts.pnl_single(account, con_id, self._sheet())

    def commissions_paid(self, account: str) -> float:
        """Return all commissions and fees since the start, currency."""
        return self._desk.accounts.ledger(account).commissions

    def _sheet(self) -> QuoteSheet:
        return QuoteSheet(self._desk.market, self._desk.accounts.held_con_ids())

    def _refused(self, client_id: int, req_id: int) -> bool:
        if self._desk.settings.read_only:
            self._desk.tell(replace(READ_ONLY, req_id=req_id), client_id)
        return self._desk.settings.read_only

    def _now(self) -> datetime:
        # The present moment; a new day at the exchange begins the first time it is noticed.
        now = self._desk.clock.now()
        day = exchange_date(now)
        if day != self._day:
            new_month = (day.year, day.month) != (self._day.year, self._day.month)
            self._day = day
            midnight = datetime.combine(day, time(), EXCHANGE_TZ)
            self._desk.tape.forget(midnight)
            self._desk.book.forget_finished(midnight)
            self._desk.accounts.start_day(new_month=new_month)
        return now
