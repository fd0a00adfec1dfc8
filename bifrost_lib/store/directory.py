"""Reading the directory of sessions: which contracts were observed on a day, from when on, and by whom supplied."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc

Int64s = npt.NDArray[np.int64]
_Key = tuple[int, date, int, int]  # stock, session, file, part

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_REMEMBERED = 512


@dataclass(frozen=True)
class Entry:
    """What one file brought of one underlying and session; `first_us` and `seen_us` are microseconds since 1970."""

    first_us: int
    last_us: int
    source: str
    contract_ids: Int64s
    seen_us: Int64s


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


class Directory:
    """Entries of one database; once written they never change, so the recently used ones are kept."""

    def __init__(self) -> None:
        self._entries: OrderedDict[_Key, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def newest_session(self, cursor: Any, stock_id: int, *, until: datetime, day: date) -> list[Entry]:
        """Return the entries that began by `until` of the newest session up to `day`; none if nothing was known."""
        cursor.execute(
            "SELECT session, file_id, part FROM option_sessions WHERE stock_id = %(stock)s AND first_ts <= %(until)s "
            "AND session = (SELECT session FROM option_sessions WHERE stock_id = %(stock)s AND session <= %(day)s "
            "AND first_ts <= %(until)s ORDER BY session DESC LIMIT 1)",
            {"stock": stock_id, "until": until, "day": day},
        )
        keys: list[_Key] = [(stock_id, *row) for row in cursor]
        with self._lock:
            missing = [key for key in keys if key not in self._entries]
            if missing:
                self._read(cursor, stock_id, missing[0][1], [file_id for _, _, file_id, _ in missing])
            for key in keys:
                self._entries.move_to_end(key)
            found = [self._entries[key] for key in keys]
            while len(self._entries) > max(_REMEMBERED, len(keys)):
                self._entries.popitem(last=False)
        return found

    def _read(self, cursor: Any, stock_id: int, session: date, file_ids: list[int]) -> None:
        cursor.execute(
            "SELECT file_id, part, first_ts, last_ts, source, contracts, first_s FROM option_sessions "
            "JOIN ingested_files USING (file_id) WHERE stock_id = %s AND session = %s AND file_id = ANY(%s)",
            (stock_id, session, file_ids),
        )
        for file_id, part, first, last, source, contracts, first_s in cursor:
            first_us = microseconds(first)
            self._entries[stock_id, session, file_id, part] = Entry(
                first_us=first_us,
                last_us=microseconds(last),
                source=source,
                contract_ids=unpack(contracts),
                seen_us=first_us + unpack(first_s) * 1_000_000,
            )


_directories: WeakKeyDictionary[Engine, Directory] = WeakKeyDictionary()


def directory_of(engine: Engine) -> Directory:
    """Return the directory of the database behind `engine`."""
    return _directories.setdefault(engine, Directory())
