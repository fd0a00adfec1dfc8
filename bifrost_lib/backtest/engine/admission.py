"""On which sessions a document's conditions of entry hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import ChainCube
from bifrost_lib.backtest.chains.earnings import EarningsLine
from bifrost_lib.backtest.engine.layout import ADMITTED, NOT_THROUGH, ONLY_THROUGH, REFUSED, THROUGHS
from bifrost_lib.backtest.engine.market import Stage
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import Entry, EventWindow

Array = npt.NDArray[Any]
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Admissions:
    """Which entries of a stage each document may use; documents with the same conditions share a row.

    `allowed` are flags of all sessions, from elsewhere; `names` are the conditions that refuse, by their codes from
    `REFUSED` on.
    """

    def __init__(self, stage: Stage, entries: Sequence[Entry], allowed: Array | None = None) -> None:
        self.names: list[str] = []
        self._allowed = allowed
        self._stage = stage
        rows: list[Array] = []
        known: dict[Any, int] = {}
        self.row_of = np.zeros(len(entries), dtype=np.int64)
        for place, entry in enumerate(entries):
            key = (entry.weekdays, entry.iv_rank, entry.vol_index, entry.conditions, entry.ex_dividend, entry.earnings)
            if key not in known:
                known[key] = len(rows)
                rows.append(self._row(entry))
            self.row_of[place] = known[key]
        self.rows = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)

    def _row(self, entry: Entry) -> Array:
        stage = self._stage
        codes = np.full(len(stage.market.sessions) - 1, ADMITTED, dtype=np.int64)
        if entry.earnings is not None:
            _check_known(stage, entry.earnings)
        for cube, earnings, first in zip(stage.cubes, stage.earnings, stage.session_starts[:-1], strict=True):
            part = codes[first : first + cube.sessions]
            part[:] = _through(cube, earnings, entry)
            for name, holds in _conditions(cube, earnings, entry):
                refused = ~holds & (part < REFUSED)
                part[refused] = self._code(name)
        if self._allowed is not None:
            codes[~self._allowed & (codes < REFUSED)] = self._code("signal")
        found = codes[stage.entry_session]
        found[stage.entry_moment < 0] = self._code("no moment")
        return np.asarray(found)

    def _code(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return REFUSED + self.names.index(name)


def _check_known(stage: Stage, window: EventWindow) -> None:
    for cube, earnings in zip(stage.cubes, stage.earnings, strict=True):
        if not earnings.is_known.any():
            raise InputError(
                "document.entry.earnings",
                window,
                f"no window around the earnings of {cube.symbol}: nothing was known of their days until {cube.end}; "
                "ingest them, or say that it never reports",
            )


def _conditions(cube: ChainCube, earnings: EarningsLine, entry: Entry) -> Iterator[tuple[str, Array]]:
    if entry.weekdays:
        wanted = [_WEEKDAYS.index(day) for day in entry.weekdays]
        yield "weekday", np.isin((cube.session_day.astype(np.int64) + 3) % 7, wanted)
    for asked in entry.market_ranges:
        values = cube.conditions.get(asked.column, np.full(cube.sessions, np.nan))
        holds = np.isfinite(values)
        if asked.low is not None:
            holds &= values >= asked.low
        if asked.high is not None:
            holds &= values <= asked.high
        yield asked.column, holds
    if entry.ex_dividend is not None:
        yield "ex_dividend", _suits(entry.ex_dividend, _near_dividend(cube, entry.ex_dividend))
    if entry.earnings is not None:
        yield "earnings", earnings.is_known & _suits(entry.earnings, earnings.near(entry.earnings))


def _suits(window: EventWindow, near: Array) -> Array:
    if window.entry == "avoid":
        return ~near
    return near | window.through_expiry


def _near_dividend(cube: ChainCube, window: EventWindow) -> Array:
    day, events = cube.session_day.astype(np.int64), cube.dividend_day.astype(np.int64)
    far = np.iinfo(np.int32).max
    padded = np.concatenate([[-far], events, [far]])
    until = padded[np.searchsorted(padded, day, side="left")] - day
    since = day - padded[np.searchsorted(padded, day, side="right") - 1]
    # A window without days on one side has none there, the day of the event itself included.
    before = (until <= window.before) if window.before else np.zeros(len(day), dtype=bool)
    after = (since <= window.after) if window.after else np.zeros(len(day), dtype=bool)
    return np.asarray(before | after)


def _through(cube: ChainCube, earnings: EarningsLine, entry: Entry) -> Array:
    # What is left to ask once the near expiry is known.
    codes = np.full(cube.sessions, ADMITTED, dtype=np.int64)
    if entry.ex_dividend is not None:
        codes += _asked(entry.ex_dividend, _near_dividend(cube, entry.ex_dividend))
    if entry.earnings is not None:
        codes += THROUGHS * _asked(entry.earnings, earnings.near(entry.earnings))
    return codes


def _asked(window: EventWindow, near: Array) -> Array:
    if not window.through_expiry:
        return np.full(len(near), ADMITTED, dtype=np.int64)
    if window.entry == "avoid":
        return np.full(len(near), NOT_THROUGH, dtype=np.int64)
    return np.where(near, ADMITTED, ONLY_THROUGH)
