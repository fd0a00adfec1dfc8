"""Prices of underlyings from the equity and index files of a LEAN tree, as they were known at a moment."""

from __future__ import annotations

import zipfile
import zlib
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.lean_names import SCALE
from bifrost_lib.feeds.lines import Scanner
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.moments import LOCAL
from bifrost_lib.feeds.scan_layout import FINE, MOMENT, NUMBER

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

#: A price of the underlying older than this is not given to a quote.
MAX_AGE_US = 15 * 60 * 1_000_000
_DAY_US = 86_400_000_000
_BAR_US = {"minute": 60_000_000, "hour": 3_600_000_000}
_EPOCH = date(1970, 1, 1)
_CHICAGO = ZoneInfo("America/Chicago")
_TEXT = Mapping("lean", thousands="", blank_words=())
_NOTHING = np.empty(0, dtype=np.int64), np.empty(0)
_ANCESTORS = 8
_ORDER = {"daily": ("daily", "hour", "minute"), "hour": ("hour", "minute", "daily")}


class Underlying:
    """The prices of one underlying in a LEAN tree.

    Parameters
    ----------
    beside : Path
        An option file; the tree is looked for above it.
    symbol : str
    is_index : bool
        Whether to look under ``index`` rather than ``equity``.
    """

    def __init__(self, beside: Path, symbol: str, *, is_index: bool) -> None:
        self._symbol, self._is_index = symbol.lower(), is_index
        self.root = find_root(beside, "index" if is_index else "equity")

    def spots(self, ts: Longs, resolution: str) -> Floats:
        """Return the price known at each moment, at most `MAX_AGE_US` old, else NaN.

        Parameters
        ----------
        ts : array (n,)
            UTC microseconds.
        resolution : str
            Of the quotes; files of the same resolution are asked first.
        """
        spots = np.full(len(ts), np.nan)
        if self.root is None or not len(ts):
            return spots
        for choice in _ORDER.get(resolution, ("minute", "hour", "daily")):
            missing = np.flatnonzero(np.isnan(spots))
            if not len(missing):
                break
            known, prices = self._bars(self.root, choice, ts[missing])
            spots[missing] = _as_of(ts[missing], known, prices)
        return spots

    def _bars(self, root: Path, resolution: str, ts: Longs) -> tuple[Longs, Floats]:
        # When each bar became known, and its close.
        if resolution != "minute":
            return _read_bars(root / resolution / f"{self._symbol}.zip", resolution, -1, self._is_index)
        days = np.unique(exchange_time.exchange_days(ts))
        pieces = []
        for day in days.tolist():
            stamp = f"{_EPOCH + timedelta(days=day):%Y%m%d}"
            folder = root / "minute" / self._symbol
            known, prices = _read_bars(folder / f"{stamp}_trade.zip", "minute", day, self._is_index)
            if not len(known):
                known, prices = _read_bars(folder / f"{stamp}_quote.zip", "minute", day, self._is_index)
            pieces.append((known, prices))
        return np.concatenate([known for known, _ in pieces]), np.concatenate([prices for _, prices in pieces])


def find_root(beside: Path, kind: str) -> Path | None:
    """Return the folder ``equity/usa`` or ``index/usa`` (`kind`) of the tree that a file stands in, or None."""
    parts = [part.lower() for part in beside.absolute().parts]
    market = "usa"
    for place, part in enumerate(parts[:-2]):
        if part in ("option", "indexoption"):
            market = parts[place + 1]
    for ancestor in [*beside.absolute().parents][:_ANCESTORS]:
        for middle in ((kind,), (kind, "lean", kind), ("lean", kind), ("Data", kind), ("data", kind)):
            root = ancestor.joinpath(*middle, market)
            if root.is_dir():
                return root
    return None


def _read_bars(path: Path, resolution: str, day: int, is_index: bool) -> tuple[Longs, Floats]:
    if not path.exists():
        return _NOTHING
    return _bars_of_version(path, path.stat().st_mtime_ns, resolution, day, is_index)


@lru_cache(maxsize=64)
def _bars_of_version(path: Path, version: int, resolution: str, day: int, is_index: bool) -> tuple[Longs, Floats]:
    # Kept, since an underlying's daily and hourly files are asked again for each of its option files.
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((entry for entry in archive.namelist() if entry.lower().endswith(".csv")), None)
            text = archive.read(name) if name else b""
    except (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
        raise FileFormatError(path, f"the underlying's prices cannot be unpacked: {error}") from None
    if not text.strip():
        return _NOTHING
    text += b"" if text.endswith(b"\n") else b"\n"
    time, close = _columns(text, dated=resolution != "minute", quotes=path.name.endswith("_quote.zip"))
    close = close if is_index else np.round(close * SCALE, 6)
    usable = np.isfinite(close) & (close > 0) & (time >= 0)
    return _known_at(time[usable], resolution, day, is_index), close[usable]


def _columns(text: bytes, *, dated: bool, quotes: bool) -> tuple[Longs, Floats]:
    # Microseconds of the bar's start (of the day when not dated) and its close, or the middle of the closing quotes.
    width = text[: text.index(b"\n")].count(b",") + 1
    wanted = {4: "close"} if not quotes else {4: "bid", 9: "ask"}
    plan = Plan([""] * width, ",", np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64))
    plan.kinds[0] = MOMENT if dated else NUMBER
    plan.formats += [["%Y%m%d %H:%M", "%Y%m%d"]] if dated else []
    plan.numbers["time"] = 0
    for slot, (column, word) in enumerate(wanted.items(), start=1):
        plan.kinds[column], plan.slots[column] = NUMBER, slot
        plan.numbers[word] = slot
    times, closes = [], []
    for lines in Scanner(None, plan, _TEXT).rows(text, 1):
        fine = lines.status == FINE
        start = lines.moments[0] if dated else np.nan_to_num(lines.numbers[0], nan=-1.0).astype(np.int64) * 1000
        fine &= (lines.flags[0] == LOCAL) if dated else True
        times.append(np.where(fine, start, -1))
        closes.append(np.where(fine, lines.numbers[1:].mean(axis=0), np.nan))
    return np.concatenate(times), np.concatenate(closes)


def _known_at(time: Longs, resolution: str, day: int, is_index: bool) -> Longs:
    if resolution == "daily":
        closes = exchange_time.session_closes(time // _DAY_US)
        return np.where(closes == exchange_time.NO_SESSION, time, closes)
    zone = EXCHANGE_TZ
    if is_index and len(time):
        # LEAN keeps Cboe's indices in Chicago time: their day begins at 08:30 there.
        earliest = int(time.min()) % _DAY_US // 60_000_000
        zone = _CHICAGO if earliest <= 8 * 60 + 30 else EXCHANGE_TZ
    local = time + (day * _DAY_US if resolution == "minute" else 0)
    return exchange_time.local_to_utc(local, zone) + _BAR_US[resolution]


def _as_of(ts: Longs, known: Longs, prices: Floats) -> Any:
    if not len(known):
        return np.full(len(ts), np.nan)
    order = np.argsort(known, kind="stable")
    known, prices = known[order], prices[order]
    place = np.searchsorted(known, ts, side="right") - 1
    found = (place >= 0) & (ts - known[np.maximum(place, 0)] <= MAX_AGE_US)
    return np.where(found, prices[np.maximum(place, 0)], np.nan)
