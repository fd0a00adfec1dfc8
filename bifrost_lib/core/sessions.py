"""When the exchange opens and closes, as arrays: `exchange_calendars` tells it once, and a file keeps it.

The calendar of seventy years takes a process two seconds to make, and every process of the desk asks for it.
"""

from __future__ import annotations

import hashlib
import io
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import cache_folder, keep

EXCHANGE = "XNYS"
FIRST_DAY = date(1990, 1, 2)
LAST_DAY = date(2060, 12, 31)

Int64s = npt.NDArray[np.int64]


class Sessions(NamedTuple):
    """All sessions in order: days since 1970, and opening and close in seconds since 1970, each an array (n,)."""

    days: Int64s
    opens_s: Int64s
    closes_s: Int64s


@cache
def all_sessions() -> Sessions:
    """Return the exchange's sessions from `FIRST_DAY` to `LAST_DAY`, from the cache folder where they are there."""
    path = cache_folder() / f"sessions-{_digest()}.npy"
    try:
        kept = np.load(path)
    except (OSError, ValueError):  # not there yet, or cut short with the machine
        kept = _told()
        written = io.BytesIO()
        np.save(written, kept)
        keep(path, written.getvalue())
    return Sessions(*kept)


def _told() -> Int64s:
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(EXCHANGE, start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())
    days = calendar.sessions.to_numpy().astype("datetime64[D]")
    moments = (
        column.dt.tz_localize(None).to_numpy().astype("datetime64[s]") for column in (calendar.opens, calendar.closes)
    )
    return np.stack([column.astype(np.int64) for column in (days, *moments)])


def _digest() -> str:
    """Name everything that the sessions depend on: the calendar's version, and this file."""
    spec = find_spec("exchange_calendars")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("exchange_calendars", name="exchange_calendars")
    told = hashlib.blake2b(digest_size=8)
    for source in (Path(spec.origin).with_name("_version.py"), Path(__file__)):
        told.update(source.read_bytes())
    return told.hexdigest()
