"""The directory of the snapshots: which contracts each file brought of which underlying and day, and from when on.

With it a reader knows what a chain must contain before it looks, and stops looking once it has that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.store.directory import earliest, moment, pack

Int64s = npt.NDArray[np.int64]
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


def session_days(ts_us: Int64s) -> Int64s:
    """Return the calendar day at the exchange of each moment, in days since 1970."""
    hours = ts_us // _HOUR_US
    if len(hours) and hours.min() == hours.max():  # one moment's chain
        return np.full(len(hours), _local_days(hours[:1])[0])
    hours, inverse = np.unique(hours, return_inverse=True)  # offsets change on the hour only
    days: Int64s = _local_days(hours)[inverse]
    return days


def _local_days(hours: Int64s) -> Int64s:
    moments = pd.DatetimeIndex((hours * _HOUR_US).astype("datetime64[us]"), tz="UTC").tz_convert(EXCHANGE_TZ)
    local: Int64s = moments.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    return local


class SessionLog:
    """What one file brings, by underlying and session, gathered batch by batch.

    A long file is written down in parts, so that memory does not grow with it.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], list[tuple[Int64s, Int64s]]] = {}  # contracts and their first moments
        self._last: dict[tuple[int, int], int] = {}
        self._rows: dict[tuple[int, int], int] = {}
        self._part = self._held = 0

    def add(
        self, ts: Int64s, stock: Int64s, contract: Int64s, *, fresh: Mapping[tuple[int, date], int] | None = None
    ) -> None:
        """Note rows in ascending order of time within each underlying; `fresh` says how many of them are new."""
        day = session_days(ts)
        changes = np.flatnonzero((np.diff(day) != 0) | (np.diff(stock) != 0)) + 1
        for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(ts)], strict=True):
            key = int(stock[start]), int(day[start])
            contracts, positions = np.unique(contract[start:end], return_index=True)
            self._found.setdefault(key, []).append((contracts, ts[start:end][positions]))
            self._held += len(contracts)
            self._last[key] = max(self._last.get(key, 0), int(ts[end - 1]))
            added = end - start if fresh is None else fresh.get((key[0], _date(key[1])), 0)
            self._rows[key] = self._rows.get(key, 0) + added

    def store(self, cursor: Any, file_id: int, *, unless_fewer_than: int = 0) -> None:
        """Write down what was gathered, unless it is little, and forget it."""
        if self._held < unless_fewer_than:
            return
        for (stock, day), found in self._found.items():
            contracts, first = _merged(found)
            beginning = int(first.min())
            cursor.execute(
                "INSERT INTO option_sessions VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(stock, _date(day), file_id, self._part),
                    *(moment(beginning), moment(self._last[stock, day]), self._rows[stock, day]),
                    *(pack(contracts), pack((first - beginning) // 1_000_000)),
                ),
            )
        self._found, self._last, self._rows = {}, {}, {}
        self._part, self._held = self._part + 1, 0


def _merged(found: list[tuple[Int64s, Int64s]]) -> tuple[Int64s, Int64s]:
    """Return each contract once, ascending, with its earliest moment."""
    if len(found) == 1:
        return found[0]
    contracts, first = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return earliest(contracts, first)


def _date(day: int) -> date:
    found: date = np.datetime64(day, "D").item()
    return found
