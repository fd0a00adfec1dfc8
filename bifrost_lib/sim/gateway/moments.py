"""Moments as texts of the protocol."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.sim.gateway.describe import TIME_ZONE
from bifrost_lib.sim.gateway.registry import Refusal

_MOMENT = re.compile(
    r"(?P<day>\d{4}-?\d\d-?\d\d)(?:(?P<mark>[- ])\s*(?P<time>\d{1,2}:\d\d(?::\d\d)?)(?:\.\d+)?)?(?:\s+(?P<zone>\S+))?"
)


def read_moment(text: str, zone: tzinfo = EXCHANGE_TZ) -> datetime | None:
    """Read ``20261120 16:00:00 US/Eastern``, ``20261120-21:00:00`` (UTC) or ``2026-11-20 16:00:00`` as aware UTC.

    Parameters
    ----------
    zone : tzinfo
        Where the clock hangs when the text names no zone.

    Returns
    -------
    datetime or None
        None for an empty text.

    Raises
    ------
    Refusal
        10314 for anything else.
    """
    text = text.strip()
    if not text:
        return None
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise Refusal(10314)
    is_utc = found["mark"] == "-" and not found["zone"]
    try:
        where = ZoneInfo(found["zone"]) if found["zone"] else UTC if is_utc else zone
        clock = [int(part) for part in (found["time"] or "0:0").split(":")]
        day = datetime.strptime(found["day"].replace("-", ""), "%Y%m%d")  # noqa: DTZ007 (its zone comes next)
        return day.replace(hour=clock[0], minute=clock[1], second=clock[2] if clock[2:] else 0,
                           tzinfo=where).astimezone(UTC)  # fmt: skip
    except (ValueError, ZoneInfoNotFoundError):
        raise Refusal(10314) from None


def write_moment(moment: datetime | float) -> str:
    """Write a moment (aware, or epoch seconds) as ``20261120 16:00:00 US/Eastern``."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return f"{moment.astimezone(EXCHANGE_TZ):%Y%m%d %H:%M:%S} {TIME_ZONE}"
