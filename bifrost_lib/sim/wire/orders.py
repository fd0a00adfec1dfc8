"""Messages of orders and executions."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifrost_lib.sim.wire.declare import Fixed, Value, request, response, since
from bifrost_lib.sim.wire.order import Order, OrderState
from bifrost_lib.sim.wire.order_layouts import COMPLETED_ORDER, OPEN_ORDER, PLACE_ORDER
from bifrost_lib.sim.wire.records import C11, UNSET_DOUBLE, Contract


@request(3, *PLACE_ORDER)
@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Place an order, change it, or ask what it would do to the margin (`order.what_if`)."""

    order_id: int
    contract: Contract
    order: Order
    sec_id_type: str = ""
    sec_id: str = ""


@request(4, Fixed("1"), "order_id", since(169, "manual_cancel_order_time"))
@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel an order of this client."""

    order_id: int
    manual_cancel_order_time: str = ""


@request(5, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqOpenOrders:
    """Ask for the open orders of this client."""


@request(16, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqAllOpenOrders:
    """Ask for the open orders of all clients."""


@request(15, Fixed("1"), "auto_bind")
@dataclass(frozen=True, slots=True)
class ReqAutoOpenOrders:
    """Give orders made by hand to client 0."""

    auto_bind: bool


@request(58, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqGlobalCancel:
    """Cancel every open order of the login."""


@request(99, "api_only")
@dataclass(frozen=True, slots=True)
class ReqCompletedOrders:
    """Ask for the orders of the day that are filled or cancelled."""

    api_only: bool = False


@request(7, Fixed("3"), "req_id", "client_id", "account", "time", "symbol", "sec_type", "exchange", "side")
@dataclass(frozen=True, slots=True)
class ReqExecutions:
    """Ask for the executions of the day that a filter lets through; empty fields let everything through."""

    req_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


@request(21, Fixed("2"), "req_id", *C11, "action", "quantity", "account", "override")
@dataclass(frozen=True, slots=True)
class ExerciseOptions:
    """Exercise an option (`action` 1) or let it lapse (2); `override` 1 even out of the money."""

    req_id: int
    contract: Contract
    action: int
    quantity: int
    account: str
    override: int = 0


@response(
    3, "order_id", "status", "filled", "remaining", "avg_fill_price", "perm_id", "parent_id", "last_fill_price",
    "client_id", "why_held", "mkt_cap_price",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class OrderStatus:
    """Where an order stands."""

    order_id: int
    status: str
    filled: float
    remaining: float
    avg_fill_price: float = 0.0
    perm_id: int = 0
    parent_id: int = 0
    last_fill_price: float = 0.0
    client_id: int = 0
    why_held: str = ""
    mkt_cap_price: float = 0.0


@response(5, *OPEN_ORDER)
@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order as IB holds it; also the answer to a what-if question."""

    order_id: int
    contract: Contract
    order: Order
    state: OrderState = field(default_factory=OrderState)


@response(53, Fixed("1"))
@dataclass(frozen=True, slots=True)
class OpenOrderEnd:
    """All open orders were sent."""


@response(101, *COMPLETED_ORDER)
@dataclass(frozen=True, slots=True)
class CompletedOrder:
    """An order of the day that is filled or cancelled."""

    contract: Contract
    order: Order
    state: OrderState = field(default_factory=OrderState)


@response(102)
@dataclass(frozen=True, slots=True)
class CompletedOrdersEnd:
    """All completed orders were sent."""


@response(
    11, "req_id", "order_id", *C11, "exec_id", "time", "account", "exchange", "side", "shares", "price", "perm_id",
    "client_id", "liquidation", "cum_qty", "avg_price", "order_ref", "ev_rule", "ev_multiplier", "model_code",
    "last_liquidity", since(178, "pending_price_revision"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ExecutionData:
    """One execution; `req_id` is -1 when it was not asked for, `side` BOT or SLD."""

    req_id: int
    order_id: int
    contract: Contract
    exec_id: str
    time: str
    account: str
    exchange: str
    side: str
    shares: float
    price: float
    perm_id: int = 0
    client_id: int = 0
    liquidation: int = 0
    cum_qty: float = 0.0
    avg_price: float = 0.0
    order_ref: str = ""
    ev_rule: str = ""
    ev_multiplier: float = 0.0
    model_code: str = ""
    last_liquidity: int = 0
    pending_price_revision: bool = False


@response(55, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class ExecutionDataEnd:
    """All executions that were asked for were sent."""

    req_id: int


@response(
    59, Fixed("1"), "exec_id", "commission", "currency", Value("realized_pnl", "number"),
    Value("yield_amount", "number"), "yield_redemption_date",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class CommissionReport:
    """What an execution cost and realized; an unknown number is UNSET_DOUBLE, written as the number."""

    exec_id: str
    commission: float
    currency: str
    realized_pnl: float = UNSET_DOUBLE
    yield_amount: float = UNSET_DOUBLE
    yield_redemption_date: int = 0


@response(100, "order_id", "api_client_id", "api_order_id")
@dataclass(frozen=True, slots=True)
class OrderBound:
    """An order made by hand now has an id of this client."""

    order_id: int
    api_client_id: int
    api_order_id: int
