"""Choosing one row for each contract out of rows of several moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import loop
from bifrost_lib.core.quality import Quality
from bifrost_lib.store.binary_copy import EPOCH_US
from bifrost_lib.store.columns import VALUE_COLUMNS

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

_BID, _ASK = VALUE_COLUMNS.index("bid"), VALUE_COLUMNS.index("ask")
_EMPTY, _QUOTED = 0, 2  # 1: a row without a quote


_choose = loop("bifrost_lib.store.loops", "choose")


@dataclass(frozen=True)
class ChosenRows:
    """One row of each contract.

    Attributes
    ----------
    contract_ids, ts_us : arrays (n,)
        Keys, and moments in microseconds since 1970.
    values : array (17 or 22, n)
        `VALUE_COLUMNS`, perhaps followed by `VENDOR_VALUES`.
    codes : array (1 or 2, n)
        Codes of `Quality`, perhaps followed by places in `DATA_TYPES`.
    """

    contract_ids: Int64s
    ts_us: Int64s
    values: Floats
    codes: Codes


class Newest:
    """The newest row of each wanted contract, one with a quote before one without."""

    def __init__(self, wanted: Int64s) -> None:
        self._wanted = wanted
        self._state = np.zeros(len(wanted), dtype=np.int8)
        self._kept = np.full(len(wanted), -1, dtype=np.int64)
        self._kept_ts = np.zeros(len(wanted), dtype=np.int64)
        self._numbers: list[Int64s] = []
        self._values: list[Floats] = []
        self._codes: list[Codes] = []
        self._offered = 0
        self._stale_before: int | None = None

    def offer(self, rows: tuple[Int64s, Floats, Codes]) -> None:
        """Consider rows: integers (contract, ts since 2000), values, codes."""
        numbers, values, codes = rows
        _choose(
            self._wanted,
            self._state,
            self._kept,
            self._kept_ts,
            numbers[0],
            numbers[1],
            values[_BID],
            values[_ASK],
            self._offered,
        )
        self._offered += codes.shape[1]
        self._numbers.append(numbers)
        self._values.append(values)
        self._codes.append(codes)

    def without_quote(self) -> Int64s:
        """Return the contracts that have no quoted row yet."""
        missing: Int64s = self._wanted[self._state < _QUOTED]
        return missing

    def without_row(self) -> Int64s:
        """Return the contracts that have no row at all."""
        missing: Int64s = self._wanted[self._state == _EMPTY]
        return missing

    def mark_stale(self, before_us: int) -> None:
        """Give rows older than `before_us` the quality `stale`."""
        self._stale_before = before_us

    def found(self) -> ChosenRows:
        """Return the rows that were chosen."""
        rows = self._kept[self._state > _EMPTY]
        numbers = np.concatenate(self._numbers, axis=1)[:, rows]
        values = np.concatenate(self._values, axis=1)[:, rows]
        codes = np.concatenate(self._codes, axis=1)[:, rows]
        ts_us = numbers[1] + EPOCH_US
        if self._stale_before is not None:
            codes[0, ts_us < self._stale_before] = Quality.STALE
        return ChosenRows(numbers[0], ts_us, values, codes)
