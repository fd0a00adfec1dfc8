"""What a reader takes away: frames as files that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.vocabulary import VOCABULARY


def csv_text(rows: pd.DataFrame, columns: Sequence[str] | None = None) -> str:
    """Return rows as CSV: units in the head, numbers in full precision, missing ones empty.

    Parameters
    ----------
    rows : DataFrame
    columns : sequence of str, optional
        Default: all of them.

    Notes
    -----
    Times are the exchange's, to the second and without their offset, since spreadsheets read only those as times;
    the head says where.
    """
    shown = rows[list(columns if columns is not None else rows)].reset_index(drop=True)
    written = {_head(name, column): _written(column) for name, column in shown.items()}
    return str(pd.DataFrame(written).to_csv(index=False))


def _head(name: Any, column: pd.Series) -> str:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return f"{name} (New York)"
    unit = VOCABULARY[name].unit if name in VOCABULARY else ""
    return f"{name} ({unit})" if unit else str(name)


def _written(column: pd.Series) -> Any:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert(EXCHANGE_TZ).dt.strftime("%Y-%m-%d %H:%M:%S")
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return column.dt.strftime("%Y-%m-%d")
    return column
