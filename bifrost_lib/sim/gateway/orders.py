"""Orders: placed, changed, cancelled, listed, and the executions they led to."""

from __future__ import annotations

from bifrost_lib.sim.gateway.registry import Refusal, handles
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import (
    CancelOrder,
    CompletedOrdersEnd,
    ExecutionDataEnd,
    ExerciseOptions,
    OpenOrderEnd,
    PlaceOrder,
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
    ReqGlobalCancel,
    ReqOpenOrders,
)


@handles(PlaceOrder)
def place(session: Session, message: PlaceOrder) -> None:
    """Hand an order to the broker."""
    _check_connected(session)
    session.gateway.broker.place(session.client_id, message)
    session.gateway.tell_events()
    session.gateway.match_soon()


@handles(CancelOrder)
def cancel(session: Session, message: CancelOrder) -> None:
    """Cancel an order of this client."""
    _check_connected(session)
    session.gateway.broker.cancel(session.client_id, message.order_id)
    session.gateway.tell_events()


@handles(ReqGlobalCancel)
def cancel_all(session: Session, _: ReqGlobalCancel) -> None:
    """Cancel every order of every client."""
    session.gateway.broker.global_cancel(session.client_id)
    session.gateway.tell_events()


@handles(ExerciseOptions)
def exercise(session: Session, message: ExerciseOptions) -> None:
    """Exercise options, or let them lapse."""
    session.gateway.broker.exercise(session.client_id, message)
    session.gateway.tell_events()


@handles(ReqOpenOrders)
def open_orders(session: Session, _: ReqOpenOrders) -> None:
    """Send this client's working orders."""
    _send_open(session, session.client_id)


@handles(ReqAllOpenOrders)
def all_open_orders(session: Session, _: ReqAllOpenOrders) -> None:
    """Send the working orders of all clients."""
    _send_open(session, None)


@handles(ReqAutoOpenOrders)
def bind_orders(session: Session, _: ReqAutoOpenOrders) -> None:
    """Only client 0 may bind orders made by hand, and nobody makes any here."""
    if session.client_id != 0:
        raise Refusal(321, where="bW", cause="Only the client with id 0 can bind orders automatically")


@handles(ReqCompletedOrders)
def completed_orders(session: Session, message: ReqCompletedOrders) -> None:
    """Send the day's finished orders."""
    for order in session.gateway.broker.completed_orders(api_only=message.api_only):
        session.send(order)
    session.send(CompletedOrdersEnd())


@handles(ReqExecutions)
def executions(session: Session, message: ReqExecutions) -> None:
    """Send the day's executions, each with its commission."""
    found = session.gateway.broker.executions(message)
    for execution, _ in found:
        session.send(execution)
    session.send(ExecutionDataEnd(message.req_id))
    for _, commission in found:
        if commission is not None:
            session.send(commission)


def _send_open(session: Session, client_id: int | None) -> None:
    for order, status in session.gateway.broker.open_orders(client_id):
        session.send(order)
        session.send(status)
    session.send(OpenOrderEnd())


def _check_connected(session: Session) -> None:
    faults = session.gateway.faults
    if faults.is_active("connectivity-lost") or faults.is_active("nightly-reset"):
        raise Refusal(201, reason="Not connected to IBKR; the order was not sent")
