"""Messages that describe contracts: details, option chains, symbols, price increments, exchanges."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Gate, Many, request, response, since, until
from bifrost_lib.sim.wire.records import C12, Contract, TagValue


@request(9, Fixed("8"), "req_id", *C12, "include_expired", "sec_id_type", "sec_id", since(176, "issuer_id"))
@dataclass(frozen=True, slots=True)
class ReqContractDetails:
    """Ask for every contract that a partial description fits."""

    req_id: int
    contract: Contract
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""


@request(78, "req_id", "und_symbol", "fut_fop_exchange", "und_sec_type", "und_con_id")
@dataclass(frozen=True, slots=True)
class ReqSecDefOptParams:
    """Ask for expiries and strikes of the options on an underlying."""

    req_id: int
    und_symbol: str
    fut_fop_exchange: str
    und_sec_type: str
    und_con_id: int


@request(81, "req_id", "pattern")
@dataclass(frozen=True, slots=True)
class ReqMatchingSymbols:
    """Ask for contracts whose symbol or name starts with a pattern."""

    req_id: int
    pattern: str


@request(82)
@dataclass(frozen=True, slots=True)
class ReqMktDepthExchanges:
    """Ask for the exchanges that offer order books."""


@request(83, "req_id", "bbo_exchange")
@dataclass(frozen=True, slots=True)
class ReqSmartComponents:
    """Ask which exchange each letter of a key stands for."""

    req_id: int
    bbo_exchange: str


@request(91, "rule_id")
@dataclass(frozen=True, slots=True)
class ReqMarketRule:
    """Ask for the price increments of a market rule."""

    rule_id: int


@response(
    10, until(163, Fixed("8")), "req_id", "contract.symbol", "contract.sec_type", "last_trade", "contract.strike",
    "contract.right", "contract.exchange", "contract.currency", "contract.local_symbol", "market_name",
    "contract.trading_class", "contract.con_id", "min_tick", until(163, Fixed("100")), "contract.multiplier",
    "order_types", "valid_exchanges", "price_magnifier", "under_con_id", "long_name",
    "contract.primary_exchange", "contract_month", "industry", "category", "subcategory", "time_zone_id",
    "trading_hours", "liquid_hours", "ev_rule", "ev_multiplier", Many("sec_ids", ("tag", "value")), "agg_group",
    "under_symbol", "under_sec_type", "market_rule_ids", "real_expiration_date", since(152, "stock_type"),
    Gate(("suggested_size_increment",), first=163, last=163),
    since(164, "min_size", "size_increment", "suggested_size_increment"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ContractData:
    """One contract with everything that is known about it.

    `last_trade` is YYYYMMDD, or YYYYMMDD HH:MM:SS and a time zone; clients take the contract's expiry from it.
    """

    req_id: int
    contract: Contract
    last_trade: str = ""
    market_name: str = ""
    min_tick: float = 0.0
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone_id: str = ""
    trading_hours: str = ""
    liquid_hours: str = ""
    ev_rule: str = ""
    ev_multiplier: int = 0
    sec_ids: tuple[TagValue, ...] = ()
    agg_group: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rule_ids: str = ""
    real_expiration_date: str = ""
    stock_type: str = ""
    min_size: float = 1.0
    size_increment: float = 1.0
    suggested_size_increment: float = 100.0


@response(52, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class ContractDataEnd:
    """All contracts that fit were sent."""

    req_id: int


@response(75, "req_id", "exchange", "under_con_id", "trading_class", "multiplier", Many("expirations"), Many("strikes"))
@dataclass(frozen=True, slots=True)
class SecDefOptParams:
    """Expiries (YYYYMMDD) and strikes of one trading class on one exchange."""

    req_id: int
    exchange: str
    under_con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...] = ()
    strikes: tuple[float, ...] = ()


@response(76, "req_id")
@dataclass(frozen=True, slots=True)
class SecDefOptParamsEnd:
    """All trading classes were sent."""

    req_id: int


@dataclass(frozen=True, slots=True)
class SymbolSample:
    """One contract that a pattern found, with the types of derivatives on it."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivative_sec_types: tuple[str, ...] = ()
    description: str = ""
    issuer_id: str = ""


@response(
    79, "req_id",
    Many("samples", (
        "con_id", "symbol", "sec_type", "primary_exchange", "currency", Many("derivative_sec_types"),
        since(176, "description", "issuer_id"),
    )),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class SymbolSamples:
    """The contracts that a pattern found."""

    req_id: int
    samples: tuple[SymbolSample, ...] = ()


@dataclass(frozen=True, slots=True)
class DepthExchange:
    """One exchange that offers order books of a type of security."""

    exchange: str
    sec_type: str
    listing_exch: str = ""
    service_data_type: str = ""
    agg_group: int = 0


@response(80, Many("exchanges", ("exchange", "sec_type", "listing_exch", "service_data_type", "agg_group")))
@dataclass(frozen=True, slots=True)
class MktDepthExchanges:
    """The exchanges that offer order books."""

    exchanges: tuple[DepthExchange, ...] = ()


@dataclass(frozen=True, slots=True)
class SmartComponent:
    """One exchange behind a smart-routed quote, with its bit and its letter."""

    bit_number: int
    exchange: str
    exchange_letter: str


@response(82, "req_id", Many("components", ("bit_number", "exchange", "exchange_letter")))
@dataclass(frozen=True, slots=True)
class SmartComponents:
    """The exchanges behind a smart-routed quote."""

    req_id: int
    components: tuple[SmartComponent, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceIncrement:
    """From the price `low_edge` on, prices are multiples of `increment`."""

    low_edge: float
    increment: float


@response(93, "rule_id", Many("increments", ("low_edge", "increment")))
@dataclass(frozen=True, slots=True)
class MarketRule:
    """The price increments of a market rule, from low prices to high ones."""

    rule_id: int
    increments: tuple[PriceIncrement, ...] = ()
