"""What commands print: JSON with stable keys, CSV, or a table for people."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def print_json(data: object) -> None:
    """Print `data` as one JSON document: NaN and infinity as null, moments as ISO 8601 in UTC."""
    sys.stdout.write(json.dumps(json_ready(data), allow_nan=False, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print `rows` as CSV with a header; missing values are empty, nested ones JSON."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(json_ready(row.get(column))) for column in columns])


def print_table(
    title: str, rows: Sequence[Sequence[str]], header: Sequence[str], *, left: Sequence[str] = (), note: str = ""
) -> None:
    """Print a table: numbers to the right, the columns named in `left` to the left."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", caption=Text(note) if note else None, caption_justify="left")
    for name in header:
        table.add_column(name, justify="left" if name in left else "right", no_wrap=name not in left)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    if not console.is_terminal:  # a pipe or a file has no width: print every column in full
        console = Console(width=max(200, console.width))
    console.print(table)


def frame_rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of `frame` as JSON-ready mappings under `columns`."""
    ready = {column: _json_column(frame[column]) for column in columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*ready.values(), strict=True)]


def json_ready(value: Any) -> Any:
    """Return `value` in JSON's types."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):
        return json_ready(value.item())
    return value


def number(value: float | None, digits: int = 2, *, unit: str = "") -> str:
    """Return a number for a table, ``-`` where there is none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:,.{digits}f}{unit}"


def _json_column(column: pd.Series[Any]) -> list[Any]:
    kind = str(column.dtype)
    if kind.startswith("datetime64[us"):
        return [text + "Z" for text in column.dt.strftime("%Y-%m-%dT%H:%M:%S")]
    if kind.startswith("datetime64"):
        return list(column.dt.strftime("%Y-%m-%d"))
    if kind.startswith("float"):
        return [item if math.isfinite(item) else None for item in column.tolist()]
    return list(column.tolist())


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value, allow_nan=False) if isinstance(value, dict | list) else value
