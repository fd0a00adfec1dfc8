"""A mapping meets a header: which column is read how, and where what it holds goes."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.feeds.mapping import Mapping, plain_name
from bifrost_lib.feeds.moment_formats import compile_formats
from bifrost_lib.feeds.scan_layout import MOMENT, NUMBER, OCC, PERCENT, SIZES, SKIP, TEXT

_TEXT_FIELDS = ("symbol", "trading_class", "right", "style", "settlement")
_MOMENT_FIELDS = ("ts", "date", "time", "expiry")
DELIMITERS = ",;\t|"


@dataclass
class Plan:
    """How the kernel reads each column, and under which slot each of our words is found afterwards.

    `numbers`, `moments` and `texts` map a word to its slot; words of a quote carry the side in front when there are
    two (``call.bid``). `occ` tells whether an OCC column fills the words ``occ.strike``, ``occ.right`` (numbers),
    ``occ.expiry`` (moments) and ``occ.root`` (texts).
    """

    header: list[str]
    delimiter: str
    kinds: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    numbers: dict[str, int] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    formats: list[list[str]] = field(default_factory=list)
    sides: tuple[str, ...] = ("",)

    @property
    def occ(self) -> bool:
        """Whether there is an OCC symbol column."""
        return "occ.strike" in self.numbers

    def programs(self) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        """Return all compiled formats, and per moment slot the first and last program; the last row is for OCC."""
        compiled = [compile_formats(formats) for formats in self.formats] or [compile_formats(["iso"])]
        ends = np.cumsum([len(program) for program in compiled])
        spans = np.zeros((len(ends) + 1, 2), dtype=np.int64)
        spans[: len(ends), 1] = ends
        spans[1 : len(ends), 0] = ends[:-1]
        if self.occ:
            spans[-1] = self.numbers["occ.strike"], self.texts["occ.root"]
        return np.concatenate(compiled), spans

    def only_moments(self) -> Plan:
        """Return the plan that reads nothing but the moment of observation."""
        words = ("ts", "date", "time")
        wanted = {slot for word, slot in self.moments.items() if word in words}
        kinds = np.where((self.kinds == MOMENT) & np.isin(self.slots, list(wanted)), MOMENT, SKIP)
        moments = {word: slot for word, slot in self.moments.items() if word in words}
        return Plan(self.header, self.delimiter, kinds, self.slots, {}, moments, {}, self.formats)


def split_header(line: str, delimiter: str = "") -> tuple[list[str], str]:
    """Return the headers of a line and the delimiter between them, the likeliest one when not given."""
    if not delimiter:
        delimiter = max(DELIMITERS, key=line.count)
    cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, skipinitialspace=True), [])
    return [cell.strip() for cell in cells], delimiter


def fits(mapping: Mapping, header: list[str], *, chosen: bool = False) -> bool:
    """Tell whether a header has what identifies the mapping; `absent` does not matter when the user chose it."""
    names = {plain_name(cell) for cell in header}
    if not chosen and (any(plain_name(name) in names for name in mapping.absent) or _repeated(mapping, header)):
        return False
    wanted = all(any(plain_name(name) in names for name in entry.split("|")) for entry in mapping.detect)
    return wanted and not missing_words(mapping, header)


def missing_words(mapping: Mapping, header: list[str]) -> list[str]:
    """Return our words without which no quote can be read and that neither a column nor a constant gives."""
    found = _columns(mapping, header)
    missing = []
    if "occ_symbol" not in found:
        missing = [word for word in ("strike", "right") if word not in found]
    if mapping.layout != "one_contract" and "right" in missing:
        missing.remove("right")
    for side in _sides(mapping):
        dot = f"{side}." if side else ""
        if not any(f"{dot}{word}" in found for word in ("bid", "ask", "last")):
            missing.append(f"{dot}bid")
    return missing


def bind(mapping: Mapping, header: list[str], delimiter: str) -> Plan:
    """Return how files with this header are read.

    Raises
    ------
    InputError
        If a needed column is missing, or a header that is used occurs twice; `error.name` is our word for it.
    """
    if missing := missing_words(mapping, header):
        raise InputError(missing[0], header, f"a column that the mapping {mapping.name!r} names for it")
    found = _columns(mapping, header)
    if repeated := _repeated(mapping, header):
        raise InputError(repeated, header[found[repeated]], "a header that occurs once")
    used = list(found.values())
    for word, column in found.items():
        if used.count(column) > 1:
            others = [other for other, place in found.items() if place == column]
            raise InputError(word, header[column], f"one meaning per column, not {' and '.join(others)}")
    plan = Plan(
        header, delimiter, np.zeros(len(header), dtype=np.int64), np.zeros(len(header), np.int64), sides=_sides(mapping)
    )
    for word, column in found.items():
        _place(plan, mapping, word, column)
    return plan


def _repeated(mapping: Mapping, header: list[str]) -> str:
    # Our word for the first header that is used and occurs twice; '' when there is none.
    names = [plain_name(cell) for cell in header]
    if mapping.layout == "calls_left":
        return ""
    return next((word for word, column in _columns(mapping, header).items() if names.count(names[column]) > 1), "")


def _place(plan: Plan, mapping: Mapping, word: str, column: int) -> None:
    bare = word.rpartition(".")[2]
    if bare == "occ_symbol":
        plan.kinds[column], plan.slots[column] = OCC, len(plan.formats)
        plan.moments["occ.expiry"] = len(plan.formats)
        plan.formats.append(["iso"])
        plan.numbers["occ.strike"] = _width(plan)
        plan.numbers["occ.right"] = plan.numbers["occ.strike"] + 1
        plan.texts["occ.root"] = len(plan.texts)
    elif bare in _TEXT_FIELDS:
        plan.kinds[column], plan.slots[column] = TEXT, len(plan.texts)
        plan.texts[word] = len(plan.texts)
    elif bare in _MOMENT_FIELDS:
        formats = {"expiry": mapping.expiry_formats, "time": mapping.clock_formats}.get(bare, mapping.time_formats)
        plan.kinds[column], plan.slots[column] = MOMENT, len(plan.formats)
        plan.moments[word] = len(plan.formats)
        plan.formats.append(formats)
    elif bare == "sizes":
        dot = word.removesuffix("sizes")
        plan.kinds[column], plan.slots[column] = SIZES, _width(plan)
        plan.numbers[f"{dot}bid_size"] = _width(plan)
        plan.numbers[f"{dot}ask_size"] = _width(plan)
    else:
        plan.kinds[column], plan.slots[column] = PERCENT if bare == "moneyness" else NUMBER, _width(plan)
        plan.numbers[word] = _width(plan)


def _width(plan: Plan) -> int:
    return max(plan.numbers.values(), default=-1) + 1


def _sides(mapping: Mapping) -> tuple[str, ...]:
    return ("",) if mapping.layout == "one_contract" else ("put", "call")


def _columns(mapping: Mapping, header: list[str]) -> dict[str, int]:
    # Our words to the place of their column; the first of a word's headers that is there counts.
    names = [plain_name(cell) for cell in header]
    found: dict[str, int] = {}
    if mapping.layout != "calls_left":
        tables = (("", mapping.columns), ("call.", mapping.calls), ("put.", mapping.puts))
        for dot, table in tables:
            found |= {f"{dot}{word}": place for word, place in _places(table, names, 0).items()}
        return found
    strike = next(
        (names.index(plain_name(name)) for name in mapping.columns["strike"] if plain_name(name) in names), -1
    )
    if strike < 0:
        return {}
    quotes = {word: wanted for word, wanted in mapping.columns.items() if word in _QUOTE_WORDS}
    left, right = names[:strike], [re.sub(r"1$", "", name) for name in names[strike + 1 :]]
    found = {f"call.{word}": place for word, place in _places(quotes, left, 0).items()}
    found |= {f"put.{word}": place for word, place in _places(quotes, right, strike + 1).items()}
    rows = {word: wanted for word, wanted in mapping.columns.items() if word not in _QUOTE_WORDS}
    return found | _places(rows, names, 0)


_QUOTE_WORDS = ("bid", "ask", "last", "bid_size", "ask_size", "sizes", "volume", "open_interest")


def _places(table: Dict[str, tuple[str, ...]], names: list[str], offset: int) -> dict[str, int]:
    found = {}
    for word, wanted in table.items():
        place = next((names.index(plain_name(name)) for name in wanted if plain_name(name) in names), -1)
        if place >= 0:
            found[word] = place + offset
    return found
