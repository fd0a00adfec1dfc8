"""The session itself: its start, ids, time, user."""

from __future__ import annotations

from bifrost_lib.sim.gateway.notices import UNLIMITED, farm_notices
from bifrost_lib.sim.gateway.registry import handles
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import (
    CurrentTime,
    ManagedAccounts,
    NextValidId,
    ReqCurrentTime,
    ReqIds,
    ReqManagedAccts,
    ReqUserInfo,
    SetServerLogLevel,
    StartApi,
    UserInfo,
)


@handles(StartApi)
def start(session: Session, message: StartApi) -> None:
    """Give the client its id, accounts and first order id; a taken id is refused and the connection closed."""
    gateway = session.gateway
    taken = {other.client_id for other in gateway.sessions if other is not session}
    full = gateway.limits.enforced and len(taken - {-1}) >= gateway.limits.clients
    if message.client_id in taken or message.client_id < 0 or full:
        session.refuse(-1, 326)
        session.close()
        return
    session.client_id = message.client_id
    session.send(ManagedAccounts(",".join(gateway.broker.accounts)))
    session.send(NextValidId(gateway.broker.next_order_id(session.client_id)))
    for code, farm in farm_notices(gateway.faults):
        session.refuse(-1, code, farm=farm)
    if not gateway.limits.enforced:
        session.refuse(-1, UNLIMITED.ok, farm=UNLIMITED.name)


@handles(ReqIds)
def next_id(session: Session, _: ReqIds) -> None:
    """Tell the next order id."""
    session.send(NextValidId(session.gateway.broker.next_order_id(session.client_id)))


@handles(ReqManagedAccts)
def managed_accounts(session: Session, _: ReqManagedAccts) -> None:
    """Tell the accounts."""
    session.send(ManagedAccounts(",".join(session.gateway.broker.accounts)))


@handles(ReqCurrentTime)
def current_time(session: Session, _: ReqCurrentTime) -> None:
    """Tell the market's time."""
    session.send(CurrentTime(int(session.gateway.market.clock.now().timestamp())))


@handles(ReqUserInfo)
def user_info(session: Session, message: ReqUserInfo) -> None:
    """Tell that the user is IB's own customer."""
    session.send(UserInfo(message.req_id, ""))


@handles(SetServerLogLevel)
def log_level(_: Session, __: SetServerLogLevel) -> None:
    """Keep the log as it is: it is the gateway's, not the client's."""
