"""What LEAN says by names: of its folders, its archives, and the members in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

KINDS = ("quote", "trade", "openinterest")
RESOLUTIONS = ("tick", "second", "minute", "hour", "daily")
#: Prices of equities and their options are written as whole ten-thousandths.
SCALE = 1e-4
_YEAR_ARCHIVE = re.compile(
    r"(?P<symbol>[a-z0-9.\-]+?)(?:_(?P<year>\d{4}))?_(?P<kind>quote|trade|openinterest)_(?P<style>american|european)(?:\.zip)+"
)
_DAY_ARCHIVE = re.compile(r"(?P<date>\d{8})_(?P<kind>quote|trade|openinterest)_(?P<style>american|european)(?:\.zip)+")
_MEMBER = re.compile(
    r"(?:(?P<date>\d{8})_)?(?P<symbol>[a-z0-9.\-]+)_(?:(?P<resolution>tick|second|minute|hour|daily)_)?"
    r"(?P<kind>quote|trade|openinterest)_(?P<style>american|european)_(?P<right>call|put)_"
    r"(?P<strike>\d{1,12})_(?P<expiry>\d{8})\.csv"
)
_UNIVERSE = re.compile(r"(?P<date>\d{8})\.csv(?:\.gz|\.xz)?")
#: Folders of a LEAN tree whose files are read beside the options, or not at all.
_CONTEXT_FOLDERS = {
    "equity",
    "index",
    "forex",
    "crypto",
    "cfd",
    "future",
    "futureoption",
    "cryptofuture",
    "alternative",
    "market-hours",
    "symbol-properties",
    "factor_files",
    "map_files",
}
_LEAF_FOLDERS = {*RESOLUTIONS, "factor_files", "map_files", "shortable", "universes", "fundamental", "margin_interest"}


@dataclass(frozen=True)
class Archive:
    """An option archive by its name. `group` is what the quote, trade and open-interest archives of one set share."""

    kind: str
    group: tuple[str, str]
    day: date | None
    resolution: str | None


@dataclass(frozen=True)
class Member:
    """One contract's rows in an archive. `strike` is in currency, `day` the session when the rows hold times only."""

    symbol: str
    kind: str
    style: str
    is_call: bool
    strike: float
    expiry: date
    day: date | None
    resolution: str | None


def parse_archive(path: Path) -> Archive | None:
    """Read the name of an option archive; None if it is none."""
    name = path.name.lower()
    folders = [part.lower() for part in path.absolute().parts[:-1]]
    resolution = next((folder for folder in reversed(folders[-2:]) if folder in RESOLUTIONS), None)
    if found := _DAY_ARCHIVE.fullmatch(name):
        day = _date(found["date"])
        group = (str(path.parent), f"{found['date']}_{found['style']}")
        return Archive(found["kind"], group, day, resolution) if day else None
    if found := _YEAR_ARCHIVE.fullmatch(name):
        group = (str(path.parent), f"{found['symbol']}_{found['year'] or ''}_{found['style']}")
        return Archive(found["kind"], group, None, resolution)
    return None


def underlying_name(path: Path) -> str | None:
    """Return the underlying of an option archive or universe file as LEAN writes it in file names, or None."""
    if universe_day(path) is not None or _DAY_ARCHIVE.fullmatch(path.name.lower()):
        return path.absolute().parent.name.lower()
    found = _YEAR_ARCHIVE.fullmatch(path.name.lower())
    return found["symbol"] if found else None


def parse_member(name: str) -> Member | None:
    """Read the name of an archive's member; None if it does not name a contract."""
    found = _MEMBER.fullmatch(name.rpartition("/")[2].lower())
    if not found:
        return None
    expiry, strike = _date(found["expiry"]), int(found["strike"]) * SCALE
    day = _date(found["date"]) if found["date"] else None
    if expiry is None or strike <= 0 or (found["date"] and day is None):
        return None
    return Member(
        found["symbol"].upper(),
        found["kind"],
        found["style"],
        found["right"] == "call",
        round(strike, 4),
        expiry,
        day,
        found["resolution"],
    )


def universe_day(path: Path) -> date | None:
    """Return the date of a universe file (``universes/<symbol>/yyyymmdd.csv``); None if it is none."""
    found = _UNIVERSE.fullmatch(path.name.lower())
    inside = len(path.absolute().parts) > 2 and path.absolute().parts[-3].lower() == "universes"
    return _date(found["date"]) if found and inside else None


def is_context(path: Path) -> bool:
    """Tell whether a file of a LEAN tree is not of options: prices of underlyings, factors, maps, other markets."""
    folders = [part.lower() for part in path.parts[:-1]]
    for place, folder in enumerate(folders):
        if folder in ("factor_files", "map_files", "market-hours", "symbol-properties"):
            return True
        if folder in _CONTEXT_FOLDERS and _LEAF_FOLDERS & set(folders[place + 1 :]):
            return True
    return False


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
