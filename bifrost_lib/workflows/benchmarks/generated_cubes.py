"""Made-up option histories of any length, width and beat, laid out as chain cubes straight away."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest import BELIEVABLE, FIT, ChainCube
from bifrost_lib.core.calendar import expiry_moments, session_close, session_open, sessions
from bifrost_lib.pricing import greeks

Array = npt.NDArray[Any]
SYMBOL, SPOT, VOL = "BNCH", 400.0, 0.2
_REACH = 0.25  # strikes lie so far around the spot at which an expiry is listed
_YEAR_US = 365 * 86_400e6
_FIRST, _LAST = date(2008, 1, 2), date(2025, 12, 31)


def generated_cube(
    *, days: int, expiries: int, strikes: int, moments: int = 1, folder: Path | None = None
) -> ChainCube:
    """Return a cube of European index options on a smile, each day with its next weekly expiries.

    Parameters
    ----------
    days : int
        Sessions, from 2008-01-02 on, at most 4,500.
    expiries, strikes : int
        Weekly expiries listed on each day, and strikes of each; twice their product are the rows of a day.
    moments : int
        A day, evenly from its open to its close; 1 is the close alone.
    folder : Path, optional
        Where the quotes are written as memory maps, for cubes that are larger than memory should hold.

    Returns
    -------
    ChainCube
        ``days * 2 * expiries * strikes * moments`` quotes, all with two sides and fit for entry.
    """
    calendar = sessions(_FIRST, _LAST)
    day_list = calendar[:days]
    session_day = _days(day_list)
    moment_us = np.concatenate([_moments(day, moments) for day in day_list])
    spot = _spots(days, moments)
    expiry_days = _last_of_weeks(_days(calendar))
    nearest = np.searchsorted(expiry_days, session_day)
    expiry_days = expiry_days[: nearest[-1] + expiries]
    listed = np.searchsorted(nearest, np.arange(len(expiry_days)) - expiries + 1)
    grid = np.array([_strikes(spot[min(at, days - 1) * moments], strikes) for at in listed])
    groups, width = len(expiry_days), 2 * strikes
    rows = days * expiries * width
    row_group = (nearest[:, None] + np.arange(expiries)).ravel()
    expires_us = expiry_moments(expiry_days.astype("datetime64[D]"), np.zeros(groups, dtype=bool)).astype(np.int64)
    quotes = _quotes(spot, moment_us, expires_us, grid, nearest, expiries, moments, folder)
    return ChainCube(
        symbol=SYMBOL,
        classes=(SYMBOL,),
        session_day=session_day.astype(np.int32),
        session_moment=np.arange(days + 1) * moments,
        open_spot=spot[::moments].copy(),
        close_spot=spot[moments - 1 :: moments].copy(),
        moment_us=moment_us,
        spot=spot,
        expiry_day=np.repeat(expiry_days, width).astype(np.int32),
        expires_us=np.repeat(expires_us, width),
        strike=np.tile(grid, 2).ravel(),
        is_call=np.tile(np.repeat([True, False], strikes), groups),
        is_am=np.zeros(groups * width, dtype=bool),
        is_american=np.zeros(groups * width, dtype=bool),
        multiplier=np.full(groups * width, 100.0),
        group=np.repeat(np.arange(groups), width).astype(np.int32),
        class_code=np.zeros(groups * width, dtype=np.int16),
        group_first=np.arange(groups + 1) * width,
        session_row=np.arange(days + 1) * expiries * width,
        row_contract=(row_group[:, None] * width + np.arange(width)).ravel().astype(np.int32),
        row_quote=np.arange(rows) * moments,
        bid=quotes["bid"],
        ask=quotes["ask"],
        delta=quotes["delta"],
        flags=quotes["flags"],
        sg_session=np.repeat(np.arange(days), expiries).astype(np.int32),
        sg_group=row_group.astype(np.int32),
        sg_row=np.arange(days * expiries + 1) * width,
        sg_forward_start=np.arange(days * expiries) * moments,
        forward=np.repeat(spot.reshape(days, 1, moments), expiries, axis=1).ravel(),
        split_day=np.array([], dtype=np.int32),
        split_ratio=np.array([]),
        dividend_day=np.array([], dtype=np.int32),
        dividend=np.array([]),
    )


def vendor_columns(cube: ChainCube) -> dict[str, Array]:
    """Return the quotes of a daily cube as plain columns, one row a quote, as vendors deliver a history."""
    contract = cube.row_contract
    return {
        "day": np.repeat(cube.session_day, np.diff(cube.session_row)).astype(np.int64),
        "expiry": cube.expiry_day[contract].astype(np.int64), "strike": cube.strike[contract],
        "calls": cube.is_call[contract], "bid": np.asarray(cube.bid), "ask": np.asarray(cube.ask),
        "delta": cube.delta.astype(np.float64), "spot": np.repeat(cube.spot, np.diff(cube.session_row)),
    }  # fmt: skip


def _days(days: list[date]) -> Array:
    return np.array(days, dtype="datetime64[D]").astype(np.int64)


def _moments(day: date, count: int) -> Array:
    first, last = (round(one.timestamp() * 1e6) for one in (session_open(day), session_close(day)))
    return last - (last - first) // count * np.arange(count - 1, -1, -1)


def _spots(days: int, moments: int) -> Array:
    # One path whatever the beat: a day moves as a whole, its moments lie on a bridge to its close.
    random = np.random.default_rng(11)
    closes = np.cumsum(random.normal(0.0002, VOL / np.sqrt(252), days))
    if moments == 1:
        return SPOT * np.exp(closes)
    steps = random.normal(0.0, VOL / np.sqrt(252 * moments), (days, moments)).cumsum(axis=1)
    share = np.arange(1, moments + 1) / moments
    before = np.concatenate([[0.0], closes[:-1]])[:, None]
    bridge = before + (closes[:, None] - before) * share + steps - steps[:, -1:] * share
    return np.asarray(SPOT * np.exp(bridge)).ravel()


def _last_of_weeks(days: Array) -> Array:
    week = (days + 3) // 7  # 1970-01-01 was a Thursday
    return np.asarray(days[np.append(np.diff(week) > 0, True)])


def _strikes(spot: float, count: int) -> Array:
    step = max(round(2 * _REACH * spot / count, 1), 0.1)
    return np.asarray(round(spot / step) * step + step * (np.arange(count) - count // 2)).round(2)


def _quotes(
    spot: Array, moment_us: Array, expires_us: Array, grid: Array, nearest: Array, expiries: int, moments: int,
    folder: Path | None,
) -> dict[str, Array]:  # fmt: skip
    strikes = grid.shape[1]
    shape = (len(nearest), expiries * 2 * strikes, moments)
    bid, ask, delta, flags = (
        _array(folder, name, shape, kind)
        for name, kind in (("bid", "<f8"), ("ask", "<f8"), ("delta", "<f4"), ("flags", "<u1"))
    )
    calls = np.tile(np.repeat([True, False], strikes), expiries)[:, None]
    for number, first in enumerate(nearest.tolist()):
        span = slice(number * moments, (number + 1) * moments)
        strike = np.tile(grid[first : first + expiries], 2).reshape(-1, 1)
        left_us = np.repeat(expires_us[first : first + expiries], 2 * strikes)[:, None] - moment_us[span]
        tau = np.maximum(left_us / _YEAR_US, 1e-6)
        away = np.log(strike / spot[span])
        found = greeks(
            spot=spot[span], strike=strike, tau=tau, vol=VOL - 0.1 * away + 0.2 * away**2, right=calls,
            names=("price", "delta"),
        )  # fmt: skip
        half = 0.02 + 0.01 * found["price"]
        bid[number] = np.maximum(found["price"] - half, 0.01).round(2)
        ask[number] = (found["price"] + half).round(2)
        delta[number] = found["delta"]
        flags[number] = BELIEVABLE | FIT
    return {"bid": bid.reshape(-1), "ask": ask.reshape(-1), "delta": delta.reshape(-1), "flags": flags.reshape(-1)}


def _array(folder: Path | None, name: str, shape: tuple[int, ...], kind: str) -> Array:
    if folder is None:
        return np.empty(shape, dtype=kind)
    mapped: Array = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=kind, shape=shape)
    return mapped
