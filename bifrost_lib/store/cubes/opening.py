"""A stored cube as the arrays that the engine takes, cut by time before anybody sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest import ChainCube, earnings_arrays
from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.vocabulary import CONDITION_COLUMNS
from bifrost_lib.store.cubes.columns import mapped
from bifrost_lib.store.cubes.contracts import read_contracts
from bifrost_lib.store.cubes.layout import DAILY
from bifrost_lib.store.cubes.manifest import Manifest, SessionEntry, totals
from bifrost_lib.store.cubes.updating import Progress, bring_up_to_date
from bifrost_lib.store.directory import microseconds, moment
from bifrost_lib.store.earnings import earnings_announcements
from bifrost_lib.store.reading import cursor_of

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

Array = npt.NDArray[Any]
#: What was said of a market longer ago is not known of it any more.
_CONDITIONS_AGE = timedelta(days=7)
_QUOTES = ("bid", "ask", "delta", "flags", "iv", "gamma", "vega", "theta", "open_interest", "volume")
_SAME = ("expiry_day", "expires_us", "strike", "multiplier", "is_call", "is_am", "is_american")
_ATTEMPTS = 5


def chain_cube(
    store: Store,
    symbol: str,
    *,
    cadence: str | int = DAILY,
    start: date | None = None,
    end: date | None = None,
    at: datetime | None = None,
    verify: bool | None = None,
    on_progress: Progress | None = None,
) -> ChainCube:
    """Return the stored history of `symbol` as a cube over memory maps, exporting first what is new in the store.

    Parameters
    ----------
    store : Store
    symbol : str
    cadence : "daily" or int
        One moment a session, its close or the newest one before it; or one every so many minutes, at which each
        contract has its newest quote known by then.
    start, end : date, optional
        First and last session wanted, both included.
    at : datetime, aware, optional
        As-of time; a session that went on after it is left out whole. Default: now.
    verify : bool, optional
        See `update_cube`.
    on_progress : callable, optional
        Told how many sessions are exported, and of how many.

    Returns
    -------
    ChainCube
        At each moment what `option_chain` returns then: a quote that was not renewed for 15 minutes cannot be traded
        on. Sessions count once they are over. A session has the `market_conditions` that were known at its first
        moment, and at most a week before; splits and dividends until `at` and the last session; what was learnt of
        earnings until its last moment.

    Raises
    ------
    NoDataError
        If no session is known in that range.
    InputError
        If `end` is before `start`, or `cadence` is no cadence.
    StoreError
        If the cube cannot be written.
    """
    if start is not None and end is not None and end < start:
        raise InputError("end", end, f"a date not before start, {start}")
    symbol, until = symbol.upper(), as_utc(at) if at is not None else store.clock.now()
    for attempt in range(_ATTEMPTS):
        options = {"cadence": cadence, "verify": verify, "on_progress": on_progress}
        manifest, update = bring_up_to_date(store, symbol, **options)  # type: ignore[arg-type]
        chosen = _chosen(manifest, symbol, start, end, until)
        try:
            fields = _mapped(update.folder, manifest, *chosen)
        except FileNotFoundError:  # another process has just put a new generation in its place
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    known_us = fields["moment_us"][fields["session_moment"][:-1]]
    fields |= _actions(store, symbol, fields["session_day"], until)
    learnt = earnings_announcements(store.engine, symbol, at=moment(int(fields["moment_us"][-1])), versions=True)
    fields |= earnings_arrays(learnt)
    return ChainCube(symbol=symbol, **fields, conditions=_conditions(store, symbol, known_us))


def _chosen(manifest: Manifest, symbol: str, start: date | None, end: date | None, until: datetime) -> tuple[int, int]:
    """Return which sessions lie in the range: first, and one after the last."""
    days = np.array([entry.day for entry in manifest.sessions], dtype=np.int64)
    known = np.array([entry.last_us for entry in manifest.sessions], dtype=np.int64) <= microseconds(until)
    last = int(np.flatnonzero(~known)[0]) if not known.all() else len(days)
    if end is not None:
        last = min(last, int(np.searchsorted(days, _number(end), side="right")))
    first = 0 if start is None else int(np.searchsorted(days, _number(start)))
    if first >= last:
        hint = "no session of it is over yet"
        if len(days):
            spanned = " to ".join(str(np.datetime64(int(day), "D")) for day in (days[0], days[-1]))
            hint = f"its sessions are those of {spanned}"
        facts = {name: value for name, value in (("start", start), ("end", end)) if value is not None}
        raise NoDataError("chain history", symbol=symbol, at=until, hint=hint, **facts)
    return first, last


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


def _mapped(folder: Path, manifest: Manifest, first: int, last: int) -> dict[str, Any]:
    place = folder / str(manifest.generation)
    before, entries = totals(manifest.sessions[:first]), manifest.sessions[first:last]
    counts = totals(entries)

    def column(name: str, shelf: str) -> Array:
        return mapped(place, name, before[shelf], counts[shelf])

    numbers = column("row_contract", "row")
    contracts = _contracts(read_contracts(place, manifest.contracts), manifest.classes, numbers)
    number_of = contracts.pop("number")
    rows = np.array([entry.row for entry in entries])
    widths = np.array([entry.moment for entry in entries])
    row_contract = number_of[numbers]
    return {
        **contracts,
        **_sessions(entries, widths),
        **_layout(row_contract, contracts["group"], rows, widths),
        "moment_us": column("moment_us", "moment"),
        "spot": column("spot", "moment"),
        "forward": column("forward", "forward"),
        **{name: column(name, "quote") for name in _QUOTES},
    }


def _contracts(known: dict[str, Array], classes: Sequence[str], numbers: Array) -> dict[str, Any]:
    """Return the contracts that are seen, in the cube's order, and `number`: the place of each stored one there."""
    seen = np.unique(numbers)
    names, class_code = np.unique(np.array(classes)[known["class_no"][seen]], return_inverse=True)
    column = {name: known[name][seen] for name in _SAME}
    order = np.lexsort(
        (column["strike"], ~column["is_call"], column["multiplier"], class_code, column["expiry_day"])
    )  # fmt: skip
    column = {name: values[order] for name, values in column.items()} | {"class_code": class_code[order].astype("<i2")}
    new = np.zeros(len(order), dtype=bool)
    for name in ("expiry_day", "class_code", "multiplier"):
        new[1:] |= np.diff(column[name]) != 0
    number = np.full(len(known["strike"]), -1, dtype=np.int32)
    number[seen[order]] = np.arange(len(order), dtype=np.int32)
    return {
        **column,
        "classes": tuple(str(name) for name in names),
        "group": np.cumsum(new).astype(np.int32),
        "group_first": np.append(np.flatnonzero(np.append(True, new[1:])), len(order)).astype(np.int64),
        "number": number,
    }


def _sessions(entries: Sequence[SessionEntry], widths: Array) -> dict[str, Array]:
    return {
        "session_day": np.array([entry.day for entry in entries], dtype=np.int32),
        "session_moment": np.append(0, np.cumsum(widths)).astype(np.int64),
        **{
            name: np.array([getattr(entry, name) for entry in entries], dtype=np.float64)
            for name in ("open_spot", "close_spot")
        },
    }


def _layout(row_contract: Array, group: Array, rows: Array, widths: Array) -> dict[str, Array]:
    """Return where each row's quotes and each group's forwards lie: they follow from how many rows there are."""
    session = np.repeat(np.arange(len(rows)), rows)
    row_group = group[row_contract]
    new = np.append(True, (np.diff(session) != 0) | (np.diff(row_group) != 0))
    sg_first = np.flatnonzero(new)
    sg_session = session[sg_first]
    return {
        "session_row": np.append(0, np.cumsum(rows)).astype(np.int64),
        "row_contract": row_contract,
        "row_quote": _starts_of(widths[session]),
        "sg_session": sg_session.astype(np.int32),
        "sg_group": row_group[sg_first],
        "sg_row": np.append(sg_first, len(row_contract)).astype(np.int64),
        "sg_forward_start": _starts_of(widths[sg_session]),
    }


def _starts_of(sizes: Array) -> Array:
    found: Array = (np.cumsum(sizes) - sizes).astype(np.int64)
    return found


def _conditions(store: Store, symbol: str, known_us: Array) -> dict[str, Array]:
    """Return the conditions that were known at these moments, each the newest that somebody stored by then."""
    if not len(known_us):
        return {}
    first, last = (datetime.fromtimestamp(us / 1e6, UTC) for us in (int(known_us[0]), int(known_us[-1])))
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT ts, {', '.join(CONDITION_COLUMNS)} FROM market_conditions WHERE stock_id = "  # noqa: S608
            "(SELECT stock_id FROM stocks WHERE symbol = %s) AND ts BETWEEN %s AND %s ORDER BY ts",
            (symbol, first - _CONDITIONS_AGE, last),
        )
        rows = cursor.fetchall()
    if not rows:
        return {}
    ts = np.array([microseconds(row[0]) for row in rows])
    values = np.array([row[1:] for row in rows], dtype=np.float64)
    place = np.searchsorted(ts, known_us, side="right") - 1
    fresh = (place >= 0) & (known_us - ts[np.maximum(place, 0)] <= _CONDITIONS_AGE // timedelta(microseconds=1))
    return {
        name: np.where(fresh, column[np.maximum(place, 0)], np.nan)
        for name, column in zip(CONDITION_COLUMNS, values.T, strict=True)
    }


def _actions(store: Store, symbol: str, session_day: Array, until: datetime) -> dict[str, Array]:
    last = min(np.datetime64(int(session_day[-1]), "D").item(), exchange_date(until))
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            "SELECT ex_date, kind, value FROM corporate_actions WHERE symbol = %s AND ex_date <= %s ORDER BY ex_date",
            (symbol, last),
        )
        rows = cursor.fetchall()
    found: dict[str, Array] = {}
    for kind, figure in (("split", "split_ratio"), ("dividend", "dividend")):
        chosen = [(_number(day), value) for day, what, value in rows if what == kind]
        found[f"{kind}_day"] = np.array([day for day, _ in chosen], dtype=np.int32)
        found[figure] = np.array([value for _, value in chosen], dtype=np.float64)
    return found
