"""Messages of the session itself, of scanners, and of the user."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Many, request, response, since
from bifrost_lib.sim.wire.records import UNSET_DOUBLE, UNSET_INT, TagValue


@request(71, Fixed("2"), "client_id", "optional_capabilities")
@dataclass(frozen=True, slots=True)
class StartApi:
    """Take a client id; the first message after the greeting."""

    client_id: int
    optional_capabilities: str = ""


@request(8, Fixed("1"), "number_of_ids")
@dataclass(frozen=True, slots=True)
class ReqIds:
    """Ask for the next order id."""

    number_of_ids: int = 1


@request(14, Fixed("1"), "log_level")
@dataclass(frozen=True, slots=True)
class SetServerLogLevel:
    """Choose how much the gateway logs: 1 system to 5 detail."""

    log_level: int


@request(49, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqCurrentTime:
    """Ask for the gateway's time."""


@request(104, "req_id")
@dataclass(frozen=True, slots=True)
class ReqUserInfo:
    """Ask for the white-branding id of the user."""

    req_id: int


@request(
    22, "req_id", "number_of_rows", "instrument", "location_code", "scan_code", "above_price", "below_price",
    "above_volume", "market_cap_above", "market_cap_below", "moody_rating_above", "moody_rating_below",
    "sp_rating_above", "sp_rating_below", "maturity_date_above", "maturity_date_below", "coupon_rate_above",
    "coupon_rate_below", "exclude_convertible", "average_option_volume_above", "scanner_setting_pairs",
    "stock_type_filter", "filter_options", "options",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqScannerSubscription:
    """Subscribe to the contracts that a scan ranks first."""

    req_id: int
    number_of_rows: int = -1
    instrument: str = ""
    location_code: str = ""
    scan_code: str = ""
    above_price: float = UNSET_DOUBLE
    below_price: float = UNSET_DOUBLE
    above_volume: int = UNSET_INT
    market_cap_above: float = UNSET_DOUBLE
    market_cap_below: float = UNSET_DOUBLE
    moody_rating_above: str = ""
    moody_rating_below: str = ""
    sp_rating_above: str = ""
    sp_rating_below: str = ""
    maturity_date_above: str = ""
    maturity_date_below: str = ""
    coupon_rate_above: float = UNSET_DOUBLE
    coupon_rate_below: float = UNSET_DOUBLE
    exclude_convertible: bool = False
    average_option_volume_above: int = UNSET_INT
    scanner_setting_pairs: str = ""
    stock_type_filter: str = ""
    filter_options: tuple[TagValue, ...] = ()
    options: tuple[TagValue, ...] = ()


@request(23, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelScannerSubscription:
    """End a scan."""

    req_id: int


@request(24, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqScannerParameters:
    """Ask what can be scanned for."""


@response(4, Fixed("2"), "req_id", "code", "text", since(166, "advanced_order_reject_json"))
@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """An error, a warning or a notice; `req_id` -1 concerns the session, else a request or an order."""

    req_id: int
    code: int
    text: str
    advanced_order_reject_json: str = ""


@response(9, Fixed("1"), "order_id")
@dataclass(frozen=True, slots=True)
class NextValidId:
    """The next order id that a client may use."""

    order_id: int


@response(49, Fixed("1"), "time")
@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The gateway's time in epoch seconds."""

    time: int


@response(107, "req_id", "white_branding_id")
@dataclass(frozen=True, slots=True)
class UserInfo:
    """The white-branding id of the user, empty for customers of IB itself."""

    req_id: int
    white_branding_id: str = ""


@response(19, Fixed("1"), "xml")
@dataclass(frozen=True, slots=True)
class ScannerParameters:
    """What can be scanned for, as XML."""

    xml: str


@dataclass(frozen=True, slots=True)
class ScannerRow:
    """One contract of a scan; `rank` starts at 0."""

    rank: int
    con_id: int
    symbol: str
    sec_type: str
    expiry: str = ""
    strike: float = 0.0
    right: str = ""
    exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    market_name: str = ""
    trading_class: str = ""
    distance: str = ""
    benchmark: str = ""
    projection: str = ""
    legs: str = ""


@response(
    20, Fixed("3"), "req_id",
    Many("rows", (
        "rank", "con_id", "symbol", "sec_type", "expiry", "strike", "right", "exchange", "currency", "local_symbol",
        "market_name", "trading_class", "distance", "benchmark", "projection", "legs",
    )),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ScannerData:
    """The contracts of a scan, best first."""

    req_id: int
    rows: tuple[ScannerRow, ...] = ()
