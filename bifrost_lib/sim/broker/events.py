"""What a broker tells: messages of the protocol in the order they happened, each with the client it is meant for."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire import (
    AccountValue,
    CommissionReport,
    ErrorMessage,
    ExecutionData,
    OpenOrder,
    OrderStatus,
    PortfolioValue,
    PositionData,
)

Message = (
    OpenOrder
    | OrderStatus
    | ExecutionData
    | CommissionReport
    | PortfolioValue
    | PositionData
    | AccountValue
    | ErrorMessage
)


@dataclass(frozen=True, slots=True)
class BrokerEvent:
    """One message and its receiver.

    Attributes
    ----------
    message : a message of the protocol
        OpenOrder, OrderStatus, ExecutionData (with ``req_id`` -1), CommissionReport and ErrorMessage belong to the
        client that owns the order. PortfolioValue and AccountValue are for whoever subscribed to account updates of
        `account`, PositionData for whoever subscribed to positions.
    client_id : int or None
        None: every client that subscribed to this kind of message; executions and commissions of exercises at expiry
        are for every client.
    account : str
        Account concerned, "" where none is.
    """

    message: Message
    client_id: int | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class ProfitAndLoss:
    """Currency; `daily` counts from the close of the previous session, `realized` from the day's start."""

    daily: float
    unrealized: float
    realized: float


@dataclass(frozen=True, slots=True)
class PositionProfit:
    """Of one position: its signed quantity, profits in currency, and market value. NaN where there is no price."""

    position: float
    daily: float
    unrealized: float
    realized: float
    value: float
