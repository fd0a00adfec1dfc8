"""Column mappings: what a vendor's columns mean, as TOML; the built-in ones and those that a user writes.

A mapping for a vendor that nobody has seen before::

    name = "acme"
    layout = "one_contract"          # or "both_rights": one line per strike, with columns for the call and the put
                                     # or "calls_left": the same names left (calls) and right (puts) of the strike
    [columns]                        # our word = the vendor's header, or a list of headers to try in order
    ts = "Snapshot"
    symbol = "Underlying"
    expiry = "Expiration"
    strike = "Strike Px"
    right = "C/P"
    bid = "Best Bid"
    ask = "Best Ask"
    spot = "Stock Price"

    [time]
    formats = ["%d.%m.%Y %H:%M"]     # strptime directives, or iso, unix_s, unix_ms, unix_us, unix_ns
    zone = "Europe/Berlin"           # of times without an offset; default America/New_York
    date_only = "session_close"      # when a bare date was observed: session_close, or a time such as "15:45"

    [expiry]
    formats = ["%d.%m.%Y"]

Words of a row: ``ts`` (or ``date`` and ``time`` in two columns), ``symbol`` (the underlying), ``trading_class`` (the
option root), ``occ_symbol``, ``expiry``, ``strike``, ``right``, ``style``, ``settlement``, ``multiplier``, ``spot``
(or ``spot_bid`` and ``spot_ask``, whose middle it is then), ``moneyness`` ((spot - strike) / spot of calls and the
opposite of puts; where a snapshot has no spot, it is the price to the cent that all these figures allow). Words of a
quote: ``bid``, ``ask``, ``last``, ``bid_size``, ``ask_size`` (or ``sizes``, such as "12 x 34"), ``volume``,
``open_interest``.

Everything else is optional and documented at `Mapping`: ``[time]``, ``[expiry]`` and ``[symbol]`` take ``file_name``,
a regular expression with a group of their name, for what only the file's name says; ``[constants]`` holds what
nothing says; ``[rights]`` has the vendor's words for ``call`` and ``put``. Headers are compared without case, spaces
and punctuation. An OCC symbol column may stand for expiry, right and strike. With ``both_rights`` the quote columns
are in the tables ``[calls]`` and ``[puts]`` instead of ``[columns]``. An unknown key fails and names the nearest known
one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.feeds.moment_formats import compile_formats

LAYOUTS = ("one_contract", "both_rights", "calls_left")
#: Words for a column that describes the row as a whole.
ROW_FIELDS = (
    "ts",
    "date",
    "time",
    "symbol",
    "trading_class",
    "occ_symbol",
    "expiry",
    "strike",
    "right",
    "style",
    "settlement",
    "multiplier",
    "spot",
    "spot_bid",
    "spot_ask",
    "moneyness",
)
#: Words for a column of a quote; with two rights on a line there is one of each per right.
QUOTE_FIELDS = ("bid", "ask", "last", "bid_size", "ask_size", "sizes", "volume", "open_interest")
CONSTANT_FIELDS = ("ts", "symbol", "trading_class", "expiry", "style", "settlement", "multiplier", "spot")
_TEXT_KEYS = ("name", "help", "layout", "delimiter", "decimal", "thousands", "footer", "note")
_LIST_KEYS = ("detect", "absent", "blank_words", "zero_is_missing")
_TABLES = {
    "columns": ROW_FIELDS + QUOTE_FIELDS,
    "calls": QUOTE_FIELDS,
    "puts": QUOTE_FIELDS,
    "time": (
        "formats",
        "clock_formats",
        "zone",
        "date_only",
        "file_name",
        "file_name_format",
        "footer",
        "footer_format",
        "footer_zone",
    ),
    "expiry": ("formats", "file_name", "file_name_format"),
    "symbol": ("file_name",),
    "rights": ("call", "put"),
    "constants": CONSTANT_FIELDS,
}
BLANK_WORDS = ("nan", "null", "none", "n/a", "na", "-", "--")
_NOT_WORD = re.compile(r"[^a-z0-9%#]+")
_BUILT_IN = Path(__file__).parent / "mappings"


@dataclass(frozen=True)
class Mapping:
    """What the columns of one vendor mean.

    Attributes
    ----------
    name, help, note : str
        What it is called, one line about it, and what a reader of its files should know.
    layout : {"one_contract", "both_rights", "calls_left"}
    columns, calls, puts : dict
        Our word to the vendor's headers, tried in order.
    detect, absent : tuple of str
        Headers that must all be there (``a|b``: one of them), or must not be there, for the layout to be recognised
        by itself.
    delimiter, decimal, thousands : str
        The delimiter is found by itself when empty.
    footer : str
        Regular expression of lines after the data that are no rows.
    blank_words : tuple of str
        Words that mean "no value" in any column, beside the empty field.
    zero_is_missing : tuple of str
        Quote words whose zero means "none", for example a last trade of 0.
    time, expiry, symbol, rights, constants : dict
        The tables of the same names.
    path : Path or None
        Where a user's mapping was read from.
    """

    name: str
    layout: str = "one_contract"
    help: str = ""
    note: str = ""
    columns: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    calls: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    puts: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    detect: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    delimiter: str = ""
    decimal: str = "."
    thousands: str = ","
    footer: str = ""
    blank_words: tuple[str, ...] = BLANK_WORDS
    zero_is_missing: tuple[str, ...] = ("last",)
    time: Dict[str, Any] = field(default_factory=dict)
    expiry: Dict[str, Any] = field(default_factory=dict)
    symbol: Dict[str, Any] = field(default_factory=dict)
    rights: Dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    @property
    def time_formats(self) -> list[str]:
        """Formats of the moment of observation."""
        return list(self.time.get("formats", ("iso",)))

    @property
    def clock_formats(self) -> list[str]:
        """Formats of a time of day in a column of its own."""
        return list(self.time.get("clock_formats", ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")))

    @property
    def expiry_formats(self) -> list[str]:
        """Formats of the expiration date."""
        return list(self.expiry.get("formats", ("iso",)))


def plain_name(header: str) -> str:
    """Return a header without case, spaces and punctuation, as headers are compared."""
    return _NOT_WORD.sub("", header.lower())


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises
    ------
    InputError
        If the file is missing, is no TOML, or says something that cannot be (`error.name` is the key).
    UnknownNameError
        For an unknown key; `error.nearest` is the likeliest intention.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("mapping", str(path), "a mapping file that exists") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError("mapping", str(path), f"a TOML file ({error})") from None
    return mapping_from(document, name=path.stem, path=path)


def mapping_from(document: Dict[str, Any], *, name: str, path: Path | None = None) -> Mapping:
    """Check a mapping document and return it as a `Mapping`; see `load_mapping`."""
    where = f" in {path}" if path else ""
    known = (*_TEXT_KEYS, *_LIST_KEYS, *_TABLES)
    settings: dict[str, Any] = {"name": name, "path": path}
    for key, value in document.items():
        if key not in known:
            raise UnknownNameError(f"mapping key{where}", key, known)
        if key in _TABLES:
            settings[key] = _table(key, value, where)
        elif key in _LIST_KEYS:
            settings[key] = _words(f"{key}{where}", value)
        elif not isinstance(value, str):
            raise InputError(f"{key}{where}", value, "text")
        else:
            settings[key] = value
    mapping = Mapping(**settings)
    _check(mapping, where)
    return mapping


def _table(key: str, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{key}{where}", value, f"a table [{key}]")
    for word in value:
        if word not in _TABLES[key]:
            raise UnknownNameError(f"key of [{key}]{where}", word, _TABLES[key])
    if key in ("columns", "calls", "puts", "rights"):
        return {word: _words(f"{key}.{word}{where}", names) for word, names in value.items()}
    return value


def _words(name: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise InputError(name, value, "text or a list of texts")
    return tuple(words)


def _check(mapping: Mapping, where: str) -> None:
    if mapping.layout not in LAYOUTS:
        raise InputError(f"layout{where}", mapping.layout, "one of " + ", ".join(LAYOUTS))
    for key in ("delimiter", "decimal", "thousands"):
        text = getattr(mapping, key)
        if len(text) > 1 or not text.isascii() or (key == "decimal" and not text):
            raise InputError(f"{key}{where}", text, "one character")
    if (mapping.layout == "both_rights") != bool(mapping.calls or mapping.puts):
        raise InputError(f"layout{where}", mapping.layout, "both_rights exactly when there are [calls] and [puts]")
    compile_formats(mapping.time_formats, name=f"time.formats{where}")
    compile_formats(mapping.clock_formats, name=f"time.clock_formats{where}")
    compile_formats(mapping.expiry_formats, name=f"expiry.formats{where}")
    for key in ("zone", "footer_zone"):
        try:
            ZoneInfo(mapping.time.get(key, "UTC"))
        except (ZoneInfoNotFoundError, ValueError, TypeError):
            raise InputError(f"time.{key}{where}", mapping.time[key], "a zone such as America/New_York") from None
    date_only = mapping.time.get("date_only", "session_close")
    if date_only != "session_close" and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(date_only)):
        raise InputError(f"time.date_only{where}", date_only, 'session_close or a time such as "15:45"')
    for table, key in (("time", "file_name"), ("time", "footer"), ("expiry", "file_name"), ("symbol", "file_name")):
        _check_pattern(f"{table}.{key}{where}", getattr(mapping, table).get(key, ""), needs=table)
    _check_pattern(f"footer{where}", mapping.footer, needs="")


def _check_pattern(name: str, pattern: Any, *, needs: str) -> None:
    try:
        groups = re.compile(pattern).groupindex
    except (re.error, TypeError):
        raise InputError(name, pattern, "a regular expression") from None
    if pattern and needs and needs not in groups:
        raise InputError(name, pattern, f"a regular expression with the group (?P<{needs}>...)")


@cache
def built_in_mappings() -> Dict[str, Mapping]:
    """Return the mappings that come with the package, by name."""
    found = {}
    for path in sorted(_BUILT_IN.glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = mapping_from(document, name=path.stem)
    return found
