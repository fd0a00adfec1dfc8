"""A queue of batches on disk, for when the database is down: delivered in order, exactly once, when it is back.

A batch becomes visible by a rename after its bytes are on the disk, and is deleted after the database has committed
it. Whatever is killed in between, it is there, once or twice; what comes twice the database knows and refuses.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bifrost_lib.core.errors import InputError, StoreError
from bifrost_lib.store.ledger import enter_run, is_open, settle_run
from bifrost_lib.store.locks import exclusive
from bifrost_lib.store.spool_files import DamagedBatch, SpooledBatch, packed, unpacked
from bifrost_lib.store.transactions import written
from bifrost_lib.store.trouble import AlreadyIngested, SpoolFull
from bifrost_lib.store.writing import COLLECTED, FileKey, ingestion

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

MAX_BYTES = 2 << 30
_SUFFIX = ".batch"
_log = logging.getLogger(__name__)


@dataclass
class Delivery:
    """What a delivery did.

    Attributes
    ----------
    stored, known : int
        Batches stored now, and batches that had been stored before.
    rows : int
        Snapshots newly stored.
    set_aside : list of Path
        Files that can never be stored; their reasons lie beside them.
    """

    stored: int = 0
    known: int = 0
    rows: int = 0
    set_aside: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Backlog:
    """What a spool's folder holds.

    Attributes
    ----------
    waiting, set_aside : int
        Batches that are to be stored, and those that never can be.
    oldest : datetime or None
        Since when the first of those that wait does, aware UTC.
    """

    waiting: int = 0
    set_aside: int = 0
    oldest: datetime | None = None


def spool_backlog(folder: Path) -> Backlog:
    """Return what waits in a spool's folder, without making one."""
    since = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):  # delivered meanwhile
            since.append(path.stat().st_mtime)
    oldest = datetime.fromtimestamp(min(since), UTC) if since else None
    return Backlog(len(since), len(list((folder / "set_aside").glob(f"*{_SUFFIX}"))), oldest)


class Spool:
    """Batches that wait in a folder.

    Parameters
    ----------
    folder : Path
        Made if need be, readable by its owner alone. Several processes may share it.
    max_bytes : int
        Most that the folder's files may take, those set aside included.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self.aside = folder / "set_aside"
        try:
            for made in (folder, self.aside):
                made.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the spool in {folder} cannot be made: {error.strerror}") from None
        with self._alone("put"):
            for part in folder.glob("*.part"):  # of a process that was killed before its batch was whole
                part.unlink()

    def put(self, batch: SpooledBatch) -> Path:
        """Write a batch to the disk, behind all others; it survives a power cut once this returns.

        Raises
        ------
        SpoolFull
            If there is no room. Nothing was dropped or written.
        InputError
            If the batch could not be stored later.
        StoreError
            If the disk does not take it.
        """
        batch.check()
        data = packed(batch)
        with self._alone("put"):
            taken = self.bytes
            if taken + len(data) > self.max_bytes:
                raise SpoolFull(self.folder, needed=len(data), taken=taken, allowed=self.max_bytes)
            pending = self.pending()
            number = 1 + (int(pending[-1].name.partition("-")[0]) if pending else 0)
            mark = hashlib.sha256(batch.batch_id.encode()).hexdigest()[:16]
            path = self.folder / f"{number:012d}-{mark}{_SUFFIX}"
            try:
                _write(path, data)
            except OSError as error:
                path.with_suffix(".part").unlink(missing_ok=True)
                raise StoreError(f"the spool in {self.folder} cannot be written: {error.strerror}") from None
        return path

    def pending(self) -> list[Path]:
        """Return the files that wait, the oldest first."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    @property
    def bytes(self) -> int:
        """What the files take, those set aside included."""
        total = 0
        for path in (*self.pending(), *self.aside.iterdir()):
            with contextlib.suppress(FileNotFoundError):  # delivered meanwhile
                total += path.stat().st_size
        return total

    def __len__(self) -> int:
        return len(self.pending())

    def deliver(self, store: Store, *, most: int | None = None) -> Delivery:
        """Store what waits, the oldest first, each batch exactly once, at most `most` of them.

        Raises
        ------
        SourceUnavailable
            If the database is away; what is not stored yet stays where it is.
        StoreError
            If the database cannot take rows now (a full disk); likewise.
        """
        done = Delivery()
        with self._alone("deliver"):
            for path in self.pending()[:most]:
                self._deliver(store, path, done)
        return done

    def _deliver(self, store: Store, path: Path, done: Delivery) -> None:
        try:
            batch = unpacked(path.read_bytes())
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from None
        except (DamagedBatch, ValueError, KeyError, TypeError) as error:
            done.set_aside.append(self._set_aside(path, str(error)))
            return
        try:
            done.rows += store_batch(store, batch)
            done.stored += 1
        except AlreadyIngested:
            done.known += 1
        except InputError as error:  # it will be no better the next time, and others wait behind it
            _confess(store, batch, str(error))
            done.set_aside.append(self._set_aside(path, str(error)))
            return
        path.unlink(missing_ok=True)
        _sync_folder(self.folder)

    def _set_aside(self, path: Path, reason: str) -> Path:
        """Keep a file that cannot be stored, with the reason, out of the way of the others."""
        target, tries = self.aside / path.name, 0
        while target.exists():
            tries += 1
            target = self.aside / f"{path.stem}-{tries}{_SUFFIX}"
        _write(target.with_suffix(".reason"), reason.encode())
        path.rename(target)
        _sync_folder(self.aside)
        _sync_folder(self.folder)
        _log.error("the batch %s cannot be stored and was set aside: %s", target, reason)
        return target

    @contextlib.contextmanager
    def _alone(self, work: str) -> Iterator[None]:
        with exclusive(self.folder / f".{work}.lock"):
            yield


def store_batch(store: Store, batch: SpooledBatch) -> int:
    """Store a batch and the end of its run in one transaction; return the snapshots newly stored.

    Raises
    ------
    AlreadyIngested
        If the batch has been stored before; nothing is touched.
    InputError
        If it can never be stored.
    SourceUnavailable
        If the database is away.
    """
    key = FileKey(path=f"{batch.source} {batch.symbol}", sha256=batch.batch_id, size=0, format=COLLECTED)
    with ingestion(store, key, source=batch.source) as writer:
        run_id = writer.continue_run(
            batch.run_id,
            collector=batch.collector,
            symbol=batch.symbol,
            started=batch.started,
            batch=batch.batch_id,
        )
        for frame in batch.frames:
            writer.append(frame)
        if batch.conditions is not None:
            writer.append_market_conditions(batch.conditions)
        if batch.changes is not None:
            writer.append_option_changes(batch.changes)
        for gap in batch.gaps:
            writer.record_gap(run_id, gap)
        writer.note(rows_read=sum(map(len, batch.frames)))
        writer.finish_run(run_id, batch.outcome, finished=batch.finished)
    return writer.rows_stored


def _confess(store: Store, batch: SpooledBatch, problem: str) -> None:
    """Let the ledger say that nothing of a batch was stored, and why."""
    expected = batch.outcome.expected
    lost = replace(batch.outcome, received=0, rows_stored=0, problem=problem)
    lost = replace(lost, missing={"refused": expected} if expected else {})
    try:
        with written(store.engine, store.place) as cursor:
            run_id = batch.run_id
            if run_id is None or not is_open(cursor, run_id):
                run_id = enter_run(
                    cursor,
                    *(batch.collector, batch.source, batch.symbol, batch.started, batch.batch_id, expected),
                    process=None,
                )
            settle_run(cursor, run_id, lost, finished=batch.finished)
    except InputError as error:  # the ledger refuses the run itself; the reason beside the file is what remains
        _log.error("the ledger cannot tell of batch %s: %s", batch.batch_id, error)


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
