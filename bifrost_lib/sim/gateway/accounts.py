"""Accounts: values, portfolios, positions, summaries, profit and loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import (
    UNSET_DOUBLE,
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdateTime,
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPnl,
    CancelPnlSingle,
    CancelPositions,
    CancelPositionsMulti,
    Pnl,
    PnlSingle,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqPnl,
    ReqPnlSingle,
    ReqPositions,
    ReqPositionsMulti,
)

#: Seconds between two updates, as IB sends them.
ACCOUNT_S, SUMMARY_S, PNL_S = 180.0, 180.0, 1.0
MOST_SUMMARIES = 2


@handles(ReqAccountUpdates)
def account_updates(session: Session, message: ReqAccountUpdates) -> None:
    """Begin or end the values and the portfolio of an account."""
    account = message.account or session.gateway.broker.accounts[0]
    if not message.subscribe:
        session.accounts.discard(account)
        session.stop("account", 0)
        return
    _check(session, account)
    session.accounts.add(account)
    _tell_account(session, account)
    session.repeat("account", 0, ACCOUNT_S, lambda: _tell_account(session, account))


def _tell_account(session: Session, account: str) -> None:
    broker = session.gateway.broker
    for value in broker.account_values(account):
        session.send(value)
    for position in broker.portfolio(account):
        session.send(position)
    session.send(AccountUpdateTime(f"{session.gateway.market.clock.now().astimezone(EXCHANGE_TZ):%H:%M}"))
    session.send(AccountDownloadEnd(account))


@handles(ReqPositions)
def positions(session: Session, _: ReqPositions) -> None:
    """Begin the positions of all accounts."""
    session.wants_positions = True
    for position in session.gateway.broker.positions():
        session.send(position)
    session.send(PositionEnd())


@handles(CancelPositions)
def no_positions(session: Session, _: CancelPositions) -> None:
    """End positions."""
    session.wants_positions = False


@handles(ReqAccountSummary)
def summary(session: Session, message: ReqAccountSummary) -> None:
    """Begin a summary of the accounts of a group."""
    if sum(kind == "summary" for kind, _ in session.repeated) >= MOST_SUMMARIES:
        raise Refusal(322, where="bW", cause="Maximum number of account summary requests exceeded")
    tags = {tag.strip() for tag in message.tags.split(",") if tag.strip()}

    def tell() -> None:
        for account, value in _values(session, session.gateway.broker.accounts):
            if not tags or value.key in tags or "AllTags" in tags or _is_ledger(tags, value):
                session.send(AccountSummary(message.req_id, account, value.key, value.value, value.currency))

    tell()
    session.send(AccountSummaryEnd(message.req_id))
    session.repeat("summary", message.req_id, SUMMARY_S, tell)


@handles(ReqAccountUpdatesMulti)
def updates_multi(session: Session, message: ReqAccountUpdatesMulti) -> None:
    """Begin the values of one account."""
    accounts = _accounts(session, message.account)

    def tell() -> None:
        for account, value in _values(session, accounts):
            session.send(AccountUpdateMulti(
                message.req_id, account, message.model_code, value.key, value.value, value.currency
            ))  # fmt: skip

    tell()
    session.send(AccountUpdateMultiEnd(message.req_id))
    session.repeat("updates", message.req_id, ACCOUNT_S, tell)


@handles(ReqPositionsMulti)
def positions_multi(session: Session, message: ReqPositionsMulti) -> None:
    """Send the positions of one account."""
    for account in _accounts(session, message.account):
        for found in session.gateway.broker.positions(account):
            session.send(PositionMulti(
                message.req_id, account, found.contract, found.position, found.avg_cost, message.model_code
            ))  # fmt: skip
    session.send(PositionMultiEnd(message.req_id))


@handles(ReqPnl)
def profit(session: Session, message: ReqPnl) -> None:
    """Begin the profit and loss of an account."""
    _check(session, message.account)

    def read() -> Pnl:
        found = session.gateway.broker.pnl(message.account)
        return Pnl(message.req_id, *map(_known, (found.daily, found.unrealized, found.realized)))

    _tell_changes(session, "pnl", message.req_id, read)


@handles(ReqPnlSingle)
def profit_of_position(session: Session, message: ReqPnlSingle) -> None:
    """Begin the profit and loss of a position."""
    _check(session, message.account)

    def read() -> PnlSingle:
        found = session.gateway.broker.pnl_single(message.account, message.con_id)
        numbers = map(_known, (found.daily, found.unrealized, found.realized, found.value))
        return PnlSingle(message.req_id, found.position, *numbers)

    _tell_changes(session, "pnl single", message.req_id, read)


def _tell_changes(session: Session, kind: str, req_id: int, read: Callable[[], Any]) -> None:
    if (kind, req_id) in session.repeated:
        raise Refusal(322, kind="duplicate")
    last: list[Any] = [None]

    def tell() -> None:
        now = read()
        if now != last[0]:
            last[0] = now
            session.send(now)

    tell()
    session.repeat(kind, req_id, PNL_S, tell)


_ENDED: dict[type, str] = {
    CancelAccountSummary: "summary",
    CancelAccountUpdatesMulti: "updates",
    CancelPnl: "pnl",
    CancelPnlSingle: "pnl single",
}


@handles(*_ENDED)
def end(session: Session, message: Any) -> None:
    """End what is told again and again."""
    if not session.stop(_ENDED[type(message)], message.req_id):
        raise Refusal(300, ticker_id=message.req_id)


@handles(CancelPositionsMulti)
def end_positions_multi(_: Session, __: CancelPositionsMulti) -> None:
    """Nothing is kept for it."""


def _values(session: Session, accounts: Iterable[str]) -> Iterable[tuple[str, Any]]:
    return ((account, value) for account in accounts for value in session.gateway.broker.account_values(account))


def _is_ledger(tags: set[str], value: Any) -> bool:
    return bool(value.currency) and not tags.isdisjoint({f"$LEDGER:{value.currency}", "$LEDGER:ALL", "$LEDGER"})


def _accounts(session: Session, account: str) -> tuple[str, ...]:
    known: tuple[str, ...] = session.gateway.broker.accounts
    if not account or account == "All":
        return known
    _check(session, account)
    return (account,)


def _check(session: Session, account: str) -> None:
    if account not in session.gateway.broker.accounts:
        raise invalid(f"Invalid account code '{account}'")


def _known(number: float) -> float:
    return UNSET_DOUBLE if isnan(number) else number
