"""What the gateway tells, as records without the IB client's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from math import nan

from bifrost_lib.core.contracts import OptionContract


class SessionState(Enum):
    """Where a session with the gateway stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    READY = "ready"
    DEGRADED = "degraded"  # connected, but IB's servers or a data farm are not
    RESUBSCRIBING = "resubscribing"
    RESET_WINDOW = "reset_window"  # IB's nightly reset: silence is expected
    WAITING_2FA = "waiting_2fa"  # the weekly login needs a person
    HALTED = "halted"  # given up or stopped


@dataclass(frozen=True)
class Underlying:
    """A stock, fund or index as IB knows it."""

    symbol: str
    con_id: int
    sec_type: str
    exchange: str
    currency: str
    long_name: str = ""


@dataclass(frozen=True)
class OptionClass:
    """What is listed of one trading class: expiries and strikes (not every pair of them exists)."""

    trading_class: str
    multiplier: float
    expiries: tuple[date, ...]
    strikes: tuple[float, ...]


@dataclass(frozen=True)
class ListedOption:
    """An option that IB lists, with the key under which it is asked for."""

    con_id: int
    contract: OptionContract
    min_tick: float = 0.01


@dataclass(slots=True)
class Observation:
    """What came for one contract; NaN where nothing came. Greeks are IB's, in Bifrost's units (per year, per 1.00).

    `missing` is why the quote is absent, "" when it is there: timeout, empty_quote (IB said that there is neither bid
    nor ask), no_security, not_subscribed, competing_session, line_refused, rate_refused, invalid_request, cancelled,
    disconnected, farm_down, no_line (others hold all lines), error_NNN (another code of IB's). On held lines also
    pending (nothing came yet) and stale (silent while others tick; asked for again).
    """

    con_id: int
    ts: datetime | None = None  # aware UTC, when its last tick arrived
    bid: float = nan
    ask: float = nan
    last: float = nan
    bid_size: float = nan
    ask_size: float = nan
    volume: float = nan
    open_interest: float = nan
    ib_iv: float = nan
    ib_delta: float = nan
    ib_gamma: float = nan
    ib_vega: float = nan
    ib_theta: float = nan
    spot: float = nan  # the underlying's price behind IB's model
    close: float = nan  # of the previous session
    market_data_type: str = "live"
    missing: str = ""


@dataclass(frozen=True)
class LineGauge:
    """How many market-data lines are in use, and by whom."""

    used: int
    total: int
    peak: int
    holders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayStatus:
    """A session with the gateway at one moment."""

    state: SessionState
    since: datetime
    host: str
    port: int
    server_version: int
    simulated: bool
    accounts: tuple[str, ...]
    lines: LineGauge
    messages_sent: int
    messages_per_s: float
    data_type: str
    last_heard: datetime | None
    quotes_flow: bool  # whether a subscription would be answered; a farm of history may be away all the same
    login_lapses: datetime | None = None  # when a person has to log in again; None for a simulation
    trouble: str = ""
