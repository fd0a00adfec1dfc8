"""Which mapping reads a file, found by its header, and what its name or footer says in place of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import FileFormatError, InputError, UnknownNameError
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.binding import Plan, bind, fits, missing_words, split_header
from bifrost_lib.feeds.mapping import Mapping, built_in_mappings, load_mapping, plain_name
from bifrost_lib.feeds.moments import DATE_ONLY, UTC, parse_moment_text
from bifrost_lib.feeds.parquet import open_parquet
from bifrost_lib.feeds.quotes import clean_name
from bifrost_lib.feeds.streams import ByteSource, is_parquet, open_text

_HEADER_WITHIN = 20
_DAY_US = 86_400_000_000
_HOW = "describe it in a mapping file (bifrost_lib.feeds.mapping shows one) and pass --format MAPPING.toml"


@dataclass(frozen=True)
class Header:
    """A part's header: the plan for it, the number of the first line after it, and the text from there on."""

    mapping: Mapping
    plan: Plan
    line: int
    rest: bytes
    line_end: int


def candidates(layout: str) -> Sequence[Mapping]:
    """Return the mappings that ``--format`` asks for: all for ``auto``, a family by its name, or a user's file.

    Raises
    ------
    UnknownNameError
        If the name is neither a known one nor ends in ``.toml``.
    """
    built_in = built_in_mappings()
    if layout == "auto":
        return list(built_in.values())
    if layout.endswith(".toml"):
        return [load_mapping(Path(layout))]
    if layout not in {name.partition("_")[0] for name in built_in} | set(built_in):
        raise UnknownNameError("format", layout, ["auto", "lean", *built_in, "MAPPING.toml"])
    exact = [built_in[layout]] if layout in built_in else []
    return exact + [mapping for name, mapping in built_in.items() if name.startswith(f"{layout}_")]


def open_part(path: Path, member: str | None) -> AbstractContextManager[ByteSource]:
    """Open a part of a file as text."""
    return open_parquet(path) if member is None and is_parquet(path) else open_text(path, member)


def find_header(stream: ByteSource, mappings: Sequence[Mapping]) -> Header:
    """Read to the header and bind it to the mapping that fits.

    Raises
    ------
    FileFormatError
        If the file is empty or its header fits no mapping; the message names the columns and the nearest mapping.
    """
    text = stream.read()
    if not text.strip():
        raise FileFormatError(stream.path, "is empty", member=stream.member)
    line_end = 13 if b"\r" in text and b"\n" not in text else 10
    lines = text.split(bytes([line_end]), _HEADER_WITHIN)[:_HEADER_WITHIN]
    begin = 0
    first: list[str] = []
    for number, raw in enumerate(lines, start=1):
        begin += len(raw) + 1
        line = raw.decode("utf-8", "replace")
        for mapping in _fitting(mappings, line, stream):
            header, delimiter = split_header(line, mapping.delimiter)
            try:
                plan = bind(mapping, header, delimiter)
            except InputError as error:
                raise FileFormatError(stream.path, str(error), line=number, member=stream.member) from None
            return Header(mapping, plan, number + 1, text[begin:], line_end)
        if not first and line.strip():
            first = split_header(line)[0]
    raise FileFormatError(stream.path, _unknown(first, mappings), line=1, member=stream.member)


def _fitting(mappings: Sequence[Mapping], line: str, stream: ByteSource) -> list[Mapping]:
    found = [
        mapping
        for place, mapping in enumerate(mappings)
        if fits(
            mapping,
            split_header(line, mapping.delimiter)[0],
            chosen=len(mappings) == 1 or (place == 0 and len({m.name.partition("_")[0] for m in mappings}) == 1),
        )
    ]
    families = {mapping.name.partition("_")[0] for mapping in found}
    if len(families) > 1:
        names = ", ".join(mapping.name for mapping in found)
        problem = f"fits several layouts ({names}); choose one with --format"
        raise FileFormatError(stream.path, problem, member=stream.member)
    return found[:1]


def _unknown(header: list[str], mappings: Sequence[Mapping]) -> str:
    shown = ", ".join(header[:40]) + (", ..." if len(header) > 40 else "")
    if len(mappings) == 1:
        lacking = _lacking(mappings[0], header)
        return f"does not fit the layout {mappings[0].name}, which needs {lacking}; columns found: {shown}"

    def share(mapping: Mapping) -> float:
        return 1 - len(_absent_headers(mapping, header)) / max(len(mapping.detect), 1)

    nearest = max(mappings, key=share)
    hint = f"; the nearest, {nearest.name}, needs {_lacking(nearest, header)}" if share(nearest) > 0.3 else ""
    return f"fits no known layout{hint}; columns found: {shown}; {_HOW}"


def _absent_headers(mapping: Mapping, header: list[str]) -> list[str]:
    names = {plain_name(cell) for cell in header}
    return [entry for entry in mapping.detect if not any(plain_name(name) in names for name in entry.split("|"))]


def _lacking(mapping: Mapping, header: list[str]) -> str:
    absent = [entry.replace("|", " or ") for entry in _absent_headers(mapping, header)]
    return ", ".join(absent or missing_words(mapping, header) or ["another combination of columns"])


@dataclass(frozen=True)
class Facts:
    """What holds for all rows of a file and is in no column: symbol, moment (UTC microseconds), expiry (days)."""

    symbol: str = ""
    ts: int | None = None
    expiry: int | None = None


def find_facts(path: Path, header: Header, symbol: str | None, footer: str) -> Facts:
    """Find what no column says: in the constants of the mapping, the file's name, its footer, or the caller's symbol.

    Raises
    ------
    InputError
        If nothing says the underlying symbol.
    FileFormatError
        If nothing says when the quotes were taken, or which expiry they are of.
    """
    mapping, plan = header.mapping, header.plan
    ts = expiry = None
    if "ts" not in plan.moments and "date" not in plan.moments:
        ts = _moment(path, mapping, footer)
    if "expiry" not in plan.moments and not plan.occ:
        expiry = _expiry(path, mapping)
    return Facts(_symbol(path, mapping, plan, symbol), ts, expiry)


def _symbol(path: Path, mapping: Mapping, plan: Plan, given: str | None) -> str:
    if "symbol" in plan.texts:
        return ""
    by_class = plan.occ or "trading_class" in plan.texts
    text = given or mapping.constants.get("symbol") or ("" if by_class else _in_name(path, mapping.symbol, "symbol"))
    name = clean_name(str(text or ""))
    if not name and (text or not by_class):
        expected = f"the underlying of {path.name}, which neither a column nor the file's name says; pass --symbol"
        raise InputError("symbol", given, expected)
    return name


def _moment(path: Path, mapping: Mapping, footer: str) -> int:
    zone = ZoneInfo(mapping.time.get("zone", EXCHANGE_TZ.key))
    formats = mapping.time_formats
    text = str(mapping.constants.get("ts", ""))
    if not text and (found := re.search(mapping.time.get("footer", r"(?!)"), footer)):
        text, formats = found["time"], [mapping.time.get("footer_format", "iso")]
        zone = ZoneInfo(mapping.time.get("footer_zone", zone.key))
    if not text:
        text = _in_name(path, mapping.time, "time")
        formats = [mapping.time["file_name_format"]] if "file_name_format" in mapping.time else formats
    if not text:
        problem = f"no column, footer or file name says when the quotes were taken; {_HOW} with ts under [constants]"
        raise FileFormatError(path, problem)
    value, flag = parse_moment_text(text, [*formats, "iso"])
    if flag == DATE_ONLY:
        value = exchange_time.close_of_day(value // _DAY_US)
        if value == exchange_time.NO_SESSION:
            raise FileFormatError(path, f"the quotes are dated {text}, which is no session of the exchange")
        return value
    if flag == UTC:
        return value
    if flag != 0:
        raise FileFormatError(path, f"the moment {text!r} cannot be read")
    return int(exchange_time.local_to_utc(np.array([value]), zone)[0])


def _expiry(path: Path, mapping: Mapping) -> int:
    text = str(mapping.constants.get("expiry", "")) or _in_name(path, mapping.expiry, "expiry")
    if not text:
        problem = f"neither a column nor the file's name says the expiration date; {_HOW} with expiry under [constants]"
        raise FileFormatError(path, problem)
    formats = [mapping.expiry["file_name_format"]] if "file_name_format" in mapping.expiry else mapping.expiry_formats
    value, flag = parse_moment_text(text, [*formats, "iso"])
    if flag > DATE_ONLY:
        raise FileFormatError(path, f"the expiration date {text!r} cannot be read")
    return value // _DAY_US


def _in_name(path: Path, table: Dict[str, Any], group: str) -> str:
    # In the file's name, without its extensions, or else in its folder's.
    pattern = table.get("file_name")
    if not pattern:
        return ""
    stem = re.sub(r"(\.(csv|txt|tsv|gz|xz|bz2|zip|parquet))+$", "", path.name, flags=re.IGNORECASE)
    names = (stem, path.absolute().parent.name) if group == "time" else (stem,)
    found = next((match for name in names if (match := re.search(pattern, name))), None)
    return found[group] if found else ""
