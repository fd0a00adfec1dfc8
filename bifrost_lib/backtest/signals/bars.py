"""The bars that signals look at, and from when each of them is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import ChainCube
from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import Floats

if TYPE_CHECKING:
    import pandas as pd

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one underlying, oldest first, with other figures that were known by the end of each.

    Parameters
    ----------
    known_us : int64 (n,)
        UTC microseconds from which a bar is known, ascending.
    open, high, low, close : float64 (n,)
        Currency per share, NaN where not known.
    facts : dict of float64 (n,)
        Figures by name, such as ``iv_rank``.
    """

    known_us: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    facts: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if np.any(np.diff(self.known_us) <= 0):
            raise InputError("bars", "moments out of order", "ascending moments, each once")
        columns = {name: getattr(self, name) for name in PRICES} | dict(self.facts)
        for name, column in columns.items():
            if np.shape(column) != self.known_us.shape:
                raise InputError(f"bars.{name}", np.shape(column), f"one number for each of {len(self)} bars")

    def __len__(self) -> int:
        return len(self.known_us)

    def column(self, name: str) -> Floats:
        """Return a price or a fact by its name."""
        found: Floats = getattr(self, name) if name in PRICES else self.facts[name]
        return found

    @classmethod
    def of_closes(cls, close: npt.ArrayLike) -> Bars:
        """Return bars that are nothing but a row of closes, numbered instead of dated."""
        closes = np.asarray(close, dtype=np.float64)
        return cls(np.arange(closes.size, dtype=np.int64), closes, closes, closes, closes)

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> Bars:
        """Return the bars of a frame.

        Parameters
        ----------
        frame : DataFrame
            `ts` (aware: when the bar was over) and `close`; `open`, `high` and `low` where known; every other column of
            numbers is a fact.

        Raises
        ------
        InputError
            If `ts` or `close` is missing, `ts` has no time zone, or the bars are not in order.
        """
        for name in ("ts", "close"):
            if name not in frame.columns:
                raise InputError(f"bars.{name}", list(frame.columns), "this column to be present")
        if getattr(frame["ts"].dtype, "tz", None) is None:
            raise InputError("bars.ts", str(frame["ts"].dtype), "moments with a time zone")
        known = (
            frame["ts"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
        )
        numbers = {
            str(name): frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in frame.columns
            if frame[name].dtype.kind in "fiu"
        }
        close = numbers["close"]
        prices = {name: numbers.pop(name, close) for name in PRICES}
        return cls(known, **prices, facts=numbers)


def entry_bars(cube: ChainCube, *, entry_time: time | None = None, history: Bars | None = None) -> Bars:
    """Return one bar for each session of a cube, which ends at the moment at which positions are opened.

    A bar begins after the entry moment of the session before, so that nothing in it is later than its own entry. Its
    high and low are those of the moments that the cube has, and of the session's open.

    Parameters
    ----------
    cube : ChainCube
    entry_time : time, optional
        Exchange time of day; the entry moment is the last one not after it. Default: the session's last moment.
    history : Bars, optional
        Earlier bars in the shares of the cube's first session, so that long windows are full from its start. Those that
        were known only after the cube's first moment are left out.

    Returns
    -------
    Bars
        Those of `history`, then one per session; a session without a moment by `entry_time` has an unknown bar.

    Notes
    -----
    Prices after a split are turned into those of the shares of the first session, because the other way round a split
    would change what was known before it. Dividends are left as they are.
    """
    entries = entry_moments(cube, entry_time)
    begins = np.concatenate([[0], np.maximum.accumulate(entries)[:-1] + 1])
    firsts = cube.session_moment[:-1]
    factor = _shares(cube)
    spot = cube.spot * np.repeat(factor, np.diff(cube.session_moment))
    opens = cube.open_spot * factor
    prices = np.full((4, cube.sessions), math.nan)
    for session, (begin, first, entry) in enumerate(zip(begins, firsts, entries, strict=True)):
        if entry >= 0 and not math.isnan(spot[entry]):  # an older close would pretend to be fresh
            prices[:, session] = _bar(
                np.concatenate([spot[begin:first], opens[session : session + 1], spot[first : entry + 1]])
            )
    known = cube.moment_us[np.where(entries >= 0, entries, cube.session_moment[:-1])]
    facts = {name: np.asarray(column, dtype=np.float64) for name, column in cube.conditions.items()}
    bars = Bars(known, prices[0], prices[1], prices[2], prices[3], facts)
    return bars if history is None else _joined(history, bars, int(cube.moment_us[0]))


def _bar(spot: Floats) -> tuple[float, float, float, float]:
    known = spot[~np.isnan(spot)]
    return float(known[0]), float(known.max()), float(known.min()), float(known[-1])


def entry_moments(cube: ChainCube, entry_time: time | None = None) -> npt.NDArray[np.int64]:
    """Return the place of each session's entry moment among the cube's moments, -1 where it has none by then."""
    last = cube.session_moment[1:] - 1
    if entry_time is None:
        return np.asarray(last)
    import pandas as pd

    local = pd.DatetimeIndex(cube.moment_us.astype("datetime64[us]"), tz="UTC").tz_convert(EXCHANGE_TZ)
    minutes: Any = local.hour * 3600 + local.minute * 60 + local.second
    early = np.asarray(minutes) <= entry_time.hour * 3600 + entry_time.minute * 60 + entry_time.second
    counts = np.concatenate([[0], np.cumsum(early)])
    by_then = counts[cube.session_moment[1:]] - counts[cube.session_moment[:-1]]
    return np.where(by_then > 0, cube.session_moment[:-1] + by_then - 1, -1)


def _shares(cube: ChainCube) -> Floats:
    # How many shares of a session one share of the first session has become.
    factor = np.ones(cube.sessions)
    for day, ratio in zip(cube.split_day.tolist(), cube.split_ratio.tolist(), strict=True):
        if day > cube.session_day[0]:
            factor[np.searchsorted(cube.session_day, day) :] *= ratio
    return factor


def _joined(history: Bars, bars: Bars, before_us: int) -> Bars:
    count = int(np.searchsorted(history.known_us, before_us))
    names = {*history.facts, *bars.facts}
    unknown = np.full(count, math.nan), np.full(len(bars), math.nan)
    facts = {
        name: np.concatenate([history.facts.get(name, unknown[0])[:count], bars.facts.get(name, unknown[1])])
        for name in names
    }
    prices = {name: np.concatenate([history.column(name)[:count], bars.column(name)]) for name in PRICES}
    return Bars(np.concatenate([history.known_us[:count], bars.known_us]), **prices, facts=facts)
