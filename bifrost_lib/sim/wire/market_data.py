"""Messages of streaming market data: subscriptions, ticks, depth, tick-by-tick, option calculators."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Many, Maybe, Tail, among, request, response, since, until
from bifrost_lib.sim.wire.records import C12, Contract, TagValue

PLAIN_LEGS = Many("contract.combo_legs", ("con_id", "ratio", "action", "exchange"))


@request(
    1, Fixed("11"), "req_id", *C12, among("contract.sec_type", ("BAG",), PLAIN_LEGS),
    Maybe("contract.delta_neutral_contract"), "generic_ticks", "snapshot", "reg_snapshot", "options",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqMktData:
    """Subscribe to a line, or ask for a snapshot of it; `generic_ticks` are numbers separated by commas."""

    req_id: int
    contract: Contract
    generic_ticks: str = ""
    snapshot: bool = False
    reg_snapshot: bool = False
    options: tuple[TagValue, ...] = ()


@request(2, Fixed("2"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelMktData:
    """End the subscription of a line."""

    req_id: int


@request(59, Fixed("1"), "market_data_type")
@dataclass(frozen=True, slots=True)
class ReqMarketDataType:
    """Choose live 1, frozen 2, delayed 3 or delayed frozen 4 for the requests that follow."""

    market_data_type: int


@request(10, Fixed("5"), "req_id", *C12, "num_rows", "is_smart", "options")
@dataclass(frozen=True, slots=True)
class ReqMktDepth:
    """Subscribe to an order book."""

    req_id: int
    contract: Contract
    num_rows: int
    is_smart: bool = False
    options: tuple[TagValue, ...] = ()


@request(11, Fixed("1"), "req_id", "is_smart")
@dataclass(frozen=True, slots=True)
class CancelMktDepth:
    """End the subscription of an order book."""

    req_id: int
    is_smart: bool = False


@request(54, Fixed("3"), "req_id", *C12, "option_price", "under_price", Tail("options"))
@dataclass(frozen=True, slots=True)
class CalcImpliedVol:
    """Ask for the volatility that an option's price implies; answered by tick 53."""

    req_id: int
    contract: Contract
    option_price: float
    under_price: float
    options: tuple[TagValue, ...] = ()


@request(55, Fixed("3"), "req_id", *C12, "volatility", "under_price", Tail("options"))
@dataclass(frozen=True, slots=True)
class CalcOptionPrice:
    """Ask for the price of an option at a volatility; answered by tick 53."""

    req_id: int
    contract: Contract
    volatility: float
    under_price: float
    options: tuple[TagValue, ...] = ()


@request(56, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelCalcImpliedVol:
    """Withdraw a calculation."""

    req_id: int


@request(57, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelCalcOptionPrice:
    """Withdraw a calculation."""

    req_id: int


@request(97, "req_id", *C12, "tick_type", "number_of_ticks", "ignore_size")
@dataclass(frozen=True, slots=True)
class ReqTickByTick:
    """Subscribe to each trade (Last, AllLast) or quote (BidAsk, MidPoint)."""

    req_id: int
    contract: Contract
    tick_type: str
    number_of_ticks: int = 0
    ignore_size: bool = False


@request(98, "req_id")
@dataclass(frozen=True, slots=True)
class CancelTickByTick:
    """End a tick-by-tick subscription."""

    req_id: int


@response(1, Fixed("6"), "req_id", "tick_type", "price", "size", "mask")
@dataclass(frozen=True, slots=True)
class TickPrice:
    """A price with its size; `mask`: 1 can execute automatically, 2 past limit, 4 before the opening."""

    req_id: int
    tick_type: int
    price: float
    size: float = 0.0
    mask: int = 0


@response(2, Fixed("6"), "req_id", "tick_type", "size")
@dataclass(frozen=True, slots=True)
class TickSize:
    """A size, a volume or an open interest."""

    req_id: int
    tick_type: int
    size: float


@response(
    21, until(155, Fixed("6")), "req_id", "tick_type", since(156, "tick_attrib"), "implied_vol", "delta",
    "option_price", "pv_dividend", "gamma", "vega",
    "theta", "und_price",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class TickOptionComputation:
    """Volatility and Greeks of an option; the defaults are IB's numbers for "not computed"."""

    req_id: int
    tick_type: int
    tick_attrib: int = 0
    implied_vol: float = -1.0
    delta: float = -2.0
    option_price: float = -1.0
    pv_dividend: float = -1.0
    gamma: float = -2.0
    vega: float = -2.0
    theta: float = -2.0
    und_price: float = -1.0


@response(45, Fixed("6"), "req_id", "tick_type", "value")
@dataclass(frozen=True, slots=True)
class TickGeneric:
    """A number that is neither price nor size."""

    req_id: int
    tick_type: int
    value: float


@response(46, Fixed("6"), "req_id", "tick_type", "value")
@dataclass(frozen=True, slots=True)
class TickString:
    """A text, such as the time of the last trade."""

    req_id: int
    tick_type: int
    value: str


@response(57, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class TickSnapshotEnd:
    """All ticks of a snapshot were sent."""

    req_id: int


@response(58, Fixed("1"), "req_id", "market_data_type")
@dataclass(frozen=True, slots=True)
class MarketDataType:
    """The kind of data that a line now delivers."""

    req_id: int
    market_data_type: int


@response(81, "req_id", "min_tick", "bbo_exchange", "snapshot_permissions")
@dataclass(frozen=True, slots=True)
class TickReqParams:
    """What a line's ticks mean: the minimum tick and the key of its exchange components."""

    req_id: int
    min_tick: float
    bbo_exchange: str = ""
    snapshot_permissions: int = 0


@response(12, Fixed("1"), "req_id", "position", "operation", "side", "price", "size")
@dataclass(frozen=True, slots=True)
class MarketDepth:
    """A change of an order book; `operation` 0 insert, 1 update, 2 delete; `side` 0 ask, 1 bid."""

    req_id: int
    position: int
    operation: int
    side: int
    price: float
    size: float


@response(13, Fixed("1"), "req_id", "position", "market_maker", "operation", "side", "price", "size", "is_smart")
@dataclass(frozen=True, slots=True)
class MarketDepthL2:
    """A change of an order book that says who stands behind the row."""

    req_id: int
    position: int
    market_maker: str
    operation: int
    side: int
    price: float
    size: float
    is_smart: bool = False


@response(
    99, "req_id", "tick_type", "time",
    among("tick_type", (1, 2), "price", "size", "mask", "exchange", "special_conditions"),
    among("tick_type", (3,), "bid", "ask", "bid_size", "ask_size", "mask"),
    among("tick_type", (4,), "mid_point"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class TickByTick:
    """One trade (`tick_type` 1 Last, 2 AllLast), quote (3) or midpoint (4); `time` is epoch seconds."""

    req_id: int
    tick_type: int
    time: int
    price: float = 0.0
    size: float = 0.0
    mask: int = 0
    exchange: str = ""
    special_conditions: str = ""
    bid: float = 0.0
    ask: float = 0.0
    bid_size: float = 0.0
    ask_size: float = 0.0
    mid_point: float = 0.0


@response(91, "req_id", "con_id", "exchange")
@dataclass(frozen=True, slots=True)
class RerouteMktData:
    """The line of a CFD is delivered by its underlying."""

    req_id: int
    con_id: int
    exchange: str
