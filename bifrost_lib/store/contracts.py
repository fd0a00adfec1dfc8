"""From the words that name a contract to its key in the database, for millions of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.core.vocabulary import RIGHTS, SETTLEMENTS, STYLES
from bifrost_lib.store.stocks import stock_ids

Int64s = npt.NDArray[np.int64]

_TERMS = [f"{style}/{settlement}" for style in STYLES for settlement in SETTLEMENTS]
_STRIKE_UNITS = 1e6  # vendors' strikes differ in the last digits of a float; contracts do not


_find = loop("bifrost_lib.store.loops", "find")


class ContractKeys:
    """Keys of underlyings and contracts, looked up once and remembered; new ones are created.

    Everything happens in the transaction of `cursor`, so nothing remains of a file that fails.
    """

    def __init__(self, cursor: Any, *, simulated: bool | None) -> None:
        self._cursor = cursor
        self._simulated = simulated
        self._symbols: dict[str, int] = {}
        self._classes: dict[str, int] = {}
        self._multipliers: dict[float, int] = {}
        self._stock_of_symbol = np.zeros(0, dtype=np.int64)
        self._count = np.zeros(1, dtype=np.int64)
        self._low = self._high = self._ids = np.zeros(0, dtype=np.int64)
        self._terms = np.zeros(0, dtype=np.int8)
        self._resize(1 << 12)

    def resolve(self, frame: pd.DataFrame) -> tuple[Int64s, Int64s]:
        """Return the stock and contract keys of each row.

        Raises
        ------
        InputError
            If a row names no contract, or gives a known contract other exercise terms than before.
        """
        low = np.rint(frame["strike"].to_numpy() * _STRIKE_UNITS).astype(np.int64)
        symbol = _codes(frame["symbol"], self._symbols)
        high = (
            frame["expiry"].to_numpy().astype("datetime64[D]").astype(np.int64) << 41
            | _codes(frame["multiplier"], self._multipliers) << 33
            | (frame["right"] == "C").to_numpy().astype(np.int64) << 32
            | _codes(frame["trading_class"], self._classes) << 16
            | symbol
        )
        terms = _terms(frame)
        numbers = np.empty(len(frame), dtype=np.int64)
        before, done = int(self._count[0]), 0
        while done < len(frame):
            done = self._number(low, high, terms, done, numbers)
            if done < 0:
                raise _clash(frame, -1 - done)
            if done < len(frame):
                self._resize(4 * len(self._slots))
        self._name_stocks()
        if self._count[0] > before:
            self._name_contracts(np.arange(before, self._count[0]))
        return self._stock_of_symbol[symbol], self._ids[numbers]

    def _number(self, low: Int64s, high: Int64s, terms: npt.NDArray[np.int8], start: int, numbers: Int64s) -> int:
        return _find(
            low,
            high,
            terms,
            start,
            self._slots,
            self._low,
            self._high,
            self._terms,
            self._count,
            numbers,
        )

    def _resize(self, size: int) -> None:
        """Make room for twice as many contracts as `size` has slots, keeping those known."""
        known = int(self._count[0])
        low, high, terms, ids = self._low[:known], self._high[:known], self._terms[:known], self._ids[:known]
        self._slots, self._count = np.zeros(size, dtype=np.int64), np.zeros(1, dtype=np.int64)
        self._low, self._high, self._ids = (np.zeros(size // 2, dtype=np.int64) for _ in range(3))
        self._terms = np.zeros(size // 2, dtype=np.int8)
        self._ids[:known] = ids
        self._number(low, high, terms, 0, np.empty(known, dtype=np.int64))

    def _name_stocks(self) -> None:
        fresh = list(self._symbols)[len(self._stock_of_symbol) :]
        if not fresh:
            return
        ids = stock_ids(self._cursor, fresh, simulated=self._simulated)
        added = np.array([ids[symbol] for symbol in fresh], dtype=np.int64)
        self._stock_of_symbol = np.concatenate([self._stock_of_symbol, added])

    def _name_contracts(self, numbers: Int64s) -> None:
        missing = self._look_up(numbers)
        if len(missing):
            words, values = self._given(missing)
            self._cursor.execute(
                f'INSERT INTO option_contracts (stock_id, trading_class, expiry, strike, "right", style, settlement, '  # noqa: S608
                f"multiplier) SELECT stock_id, trading_class, expiry, strike, \"right\", split_part(terms, '/', 1), "
                f"split_part(terms, '/', 2), multiplier FROM ({words}) AS given "
                f'ORDER BY stock_id, expiry, strike, "right", trading_class, multiplier ON CONFLICT DO NOTHING',
                values,
            )
            self._look_up(missing)

    def _look_up(self, numbers: Int64s) -> Int64s:
        """Fill in the keys of contracts that exist; return the numbers of those that do not."""
        words, values = self._given(numbers)
        self._cursor.execute(
            f"SELECT number, contract_id, style || '/' || settlement, given.terms FROM ({words}) AS given "  # noqa: S608
            f'JOIN option_contracts USING (stock_id, expiry, strike, "right", trading_class, multiplier)',
            values,
        )
        rows = self._cursor.fetchall()
        for number, contract_id, stored, given in rows:
            if stored != given:
                raise InputError("frame.style/settlement", given, f"{stored}, which contract {contract_id} has")
            self._ids[number] = contract_id
        missing: Int64s = numbers[self._ids[numbers] == 0]
        return missing

    def _given(self, numbers: Int64s) -> tuple[str, tuple[Any, ...]]:
        """Return SQL, with its parameters, for a table of the contracts with these running numbers."""
        high = self._high[numbers]
        columns = (
            numbers,
            self._stock_of_symbol[high & 0xFFFF],
            (high >> 16 & 0xFFFF) + 1,
            high >> 41,
            self._low[numbers] / _STRIKE_UNITS,
            (high >> 32 & 1) + 1,
            np.array(list(self._multipliers))[high >> 33 & 0xFF],
            self._terms[numbers].astype(np.int64) + 1,
        )
        words = (
            "SELECT number, stock_id, (%s::text[])[class_no] AS trading_class, date '1970-01-01' + day AS expiry, "
            'strike, (%s::text[])[right_no] AS "right", multiplier, (%s::text[])[terms_no] AS terms FROM '
            "unnest(%s::int[], %s::int[], %s::int[], %s::int[], %s::float8[], %s::int[], %s::float8[], %s::int[]) "
            "AS one (number, stock_id, class_no, day, strike, right_no, multiplier, terms_no)"
        )
        # One literal a column: the driver would otherwise quote each number by itself.
        literals = tuple("{" + ",".join(map(repr, column.tolist())) + "}" for column in columns)
        return words, (list(self._classes), list(reversed(RIGHTS)), _TERMS, *literals)


def _codes(column: pd.Series[Any], known: dict[Any, int]) -> Int64s:
    """Return running numbers for the column's values, the same ones in every batch."""
    categories, codes = _split(column)
    if len(codes) and codes.min() < 0:
        raise InputError(f"frame.{column.name}", None, f"a value in every row; row {int(codes.argmin())} has none")
    numbers = np.array([known.setdefault(value, len(known)) for value in categories], dtype=np.int64)
    most = 0xFF if column.name == "multiplier" else 0xFFFF
    if len(known) > most:
        raise InputError(f"frame.{column.name}", len(known), f"at most {most} different values in one file")
    return numbers[codes] if len(numbers) else codes.astype(np.int64)


def _split(column: pd.Series[Any]) -> tuple[list[Any], Int64s]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(column.cat.categories)))
        compact = np.full(len(column.cat.categories) + 1, -1, dtype=np.int64)
        compact[used] = np.arange(len(used))
        return [column.cat.categories[int(code)] for code in used], compact[codes]
    codes, values = pd.factorize(column.to_numpy())
    return [float(value) for value in values], codes.astype(np.int64)


def _terms(frame: pd.DataFrame) -> npt.NDArray[np.int8]:
    """Return the number of each row's exercise style and settlement in `_TERMS`."""
    style, settlement = _position(frame["style"], STYLES), _position(frame["settlement"], SETTLEMENTS)
    _position(frame["right"], RIGHTS)
    return (style * len(SETTLEMENTS) + settlement).astype(np.int8)


def _position(column: pd.Series[Any], allowed: tuple[str, ...]) -> Int64s:
    categories, codes = _split(column)
    for value in categories:
        if value not in allowed:
            raise InputError(f"frame.{column.name}", value, " or ".join(allowed))
    if len(codes) and codes.min() < 0:
        raise InputError(f"frame.{column.name}", None, " or ".join(allowed))
    return np.array([allowed.index(value) for value in categories], dtype=np.int64)[codes]


def _clash(frame: pd.DataFrame, row: int) -> InputError:
    given = frame.iloc[row]
    name = f"{given['trading_class']} {given['expiry']:%Y-%m-%d} {given['right']} {given['strike']}"
    return InputError(
        "frame.style/settlement",
        f"{given['style']}/{given['settlement']}",
        f"the terms that earlier rows give {name}; row {row} differs",
    )
