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
from bifrost_lib.store.directory import moment, pack

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
    """What one file brought, by underlying and session, gathered batch by batch."""

    def __init__(self) -> None:
        # (stock, day) -> contract -> first moment; and rows newly stored
        self._first: dict[tuple[int, int], pd.Series[Any]] = {}
        self._last: dict[tuple[int, int], int] = {}
        self._rows: dict[tuple[int, int], int] = {}

    def add(
        self, ts: Int64s, stock: Int64s, contract: Int64s, *, fresh: Mapping[tuple[int, date], int] | None = None
    ) -> None:
        """Note rows in ascending order of time within each underlying; `fresh` says how many of them are new."""
        day = session_days(ts)
        changes = np.flatnonzero((np.diff(day) != 0) | (np.diff(stock) != 0)) + 1
        for start, end in zip([0, *changes.tolist()], [*changes.tolist(), len(ts)], strict=True):
            key = int(stock[start]), int(day[start])
            contracts, positions = np.unique(contract[start:end], return_index=True)
            found = pd.Series(ts[start:end][positions], index=contracts)
            known = self._first.get(key)
            if known is not None:
                found = pd.concat([known, found]).groupby(level=0).min()
            self._first[key] = found
            self._last[key] = max(self._last.get(key, 0), int(ts[end - 1]))
            added = end - start if fresh is None else fresh.get((key[0], _date(key[1])), 0)
            self._rows[key] = self._rows.get(key, 0) + added

    def store(self, cursor: Any, file_id: int) -> None:
        """Write what was gathered."""
        for (stock, day), first in self._first.items():
            beginning = int(first.min())
            seconds = (first.to_numpy() - beginning) // 1_000_000
            cursor.execute(
                "INSERT INTO option_sessions VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    *(stock, _date(day), file_id),
                    *(moment(beginning), moment(self._last[stock, day]), self._rows[stock, day]),
                    *(pack(first.index.to_numpy()), pack(seconds)),
                ),
            )


def _date(day: int) -> date:
    found: date = np.datetime64(day, "D").item()
    return found
