"""Reading the directory of sessions: which contracts were observed on a day, from when on, and by whom supplied."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc

Int64s = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_REMEMBERED = 512
_Row = tuple[int, int, datetime, datetime, str, bytes, bytes]  # file, part, first, last, source, contracts, first_s


def _none() -> Int64s:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Contents:
    """What is known of one underlying and session, put together from all files that brought something of it.

    Attributes
    ----------
    keys : frozenset of (file, part)
        Entries of the directory that are in here.
    first_us, last_us : arrays (n,)
        First and last moment of each entry, in microseconds since 1970.
    supplier : array (n,)
        Who brought each entry: a place in `sources`.
    sources : tuple of str
    contract_ids, seen_us : arrays (m,)
        Contracts, ascending, and the second in which each was first observed.
    """

    keys: frozenset[tuple[int, int]] = frozenset()
    first_us: Int64s = field(default_factory=_none)
    last_us: Int64s = field(default_factory=_none)
    supplier: Int64s = field(default_factory=_none)
    sources: tuple[str, ...] = ()
    contract_ids: Int64s = field(default_factory=_none)
    seen_us: Int64s = field(default_factory=_none)

    def grown(self, rows: Sequence[_Row]) -> Contents:
        """Return these contents with more entries of the directory."""
        sources = tuple(dict.fromkeys((*self.sources, *(row[4] for row in rows))))
        first = np.array([microseconds(row[2]) for row in rows], dtype=np.int64)
        ids, seen = [self.contract_ids], [self.seen_us]
        for start, (*_, contracts, first_s) in zip(first.tolist(), rows, strict=True):
            ids.append(unpack(contracts))
            seen.append(start + unpack(first_s) * 1_000_000)
        return Contents(
            self.keys | {(row[0], row[1]) for row in rows},
            np.concatenate([self.first_us, first]),
            np.concatenate([self.last_us, [microseconds(row[3]) for row in rows]]),
            np.concatenate([self.supplier, [sources.index(row[4]) for row in rows]]),
            sources,
            *earliest(np.concatenate(ids), np.concatenate(seen)),
        )


def moment(ts_us: int) -> datetime:
    """Return microseconds since 1970 as aware UTC."""
    return _EPOCH + ts_us * _US


def microseconds(when: datetime) -> int:
    """Return an aware moment as microseconds since 1970."""
    return (as_utc(when) - _EPOCH) // _US


def pack(numbers: npt.NDArray[Any]) -> bytes:
    """Return ascending or slowly varying whole numbers as bytes that compress well: their differences, int32."""
    return np.diff(numbers, prepend=0).astype("<i4").tobytes()


def unpack(packed: bytes | memoryview) -> Int64s:
    """Return what `pack` was given."""
    return np.cumsum(np.frombuffer(packed, dtype="<i4"), dtype=np.int64)


def earliest(contract_ids: Int64s, moments: Int64s) -> tuple[Int64s, Int64s]:
    """Return each contract once, ascending, with its earliest moment."""
    by_contract = np.lexsort((moments, contract_ids))
    unique, positions = np.unique(contract_ids[by_contract], return_index=True)
    return unique, moments[by_contract][positions]


class Directory:
    """Sessions of one database. Their entries, once written, never change, and are read once.

    A collector brings thousands of entries a day: those of a session are put together once, and new ones are added.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[int, date], Contents] = OrderedDict()
        self._lock = threading.Lock()

    def newest_session(self, cursor: Any, stock_id: int, *, until: datetime, day: date) -> Contents | None:
        """Return the newest session up to `day` of which something was known by `until`; None if nothing was.

        The contents may go on after `until`.
        """
        cursor.execute(
            "SELECT session, count(*) FROM option_sessions WHERE stock_id = %(stock)s AND session = ("
            "SELECT session FROM option_sessions WHERE stock_id = %(stock)s AND session <= %(day)s "
            "AND first_ts <= %(until)s ORDER BY session DESC LIMIT 1) GROUP BY session",
            {"stock": stock_id, "until": until, "day": day},
        )
        found = cursor.fetchone()
        if found is None:
            return None
        session, entries = found
        with self._lock:
            known = self._sessions.get((stock_id, session), Contents())
            if len(known.keys) < entries:
                known = self._read(cursor, stock_id, session, known, entries)
                self._sessions[stock_id, session] = known
            self._sessions.move_to_end((stock_id, session))
            while len(self._sessions) > _REMEMBERED:
                self._sessions.popitem(last=False)
        return known

    def _read(self, cursor: Any, stock_id: int, session: date, known: Contents, entries: int) -> Contents:
        """Add the entries that are new."""
        newest = max((file_id for file_id, _ in known.keys), default=0)
        known = known.grown(_entries(cursor, stock_id, session, "file_id > %s", newest))
        if len(known.keys) < entries:  # files are committed in another order than they were begun in
            read = [file_id for file_id, _ in known.keys]
            known = known.grown(_entries(cursor, stock_id, session, "NOT file_id = ANY(%s)", read))
        return known


def _entries(cursor: Any, stock_id: int, session: date, condition: str, value: Any) -> list[_Row]:
    cursor.execute(
        "SELECT file_id, part, first_ts, last_ts, source, contracts, first_s FROM option_sessions "  # noqa: S608
        f"JOIN ingested_files USING (file_id) WHERE stock_id = %s AND session = %s AND {condition}",
        (stock_id, session, value),
    )
    found: list[_Row] = cursor.fetchall()
    return found


_directories: WeakKeyDictionary[Engine, Directory] = WeakKeyDictionary()


def directory_of(engine: Engine) -> Directory:
    """Return the directory of the database behind `engine`."""
    return _directories.setdefault(engine, Directory())
