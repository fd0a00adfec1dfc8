"""One stored session laid out as its part of a cube: read in bulk, never contract by contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from bifrost_lib.backtest import BELIEVABLE, FIT, nobody_bids
from bifrost_lib.core.calendar import is_session, session_close, session_open
from bifrost_lib.core.native import loop
from bifrost_lib.core.quality import QUALITY_LABELS, Quality
from bifrost_lib.store.binary_copy import EPOCH_US, decode_rows
from bifrost_lib.store.chain import FRESH
from bifrost_lib.store.contract_book import ContractBook
from bifrost_lib.store.cubes.facts import SessionFacts
from bifrost_lib.store.directory import directory_of, microseconds, moment
from bifrost_lib.store.reading import binary_rows
from bifrost_lib.strategies import UNTRADABLE

Array = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]

_VALUES = ("bid", "ask", "spot", "forward", "delta", "iv", "gamma", "vega", "theta", "open_interest", "volume")
_FIGURES = ("bid", "ask", "delta", "iv", "gamma", "vega", "theta", "open_interest", "volume")
_FRESH_US = round(FRESH.total_seconds() * 1e6)
_MINUTE_US = 60_000_000
_newest_rows = loop("bifrost_lib.store.cubes.loops", "newest_rows")


@dataclass(frozen=True)
class SessionBlock:
    """One session's part of a cube.

    Attributes
    ----------
    contract_ids : int64 (rows,)
        The database's keys of its contracts, in the cube's order.
    arrays : dict
        Its part of every column but those of contracts and `row_contract`.
    open_spot, close_spot : float
        First and last price of the underlying until its last moment; NaN where none is known.
    read : int
        Rows that were read of the store.
    """

    contract_ids: Int64s
    arrays: dict[str, Array]
    open_spot: float
    close_spot: float
    read: int


@dataclass(frozen=True)
class _Rows:
    """Rows of the store in order of time, contracts by their place among those wanted."""

    contract: Int64s
    ts: Int64s
    values: dict[str, Array]
    quality: Array

    @property
    def quoted(self) -> Array:
        return ~(np.isnan(self.values["bid"]) & np.isnan(self.values["ask"]))


def read_session(
    cursor: Any, engine: Engine, book: ContractBook, facts: SessionFacts, minutes: int
) -> SessionBlock | None:
    """Return one session of a cube that is looked at every so many minutes (0: at its close), None if it is no session.

    The chain at a moment is what `option_chain` returns at that time.
    """
    if facts.day.weekday() > 4 or not is_session(facts.day):
        return None
    moments = _moments(cursor, facts, minutes)
    known = directory_of(engine).newest_session(
        cursor, facts.stock_id, until=moment(int(moments[-1])), day=facts.day
    ) if len(moments) else None  # fmt: skip
    if known is None:
        return None
    wanted = known.contract_ids[known.seen_us <= moments[-1]]
    ordered = wanted[_order(book, book.positions(cursor, wanted))]
    rows = _read(cursor, facts, ordered, moments, minutes)
    as_of = _as_of(rows.ts, moments)
    if minutes:  # at a moment before which nothing new became known the chain is the one before
        new = np.append(as_of[:1] > 0, np.diff(as_of) > 0)
        moments, as_of = moments[new], as_of[new]
    if not len(moments):
        return None
    return _lay_out(cursor, facts, book, ordered, rows, moments, as_of)


def _moments(cursor: Any, facts: SessionFacts, minutes: int) -> Int64s:
    opens, closes = microseconds(session_open(facts.day)), microseconds(session_close(facts.day))
    if minutes:
        grid = np.arange(opens + minutes * _MINUTE_US, closes, minutes * _MINUTE_US)
        return np.append(grid, closes)
    if facts.last_us <= closes or facts.first_us > closes:
        return np.array([facts.last_us])
    cursor.execute(
        "SELECT ts FROM option_snapshots WHERE stock_id = %s AND ts BETWEEN %s AND %s ORDER BY ts DESC LIMIT 1",
        (facts.stock_id, moment(facts.first_us), moment(closes)),
    )
    return np.array([microseconds(cursor.fetchone()[0])])


def _order(book: ContractBook, places: Int64s) -> Int64s:
    """Return the order of a cube's contracts: expiry, class, multiplier, calls before puts, strike."""
    names = np.argsort(np.argsort(np.array(book.classes)))
    column = {name: book.column(name)[places] for name in ("strike", "is_call", "multiplier", "class_no", "expiry_day")}
    keys = (column["strike"], ~column["is_call"], column["multiplier"], names[column["class_no"]], column["expiry_day"])
    return np.lexsort(keys)


def _read(cursor: Any, facts: SessionFacts, ordered: Int64s, moments: Int64s, minutes: int) -> _Rows:
    """Read a session: all of it for a grid, else what is fresh at the close and the newest of whatever is missing."""
    last = int(moments[-1])
    first = facts.first_us if minutes else max(facts.first_us, last - _FRESH_US)
    parts = [_copied(cursor, facts, first, last)]
    if first > facts.first_us:
        missing = np.setdiff1d(ordered, parts[0][0][0])
        if len(missing):
            parts.append(_copied(cursor, facts, facts.first_us, first - 1, missing=missing))
    numbers = np.concatenate([part[0] for part in parts], axis=1)
    values = np.concatenate([part[1] for part in parts], axis=1)
    codes = np.concatenate([part[2] for part in parts], axis=1)[0]
    ts = numbers[1] + EPOCH_US
    if (np.diff(ts) < 0).any():
        order = np.argsort(ts, kind="stable")
        numbers, values, codes, ts = numbers[:, order], values[:, order], codes[order], ts[order]
    by_id = np.argsort(ordered)
    contract = by_id[np.searchsorted(ordered, numbers[0], sorter=by_id)]
    return _Rows(contract, ts, dict(zip(_VALUES, values, strict=True)), codes)


def _copied(
    cursor: Any, facts: SessionFacts, first: int, last: int, *, missing: Int64s | None = None
) -> tuple[Int64s, Array, Array]:
    columns = f"contract_id, ts, {', '.join(_VALUES)}, quality"
    condition = "stock_id = %(stock)s AND ts BETWEEN %(first)s AND %(last)s"
    query = f"SELECT {columns} FROM option_snapshots WHERE {condition} ORDER BY ts"  # noqa: S608
    parameters: dict[str, Any] = {"stock": facts.stock_id, "first": moment(first), "last": moment(last)}
    if missing is not None:
        parameters["missing"] = "{" + ",".join(map(str, missing.tolist())) + "}"
        query = (
            f"SELECT {columns} FROM (SELECT DISTINCT ON (contract_id) * FROM option_snapshots WHERE {condition} "  # noqa: S608
            "AND contract_id = ANY(%(missing)s::int[]) "
            "ORDER BY contract_id, (bid IS NULL AND ask IS NULL), ts DESC) AS newest"
        )
    return decode_rows(binary_rows(cursor, query, parameters), integers=2, floats=len(_VALUES))


def _as_of(ts: Int64s, moments: Int64s) -> Int64s:
    """Return the newest moment at which anything was known by each of `moments`, 0 where nothing was."""
    place = np.searchsorted(ts, moments, side="right") - 1
    return np.where(place >= 0, ts[np.maximum(place, 0)], 0) if len(ts) else np.zeros(len(moments), dtype=np.int64)


def _lay_out(
    cursor: Any, facts: SessionFacts, book: ContractBook, ordered: Int64s, rows: _Rows, moments: Int64s, as_of: Int64s
) -> SessionBlock | None:
    places = book.positions(cursor, ordered)
    shape = len(ordered), len(moments)
    chosen, stale = np.empty(shape[0] * shape[1], dtype=np.int64), np.empty(shape[0] * shape[1], dtype=np.int8)
    workspace = [np.full(len(ordered), -1, dtype=np.int64) for _ in range(2)]
    expires = np.ascontiguousarray(book.column("expires_us")[places])
    quoted = rows.quoted.astype(np.int8)
    _newest_rows(
        rows.contract, rows.ts, quoted, expires, moments, as_of, _FRESH_US, workspace[0], workspace[1], chosen, stale
    )
    seen = (chosen.reshape(shape) >= 0).any(axis=1)
    if not seen.any():
        return None
    chosen, stale = chosen.reshape(shape)[seen], stale.reshape(shape)[seen] == 1
    places = places[seen]
    spots_ts, spots = _spots(rows)
    spot = _last_known(spots_ts, spots, moments)
    arrays = _quotes(rows, chosen, stale)
    arrays |= {"moment_us": moments, "spot": spot}
    arrays["forward"] = _forwards(rows, np.where(stale, -1, chosen), _group_starts(book, places))
    first = float(spots[0]) if len(spots) and rows.ts[0] == facts.first_us else _first_spot(cursor, facts, moments)
    return SessionBlock(ordered[seen], arrays, first, float(spot[-1]), len(rows.ts))


def _quotes(rows: _Rows, chosen: Int64s, stale: Array) -> dict[str, Array]:
    row, missing = chosen.ravel(), chosen.ravel() < 0
    found = {}
    for name in _FIGURES:
        values = rows.values[name][row]
        values[missing] = np.nan
        found[name] = values
    quality = rows.quality[row].astype(np.int64)
    quality[stale.ravel()] = Quality.STALE
    quality[missing] = Quality.NO_QUOTE
    is_alone = nobody_bids(found["bid"], found["ask"]) & ~np.isin(quality, [Quality.STALE, Quality.EXPIRED])
    found["bid"][is_alone] = 0.0
    found["flags"] = _flags(found["bid"], found["ask"], found["delta"], quality)
    return found


def _flags(bid: Array, ask: Array, delta: Array, quality: Int64s) -> Array:
    """Return which quotes can be believed, and which of them may become a leg."""
    tradable = (quality >= 0) & ~np.isin(quality, [QUALITY_LABELS.index(name) for name in UNTRADABLE])
    believable = (bid >= 0) & (bid <= ask) & (tradable | (quality == Quality.ONE_SIDED) & (ask > 0))
    fit = believable & (quality == Quality.OK) & (bid > 0) & np.isfinite(delta)
    flags: Array = (BELIEVABLE * believable + FIT * fit).astype(np.uint8)
    return flags


def _group_starts(book: ContractBook, places: Int64s) -> Int64s:
    """Return where each group begins: strikes of one expiry, class and multiplier."""
    new = np.zeros(len(places), dtype=bool)
    new[0] = True
    for name in ("expiry_day", "class_no", "multiplier"):
        new[1:] |= np.diff(book.column(name)[places]) != 0
    return np.flatnonzero(new)


def _forwards(rows: _Rows, chosen: Int64s, starts: Int64s) -> Array:
    """Return each group's forward at each moment, group by group: that of its newest row which knows one."""
    values = np.where(chosen >= 0, rows.values["forward"][chosen], np.nan)
    ts = np.where(np.isnan(values), -1, rows.ts[chosen])
    newest = np.maximum.reduceat(ts, starts, axis=0)
    sizes = np.diff(np.append(starts, len(values)))
    is_newest = (ts == np.repeat(newest, sizes, axis=0)) & (ts >= 0)
    place = np.where(is_newest, np.arange(len(values))[:, None], len(values))
    first = np.minimum.reduceat(place, starts, axis=0)
    known = first < len(values)
    found = values[np.where(known, first, 0), np.arange(values.shape[1])[None, :]]
    return np.where(known, found, np.nan).ravel()


def _spots(rows: _Rows) -> tuple[Int64s, Array]:
    """Return the moments at which a price of the underlying was known, and the price.

    Suppliers may disagree: the middle one counts, of rows with a quote if there are any.
    """
    known = np.flatnonzero(rows.values["spot"] > 0)
    ts, spot, quoted = rows.ts[known], rows.values["spot"][known], rows.quoted[known]
    if not len(known):
        return ts, spot
    order = np.lexsort((spot, ~quoted, ts))
    ts, spot, quoted = ts[order], spot[order], quoted[order]
    starts = np.flatnonzero(np.append(True, np.diff(ts) > 0))
    count, with_quote = np.add.reduceat(np.ones(len(ts), dtype=np.int64), starts), np.add.reduceat(quoted * 1, starts)
    middle = starts + (np.where(with_quote > 0, with_quote, count) - 1) // 2
    return ts[starts], spot[middle]


def _last_known(ts: Int64s, values: Array, moments: Int64s) -> Array:
    place = np.searchsorted(ts, moments, side="right") - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan) if len(ts) else np.full(len(moments), np.nan)


def _first_spot(cursor: Any, facts: SessionFacts, moments: Int64s) -> float:
    cursor.execute(
        "WITH chosen AS (SELECT stock_id, ts FROM option_snapshots WHERE stock_id = %s AND ts BETWEEN %s AND %s "
        "AND spot > 0 ORDER BY ts LIMIT 1) SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY spot) "
        "FROM option_snapshots JOIN chosen USING (stock_id, ts) WHERE spot > 0",
        (facts.stock_id, moment(facts.first_us), moment(int(moments[-1]))),
    )
    (found,) = cursor.fetchone()
    return float("nan") if found is None else float(found)
