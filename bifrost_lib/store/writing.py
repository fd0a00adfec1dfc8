"""Bringing snapshots into the store: one transaction for each file, rows by COPY."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg2
from psycopg2.extras import Json

from bifrost_lib.core.errors import InputError
from bifrost_lib.store.binary_copy import SnapshotRows, SnapshotStream
from bifrost_lib.store.changes import store_changes
from bifrost_lib.store.conditions import make_condition_partitions, store_conditions
from bifrost_lib.store.contracts import ContractKeys
from bifrost_lib.store.duplicates import first_of_each, is_ordered, order
from bifrost_lib.store.gaps import Gap, enter_gap
from bifrost_lib.store.ledger import RunOutcome, enter_run, is_open, settle_run
from bifrost_lib.store.merging import STAGING, allow_decompression, make_staging, merge_staged
from bifrost_lib.store.notifications import SNAPSHOTS, notify
from bifrost_lib.store.partitions import make_partition, months_of
from bifrost_lib.store.sessions import SessionLog
from bifrost_lib.store.snapshot_frames import check_sizes, check_snapshots, moments_us, value_arrays
from bifrost_lib.store.stocks import is_simulated
from bifrost_lib.store.time_tables import COMMUNITY, PLAIN
from bifrost_lib.store.transactions import transaction
from bifrost_lib.store.trouble import AlreadyIngested

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

#: Format of what a collector brings: its rows are announced on the channel ``option_snapshots``.
COLLECTED = "collected"
_PIECE = 1 << 19
_REMEMBERED = 1_000_000  # contracts and sessions held in memory before they are written down


@dataclass(frozen=True)
class FileKey:
    """What tells one file from another: where it was, its bytes, and how they were read."""

    path: str
    sha256: str
    size: int
    format: str


@contextmanager
def ingestion(store: Store, key: FileKey, *, source: str) -> Iterator[SnapshotWriter]:
    """Store one file whole or not at all.

    Parameters
    ----------
    store : Store
    key : FileKey
    source : str
        Who supplied the data, for example ``lean``; ``simulated`` for made-up data, which never shares a symbol
        with real data.

    Raises
    ------
    AlreadyIngested
        If this file is in the store; nothing is touched.
    InputError
        From `append`, for a frame that is not what it should be; nothing of the file is stored.
    """
    if not source.strip():
        raise InputError("source", source, "the name of who supplied the data")
    with transaction(store.engine, store.place) as connection:
        writer = SnapshotWriter(store, connection, key, source=source.strip())
        yield writer
        writer.finish()


class SnapshotWriter:
    """Takes the frames of one file; made by `ingestion`."""

    def __init__(self, store: Store, connection: Any, key: FileKey, *, source: str) -> None:
        self._store, self._cursor = store, connection.cursor()
        self._rejected: Counter[str] = Counter()
        self._rows_read = 0
        self.rows_stored = 0
        self._meets_stored_rows = False
        self._months: set[Any] = set()
        self._source, self._is_collected = source, key.format == COLLECTED
        self._ends: list[tuple[int, RunOutcome, datetime]] = []
        self._news: dict[str, tuple[pd.Timestamp, int]] = {}
        if store.level == COMMUNITY:
            allow_decompression(self._cursor)
        self._file_id = self._register(key, source)
        self._contracts = ContractKeys(self._cursor, simulated=is_simulated(source))
        self._sessions = SessionLog()

    def append(self, frame: pd.DataFrame) -> int:
        """Store the rows of `frame`; return how many were newly stored or completed.

        Parameters
        ----------
        frame : DataFrame, SNAPSHOT_COLUMNS, with or without all of VENDOR_COLUMNS
            Any order, any index. NaN is stored as unknown. A row for a contract and moment that are stored
            already, or that come twice, fills in what is missing and changes nothing else.

        Raises
        ------
        InputError
            If a column is missing or of another dtype, a row names no moment or no contract, or a number is
            infinite. The file must then be given up: leave the ``with`` block by the exception.
        """
        frame = check_snapshots(frame)
        if frame.empty:
            return 0
        ts = moments_us(frame)
        check_sizes(frame)
        stock_id, contract_id = self._contracts.resolve(frame)
        rows = SnapshotRows(ts, stock_id, contract_id, *value_arrays(frame))
        if not is_ordered(ts, stock_id):
            rows = rows.take(order(ts, stock_id, contract_id))
        self._make_partitions(ts)
        stored = self._copy_directly(rows) if not self._meets_stored_rows else None
        if stored is None:
            stored = self._merge(rows)
        self.rows_stored += stored
        if self._is_collected:
            self._remember_news(frame)
        self._sessions.store(self._cursor, self._file_id, unless_fewer_than=_REMEMBERED)
        return stored

    def note(self, *, rows_read: int = 0, rejected: Mapping[str, int] | None = None) -> None:
        """Add to what the ledger will say about the file: rows found in it, and rejected ones by reason."""
        self._rows_read += rows_read
        self._rejected.update(rejected or {})

    def continue_run(
        self, run_id: int | None, *, collector: str, symbol: str, started: datetime, batch: str | None = None
    ) -> int:
        """Return the key of the run that brings these rows: `run_id` if its end is open, else one entered now."""
        if run_id is not None and is_open(self._cursor, run_id):
            return run_id
        return enter_run(self._cursor, collector, self._source, symbol, started, batch, None, process=None)

    def finish_run(self, run_id: int, outcome: RunOutcome, *, finished: datetime) -> None:
        """Write the end of a collector's run when these rows are committed, and not without them.

        Its `rows_stored` is what this writer stored in the end.

        Raises
        ------
        InputError
            If the outcome does not balance; at the end also if `run_id` is no run whose end is open.
        """
        outcome.check()
        self._ends.append((run_id, outcome, finished))

    def record_gap(self, run_id: int, gap: Gap) -> int:
        """Note, together with these rows, what is missing; return the gap's key."""
        return enter_gap(self._cursor, run_id, gap)

    def append_market_conditions(self, frame: pd.DataFrame) -> int:
        """Store, together with these rows, the conditions of markets; see the function of this name."""
        make_condition_partitions(self._store, frame)
        return store_conditions(self._cursor, frame, source=self._source)

    def append_option_changes(self, frame: pd.DataFrame) -> int:
        """Store, together with these rows, what changed; see the function of this name."""
        return store_changes(self._cursor, frame)

    def finish(self) -> None:
        """Write the directory of sessions and the ledger's last words; `ingestion` commits."""
        self._sessions.store(self._cursor, self._file_id)
        for run_id, outcome, finished in self._ends:
            settle_run(self._cursor, run_id, replace(outcome, rows_stored=self.rows_stored), finished=finished)
        for symbol, (ts, rows) in self._news.items():
            notify(self._cursor, SNAPSHOTS, symbol=symbol, ts=ts.isoformat(), rows=rows)
        self._cursor.execute(
            "UPDATE ingested_files SET rows_read = %s, rows_stored = %s, rejected = %s, finished = %s "
            "WHERE file_id = %s",
            (self._rows_read, self.rows_stored, Json(self._rejected), self._store.clock.now(), self._file_id),
        )

    def _register(self, key: FileKey, source: str) -> int:
        """Enter the file in the ledger; a second process with the same file waits here for the first."""
        self._cursor.execute(
            "INSERT INTO ingested_files (path, sha256, size, format, source, rejected, started) "
            "VALUES (%s, %s, %s, %s, %s, '{}', %s) ON CONFLICT DO NOTHING RETURNING file_id",
            (key.path, key.sha256, key.size, key.format, source, self._store.clock.now()),
        )
        made = self._cursor.fetchone()
        if made is not None:
            return int(made[0])
        self._cursor.execute(
            "SELECT rows_read, rows_stored, rejected, finished FROM ingested_files "
            "WHERE (path, sha256, format) = (%s, %s, %s)",
            (key.path, key.sha256, key.format),
        )
        rows_read, rows_stored, rejected, finished = self._cursor.fetchone()
        raise AlreadyIngested(
            key.path, rows_read=rows_read, rows_stored=rows_stored, rejected=rejected, finished=finished
        )

    def _remember_news(self, frame: pd.DataFrame) -> None:
        for symbol, ts in frame.groupby("symbol", observed=True)["ts"]:
            newest, rows = self._news.get(str(symbol), (ts.max(), 0))
            self._news[str(symbol)] = max(newest, ts.max()), rows + len(ts)

    def _make_partitions(self, ts: npt.NDArray[np.int64]) -> None:
        if self._store.level != PLAIN:
            return
        for month in months_of(ts) - self._months:
            make_partition(self._store.engine, "option_snapshots", month)
            self._months.add(month)

    def _copy_directly(self, rows: SnapshotRows) -> int | None:
        """Copy into the table itself, the fast way; None if a row is there already, and then nothing was stored."""
        self._cursor.execute("SAVEPOINT batch")
        try:
            self._copy("option_snapshots", rows)
        except psycopg2.errors.UniqueViolation:
            self._cursor.execute("ROLLBACK TO SAVEPOINT batch")
            return None
        self._cursor.execute("RELEASE SAVEPOINT batch")
        self._sessions.add(rows.ts, rows.stock_id, rows.contract_id)
        return len(rows.ts)

    def _merge(self, rows: SnapshotRows) -> int:
        once = first_of_each(rows)
        make_staging(self._cursor)
        self._copy(STAGING, once)
        stored, fresh = merge_staged(self._cursor)
        self._sessions.add(once.ts, once.stock_id, once.contract_id, fresh=fresh)
        # A file that met stored rows will meet more of them: do not try the fast way first.
        self._meets_stored_rows = sum(fresh.values()) < len(once.ts)
        return stored

    def _copy(self, table: str, rows: SnapshotRows) -> None:
        words = f"COPY {table} ({', '.join(rows.columns)}) FROM STDIN (FORMAT binary)"
        stream = SnapshotStream(rows, file_id=self._file_id)
        try:
            self._cursor.copy_expert(words, stream, size=_PIECE)
        except psycopg2.Error:
            if stream.failure is not None:
                raise stream.failure from None
            raise
