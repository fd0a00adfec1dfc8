"""The rows of a LEAN option archive: thousands of small members parsed as a few large texts."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.lean_names import SCALE, Archive, Member, parse_member
from bifrost_lib.feeds.lines import Lines, Scanner
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.moments import BAD, BLANK
from bifrost_lib.feeds.records import Reject
from bifrost_lib.feeds.scan_layout import EMBEDDED_NUL, FINE, MOMENT, NUMBER, SKIP
from bifrost_lib.feeds.streams import open_archive

_GROUP_BYTES = 8 << 20
_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_BAR_US = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000}
#: Words by column, per kind of row: bars carry the close of each side, ticks the values themselves.
_BARS = {
    "quote": ("time", "", "", "", "bid", "bid_size", "", "", "", "ask", "ask_size"),
    "trade": ("time", "", "", "", "last", "volume"),
    "openinterest": ("time", "open_interest"),
}
_TICKS = {
    "quote": ("time", "bid", "bid_size", "ask", "ask_size", "", ""),
    "trade": ("time", "last", "volume", "", "", ""),
    "openinterest": ("time", "open_interest"),
}
_PRICES = ("bid", "ask", "last")
_TEXT = Mapping("lean", thousands="", blank_words=())

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Contract:
    """A contract as LEAN names it; `name` is the option root in capitals."""

    name: str
    style: str
    is_call: bool
    strike: float
    expiry: int


class Contracts:
    """Contracts of a set of archives and their codes."""

    def __init__(self) -> None:
        self.list: list[Contract] = []
        self._codes: dict[Contract, int] = {}

    def code(self, member: Member) -> int:
        """Return the code of a member's contract."""
        expiry = (member.expiry - _EPOCH).days
        contract = Contract(member.symbol, member.style, member.is_call, member.strike, expiry)
        known = self._codes.get(contract)
        if known is None:
            known = self._codes[contract] = len(self.list)
            self.list.append(contract)
        return known


@dataclass
class LeanRows:
    """Accepted rows of one archive, and the refused ones.

    `columns` has contract (code), ts (UTC microseconds when the row became known), day (exchange date), line, member
    (place in `members`), and the kind's numbers in currency and contracts.
    """

    columns: dict[str, Array]
    members: list[str]
    rejects: list[Reject]
    resolution: str


def read_archive(path: Path, archive: Archive, contracts: Contracts) -> LeanRows:
    """Read all members of an option archive.

    A bar is known at its end: a minute bar of 09:30 has the moment 09:31, a daily bar the session's close.

    Raises
    ------
    FileFormatError
        If the archive or a member is damaged, or its resolution cannot be told.
    """
    reader = _Reader(path, archive, contracts)
    with open_archive(path) as opened:
        for texts in _grouped(_members(path, opened)):
            reader.read(texts)
    return reader.rows()


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for entry in archive.infolist():
        if entry.is_dir() or entry.filename.startswith("__MACOSX"):
            continue
        try:
            data = archive.read(entry)
        except (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
            problem = f"cannot be unpacked ({error}); nothing of this file can be trusted"
            raise FileFormatError(path, problem, member=entry.filename) from None
        if entry.filename.lower().endswith(".zip"):
            try:
                inner = zipfile.ZipFile(io.BytesIO(data))
            except zipfile.BadZipFile as error:
                raise FileFormatError(path, f"no readable zip archive: {error}", member=entry.filename) from None
            with inner:
                yield from _members(path, inner)
        else:
            yield entry.filename, data


def _grouped(members: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    group: list[tuple[str, bytes]] = []
    size = 0
    for name, data in members:
        group.append((name, data))
        size += len(data)
        if size > _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Reader:
    def __init__(self, path: Path, archive: Archive, contracts: Contracts) -> None:
        self._path, self._archive, self._contracts = path, archive, contracts
        self._resolution = archive.resolution
        self._names: list[str] = []
        self._codes: list[int] = []
        self._days: list[int] = []
        self._pieces: list[dict[str, Array]] = []
        self._rejects: list[Reject] = []
        self._plan = Plan([], ",", np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        self._scanner: Scanner | None = None

    def read(self, texts: list[tuple[str, bytes]]) -> None:
        """Read one group of members, put together into one text."""
        known = []
        for name, data in texts:
            member = parse_member(name)
            if member is None or member.kind != self._archive.kind:
                self._refuse_member(name, data)
            elif data.strip():
                known.append((name, member, data if data.endswith(b"\n") else data + b"\n"))
        if not known:
            return
        first = len(self._names)
        self._resolution = self._resolution or known[0][1].resolution or _dated_resolution(known[0][2])
        starts = np.cumsum([0] + [len(data) for _, _, data in known[:-1]])
        lines = np.cumsum([0] + [data.count(b"\n") for _, _, data in known[:-1]])
        for name, member, _ in known:
            day = member.day or self._archive.day
            self._names.append(name)
            self._codes.append(self._contracts.code(member))
            self._days.append((day - _EPOCH).days if day else -1)
        for found in self._scanned(b"".join(data for _, _, data in known)):
            place = np.searchsorted(starts, found.start, side="right") - 1
            self._accept(found, place + first, found.line - lines[place])

    def _scanned(self, text: bytes) -> Iterator[Lines]:
        dated = self._resolution in ("hour", "daily")
        if self._scanner is None:
            self._plan = _plan(self._archive.kind, str(self._resolution), dated)
            self._scanner = Scanner(None, self._plan, _TEXT)
        yield from self._scanner.rows(text, 1)

    def _accept(self, lines: Lines, member: Array, line: Array) -> None:
        reason = np.full(lines.count, "", dtype=object)
        reason[lines.status == EMBEDDED_NUL] = "embedded_nul"
        reason[(lines.status != FINE) & (reason == "")] = "wrong_columns"
        columns = {"contract": np.array(self._codes, dtype=np.int32)[member], "line": line, "member": member}
        columns["ts"], columns["day"] = self._moments(lines, member, reason)
        for word, slot in self._plan.numbers.items():
            if word == "time":
                continue
            value = lines.numbers[slot] * (SCALE if word in _PRICES else 1.0)
            if word in _PRICES:
                value = np.round(value, 4)
            bad = (lines.bad_numbers >> slot) & 1 == 1
            _mark(reason, bad, "bad_number")
            _mark(reason, value < 0, "negative_price" if word in _PRICES else "negative_size")
            columns[word] = value
        expiries = np.array([contract.expiry for contract in self._contracts.list], dtype=np.int64)
        _mark(reason, expiries[columns["contract"]] < columns["day"], "expired")
        refused = np.flatnonzero(reason != "")
        for row in refused:
            self._rejects.append(
                Reject(int(line[row]), self._names[member[row]], reason[row], lines.raw(int(row))[:1000])
            )
        keep = reason == "" if len(refused) else slice(None)
        self._pieces.append({name: np.array(values[keep]) for name, values in columns.items()})

    def _moments(self, lines: Lines, member: Array, reason: Array) -> tuple[Array, Array]:
        fine = lines.status == FINE
        if "time" in self._plan.numbers:
            slot = self._plan.numbers["time"]
            day = np.array(self._days, dtype=np.int64)[member]
            clock = np.where(fine, lines.numbers[slot], 0.0)
            unread = (lines.bad_numbers >> slot) & 1 == 1
            _mark(reason, fine & ~unread & np.isnan(clock), "missing_date")
            clock = np.nan_to_num(clock)
            _mark(reason, unread | (clock < 0) | (clock >= 86_400_000) | (clock % 1 != 0) | (day < 0), "bad_date")
            local = day * _DAY_US + np.where(reason == "", clock, 0).astype(np.int64) * 1000
        else:
            flag = lines.flags[0]
            _mark(reason, fine & (flag == BLANK), "missing_date")
            _mark(reason, fine & (flag == BAD), "bad_date")
            local = np.where(reason == "", lines.moments[0], 0)
            day = local // _DAY_US
            _mark(reason, (day < exchange_time.FIRST) | (day > exchange_time.LAST), "bad_date")
        unusable = reason != ""
        local = np.where(unusable, 0, local)
        if self._resolution == "daily":
            ts = exchange_time.session_closes(np.where(unusable, exchange_time.FIRST, day))
            _mark(reason, ts == exchange_time.NO_SESSION, "not_a_session")
        else:
            ts = exchange_time.local_to_utc(local, EXCHANGE_TZ)
            if self._archive.kind != "openinterest":
                ts = ts + _BAR_US.get(str(self._resolution), 0)
        return ts, day

    def _refuse_member(self, name: str, data: bytes) -> None:
        for number, raw in enumerate(data.splitlines(), start=1):
            if raw.strip():
                self._rejects.append(Reject(number, name, "bad_member_name", raw.decode("utf-8", "replace")[:1000]))

    def rows(self) -> LeanRows:
        """Return everything read."""
        words = [word for word in _BARS[self._archive.kind] if word and word != "time"]
        dtypes = {"contract": "int32", "line": "int64", "member": "int64", "ts": "int64", "day": "int64"}
        columns = {
            name: np.concatenate([piece[name] for piece in self._pieces])
            if self._pieces
            else np.empty(0, dtype=dtypes.get(name, "float64"))
            for name in (*dtypes, *words)
        }
        return LeanRows(columns, self._names, self._rejects, str(self._resolution))


def _plan(kind: str, resolution: str, dated: bool) -> Plan:
    words = (_TICKS if resolution == "tick" else _BARS)[kind]
    plan = Plan(list(words), ",", np.full(len(words), SKIP, dtype=np.int64), np.zeros(len(words), dtype=np.int64))
    for column, word in enumerate(words):
        if word == "time" and dated:
            plan.kinds[column] = MOMENT
            plan.moments["time"] = 0
            plan.formats.append(["%Y%m%d %H:%M", "%Y%m%d"])
        elif word:
            plan.kinds[column], plan.slots[column] = NUMBER, len(plan.numbers)
            plan.numbers[word] = len(plan.numbers)
    return plan


def _dated_resolution(data: bytes) -> str:
    # Rows of daily and hourly archives look alike but for the time of day.
    times = {line.split(b",", 1)[0].strip()[-5:] for line in data.splitlines()[:50] if line.strip()}
    return "daily" if times <= {b"00:00"} else "hour"


def _mark(reason: Array, rows: Array, name: str) -> None:
    reason[rows & (reason == "")] = name


def day_of(days: int) -> date:
    """Return the date of days since 1970."""
    return _EPOCH + timedelta(days=days)
