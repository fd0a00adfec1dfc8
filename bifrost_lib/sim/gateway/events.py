"""Who is told what happened at the broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bifrost_lib.sim.broker import BrokerEvent
from bifrost_lib.sim.wire import AccountValue, PortfolioValue, PositionData

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway
    from bifrost_lib.sim.gateway.session import Session


def route(gateway: SimulatedGateway, events: Sequence[BrokerEvent]) -> None:
    """Send each event to its client, or to whoever subscribed to its kind."""
    if not events:
        return
    started = [session for session in gateway.sessions if session.is_started]
    for event in events:
        for session in started:
            if _concerns(session, event):
                session.send(event.message)


def _concerns(session: Session, event: BrokerEvent) -> bool:
    if event.client_id is not None:
        return session.client_id == event.client_id
    if isinstance(event.message, PositionData):
        return session.wants_positions
    if isinstance(event.message, (PortfolioValue, AccountValue)):
        return event.account in session.accounts
    return True
