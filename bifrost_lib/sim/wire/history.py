"""Messages of historical data: bars, real-time bars, schedules, ticks, histograms, head timestamps."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Many, among, request, response
from bifrost_lib.sim.wire.market_data import PLAIN_LEGS
from bifrost_lib.sim.wire.records import C12, Contract, TagValue


@request(
    20, "req_id", *C12, "include_expired", "end", "bar_size", "duration", "use_rth", "what", "format_date",
    among("contract.sec_type", ("BAG",), PLAIN_LEGS), "keep_up_to_date", "options",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqHistoricalData:
    """Ask for bars; an empty `end` is now, `format_date` 1 is text in the exchange's time and 2 epoch seconds."""

    req_id: int
    contract: Contract
    include_expired: bool = False
    end: str = ""
    bar_size: str = ""
    duration: str = ""
    use_rth: bool = True
    what: str = "TRADES"
    format_date: int = 1
    keep_up_to_date: bool = False
    options: tuple[TagValue, ...] = ()


@request(25, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelHistoricalData:
    """Withdraw a request for bars, or end their updates."""

    req_id: int


@request(50, Fixed("3"), "req_id", *C12, "bar_size", "what", "use_rth", "options")
@dataclass(frozen=True, slots=True)
class ReqRealTimeBars:
    """Subscribe to bars of 5 seconds."""

    req_id: int
    contract: Contract
    bar_size: int = 5
    what: str = "TRADES"
    use_rth: bool = False
    options: tuple[TagValue, ...] = ()


@request(51, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelRealTimeBars:
    """End a subscription to bars of 5 seconds."""

    req_id: int


@request(87, "req_id", *C12, "include_expired", "use_rth", "what", "format_date")
@dataclass(frozen=True, slots=True)
class ReqHeadTimestamp:
    """Ask from when on there is data."""

    req_id: int
    contract: Contract
    include_expired: bool = False
    use_rth: bool = True
    what: str = "TRADES"
    format_date: int = 1


@request(90, "req_id")
@dataclass(frozen=True, slots=True)
class CancelHeadTimestamp:
    """Withdraw a request for a head timestamp."""

    req_id: int


@request(88, "req_id", *C12, "include_expired", "use_rth", "time_period")
@dataclass(frozen=True, slots=True)
class ReqHistogramData:
    """Ask how much was traded at each price; `time_period` is a text such as "3 days"."""

    req_id: int
    contract: Contract
    include_expired: bool = False
    use_rth: bool = True
    time_period: str = ""


@request(89, "req_id")
@dataclass(frozen=True, slots=True)
class CancelHistogramData:
    """Withdraw a request for a histogram."""

    req_id: int


@request(
    96, "req_id", *C12, "include_expired", "start", "end", "number_of_ticks", "what", "use_rth", "ignore_size",
    "options",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqHistoricalTicks:
    """Ask for at most 1,000 ticks after `start` or before `end`; `what` is TRADES, BID_ASK or MIDPOINT."""

    req_id: int
    contract: Contract
    include_expired: bool = False
    start: str = ""
    end: str = ""
    number_of_ticks: int = 0
    what: str = "TRADES"
    use_rth: bool = True
    ignore_size: bool = False
    options: tuple[TagValue, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoricalBar:
    """One bar: `date` is YYYYMMDD, YYYYMMDD HH:MM:SS with a time zone, or epoch seconds, as asked for."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


@response(
    17, "req_id", "start", "end", Many("bars", ("date", "open", "high", "low", "close", "volume", "wap", "count"))
)
@dataclass(frozen=True, slots=True)
class HistoricalData:
    """The bars that were asked for."""

    req_id: int
    start: str
    end: str
    bars: tuple[HistoricalBar, ...] = ()


@response(90, "req_id", "count", "date", "open", "close", "high", "low", "wap", "volume")
@dataclass(frozen=True, slots=True)
class HistoricalDataUpdate:
    """The bar that is being made, of a request that is kept up to date."""

    req_id: int
    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


@dataclass(frozen=True, slots=True)
class HistoricalSession:
    """One session of a schedule: YYYYMMDD-HH:MM:SS in the schedule's time zone, and its date."""

    start: str
    end: str
    ref_date: str


@response(106, "req_id", "start", "end", "time_zone", Many("sessions", ("start", "end", "ref_date")))
@dataclass(frozen=True, slots=True)
class HistoricalSchedule:
    """The sessions of an exchange."""

    req_id: int
    start: str
    end: str
    time_zone: str
    sessions: tuple[HistoricalSession, ...] = ()


@response(50, Fixed("3"), "req_id", "time", "open", "high", "low", "close", "volume", "wap", "count")
@dataclass(frozen=True, slots=True)
class RealTimeBar:
    """A bar of 5 seconds; `time` is the epoch second at which it starts."""

    req_id: int
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


@response(88, "req_id", "timestamp")
@dataclass(frozen=True, slots=True)
class HeadTimestamp:
    """From when on there is data, in the format asked for."""

    req_id: int
    timestamp: str


@dataclass(frozen=True, slots=True)
class HistogramEntry:
    """How much was traded at one price."""

    price: float
    count: int


@response(89, "req_id", Many("entries", ("price", "count")))
@dataclass(frozen=True, slots=True)
class HistogramData:
    """How much was traded at each price."""

    req_id: int
    entries: tuple[HistogramEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoricalTick:
    """One midpoint; times of historical ticks are epoch seconds."""

    time: int
    price: float
    size: float = 0.0


@response(96, "req_id", Many("ticks", ("time", Fixed("0"), "price", "size")), "done")
@dataclass(frozen=True, slots=True)
class HistoricalTicks:
    """Midpoints that were asked for."""

    req_id: int
    ticks: tuple[HistoricalTick, ...] = ()
    done: bool = True


@dataclass(frozen=True, slots=True)
class HistoricalTickBidAsk:
    """One quote."""

    time: int
    mask: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float


@response(97, "req_id", Many("ticks", ("time", "mask", "bid", "ask", "bid_size", "ask_size")), "done")
@dataclass(frozen=True, slots=True)
class HistoricalTicksBidAsk:
    """Quotes that were asked for."""

    req_id: int
    ticks: tuple[HistoricalTickBidAsk, ...] = ()
    done: bool = True


@dataclass(frozen=True, slots=True)
class HistoricalTickLast:
    """One trade."""

    time: int
    mask: int
    price: float
    size: float
    exchange: str
    special_conditions: str = ""


@response(98, "req_id", Many("ticks", ("time", "mask", "price", "size", "exchange", "special_conditions")), "done")
@dataclass(frozen=True, slots=True)
class HistoricalTicksLast:
    """Trades that were asked for."""

    req_id: int
    ticks: tuple[HistoricalTickLast, ...] = ()
    done: bool = True
