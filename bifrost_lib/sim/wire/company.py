"""Requests about companies that need a subscription of their own: reports, and the calendar of their events."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Tail, request, since
from bifrost_lib.sim.wire.records import UNSET_INT, TagValue


@request(
    52, Fixed("2"), "req_id", "con_id", "symbol", "sec_type", "exchange", "primary_exchange", "currency",
    "local_symbol", "report_type", Tail("options"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqFundamentalData:
    """Ask for a report about a company."""

    req_id: int
    con_id: int
    symbol: str
    sec_type: str
    exchange: str
    primary_exchange: str
    currency: str
    local_symbol: str
    report_type: str
    options: tuple[TagValue, ...] = ()


@request(53, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelFundamentalData:
    """Give a report up."""

    req_id: int


@request(100, "req_id")
@dataclass(frozen=True, slots=True)
class ReqWshMetaData:
    """Ask which events the Wall Street Horizon calendar has."""

    req_id: int


@request(101, "req_id")
@dataclass(frozen=True, slots=True)
class CancelWshMetaData:
    """Give that question up."""

    req_id: int


@request(
    102, "req_id", "con_id", since(171, "filter", "fill_watchlist", "fill_portfolio", "fill_competitors"),
    since(173, "start", "end", "total_limit"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class ReqWshEventData:
    """Ask for events of the Wall Street Horizon calendar."""

    req_id: int
    con_id: int = 0
    filter: str = ""
    fill_watchlist: bool = False
    fill_portfolio: bool = False
    fill_competitors: bool = False
    start: str = ""
    end: str = ""
    total_limit: int = UNSET_INT


@request(103, "req_id")
@dataclass(frozen=True, slots=True)
class CancelWshEventData:
    """Give those events up."""

    req_id: int
