"""What the database can answer instead of rows, as errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg2
from sqlalchemy.exc import DBAPIError

from bifrost_lib.core.errors import BifrostError, InputError, SourceUnavailable, StoreError

_UNREACHABLE = ("08", "57P")  # connection exceptions, operator intervention
_VALUES = ("22", "23")  # data exceptions, constraints


class AlreadyIngested(BifrostError):  # noqa: N818 - nothing is wrong, there is only nothing to do
    """The file is in the store already; the attributes repeat what the ledger says of that time."""

    def __init__(
        self, path: str, *, rows_read: int, rows_stored: int, rejected: Mapping[str, int], finished: datetime
    ) -> None:
        self.path, self.rows_read, self.rows_stored = path, rows_read, rows_stored
        self.rejected, self.finished = dict(rejected), finished
        super().__init__(f"{path} was stored on {finished:%Y-%m-%d %H:%M} UTC ({rows_stored} rows); nothing to do")


class SpoolFull(BifrostError):  # noqa: N818 - as its neighbours
    """There is no room on the spool; nothing of it was dropped. `needed`, `taken` and `allowed` are in bytes."""

    def __init__(self, folder: Path, *, needed: int, taken: int, allowed: int) -> None:
        self.folder, self.needed, self.taken, self.allowed = folder, needed, taken, allowed
        super().__init__(
            f"the spool in {folder} is full: {taken >> 20} of {allowed >> 20} MB are taken; "
            f"bring the database back, so that it is delivered"
        )


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn the driver's errors into ours; `place` names the database, never its password."""
    try:
        yield
    except DBAPIError as error:
        raise as_bifrost_error(error.orig, place) from None
    except psycopg2.Error as error:
        raise as_bifrost_error(error, place) from None


def as_bifrost_error(error: BaseException | None, place: str) -> BifrostError:
    """Return our error for one of the driver's."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    line, code = lines[0].strip(), getattr(error, "pgcode", None) or ""
    if code == "53100":
        return StoreError(f"{place}: the disk is full; free some space and run the same again ({line})")
    if code == "40P01":
        return StoreError(f"{place}: another process is storing the same contracts; run the same again")
    if code.startswith("42501"):
        return StoreError(f"{place}: {line}; give the database's role that right")
    if code.startswith(_VALUES):
        return InputError("rows", line, "values that the tables can hold")
    is_unreachable = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    if code.startswith(_UNREACHABLE) or (is_unreachable and not code):
        return SourceUnavailable(place, line)
    return StoreError(f"{place}: {line}")
