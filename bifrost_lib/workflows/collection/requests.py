"""Chains that someone wants now: the queue is served beside the rotation, and its lines come first."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress

from bifrost_lib.core.errors import BifrostError, SourceUnavailable
from bifrost_lib.ib import Priority
from bifrost_lib.store import ChainRequest, finish_request, listen, take_request
from bifrost_lib.workflows.collection.sweep import Sweeper
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.collection.watched import Watched
from bifrost_lib.workflows.desk import Desk

CHANNEL = "collection_requests"
#: How long to listen before looking at the table itself, where leases end without a word; the machine's seconds.
LISTEN_S = 0.5
AWAY_S = 1.0

log = logging.getLogger(__name__)


class Requests:
    """Serves the queue of chain requests."""

    def __init__(self, desk: Desk, sweeper: Sweeper, watched: Watched) -> None:
        self._desk, self._sweeper, self._watched = desk, sweeper, watched
        self._worker = f"{socket.gethostname()}/{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; while the database is away nobody can ask."""
        while not stop.is_set():
            try:
                await self._serve(stop)
            except SourceUnavailable as trouble:
                log.debug("%s", trouble)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AWAY_S)

    async def _serve(self, stop: asyncio.Event) -> None:
        listener = await asyncio.to_thread(listen, self._desk.store, (CHANNEL,))
        try:
            while not stop.is_set():
                request = await asyncio.to_thread(
                    take_request, self._desk.store, worker=self._worker, at=self._desk.clock.now()
                )
                if request is not None:
                    await self._answer(request, stop)
                else:
                    await listener.next(LISTEN_S)
        finally:
            listener.close()

    async def _answer(self, request: ChainRequest, stop: asyncio.Event) -> None:
        self._watched.asked_for(request.symbol)
        selection = self._watched.selection(request.symbol)
        if request.expiries:
            selection = Selection(expiries=0, days=request.expiries)
        run_id = None
        try:
            report = await self._sweeper.sweep(request.symbol, selection, stop=stop, priority=Priority.DASHBOARD)
            run_id = report.run_ids[0] if report.run_ids else None
            problem = "" if report.received else f"of {report.expected} contracts none came: {report.missing}"
        except SourceUnavailable as trouble:
            log.warning("request %s for %s: %s", request.request_id, request.symbol, trouble)
            return  # its lease ends, and it is taken again
        except BifrostError as trouble:
            problem = str(trouble)
        await asyncio.to_thread(
            finish_request, self._desk.store, request.request_id, at=self._desk.clock.now(), run_id=run_id,
            problem=problem,
        )  # fmt: skip
