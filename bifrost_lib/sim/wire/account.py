"""Messages of accounts: values, portfolios, positions, summaries, profit and loss, executions asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.sim.wire.declare import Fixed, Value, request, response
from bifrost_lib.sim.wire.records import C11, UNSET_DOUBLE, Contract


@request(6, Fixed("2"), "subscribe", "account")
@dataclass(frozen=True, slots=True)
class ReqAccountUpdates:
    """Start or stop the values and the portfolio of one account."""

    subscribe: bool
    account: str = ""


@request(17, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqManagedAccts:
    """Ask for the accounts that the login may see."""


@request(61, Fixed("1"))
@dataclass(frozen=True, slots=True)
class ReqPositions:
    """Subscribe to the positions of all accounts."""


@request(64, Fixed("1"))
@dataclass(frozen=True, slots=True)
class CancelPositions:
    """End the subscription to positions."""


@request(62, Fixed("1"), "req_id", "group", "tags")
@dataclass(frozen=True, slots=True)
class ReqAccountSummary:
    """Subscribe to the values named by `tags`, separated by commas, of a group of accounts."""

    req_id: int
    group: str
    tags: str


@request(63, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelAccountSummary:
    """End an account summary."""

    req_id: int


@request(74, Fixed("1"), "req_id", "account", "model_code")
@dataclass(frozen=True, slots=True)
class ReqPositionsMulti:
    """Subscribe to the positions of one account or model."""

    req_id: int
    account: str
    model_code: str = ""


@request(75, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelPositionsMulti:
    """End a subscription to positions of an account."""

    req_id: int


@request(76, Fixed("1"), "req_id", "account", "model_code", "ledger_and_nlv")
@dataclass(frozen=True, slots=True)
class ReqAccountUpdatesMulti:
    """Subscribe to the values of one account or model."""

    req_id: int
    account: str
    model_code: str = ""
    ledger_and_nlv: bool = False


@request(77, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class CancelAccountUpdatesMulti:
    """End a subscription to values of an account."""

    req_id: int


@request(92, "req_id", "account", "model_code")
@dataclass(frozen=True, slots=True)
class ReqPnl:
    """Subscribe to the profit and loss of an account."""

    req_id: int
    account: str
    model_code: str = ""


@request(93, "req_id")
@dataclass(frozen=True, slots=True)
class CancelPnl:
    """End a subscription to profit and loss."""

    req_id: int


@request(94, "req_id", "account", "model_code", "con_id")
@dataclass(frozen=True, slots=True)
class ReqPnlSingle:
    """Subscribe to the profit and loss of one position."""

    req_id: int
    account: str
    model_code: str
    con_id: int


@request(95, "req_id")
@dataclass(frozen=True, slots=True)
class CancelPnlSingle:
    """End a subscription to the profit and loss of one position."""

    req_id: int


@response(6, Fixed("2"), "key", "value", "currency", "account")
@dataclass(frozen=True, slots=True)
class AccountValue:
    """One value of an account, as text."""

    key: str
    value: str
    currency: str
    account: str


@response(
    7, Fixed("8"), "contract.con_id", "contract.symbol", "contract.sec_type", "contract.expiry", "contract.strike",
    "contract.right", "contract.multiplier", "contract.primary_exchange", "contract.currency", "contract.local_symbol",
    "contract.trading_class", "position", "market_price", "market_value", "average_cost", "unrealized_pnl",
    "realized_pnl", "account",
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class PortfolioValue:
    """One position of an account with its value; `average_cost` is per contract, multiplier included."""

    contract: Contract
    position: float
    market_price: float
    market_value: float
    average_cost: float
    unrealized_pnl: float
    realized_pnl: float
    account: str


@response(8, Fixed("1"), "time")
@dataclass(frozen=True, slots=True)
class AccountUpdateTime:
    """When the values of an account were computed: HH:MM."""

    time: str


@response(54, Fixed("1"), "account")
@dataclass(frozen=True, slots=True)
class AccountDownloadEnd:
    """All values and positions of an account were sent once."""

    account: str


@response(15, Fixed("1"), "accounts")
@dataclass(frozen=True, slots=True)
class ManagedAccounts:
    """The accounts of the login, separated by commas."""

    accounts: str


@response(61, Fixed("3"), "account", *C11, "position", "avg_cost")
@dataclass(frozen=True, slots=True)
class PositionData:
    """One position; `avg_cost` is per contract, multiplier included."""

    account: str
    contract: Contract
    position: float
    avg_cost: float


@response(62, Fixed("1"))
@dataclass(frozen=True, slots=True)
class PositionEnd:
    """All positions were sent once."""


@response(63, Fixed("1"), "req_id", "account", "tag", "value", "currency")
@dataclass(frozen=True, slots=True)
class AccountSummary:
    """One value of an account summary."""

    req_id: int
    account: str
    tag: str
    value: str
    currency: str


@response(64, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class AccountSummaryEnd:
    """An account summary was sent once."""

    req_id: int


@response(71, Fixed("1"), "req_id", "account", *C11, "position", "avg_cost", "model_code")
@dataclass(frozen=True, slots=True)
class PositionMulti:
    """One position of an account or model."""

    req_id: int
    account: str
    contract: Contract
    position: float
    avg_cost: float
    model_code: str = ""


@response(72, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class PositionMultiEnd:
    """All positions of an account were sent once."""

    req_id: int


@response(73, Fixed("1"), "req_id", "account", "model_code", "key", "value", "currency")
@dataclass(frozen=True, slots=True)
class AccountUpdateMulti:
    """One value of an account or model."""

    req_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


@response(74, Fixed("1"), "req_id")
@dataclass(frozen=True, slots=True)
class AccountUpdateMultiEnd:
    """All values of an account were sent once."""

    req_id: int


@response(
    94, "req_id", Value("daily_pnl", "number"), Value("unrealized_pnl", "number"), Value("realized_pnl", "number")
)
@dataclass(frozen=True, slots=True)
class Pnl:
    """Profit and loss of an account; an unknown part is UNSET_DOUBLE, written as the number."""

    req_id: int
    daily_pnl: float = UNSET_DOUBLE
    unrealized_pnl: float = UNSET_DOUBLE
    realized_pnl: float = UNSET_DOUBLE


@response(
    95, "req_id", "position", Value("daily_pnl", "number"), Value("unrealized_pnl", "number"),
    Value("realized_pnl", "number"), Value("value", "number"),
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class PnlSingle:
    """Profit and loss of one position; an unknown part is UNSET_DOUBLE, written as the number."""

    req_id: int
    position: float
    daily_pnl: float = UNSET_DOUBLE
    unrealized_pnl: float = UNSET_DOUBLE
    realized_pnl: float = UNSET_DOUBLE
    value: float = UNSET_DOUBLE
