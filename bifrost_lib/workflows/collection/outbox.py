"""Batches on their way to the store: at once if it answers, else to the disk, and in order when it is back."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from bifrost_lib.core.errors import BifrostError, SourceUnavailable
from bifrost_lib.core.settings import Settings
from bifrost_lib.store import AlreadyIngested, Delivery, Spool, SpooledBatch, Store, store_batch

log = logging.getLogger(__name__)


def spool_folder(settings: Settings) -> Path:
    """Return where this home keeps what the database has not taken yet."""
    return settings.home / "spool"


class Outbox:
    """Sends batches one after the other, in threads, so that ticks are read meanwhile.

    Parameters
    ----------
    store : Store
    spool : Spool
        Where batches wait while the database is away. What waits goes first.
    """

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store, self._spool = store, spool
        self._turn = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many batches wait on the disk."""
        return len(self._spool)

    async def send(self, batch: SpooledBatch) -> int:
        """Store a batch, or leave it on the disk; return the rows newly stored.

        Raises
        ------
        SpoolFull, StoreError
            If neither the database nor the disk takes it.
        """
        async with self._turn:
            return await asyncio.to_thread(self._send, batch)

    async def deliver(self) -> Delivery:
        """Store what waits on the disk.

        Raises
        ------
        SourceUnavailable
            If the database is still away.
        """
        async with self._turn:
            return await asyncio.to_thread(self._spool.deliver, self._store)

    def _send(self, batch: SpooledBatch) -> int:
        if not len(self._spool):
            try:
                return store_batch(self._store, batch)
            except AlreadyIngested:
                return 0
            except SourceUnavailable as trouble:
                log.warning("%s; batches wait on the disk", trouble)
                self._spool.put(batch)
                return 0
            except BifrostError as trouble:  # the spool tells what can be stored later from what never can
                log.error("the batch %s was not stored: %s", batch.batch_id, trouble)
        self._spool.put(batch)
        try:
            return self._spool.deliver(self._store).rows
        except BifrostError as trouble:
            log.debug("%s batches wait: %s", len(self._spool), trouble)
            return 0
