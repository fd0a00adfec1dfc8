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

from bifrost_lib.backtest.cube import ChainCube
from bifrost_lib.backtest.layout import Market
from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import margin as margins

Array = npt.NDArray[Any]
_US_PER_DAY = 86_400_000_000
_NEVER = 1 << 60
_PLAIN = {"multiplier": "float64", "strike": "float64", "spot": "float64", "forward": "float64"}


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

    def symbol_of(self, session: int) -> int:
        """Return which cube a session is of."""
        return int(np.searchsorted(self.session_starts, session, side="right")) - 1


def as_cubes(cubes: ChainCube | Mapping[str, ChainCube], start: date | None, end: date | None) -> tuple[ChainCube, ...]:
    """Return the cubes cut to the sessions from `start` to `end`, by symbol."""
    found = [cubes] if isinstance(cubes, ChainCube) else [cubes[symbol] for symbol in sorted(cubes)]
    if not found:
        raise InputError("cube", cubes, "at least one cube")
    for cube in found:
        if not cube.sessions:
            raise InputError("cube", cube.symbol, "a cube with at least one session")
    return tuple(cube.between(start, end) for cube in found)


def set_stage(cubes: tuple[ChainCube, ...], *, entry_time: time | None = None, entry_offset: int = 0) -> Stage:
    """Lay cubes end to end and find the moments at which something may be opened.

    Parameters
    ----------
    cubes : tuple of ChainCube
        By symbol.
    entry_time : time, optional
        Of the exchange's day: entries are at the last moment that is not after it. Default: the session's last.
    entry_offset : int
        How many sessions of each cube pass before the first entry.
    """
    if not entry_offset >= 0:
        raise InputError("entry_offset", entry_offset, "a number of sessions >= 0")
    days = np.unique(np.concatenate([cube.session_day for cube in cubes])).astype(np.int64)
    market = _market(cubes, days)
    session, moment = _entries(cubes, market, entry_time, entry_offset)
    day_us = np.zeros(len(days), dtype=np.int64)
    np.maximum.at(day_us, market.session_place, market.moment_us[market.session_moment[1:] - 1])
    return Stage(cubes, market, session, moment, days, day_us)


def _entries(cubes: tuple[ChainCube, ...], market: Market, at: time | None, offset: int) -> tuple[Array, Array]:
    starts = _starts([cube.sessions for cube in cubes])
    sessions = np.concatenate([np.arange(first + offset, max(last, first + offset)) for first, last in _pairs(starts)])
    sessions = sessions.astype(np.int64)
    first, end = market.session_moment[sessions], market.session_moment[sessions + 1]
    moment = end - 1
    if at is not None:
        limits = _moments_of(market.session_day[sessions], at)
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
    joined = {name: _join(name, [part[name] for part in parts], cubes) for name in parts[0]}
    joined["session_place"] = np.searchsorted(days, joined["session_day"]).astype(np.int64)
    joined["group_rank"], joined["group_class"] = _ranks(cubes)
    return Market(**joined)


#: What each array counts in, so that it moves when cubes are laid end to end; `+` has one more than it has parts.
_OFFSETS = {
    "session_moment": "moments+", "session_row": "rows+", "session_group": "seen+", "session_last": "sessions",
    "group": "groups", "group_first": "contracts+", "row_contract": "contracts", "row_quote": "quotes",
    "row_next": "rows", "seen_group": "groups", "seen_row": "rows+", "seen_forward": "forwards",
}  # fmt: skip


def _join(name: str, arrays: list[Array], cubes: tuple[ChainCube, ...]) -> Array:
    if len(arrays) == 1:
        return arrays[0]
    if name in ("open_interest", "volume"):
        if not any(len(one) for one in arrays):
            return arrays[0]
        arrays = [
            one if len(one) else np.full(len(cube.bid), np.nan, dtype=np.float32)
            for one, cube in zip(arrays, cubes, strict=True)
        ]
    unit = _OFFSETS.get(name, "")
    if unit:
        sizes = [_size(cube, unit.rstrip("+")) for cube in cubes]
        moved = [np.where(one < 0, one, one + by) for one, by in zip(arrays, _starts(sizes), strict=False)]
        arrays = [one[:-1] for one in moved[:-1]] + [moved[-1]] if unit.endswith("+") else moved
    return np.concatenate(arrays)


def _size(cube: ChainCube, unit: str) -> int:
    sizes = {
        "sessions": cube.sessions, "moments": len(cube.moment_us), "rows": len(cube.row_contract),
        "seen": len(cube.sg_group), "groups": len(cube.group_first) - 1, "contracts": len(cube.strike),
        "quotes": len(cube.bid), "forwards": len(cube.forward),
    }  # fmt: skip
    return sizes[unit]


def _part(cube: ChainCube) -> dict[str, Array]:
    """Return one cube as a market's arrays, in whole numbers of 64 bits; quotes stay what and where they are."""
    first = cube.group_first[:-1]
    split, dividend, following = _events(cube)
    empty = np.empty(0, dtype=np.float32)
    found = {
        "session_day": cube.session_day,
        "session_moment": cube.session_moment,
        "session_row": cube.session_row,
        "session_group": np.searchsorted(cube.sg_session, np.arange(cube.sessions + 1)),
        "session_place": np.zeros(cube.sessions),
        "session_last": np.full(cube.sessions, cube.sessions - 1),
        "moment_us": cube.moment_us,
        "group": cube.group,
        "group_first": cube.group_first,
        "group_expiry": cube.expiry_day[first],
        "group_expires": cube.expires_us[first],
        "group_settles": _exchange_days(cube.expires_us[first]),
        "group_rank": np.zeros(len(first)),
        "group_class": np.zeros(len(first)),
        "row_contract": cube.row_contract,
        "row_quote": cube.row_quote,
        "row_next": _next_rows(cube),
        "seen_group": cube.sg_group,
        "seen_row": cube.sg_row,
        "seen_forward": cube.sg_forward_start,
        "next_dividend": following,
    }
    return {
        **{name: np.ascontiguousarray(array, dtype=np.int64) for name, array in found.items()},
        **{name: np.ascontiguousarray(getattr(cube, name)) for name in (*_PLAIN, "open_spot", "close_spot")},
        **{
            name: np.ascontiguousarray(getattr(cube, name)).view(np.int8)
            for name in ("is_call", "is_american", "flags")
        },
        "group_am": np.ascontiguousarray(cube.is_am[first]).view(np.int8),
        "split": split,
        "dividend": dividend,
        "naked_rate": np.full(cube.sessions, margins.naked_rate(cube.symbol)),
        **{name: np.ascontiguousarray(getattr(cube, name)) for name in ("bid", "ask", "delta")},
        **{
            name: empty if (one := getattr(cube, name)) is None else np.ascontiguousarray(one)
            for name in ("open_interest", "volume")
        },
    }


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


def _exchange_days(moment_us: Array) -> Array:
    # Expiries are at openings and closes, which lie on the same day in UTC.
    return np.asarray(moment_us // _US_PER_DAY, dtype=np.int64)


def _starts(sizes: list[int]) -> Array:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _pairs(starts: Array) -> list[tuple[int, int]]:
    return list(pairwise(starts.tolist()))
