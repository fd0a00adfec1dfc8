"""Which seconds historical bars consist of, and bars of prices that were taken there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.sim.exchange import Bars

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_S = 86_400
KINDS = (
    "TRADES",
    "MIDPOINT",
    "BID",
    "ASK",
    "BID_ASK",
    "ADJUSTED_LAST",
    "HISTORICAL_VOLATILITY",
    "OPTION_IMPLIED_VOLATILITY",
)


@dataclass(frozen=True)
class Frames:
    """The seconds that make each bar, shape (n,): where it starts, and its first, highest, lowest and last second.

    `session` is the index of the session that it belongs to, `mean` the average price of its seconds.
    """

    start: Ints
    session: Ints
    first: Ints
    highest: Ints
    lowest: Ints
    last: Ints
    mean: Floats


def empty_bars() -> Bars:
    """Return no bars."""
    nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
    return Bars(none, nothing, nothing, nothing, nothing, nothing, nothing, none)


def check_request(what: str, bar_s: int) -> None:
    """Refuse kinds and sizes of bars that do not exist."""
    if what not in KINDS:
        raise InputError("what", what, "one of " + ", ".join(KINDS))
    if not 1 <= bar_s <= DAY_S:
        raise InputError("bar_s", bar_s, "seconds from 1 to 86,400, which is one bar a session")


def frame_span(spot: Floats, begin: int, session: int, bar_s: int) -> Frames:
    """Divide consecutive seconds into bars.

    Parameters
    ----------
    spot : array (seconds,)
        Prices at `begin` and each second after it.
    bar_s : int
        Bars begin at whole multiples of it since midnight in New York, and at `begin`.
    """
    end = begin + len(spot)
    local = datetime.fromtimestamp(begin, UTC).astimezone(EXCHANGE_TZ)
    midnight = begin - (local.hour * 3600 + local.minute * 60 + local.second)
    edges = np.arange(midnight + ((begin - midnight) // bar_s + 1) * bar_s, end, bar_s)
    start = np.concatenate([[begin], edges]).astype(np.int64)
    if len(start) == 1:
        return _single(spot, begin, session)
    places = start - begin
    sizes = np.diff(np.append(places, len(spot)))
    return Frames(
        start=start,
        session=np.full(len(start), session),
        first=start,
        highest=begin + _first_at(spot, np.maximum.reduceat(spot, places), places, sizes),
        lowest=begin + _first_at(spot, np.minimum.reduceat(spot, places), places, sizes),
        last=start + sizes - 1,
        mean=np.add.reduceat(spot, places) / sizes,
    )


def without_last_second(frames: Frames) -> Frames:
    """Give the closing second, if it became a bar of its own, to the bar before it."""
    if len(frames.start) < 2 or frames.last[-1] != frames.first[-1]:
        return frames
    columns = {name: getattr(frames, name)[:-1].copy() for name in frames.__dataclass_fields__}
    columns["last"][-1] = frames.last[-1]
    return Frames(**columns)


def joined_frames(parts: list[Frames]) -> Frames:
    """Return the bars of several spans, in their order."""
    return Frames(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Frames.__dataclass_fields__}
    )


def chosen_frames(frames: Frames, chosen: npt.NDArray[np.bool_]) -> Frames:
    """Return some of the bars."""
    return Frames(**{name: getattr(frames, name)[chosen] for name in Frames.__dataclass_fields__})


def bars_of(frames: Frames, prices: Floats, *, volume: Floats, mean: Floats, shares_a_trade: float) -> Bars:
    """Make bars of the prices at each bar's first, highest, lowest and last second, shape (4, n)."""
    return Bars(
        start=frames.start,
        open=prices[0],
        high=prices.max(axis=0),
        low=prices.min(axis=0),
        close=prices[3],
        volume=volume,
        wap=np.clip(np.round(mean, 4), prices.min(axis=0), prices.max(axis=0)),
        count=np.ceil(volume / shares_a_trade).astype(np.int64),
    )


def _single(spot: Floats, begin: int, session: int) -> Frames:
    return Frames(
        start=np.array([begin]),
        session=np.array([session]),
        first=np.array([begin]),
        highest=np.array([begin + spot.argmax()]),
        lowest=np.array([begin + spot.argmin()]),
        last=np.array([begin + len(spot) - 1]),
        mean=np.array([spot.mean()]),
    )


def _first_at(spot: Floats, extreme: Floats, places: Ints, sizes: Ints) -> Ints:
    counted = np.where(spot == np.repeat(extreme, sizes), np.arange(len(spot)), len(spot))
    return np.asarray(np.minimum.reduceat(counted, places), dtype=np.int64)
