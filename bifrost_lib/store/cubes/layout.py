"""Which columns a stored cube has, how often it is looked at, and where it lies."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from bifrost_lib.core.errors import InputError

#: Raised when the columns or their meaning change: cubes of another layout are made anew.
LAYOUT_VERSION = 2

#: What grows by a number of its own: contracts, rows (contract and session), moments, quotes, and forwards.
SHELVES = ("contract", "row", "moment", "quote", "forward")

#: column -> (what it grows with, dtype on the disk: little-endian always).
COLUMNS: dict[str, tuple[str, str]] = {
    **{"expiry_day": ("contract", "<i4"), "expires_us": ("contract", "<i8"), "strike": ("contract", "<f8")},
    **{"multiplier": ("contract", "<f8"), "class_no": ("contract", "<i2"), "contract_id": ("contract", "<i8")},
    **dict.fromkeys(("is_call", "is_am", "is_american"), ("contract", "|b1")),
    "row_contract": ("row", "<i4"),
    **{"moment_us": ("moment", "<i8"), "spot": ("moment", "<f8")},
    **{"bid": ("quote", "<f8"), "ask": ("quote", "<f8"), "delta": ("quote", "<f4"), "flags": ("quote", "|u1")},
    **dict.fromkeys(("iv", "gamma", "vega", "theta", "open_interest", "volume"), ("quote", "<f4")),
    "forward": ("forward", "<f8"),
}

DAILY = "daily"
_LONGEST_MIN = 390


def read_cadence(cadence: str | int) -> int:
    """Return the minutes between the moments of a cube, 0 for the close alone.

    Raises
    ------
    InputError
        If it is neither ``daily`` nor a whole number of minutes from 1 to 390.
    """
    if cadence == DAILY:
        return 0
    try:
        minutes = int(cadence)
    except ValueError:
        minutes = 0
    if not 1 <= minutes <= _LONGEST_MIN:
        raise InputError("cadence", cadence, f"daily, or whole minutes from 1 to {_LONGEST_MIN}")
    return minutes


def cube_folder(home: Path, symbol: str, minutes: int) -> Path:
    """Return the folder of a symbol's cube; whatever the symbol, it is inside ``cubes``."""
    name = quote(symbol, safe="").replace(".", "%2E")
    return home / "cubes" / name / (f"{minutes}min" if minutes else DAILY)
