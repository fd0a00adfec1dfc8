"""What is known of contracts, by key; it never changes, so each process reads it once."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from bifrost_lib.core.calendar import expiry_moments

Int64s = npt.NDArray[np.int64]

_SIMPLE = (
    ("strike", np.float64),
    ("multiplier", np.float64),
    ("is_call", np.bool_),
    ("is_american", np.bool_),
    ("is_am", np.bool_),
    ("class_no", np.int64),
    ("expiry_day", np.int64),
    ("expires_us", np.int64),
)


class ContractBook:
    """Contracts of one database, as arrays with one entry a contract."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self._class_numbers: dict[str, int] = {}
        self._place = np.full(1024, -1, dtype=np.int64)  # contract_id -> position in the arrays
        self._count = 0
        self._columns = {name: np.empty(0, dtype=kind) for name, kind in _SIMPLE}
        self._lock = threading.Lock()

    def positions(self, cursor: Any, ids: npt.NDArray[Any]) -> Int64s:
        """Return where the contracts with these keys are in the arrays, reading those not known yet."""
        with self._lock:
            if len(ids) and ids.max() >= len(self._place):
                grown = np.full(max(2 * len(self._place), int(ids.max()) + 1), -1, dtype=np.int64)
                grown[: len(self._place)] = self._place
                self._place = grown
            missing = ids[self._place[ids] < 0]
            if len(missing):
                self._read(cursor, missing)
            found: Int64s = self._place[ids]
            return found

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return an attribute of all contracts, by position."""
        return self._columns[name]

    def _read(self, cursor: Any, ids: npt.NDArray[Any]) -> None:
        cursor.execute(
            "SELECT contract_id, strike, multiplier, \"right\" = 'C', style = 'american', settlement = 'AM', "
            "expiry - date '1970-01-01', trading_class FROM option_contracts WHERE contract_id = ANY(%s::int[])",
            ("{" + ",".join(map(str, ids.tolist())) + "}",),
        )
        keys, strike, multiplier, is_call, is_american, is_am, day, names = zip(*cursor.fetchall(), strict=True)
        numbers = [self._class_number(name) for name in names]
        days = np.array(day, dtype=np.int64)
        moments = expiry_moments(days.astype("datetime64[D]"), np.array(is_am)).astype(np.int64)
        added = (strike, multiplier, is_call, is_american, is_am, numbers, days, moments)
        for (name, kind), values in zip(_SIMPLE, added, strict=True):
            self._columns[name] = np.concatenate([self._columns[name], np.asarray(values, dtype=kind)])
        self._place[np.array(keys)] = np.arange(self._count, self._count + len(keys))
        self._count += len(keys)

    def _class_number(self, name: str) -> int:
        if name not in self._class_numbers:
            self._class_numbers[name] = len(self.classes)
            self.classes.append(name)
        return self._class_numbers[name]


_books: WeakKeyDictionary[Engine, ContractBook] = WeakKeyDictionary()


def book_of(engine: Engine) -> ContractBook:
    """Return the book of the database behind `engine`."""
    return _books.setdefault(engine, ContractBook())
