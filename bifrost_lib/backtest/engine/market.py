"""From chain cubes to the arrays that the compiled simulation reads: one market, one line of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import ChainCube
from bifrost_lib.backtest.chains.earnings import EarningsLine, earnings_line
from bifrost_lib.backtest.engine.layout import (
    C_GROUP,
    D_DAY,
    D_LAST,
    D_MOMENT,
    D_PLACE,
    D_ROW,
    D_SEEN,
    G_CLASS,
    G_FIRST,
    G_RANK,
    N_FORWARD,
    N_GROUP,
    N_ROW,
    Q_CONTRACT,
    Q_NEXT,
    Q_QUOTE,
    Market,
)
from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import naked_rate

Array = npt.NDArray[Any]
Cubes = ChainCube | Mapping[str, ChainCube]
#: Flags of sessions on which something may be opened, of one cube or by symbol.
Allowed = Array | Mapping[str, Array] | None
_US_PER_DAY = 86_400_000_000  # expiries are at openings and closes, which lie on the same day in UTC
_NEVER = 1 << 60
_AS_THEY_ARE = ("moment_us", "spot", "strike", "multiplier", "forward", "bid", "ask", "delta")


@dataclass(frozen=True)
class Stage:
    """Cubes made ready for simulations.

    `entry_session` and `entry_moment` (-1 where there is none) are the chances to open something, in time order, and
    `days` the days of the account: all sessions of all symbols.
    """

    cubes: tuple[ChainCube, ...]
    market: Market
    entry_session: Array
    entry_moment: Array
    days: Array
    day_us: Array

    @cached_property
    def session_starts(self) -> Array:
        """Where the sessions of each cube begin, and the end of the last."""
        return _starts([cube.sessions for cube in self.cubes])

    @cached_property
    def earnings(self) -> tuple[EarningsLine, ...]:
        """What was known of earnings on the sessions of each cube."""
        return tuple(earnings_line(cube) for cube in self.cubes)

    def symbol_of(self, session: int) -> int:
        """Return which cube a session is of."""
        return int(np.searchsorted(self.session_starts, session, side="right")) - 1


def by_symbol(cubes: Cubes) -> tuple[ChainCube, ...]:
    """Return the cubes in alphabetical order of their symbols."""
    found = [cubes] if isinstance(cubes, ChainCube) else [cubes[symbol] for symbol in sorted(cubes)]
    if not found:
        raise InputError("cube", cubes, "at least one cube")
    for cube in found:
        if not cube.sessions:
            raise InputError("cube", cube.symbol, "a cube with at least one session")
    return tuple(found)


def allowed_sessions(cubes: Cubes, allowed: Allowed, start: date | None, end: date | None) -> Array | None:
    """Return a flag for each session of the cut cubes, laid end to end, from flags for each session of whole ones."""
    if allowed is None:
        return None
    given = by_symbol(cubes)
    by_name = allowed if isinstance(allowed, Mapping) else {cube.symbol: allowed for cube in given}
    parts = []
    for cube in given:
        flags = np.asarray(by_name.get(cube.symbol, np.ones(cube.sessions, dtype=bool)))
        if flags.dtype != np.bool_ or flags.shape != (cube.sessions,):
            raise InputError(
                "entry_allowed", f"{flags.dtype} {flags.shape}", f"{cube.sessions} flags for {cube.symbol}"
            )
        parts.append(flags[cube.sessions_between(start, end)])
    return np.concatenate(parts)


def set_stage(
    cubes: Cubes, *, start: date | None = None, end: date | None = None, entry_time: time | None = None,
    entry_offset: int = 0,
) -> Stage:  # fmt: skip
    """Cut cubes, lay them end to end and find the moments at which something may be opened.

    Parameters
    ----------
    cubes : ChainCube or mapping of symbol to ChainCube
    start, end : date, optional
        First and last session.
    entry_time : time, optional
        Of the exchange's day: entries are at the last moment that is not after it. Default: the session's last.
    entry_offset : int
        How many sessions of each cube pass before the first entry.
    """
    if not entry_offset >= 0:
        raise InputError("entry_offset", entry_offset, "a number of sessions >= 0")
    cut = tuple(cube.between(start, end) for cube in by_symbol(cubes))
    days = np.unique(np.concatenate([cube.session_day for cube in cut])).astype(np.int64)
    market = _market(cut, days)
    session, moment = _entries(cut, market, entry_time, entry_offset)
    day_us = np.zeros(len(days), dtype=np.int64)
    np.maximum.at(day_us, market.sessions[:-1, D_PLACE], market.moment_us[market.sessions[1:, D_MOMENT] - 1])
    return Stage(cut, market, session, moment, days, day_us)


def _entries(cubes: tuple[ChainCube, ...], market: Market, at: time | None, offset: int) -> tuple[Array, Array]:
    starts = _starts([cube.sessions for cube in cubes])
    sessions = np.concatenate([np.arange(first + offset, max(last, first + offset)) for first, last in _pairs(starts)])
    sessions = sessions.astype(np.int64)
    first, end = market.sessions[sessions, D_MOMENT], market.sessions[sessions + 1, D_MOMENT]
    moment = end - 1
    if at is not None:
        limits = _moments_of(market.sessions[sessions, D_DAY], at)
        known = (market.moment_us[a:b] for a, b in zip(first, end, strict=True))
        found = [np.searchsorted(us, limit, side="right") for us, limit in zip(known, limits, strict=True)]
        moment = first + np.array(found, dtype=np.int64) - 1
        moment[moment < first] = -1
    symbol = np.searchsorted(starts, sessions, side="right")
    when = np.where(moment >= 0, market.moment_us[moment], market.moment_us[end - 1])
    order = np.lexsort([symbol, when])
    return np.ascontiguousarray(sessions[order]), np.ascontiguousarray(moment[order])


def _moments_of(days: Array, at: time) -> list[int]:
    moments = (datetime.combine(np.datetime64(int(day), "D").item(), at, EXCHANGE_TZ) for day in days)
    return [round(moment.timestamp() * 1e6) for moment in moments]


def _market(cubes: tuple[ChainCube, ...], days: Array) -> Market:
    parts = [_part(cube) for cube in cubes]
    market = Market(**{name: _join(name, [part[name] for part in parts], cubes) for name in Market._fields})
    market.sessions[:-1, D_PLACE] = np.searchsorted(days, market.sessions[:-1, D_DAY])
    market.groups[:-1, G_RANK], market.groups[:-1, G_CLASS] = _ranks(cubes)
    return market


#: What columns count in, so that they move when cubes are laid end to end.
_COUNTED_IN: dict[str, dict[int, str]] = {
    "sessions": {D_MOMENT: "moments", D_ROW: "rows", D_SEEN: "seen", D_LAST: "sessions"},
    "contracts": {C_GROUP: "groups"},
    "groups": {G_FIRST: "contracts"},
    "rows": {Q_CONTRACT: "contracts", Q_QUOTE: "quotes", Q_NEXT: "rows"},
    "seen": {N_GROUP: "groups", N_ROW: "rows", N_FORWARD: "forwards"},
}
#: Tables with one more row, which says where the last one ends.
_WITH_ENDS = ("sessions", "figures", "groups", "seen")


def _join(name: str, arrays: list[Array], cubes: tuple[ChainCube, ...]) -> Array:
    if len(arrays) == 1:
        return arrays[0]
    if name in ("open_interest", "volume") and any(len(one) for one in arrays):
        arrays = [
            one if len(one) else np.full(len(cube.bid), np.nan, dtype=np.float32)
            for one, cube in zip(arrays, cubes, strict=True)
        ]
    for column, unit in _COUNTED_IN.get(name, {}).items():
        for one, by in zip(arrays, _starts([_size(cube, unit) for cube in cubes]), strict=False):
            one[one[:, column] >= 0, column] += by
    if name in _WITH_ENDS:
        arrays = [*(one[:-1] for one in arrays[:-1]), arrays[-1]]
    return np.concatenate(arrays)


def _size(cube: ChainCube, unit: str) -> int:
    sizes = {
        "sessions": cube.sessions, "moments": len(cube.moment_us), "rows": len(cube.row_contract),
        "seen": len(cube.sg_group), "groups": len(cube.group_first) - 1, "contracts": len(cube.strike),
        "quotes": len(cube.bid), "forwards": len(cube.forward),
    }  # fmt: skip
    return sizes[unit]


def _part(cube: ChainCube) -> dict[str, Array]:
    """Return one cube as a market's arrays; quotes stay what and where they are."""
    first = cube.group_first[:-1]
    split, dividend, following = _events(cube)
    reported = earnings_line(cube).first_expiry
    last, naked = np.full(cube.sessions, cube.sessions - 1), np.full(cube.sessions, naked_rate(cube.symbol))
    place, order = np.zeros(cube.sessions), np.zeros(len(first))
    seen = np.searchsorted(cube.sg_session, np.arange(cube.sessions + 1))
    expires = cube.expires_us[first]
    none = np.empty(0, dtype=np.float32)
    tables = {
        "sessions": (
            cube.session_day, cube.session_moment, cube.session_row, seen, place, last, following, reported,
        ),
        "contracts": (cube.group, cube.is_call, cube.is_american),
        "groups": (
            cube.group_first, cube.expiry_day[first], expires, expires // _US_PER_DAY, cube.is_am[first], order, order,
        ),
        "rows": (cube.row_contract, cube.row_quote, _next_rows(cube)),
        "seen": (cube.sg_group, cube.sg_row, cube.sg_forward_start),
    }  # fmt: skip
    return {
        **{name: _table(columns) for name, columns in tables.items()},
        "figures": _table((cube.open_spot, cube.close_spot, split, dividend, naked), np.float64, ends=True),
        **{name: np.ascontiguousarray(getattr(cube, name)) for name in _AS_THEY_ARE},
        "flags": np.ascontiguousarray(cube.flags).view(np.int8),
        "open_interest": none if cube.open_interest is None else np.ascontiguousarray(cube.open_interest),
        "volume": none if cube.volume is None else np.ascontiguousarray(cube.volume),
    }


def _table(columns: tuple[Array, ...], kind: Any = np.int64, *, ends: bool = False) -> Array:
    # A column that is one longer than others says where the last row ends.
    found = np.zeros((max(len(one) for one in columns) + ends, len(columns)), dtype=kind)
    for place, one in enumerate(columns):
        found[: len(one), place] = one
    return found


def _next_rows(cube: ChainCube) -> Array:
    # For each row that of the same contract in the next session, -1 where it was not seen there.
    order = np.argsort(cube.row_contract, kind="stable")
    session = np.repeat(np.arange(cube.sessions, dtype=np.int32), np.diff(cube.session_row))[order]
    contract = cube.row_contract[order]
    follows = (contract[1:] == contract[:-1]) & (session[1:] == session[:-1] + 1)
    found = np.full(len(order), -1, dtype=np.int64)
    found[order[:-1][follows]] = order[1:][follows]
    return found


def _events(cube: ChainCube) -> tuple[Array, Array, Array]:
    # By session: the product of the splits and the sum of the dividends since the session before, and the day of the
    # next dividend from the session on.
    split, dividend = np.ones(cube.sessions), np.zeros(cube.sessions)
    for place, value in zip(np.searchsorted(cube.session_day, cube.split_day), cube.split_ratio, strict=True):
        if place < cube.sessions:
            split[place] *= value
    for place, value in zip(np.searchsorted(cube.session_day, cube.dividend_day), cube.dividend, strict=True):
        if place < cube.sessions:
            dividend[place] += value
    at = np.searchsorted(cube.dividend_day, cube.session_day, side="right")
    following = np.append(cube.dividend_day.astype(np.int64), _NEVER)[at]
    return split, dividend, following


def _ranks(cubes: tuple[ChainCube, ...]) -> tuple[Array, Array]:
    # The order of groups that are equally far from a target: expiry, the usual multiplier, class; and their classes.
    classes = sorted({name for cube in cubes for name in cube.classes})
    codes, expiries, sizes = [], [], []
    for cube in cubes:
        first = cube.group_first[:-1]
        code = np.array([classes.index(name) for name in cube.classes], dtype=np.int64)
        codes.append(code[cube.class_code[first]])
        expiries.append(cube.expiry_day[first])
        sizes.append(cube.multiplier[first])
    group_class, expiry, multiplier = np.concatenate(codes), np.concatenate(expiries), np.concatenate(sizes)
    order = np.lexsort([multiplier, group_class, multiplier != 100.0, expiry])
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank, group_class


def _starts(sizes: list[int]) -> Array:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _pairs(starts: Array) -> list[tuple[int, int]]:
    return list(pairwise(starts.tolist()))
