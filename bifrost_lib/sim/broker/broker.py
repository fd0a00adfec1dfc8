"""The broker behind the simulated gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bifrost_lib.core.clock import Clock
from bifrost_lib.sim.broker.events import BrokerEvent, PositionProfit, ProfitAndLoss
from bifrost_lib.sim.broker.settings import BrokerSettings
from bifrost_lib.sim.exchange import Market

if TYPE_CHECKING:
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
    )


class Broker:
    """Accounts, orders and executions of one simulated broker.

    Every method leaves what happened in a queue that `drain` empties; nothing is sent in the middle of a call.
    """

    settings: BrokerSettings

    def __init__(
        self,
        market: Market,
        clock: Clock,
        accounts: Sequence[str] = ("DU1234567",),
        cash: float = 1_000_000.0,
        settings: BrokerSettings = BrokerSettings(),  # noqa: B008 (frozen)
    ) -> None:
        self.market, self.clock, self.accounts, self.settings = market, clock, tuple(accounts), settings

    def drain(self) -> list[BrokerEvent]:
        """Return the events since the last call, oldest first."""
        raise NotImplementedError

    # What clients ask for
    def place(self, client_id: int, request: PlaceOrder) -> None:
        """Place, modify (same order id) or, with what_if, only judge an order. Never raises for a bad order."""
        raise NotImplementedError

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel one order of that client; errors 10147 and 10148 for unknown and finished ones."""
        raise NotImplementedError

    def global_cancel(self, client_id: int) -> None:
        """Cancel every working order of every client."""
        raise NotImplementedError

    def exercise(self, client_id: int, request: ExerciseOptions) -> None:
        """Exercise, or let lapse, long options."""
        raise NotImplementedError

    def step(self) -> None:
        """Match working orders against the market's present quotes, end orders and options whose time has come."""
        raise NotImplementedError

    # What can be read at any time
    def next_order_id(self, client_id: int) -> int:
        """Return an id greater than any that this client used."""
        raise NotImplementedError

    def open_orders(self, client_id: int | None = None) -> list[tuple[OpenOrder, OrderStatus]]:
        """Return working orders of one client or of all, by permId."""
        raise NotImplementedError

    def completed_orders(self, *, api_only: bool = False) -> list[CompletedOrder]:
        """Return the day's finished orders."""
        raise NotImplementedError

    def executions(self, request: ReqExecutions) -> list[tuple[ExecutionData, CommissionReport | None]]:
        """Return the day's executions that pass the request's filter, with its req_id; combos have no commission."""
        raise NotImplementedError

    def positions(self, account: str | None = None) -> list[PositionData]:
        """Return positions that are not zero."""
        raise NotImplementedError

    def portfolio(self, account: str) -> list[PortfolioValue]:
        """Return positions with their market values; also those closed today (position 0)."""
        raise NotImplementedError

    def account_values(self, account: str) -> list[AccountValue]:
        """Return every key of account updates and summaries."""
        raise NotImplementedError

    def pnl(self, account: str) -> ProfitAndLoss:
        """Return the account's profit and loss."""
        raise NotImplementedError

    def pnl_single(self, account: str, con_id: int) -> PositionProfit:
        """Return one position's profit and loss; zeros where there is none."""
        raise NotImplementedError
