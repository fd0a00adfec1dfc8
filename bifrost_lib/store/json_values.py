"""Values for JSON columns: numbers that JSON has no word for become null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any

from psycopg2.extras import Json


def json_column(value: Any) -> Json:
    """Return `value` for a JSONB column: NaN and infinity as null, moments and dates as ISO 8601 text."""
    return Json(plain(value), dumps=_dumped)


def plain(value: Any) -> Any:
    """Return `value` in JSON's types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return plain(value.item()) if hasattr(value, "item") else value


def number(value: Any) -> float | None:
    """Return a number for a column of numbers; None where it is missing or has no bound."""
    return float(value) if value is not None and isfinite(value) else None


def _dumped(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
