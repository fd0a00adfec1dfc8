"""Telling the desk how the session with the gateway stands: pages and alerts know it from the database alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.ib import Gateway, GatewayStatus
from bifrost_lib.store import GatewaySession, end_gateway_session, note_gateway_session
from bifrost_lib.workflows.collection.waiting import run_forever
from bifrost_lib.workflows.desk import Desk

EVERY_S = 5.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def telling(desk: Desk, gateway: Gateway, *, holder: str) -> AsyncIterator[None]:
    """Note every few seconds how `gateway` stands, in the name of `holder`, while the block runs."""

    async def tell() -> None:
        for session in sessions_of(desk, gateway, holder):
            await asyncio.to_thread(note_gateway_session, desk.store, session)

    stop = asyncio.Event()
    job = run_forever(tell, name="gateway session", every_s=EVERY_S, clock=desk.clock, stop=stop)
    beating = asyncio.create_task(job)
    try:
        yield
    finally:
        stop.set()
        for trouble in await asyncio.gather(beating, return_exceptions=True):
            if isinstance(trouble, BaseException):
                log.error("how the gateway stands is not told any more: %s", trouble)
        await asyncio.to_thread(_end, desk, gateway, holder)


def sessions_of(desk: Desk, gateway: Gateway, holder: str) -> list[GatewaySession]:
    """Return what there is to tell, of each login by itself."""
    now = desk.clock.now()
    return [_session_of(status, holder, now) for status in gateway.logins()]


def _session_of(status: GatewayStatus, holder: str, now: datetime) -> GatewaySession:
    return GatewaySession(
        holder=holder,
        host=status.host,
        port=status.port,
        ts=now,
        state=status.state.value,
        since=status.since,
        trouble=status.trouble,
        simulated=status.simulated,
        login_lapses=status.login_lapses,
        last_heard=status.last_heard,
        data_type=status.data_type,
        lines_used=status.lines.used,
        lines_total=status.lines.total,
        lines_held=status.lines.holders,
        messages_per_s=status.messages_per_s,
    )


def _end(desk: Desk, gateway: Gateway, holder: str) -> None:
    try:
        for status in gateway.logins():
            end_gateway_session(desk.store, holder=holder, host=status.host, port=status.port)
    except BifrostError:
        return  # the database is away; the word grows old there and says the same
