"""Delimited chain files, packed or not, and parquet: batches in time order with flat memory."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds.detection import Header, find_facts, find_header, open_part
from bifrost_lib.feeds.draft import Context
from bifrost_lib.feeds.lines import Lines, Scanner
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.observed import moments_of
from bifrost_lib.feeds.ordering import BATCH_ROWS, Gatherer, slices, sort_quotes, without_duplicates
from bifrost_lib.feeds.quotes import Array, Listing, Quotes, count_of, empty_quotes, joined, take, to_frame
from bifrost_lib.feeds.reading import read_quotes
from bifrost_lib.feeds.records import Batch, Reject
from bifrost_lib.feeds.spool import Spool
from bifrost_lib.feeds.streams import ByteSource, is_zip, open_archive

_HOUR_US = 3_600_000_000
_TAIL = 1 << 12


@dataclass(frozen=True)
class Survey:
    """What a first pass over the moments of a file shows: are they in order, and how many rows each hour has."""

    in_time_order: bool
    rows_by_hour: Counter[int]


class DelimitedReader:
    """Reads one delimited file; see `bifrost_lib.feeds.feed.Feed`."""

    def __init__(self, path: Path, mappings: Sequence[Mapping], symbol: str | None) -> None:
        self.path, self._mappings, self._symbol = path, mappings, symbol
        self._listing = Listing()
        self._members = _members(path)
        self.in_time_order: bool | None = None

    def mapping(self) -> Mapping:
        """Return the mapping that fits the file's header."""
        with open_part(self.path, self._members[0]) as stream:
            return find_header(stream, self._mappings).mapping

    def batches(self) -> Iterator[Batch]:
        """Yield the file's quotes, as described at `Batch`."""
        pieces: list[Quotes] = []
        rejects: list[Reject] = []
        for quotes, refused, _ in self._pieces():
            pieces.append(quotes)
            rejects += refused
            if sum(map(count_of, pieces)) + len(rejects) > 2 * BATCH_ROWS:
                break
        else:
            yield from self._finished(joined(pieces), rejects, 1.0)
            return
        del pieces, rejects
        survey = Survey(True, Counter())
        for fraction in self._surveyed(survey):
            yield Batch(to_frame(empty_quotes(), self._listing), 0, [], fraction)
        yield from self._streamed() if self.in_time_order else self._regrouped(survey.rows_by_hour)

    def _pieces(self) -> Iterator[tuple[Quotes, list[Reject], float]]:
        # Accepted quotes and rejects as they stand in the file, copied out of the scanner's arrays.
        for part, member in enumerate(self._members):
            with open_part(self.path, member) as stream:
                header, context = self._context(stream, part)
                scanner = Scanner(stream, header.plan, header.mapping, header.line_end)
                for lines in scanner.lines(header.rest, header.line):
                    quotes, rejects = read_quotes(lines, context)
                    yield quotes, rejects, (part + stream.fraction) / len(self._members)

    def _context(self, stream: ByteSource, part: int) -> tuple[Header, Context]:
        header = find_header(stream, self._mappings)
        footer = ""
        if header.mapping.time.get("footer") and "ts" not in header.plan.moments:
            footer = _last_text(self.path, self._members[part])
        facts = find_facts(self.path, header, self._symbol, footer)
        context = Context(
            header.mapping, header.plan, self._listing, facts.symbol, facts.ts, facts.expiry, part, stream.member
        )
        return header, context

    def _surveyed(self, survey: Survey) -> Iterator[float]:
        # A first pass over the moments alone, yielding its progress; it meets any damage before a row is handed out.
        latest, ordered = -(1 << 62), True
        for part, member in enumerate(self._members):
            with open_part(self.path, member) as stream:
                header, context = self._context(stream, part)
                plan = header.plan.only_moments()
                if not plan.moments:
                    continue
                context.plan = plan
                scanner = Scanner(stream, plan, header.mapping, header.line_end)
                for lines in scanner.lines(header.rest, header.line):
                    ts = _known_moments(lines, context)
                    if len(ts):
                        ordered = ordered and bool(ts[0] >= latest and np.all(ts[1:] >= ts[:-1]))
                        latest = int(ts[-1])
                        hours, counts = np.unique(ts // _HOUR_US, return_counts=True)
                        for hour, count in zip(hours.tolist(), counts.tolist(), strict=True):
                            survey.rows_by_hour[hour] += count * len(header.plan.sides)
                    yield 0.15 * (part + stream.fraction) / len(self._members)
        self.in_time_order = ordered

    def _streamed(self) -> Iterator[Batch]:
        gatherer = Gatherer()
        waiting: list[Reject] = []
        for quotes, rejects, fraction in self._pieces():
            waiting += rejects
            if (complete := gatherer.add(quotes)) is not None:
                yield from self._finished(complete, waiting, 0.15 + 0.85 * fraction)
                waiting = []
        yield from self._finished(gatherer.rest(), waiting, 1.0)

    def _regrouped(self, rows_by_hour: Counter[int]) -> Iterator[Batch]:
        with tempfile.TemporaryDirectory(prefix="bifrost-feed-") as folder, Spool(Path(folder), rows_by_hour) as spool:
            for quotes, rejects, fraction in self._pieces():
                spool.add(quotes)
                yield Batch(to_frame(empty_quotes(), self._listing), len(rejects), rejects, 0.15 + 0.45 * fraction)
            for quotes, fraction in spool.in_time_order():
                yield from self._finished(quotes, [], 0.6 + 0.4 * fraction)

    def _finished(self, quotes: Quotes, rejects: list[Reject], fraction: float) -> Iterator[Batch]:
        quotes, distinct = sort_quotes(quotes, self._listing)
        if not distinct:
            quotes, repeated = without_duplicates(quotes, self._listing, self._members)
            rejects = rejects + repeated
        for piece in slices(quotes):
            frame = to_frame(take(quotes, piece), self._listing)
            yield Batch(frame, len(frame) + len(rejects), rejects, fraction)
            rejects = []


def _known_moments(lines: Lines, context: Context) -> Array:
    lines = lines.only(lines.status == 0)
    ts, reason, _ = moments_of(lines, context)
    known: Array = ts[reason == 0]
    return known


def _members(path: Path) -> list[str | None]:
    if not is_zip(path):
        return [None]
    with open_archive(path) as archive:
        names = sorted(
            entry.filename
            for entry in archive.infolist()
            if not entry.is_dir() and not entry.filename.startswith("__MACOSX")
        )
    if not names:
        raise FileFormatError(path, "is an archive without files")
    return list(names)


def _last_text(path: Path, member: str | None) -> str:
    tail = b""
    with open_part(path, member) as stream:
        while chunk := stream.read():
            tail = (tail + chunk)[-_TAIL:]
    return tail.decode("utf-8", "replace")
