"""Splits and dividends of the underlyings."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.reading import cursor_of, name_of
from bifrost_lib.store.trouble import translated

ACTION_COLUMNS = ("symbol", "ex_date", "kind", "value", "source")
KINDS = ("split", "dividend")


def save_corporate_actions(engine: Engine, actions: pd.DataFrame) -> int:
    """Store splits and dividends; return how many are new or changed.

    Parameters
    ----------
    engine : Engine
    actions : DataFrame
        `symbol`, `ex_date` (first day without the right to it), `kind` (split: new shares per old share; dividend:
        currency per share), `value` > 0, `source`. A later supply of the same action replaces the earlier one.

    Raises
    ------
    InputError
        If a column is missing, a kind is unknown or a value is not > 0; nothing is stored.
    """
    rows = _rows(actions)
    if not rows:
        return 0
    with translated(name_of(engine)):
        pooled = engine.raw_connection()
        try:
            cursor = pooled.cursor()
            execute_values(
                cursor,
                "INSERT INTO corporate_actions AS known (symbol, ex_date, kind, value, source) VALUES %s "
                "ON CONFLICT (symbol, ex_date, kind) DO UPDATE SET value = excluded.value, source = excluded.source "
                "WHERE (known.value, known.source) IS DISTINCT FROM (excluded.value, excluded.source)",
                rows,
                page_size=len(rows),
            )
            changed = int(cursor.rowcount)
            pooled.commit()
        finally:
            pooled.close()
    return changed


def corporate_actions(engine: Engine, symbol: str, *, at: datetime | None = None) -> pd.DataFrame:
    """Return the splits and dividends of `symbol` that had taken effect at the exchange's date of `at`.

    Returns
    -------
    DataFrame
        `ex_date`, `kind`, `value`, `source`, by date. No rows where none is known: most symbols never split.
    """
    until = exchange_date(as_utc(at)) if at is not None else date.max
    with cursor_of(engine) as cursor:
        cursor.execute(
            "SELECT ex_date, kind, value, source FROM corporate_actions WHERE symbol = %s AND ex_date <= %s "
            "ORDER BY ex_date, kind",
            (symbol, until),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(ACTION_COLUMNS[1:]))
    kinds = {"ex_date": "datetime64[s]", "kind": "category", "value": "float64", "source": "category"}
    return frame.astype(kinds)


def _rows(actions: pd.DataFrame) -> list[tuple[str, date, str, float, str]]:
    for column in ACTION_COLUMNS:
        if column not in actions.columns:
            raise InputError(f"actions.{column}", list(actions.columns), "this column to be present")
    found: dict[tuple[str, date, str], tuple[str, date, str, float, str]] = {}
    for symbol, ex_date, kind, value, source in actions[list(ACTION_COLUMNS)].itertuples(index=False, name=None):
        if kind not in KINDS:
            raise InputError("actions.kind", kind, " or ".join(KINDS))
        if not 0 < value < float("inf"):
            raise InputError("actions.value", value, "a number > 0")
        if pd.isna(ex_date):
            raise InputError("actions.ex_date", ex_date, "a date in every row")
        day = pd.Timestamp(ex_date).date()
        found[str(symbol), day, kind] = (str(symbol), day, kind, float(value), str(source))
    return list(found.values())
