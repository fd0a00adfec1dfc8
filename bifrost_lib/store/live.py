"""The newest quote of each contract that is streamed: overwritten in place, announced at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.store.binary_copy import EPOCH_US, Codes, Floats, Int64s, decode_rows
from bifrost_lib.store.chain_frames import chain_frame
from bifrost_lib.store.columns import CONTRACT_COLUMNS, DATA_TYPES, VALUE_COLUMNS, VENDOR_VALUES
from bifrost_lib.store.contract_book import book_of
from bifrost_lib.store.contracts import ContractKeys
from bifrost_lib.store.directory import microseconds, moment
from bifrost_lib.store.notifications import QUOTES, notify
from bifrost_lib.store.reading import binary_rows, cursor_of
from bifrost_lib.store.selection import ChosenRows
from bifrost_lib.store.snapshot_frames import check_sizes, check_snapshots, moments_us, value_arrays
from bifrost_lib.store.stocks import is_simulated
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

Places = npt.NDArray[np.intp]

_NUMBERS = (*VALUE_COLUMNS, *VENDOR_VALUES)
_COLUMNS = ("ts", *_NUMBERS, "stock_id", "contract_id", "quality", "market_data_type")


def _publish_sql() -> str:
    """Return the statement; one literal a column, since the driver would quote each number of a row by itself."""
    kinds = ("bigint", *(["float8"] * len(_NUMBERS)), "int", "int", "quote_quality", "market_data_type")
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    listed = ", ".join(_COLUMNS)
    taken = listed.replace("ts,", "timestamptz 'epoch' + ts * interval '1 microsecond',", 1)
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("stock_id", "contract_id"))
    return (
        f"INSERT INTO live_quotes AS stored ({listed}) SELECT {taken} FROM unnest({arrays}) AS given ({listed}) "  # noqa: S608
        f"ON CONFLICT (stock_id, contract_id) DO UPDATE SET {changes} WHERE stored.ts < excluded.ts"
    )


_PUBLISH = _publish_sql()


def publish_quotes(store: Store, frame: pd.DataFrame, *, source: str | None = None) -> int:
    """Show quotes to everyone who looks, and announce them; return how many were newer than those shown.

    Parameters
    ----------
    store : Store
    frame : DataFrame, SNAPSHOT_COLUMNS, with or without all of VENDOR_COLUMNS
        Whole quotes: a newer row replaces the older one of its contract in every column.
    source : str, optional
        Who supplies the data, ``simulated`` for made-up data; needed for symbols that the store does not know yet.

    Raises
    ------
    InputError
        As `SnapshotWriter.append`, and for a symbol that is unknown where no source is given.

    Notes
    -----
    The channel ``live_quotes`` tells `symbol`, `ts` (the newest) and `rows` of each symbol. A quote shown here is not
    stored in time; and the last moments before a power cut may be lost, which the next tick mends.
    """
    frame = check_snapshots(frame)
    if frame.empty:
        return 0
    ts = moments_us(frame)
    check_sizes(frame)
    values, quality, data_type = value_arrays(frame)
    if len(values) < len(_NUMBERS):
        values += (np.full(len(frame), np.nan),) * len(VENDOR_VALUES)
    if data_type is None:
        data_type = np.full(len(frame), -1, dtype=np.int8)
    _check_finite(values)
    with written(store.engine, store.place) as cursor:
        stocks, contracts = ContractKeys(cursor, simulated=_simulated(source)).resolve(frame)
        # Of several rows for one contract the newest; ascending, so that two publishers wait for each other in turn.
        order = np.lexsort((ts, contracts))
        rows = order[np.append(np.diff(contracts[order]) != 0, True)]
        numbers = [column[rows] for column in values]
        shown = _show(cursor, stocks[rows], contracts[rows], ts[rows], numbers, quality[rows], data_type[rows])
        if shown:
            _announce(cursor, frame["symbol"].tolist(), ts)
    return shown


class QuotePublisher:
    """Shows quotes of contracts that stay the same, tick after tick, at a small part of what `publish_quotes` costs.

    Parameters
    ----------
    store : Store
    contracts : DataFrame
        `symbol`, the same in all rows, and the columns that tell contracts apart; one row a contract.
    source : str, optional
        As in `publish_quotes`.

    Raises
    ------
    InputError
        If a row names no contract, or the symbol is unknown and no source is given.
    """

    def __init__(self, store: Store, contracts: pd.DataFrame, *, source: str | None = None) -> None:
        contracts = check_frame(contracts, ("symbol", *CONTRACT_COLUMNS), name="contracts")
        check_sizes(contracts)
        self._store, self._symbol = store, str(contracts["symbol"].iloc[0])
        with written(store.engine, store.place) as cursor:
            self._stocks, self._contracts = ContractKeys(cursor, simulated=_simulated(source)).resolve(contracts)

    def publish(self, rows: Places, ts: Int64s, values: Floats, quality: Codes, data_type: Codes) -> int:
        """Show quotes of some of the contracts and announce them; return how many were newer than those shown.

        Parameters
        ----------
        rows : ndarray (k,)
            Which contracts, by their places in the frame; none of them twice.
        ts : ndarray (k,) of int64
            Microseconds since 1970.
        values : ndarray (22, k)
            The numbers of a snapshot in the vocabulary's order, then those of the vendor; NaN where unknown.
        quality, data_type : ndarray (k,) of int8
            Places in ``QUALITY_LABELS`` and ``DATA_TYPES``, -1 where nothing is known.

        Raises
        ------
        InputError
            If a number is infinite.
        """
        _check_finite(values)
        with written(self._store.engine, self._store.place) as cursor:
            order = np.argsort(self._contracts[rows])  # two publishers wait for each other in turn
            chosen, numbers = rows[order], values[:, order]
            shown = _show(
                cursor, self._stocks[chosen], self._contracts[chosen], ts[order], numbers, quality[order],
                data_type[order],
            )  # fmt: skip
            if shown:
                _announce(cursor, [self._symbol] * len(rows), ts)
        return shown


def _show(
    cursor: Any, stocks: Int64s, contracts: Int64s, ts: Int64s, values: Iterable[Floats], quality: Codes, kinds: Codes
) -> int:
    """Put quotes, one a contract, in the place of older ones; return how many were newer."""
    cursor.execute("SET LOCAL synchronous_commit = off")
    cursor.execute(
        _PUBLISH,
        (
            *(_integers(ts), *map(_floats, values), _integers(stocks), _integers(contracts)),
            *(_words(quality.tolist(), QUALITY_LABELS), _words(kinds.tolist(), DATA_TYPES)),
        ),
    )
    return int(cursor.rowcount)


def _announce(cursor: Any, symbols: list[str], ts: Int64s) -> None:
    for symbol in dict.fromkeys(symbols):
        moments = [one for one, named in zip(ts.tolist(), symbols, strict=True) if named == symbol]
        notify(cursor, QUOTES, symbol=symbol, ts=moment(max(moments)).isoformat(), rows=len(moments))


def _simulated(source: str | None) -> bool | None:
    return None if source is None else is_simulated(source)


def live_quotes(engine: Engine, symbol: str, *, at: datetime, max_age: timedelta | None = None) -> pd.DataFrame:
    """Return the newest quotes of the contracts of `symbol` that are streamed.

    Parameters
    ----------
    engine : Engine
    symbol : str
    at : datetime, aware
        Nothing later is used: a contract whose newest quote is later is left out, since its earlier ones are gone.
    max_age : timedelta, optional
        Leave out quotes older than this at `at`, such as those of contracts that are streamed no more.

    Returns
    -------
    DataFrame, CHAIN_COLUMNS and VENDOR_COLUMNS
        One row a contract, sorted by expiry, strike, right. ``attrs``: `at`, `as_of` (its newest quote). Contracts
        whose moment of expiry has come by `at` are left out.

    Raises
    ------
    NoDataError
        If there is none.
    """
    at = as_utc(at)
    if max_age is not None and max_age < timedelta(0):
        raise InputError("max_age", max_age, "a duration >= 0")
    since = at - max_age if max_age is not None else moment(0)
    query = (
        f"SELECT contract_id, ts, {', '.join(_NUMBERS)}, quality, market_data_type FROM live_quotes "  # noqa: S608
        "WHERE stock_id = (SELECT stock_id FROM stocks WHERE symbol = %(symbol)s) AND ts BETWEEN %(since)s AND %(at)s"
    )
    with cursor_of(engine) as cursor:
        received = binary_rows(cursor, query, {"symbol": symbol, "since": since, "at": at})
        numbers, values, codes = decode_rows(received, integers=2, floats=len(_NUMBERS), with_data_type=True)
        book = book_of(engine)
        places = book.positions(cursor, numbers[0])
        alive = np.flatnonzero(book.column("expires_us")[places] > microseconds(at))
        if not len(alive):
            raise NoDataError("live quotes", symbol=symbol, at=at, hint="see whether its collector runs")
        rows = ChosenRows(numbers[0][alive], numbers[1][alive] + EPOCH_US, values[:, alive], codes[:, alive])
        frame = chain_frame(rows, book, places[alive], symbol)
    frame.attrs = {"at": at, "as_of": moment(int(rows.ts_us.max()))}
    return frame


def forget_quotes(store: Store, *, before: datetime) -> int:
    """Remove the quotes older than `before`; return how many. What is stored in time stays."""
    with written(store.engine, store.place) as cursor:
        cursor.execute("DELETE FROM live_quotes WHERE ts < %s", (as_utc(before, name="before"),))
        return int(cursor.rowcount)


def _check_finite(values: Iterable[Floats]) -> None:
    for name, column in zip(_NUMBERS, values, strict=True):
        if np.isinf(column).any():
            raise InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")


def _integers(numbers: Int64s) -> str:
    return "{" + ",".join(map(str, numbers.tolist())) + "}"


def _floats(numbers: Floats) -> str:
    return "{" + ",".join(map(repr, numbers.tolist())).replace("nan", "NULL") + "}"


def _words(codes: list[Any], labels: tuple[str, ...]) -> str:
    return "{" + ",".join("NULL" if code < 0 else labels[code] for code in codes) + "}"
