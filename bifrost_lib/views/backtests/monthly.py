"""Returns by month and year."""

from __future__ import annotations

import calendar

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import signed
from bifrost_lib.views.live.tables import GridTable, column

MONTHS = tuple(calendar.month_abbr)[1:]


def monthly_returns(equity: pd.DataFrame, *, capital: float) -> pd.DataFrame:
    """Return what each month made of the equity at the end of the month before.

    Parameters
    ----------
    equity : DataFrame
        `ts` (aware, ascending) and `equity`, one row a session.
    capital : float
        What the account began with, > 0.

    Returns
    -------
    DataFrame
        One row a year (index `year`), a column a month (1 to 12) and `total`, as decimals; NaN outside of
        the run.
    """
    local = equity["ts"].dt.tz_convert(EXCHANGE_TZ)
    ends = equity["equity"].groupby([local.dt.year.rename("year"), local.dt.month.rename("month")]).last()
    months = (ends / ends.shift(fill_value=capital) - 1).unstack("month").reindex(columns=range(1, 13))
    years = ends.groupby("year").last()
    return months.assign(total=years / years.shift(fill_value=capital) - 1)


def monthly_grid(returns: pd.DataFrame) -> GridTable:
    """Return `monthly_returns` as a grid (%), the newest year first, gains and losses coloured."""
    columns = [column("Year", text=True), *(column(name) for name in MONTHS), column("Total", "%")]
    rows = [
        {"cells": [str(year), *(_coloured(value) for value in row)]}
        for year, row in zip(returns.index[::-1], returns.iloc[::-1].itertuples(index=False, name=None), strict=True)
    ]
    table: GridTable = {"columns": columns, "rows": rows, "caption": "Return by month, %"}
    return table if rows else table | {"notice": {"kind": "empty", "text": "No month has ended."}}


def _coloured(value: float) -> dict[str, str]:
    text = signed(100 * value)
    return {"text": text, "kind": {"+": "good", "\N{MINUS SIGN}": "bad"}.get(text[0], "muted")}
