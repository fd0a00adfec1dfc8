"""Splits and dividends from LEAN factor files."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pandas as pd

from bifrost_lib.core.calendar import next_session
from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.core.sessions import LAST_DAY

COLUMNS = ("symbol", "ex_date", "kind", "value", "source")


def no_actions() -> pd.DataFrame:
    """Return the frame of corporate actions without rows."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})


def read_corporate_actions(path: Path | str, *, symbol: str | None = None) -> pd.DataFrame:
    """Read a factor file.

    Parameters
    ----------
    path : path
        Lines of date, price factor, split factor and reference close, oldest first. The factors of a line hold for
        days up to and including its date, and the next session is the ex-date of what changes after it.
    symbol : str, optional
        By default the file's name.

    Returns
    -------
    DataFrame
        symbol, ex_date (date), kind (``split`` or ``dividend``), value (new shares per old share, or currency per
        share as far as the seven digits of the factors tell), source.

    Raises
    ------
    FileFormatError
        If a line cannot be read; `error.line` says which.
    """
    path = Path(path)
    name = (symbol or path.name.lower().removesuffix(".csv")).upper()
    rows = _rows(path)
    found = []
    for (day, price, split, close), (_, next_price, next_split, _) in pairwise(rows):
        if day >= LAST_DAY or (price == next_price and split == next_split):
            continue
        ex_date = next_session(day)
        if split != next_split:
            found.append((name, ex_date, "split", _ratio(next_split / split), "lean"))
        if price != next_price and close > 0:
            found.append((name, ex_date, "dividend", round(close * (1 - price / next_price), 4), "lean"))
    kept = [row for row in found if row[3] > 0]
    return pd.DataFrame(kept, columns=list(COLUMNS)) if kept else no_actions()


def _rows(path: Path) -> list[tuple[date, float, float, float]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(path, f"cannot be read: {error}") from None
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""]:
            continue
        try:
            day = date(int(cells[0][:4]), int(cells[0][4:6]), int(cells[0][6:8]))
            price, split = float(cells[1]), float(cells[2])
            close = float(cells[3]) if len(cells) > 3 else 0.0
        except (ValueError, IndexError):
            raise FileFormatError(path, f"no line of a factor file: {line[:80]!r}", line=number) from None
        if not (price > 0 and split > 0 and close >= 0):
            raise FileFormatError(path, f"factors must be > 0: {line[:80]!r}", line=number)
        rows.append((day, price, split, close))
    return sorted(rows)


def _ratio(value: float) -> float:
    # 6.99998 comes from factors written with seven digits; the ratio of a split is one of small whole numbers.
    simple = float(Fraction(value).limit_denominator(50))
    return simple if abs(simple / value - 1) < 1e-4 else value
