"""IB's historical bars as a frame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib.core.calendar import EXCHANGE_TZ, is_session, session_close
from bifrost_lib.core.clock import as_utc
from bifrost_lib.ib.mapping import date_of, price_or_nan, size_or_nan

if TYPE_CHECKING:
    import pandas as pd

PRICES = ("open", "high", "low", "close")


def duration_text(days: int) -> str:
    """Return a duration as IB takes it; more than a year is counted in years."""
    return f"{days} D" if days <= 365 else f"{-(-days // 365)} Y"


def frame_of_daily_bars(rows: Sequence[Any], *, now: datetime) -> pd.DataFrame:
    """Return daily bars as a frame of ts, open, high, low, close, volume, oldest first.

    Notes
    -----
    `ts` is when the bar was complete: the session's close; `now` for a session that goes on. NaN where IB knows
    nothing; the volume of volatilities and quotes is NaN.
    """
    import pandas as pd

    dated = sorted(((day, row) for row in rows if (day := date_of(str(row.date).replace("-", ""))) is not None),
                   key=lambda pair: pair[0])  # fmt: skip
    moments = [min(_completed(day), as_utc(now)).replace(tzinfo=None) for day, _ in dated]
    columns: dict[str, Any] = {"ts": pd.DatetimeIndex(np.array(moments, dtype="datetime64[us]"), tz="UTC")}
    for name in PRICES:
        columns[name] = np.array([price_or_nan(float(getattr(row, name))) for _, row in dated], dtype=float)
    columns["volume"] = np.array([size_or_nan(float(row.volume)) for _, row in dated], dtype=float)
    return pd.DataFrame(columns)


def _completed(day: date) -> datetime:
    if is_session(day):
        return session_close(day)
    return as_utc(datetime(day.year, day.month, day.day, 16, tzinfo=EXCHANGE_TZ))
