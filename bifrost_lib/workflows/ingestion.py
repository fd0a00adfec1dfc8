"""Files into the store: read, compute, store; each file whole or not at all."""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import pandas as pd

from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.feeds import Feed, Reject, discover
from bifrost_lib.store import AlreadyIngested, FileKey, ingestion, save_corporate_actions
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.enrichment import with_analytics, without_analytics

Progress = Callable[[Path, float, int], None]
Enrich = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass
class FileReport:
    """What became of one file. Each row read was stored, changed nothing (it was known), or was rejected."""

    path: Path
    state: str = "stored"  # stored, unchanged (was stored before), failed (nothing stored)
    rows_read: int = 0
    rows_stored: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    reject_file: Path | None = None
    problem: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {
            "path": str(self.path),
            "state": self.state,
            "rows_read": self.rows_read,
            "rows_stored": self.rows_stored,
            "rows_unchanged": self.rows_read - self.rows_stored - sum(self.rejected.values())
            if not self.problem
            else 0,
            "rejected": self.rejected,
            "seconds": round(self.seconds, 3),
            "reject_file": str(self.reject_file) if self.reject_file else None,
            "problem": self.problem or None,
            "note": self.note or None,
        }


def ingest_paths(
    desk: Desk,
    paths: Sequence[Path],
    *,
    layout: str = "auto",
    symbol: str | None = None,
    analytics: bool = True,
    on_progress: Progress | None = None,
) -> list[FileReport]:
    """Store the option chains in files and folders.

    Parameters
    ----------
    desk : Desk
    paths : sequence of Path
        Files, or folders that are searched for files of a known layout.
    layout : str
        ``auto``, the name of a layout that `feeds` knows, or the path of a mapping file.
    symbol : str, optional
        Underlying, where the files do not say.
    analytics : bool
        Compute forward, implied volatility and greeks of every quote. Without, they stay missing.
    on_progress : callable, optional
        Called with the file, the fraction of all bytes done, and the rows read so far.

    Returns
    -------
    list of FileReport
        One per file. A file that cannot be read is reported as failed and does not stop the others.

    Raises
    ------
    InputError
        If a path does not exist or no file of a known layout is found.
    """
    if missing := [str(path) for path in paths if not path.exists()]:
        raise InputError("PATH", ", ".join(missing), "files or folders that exist")
    feeds = discover(paths, format=layout, symbol=symbol)
    if not feeds:
        raise InputError("PATH", ", ".join(map(str, paths)), "at least one file of a known layout")
    total, done, rows = sum(feed.size for feed in feeds) or 1, 0, 0
    reports = []
    for feed in feeds:

        def advance(fraction: float, rows_here: int, feed: Feed = feed, done: int = done, rows: int = rows) -> None:
            if on_progress is not None:
                on_progress(feed.path, (done + fraction * feed.size) / total, rows + rows_here)

        report = _ingest(desk, feed, advance, with_analytics if analytics else without_analytics)
        done, rows = done + feed.size, rows + report.rows_read
        reports.append(report)
    return reports


def _ingest(desk: Desk, feed: Feed, advance: Callable[[float, int], None], enrich: Enrich) -> FileReport:
    report, began = FileReport(feed.path, note=feed.note), time.perf_counter()
    try:
        with _RejectFile(desk.settings.home / "rejects", feed) as rejects:
            _store(desk, feed, report, rejects, advance, enrich)
            report.reject_file = rejects.keep()
    except AlreadyIngested as known:
        report.state, report.rows_read, report.rejected = "unchanged", known.rows_read, dict(known.rejected)
    except BifrostError as error:
        report.state, report.rows_stored, report.problem = "failed", 0, str(error)
    report.seconds = time.perf_counter() - began
    return report


def _store(
    desk: Desk,
    feed: Feed,
    report: FileReport,
    rejects: _RejectFile,
    advance: Callable[[float, int], None],
    enrich: Enrich,
) -> None:
    with ingestion(desk.store, _key(feed), source=feed.source) as writer:
        for batch in feed.batches():
            report.rows_read += batch.rows_read
            rejects.write(batch.rejects)
            if len(batch.quotes):
                report.rows_stored += writer.append(enrich(batch.quotes))
            advance(batch.fraction, report.rows_read)
        report.rejected = dict(rejects.counts)
        writer.note(rows_read=report.rows_read, rejected=report.rejected)
    save_corporate_actions(desk.store.engine, feed.corporate_actions())


def _key(feed: Feed) -> FileKey:
    layout = f"{feed.format} {feed.symbol}" if feed.symbol else feed.format
    return FileKey(str(feed.path.absolute()), feed.sha256(), feed.size, layout)


class _RejectFile:
    """Rejected rows as CSV beside the data; it exists only if there is one, and only once the file is done."""

    def __init__(self, folder: Path, feed: Feed) -> None:
        self.counts: Counter[str] = Counter()
        self._path = folder / f"{feed.path.name}.rejects.csv"
        self._draft = self._path.with_suffix(f".{os.getpid()}.part")
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add `rejects` to the file and to the counts."""
        for reject in rejects:
            if self._file is None:
                self._draft.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._draft.open("w", encoding="utf-8", newline="")
                csv.writer(self._file).writerow(("member", "line", "reason", "text"))
            self.counts[reject.reason] += 1
            csv.writer(self._file).writerow((reject.member, reject.line, reject.reason, reject.text))

    def keep(self) -> Path | None:
        """Give the file its final name."""
        if self._file is None:
            return None
        self._file.close()
        self._file = None
        self._draft.replace(self._path)
        return self._path
