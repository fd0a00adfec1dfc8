"""Columns of the frames of a run, as arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
DAY_US = 86_400_000_000


def numbers_of(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers; NaN throughout where there is none."""
    if name not in frame.columns:
        return np.full(len(frame), math.nan)
    values: Floats = frame[name].to_numpy(dtype=np.float64, na_value=math.nan)
    return values


def microseconds_of(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Return moments as microseconds since 1970, UTC."""
    values = column.to_numpy()
    if values.dtype == object:
        values = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    moments_us: npt.NDArray[np.int64] = values.astype("datetime64[us]").astype(np.int64)
    return moments_us
