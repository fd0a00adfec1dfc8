"""Frames of snapshots on their way in: checked, and taken apart into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.sessions import FIRST_DAY, LAST_DAY
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS, VENDOR_COLUMNS
from bifrost_lib.store.binary_copy import Codes, Floats
from bifrost_lib.store.columns import DATA_TYPES, VALUE_COLUMNS, VENDOR_VALUES

_FIRST_US = int(np.datetime64(FIRST_DAY, "us").astype(np.int64))
_LAST_US = int(np.datetime64(LAST_DAY, "us").astype(np.int64))


def check_snapshots(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of snapshots, those of the vendor only if the frame has any of them.

    Raises
    ------
    InputError
        If a column is missing or of another dtype; of the vendor's, all or none must be there.
    """
    has_vendor = any(name in frame.columns for name in VENDOR_COLUMNS)
    return check_frame(frame, (*SNAPSHOT_COLUMNS, *VENDOR_COLUMNS) if has_vendor else SNAPSHOT_COLUMNS)


def value_arrays(frame: pd.DataFrame) -> tuple[tuple[Floats, ...], Codes, Codes | None]:
    """Return the numbers, the qualities and, of a collector's rows, the market-data types; see `SnapshotRows`."""
    quality = _codes(frame["quality"], QUALITY_LABELS)
    if "market_data_type" not in frame.columns:
        return tuple(frame[name].to_numpy() for name in VALUE_COLUMNS), quality, None
    values = tuple(frame[name].to_numpy() for name in (*VALUE_COLUMNS, *VENDOR_VALUES))
    return values, quality, _codes(frame["market_data_type"], DATA_TYPES)


def moments_us(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the moments in microseconds, all of them within the exchange's calendar."""
    ts: npt.NDArray[np.int64] = frame["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
    if ts.min() < _FIRST_US or ts.max() > _LAST_US:
        wrong = frame["ts"].iloc[int(np.flatnonzero((ts < _FIRST_US) | (ts > _LAST_US))[0])]
        raise InputError("frame.ts", wrong, f"moments from {FIRST_DAY} to {LAST_DAY}")
    return ts


def check_sizes(frame: pd.DataFrame) -> None:
    """Refuse rows that name no contract."""
    for name in ("strike", "multiplier"):
        column = frame[name].to_numpy()
        fine = (column > 0) & (column < 1e9)
        if not fine.all():
            raise InputError(f"frame.{name}", float(column[~fine][0]), "numbers > 0 in every row")
    if frame["expiry"].isna().any():
        raise InputError("frame.expiry", None, "a date in every row")


def _codes(column: pd.Series[Any], labels: Sequence[str]) -> Codes:
    """Return the place of each value in `labels`, -1 where the frame says nothing."""
    categories = list(column.cat.categories)
    for label in categories:
        if label not in labels:
            raise InputError(f"frame.{column.name}", label, "one of " + ", ".join(labels))
    places = np.array([*(labels.index(label) for label in categories), -1], dtype=np.int8)
    found: Codes = places[column.cat.codes.to_numpy()]
    return found
