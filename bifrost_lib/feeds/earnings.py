"""Earnings days from a table with a row for each thing that was learnt."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import parse_moment
from bifrost_lib.core.errors import FileFormatError, InputError, UnknownNameError
from bifrost_lib.core.sessions import FIRST_DAY, LAST_DAY
from bifrost_lib.core.vocabulary import EARNINGS_TIMES

COLUMNS = ("symbol", "report_date", "time_of_day", "fiscal_period", "known_at", "confirmed", "source")
NEVER = "none"
#: Vendors' words beside ours.
_TIMES = {**{name: name for name in EARNINGS_TIMES}, "": "unknown", "bmo": "before_open", "amc": "after_close"}
_FLAGS = {**dict.fromkeys(("true", "yes", "1", "confirmed"), True)}
_FLAGS |= dict.fromkeys(("", "false", "no", "0", "estimated"), False)


@dataclass(frozen=True)
class EarningsFile:
    """What a file says: `announcements` as the store takes them, and `notes`, what was assumed of how many rows."""

    announcements: pd.DataFrame
    notes: tuple[str, ...]


def read_earnings(
    path: Path | str, *, known_days_before: int | None = None, source: str | None = None, simulated: bool = False
) -> EarningsFile:
    """Read a file of earnings days, all of it or nothing.

    Parameters
    ----------
    path : path
        CSV with a header. `symbol` and `report_date` (2026-10-22, or ``none``: the day was withdrawn, or without a
        fiscal period, the symbol never reports) are needed; `time_of_day` (before_open or bmo, during, after_close or
        amc, empty: unknown), `fiscal_period` (2026Q3), `known_at` (a moment with its offset; a date means its end at
        the exchange), `confirmed` (true or false; empty: estimated) and `source` may be there.
    known_days_before : int, optional
        Days before the report at whose end a row without `known_at` counts as known.
    source : str, optional
        Of rows that name none. Default: the file's name.
    simulated : bool
        Whether all of it is made up.

    Returns
    -------
    EarningsFile

    Raises
    ------
    InputError
        If `known_days_before` is not a number of days >= 1.
    FileFormatError
        If a row cannot be read, or does not say since when it is known and `known_days_before` does not either;
        `error.line` is the first such line.

    Notes
    -----
    An event is a symbol and a fiscal period, by which a day that moves is known for the same report: a row with
    `known_at` needs one. Without either, each day is a report of its own: a file of final days says nothing of those
    that were believed before, and a backtest over it never meets one that moved.
    """
    path = Path(path)
    if known_days_before is not None and not known_days_before >= 1:
        raise InputError("known_days_before", known_days_before, "a number of days >= 1")
    reader = _Reader(known_days_before, source or path.name, simulated)
    found, problems = [], []
    for line, cells in _lines(path):
        try:
            found.append(reader.row(cells))
        except InputError as problem:
            problems.append((line, str(problem)))
    if problems:
        others = f"; {len(problems) - 1} more lines cannot be read" if len(problems) > 1 else ""
        raise FileFormatError(path, problems[0][1] + others + "; nothing was stored", line=problems[0][0])
    if not found:
        raise FileFormatError(path, "no row; expected at least one day of earnings")
    frame = pd.DataFrame(found)
    kinds = {"report_date": "datetime64[s]", "known_at": "datetime64[us, UTC]"}
    return EarningsFile(frame.astype(kinds), tuple(f"{text}: {count:,} rows" for text, count in reader.notes.items()))


class _Reader:
    """Reads rows, and counts what it had to assume."""

    def __init__(self, known_days_before: int | None, source: str, simulated: bool) -> None:
        self.notes: Counter[str] = Counter()
        self._days, self._source, self._simulated = known_days_before, source, simulated

    def row(self, cells: Mapping[str, str]) -> dict[str, Any]:
        symbol, day = cells["symbol"].upper(), _day(cells["report_date"])
        if not symbol:
            raise InputError("symbol", symbol, "the symbol of an underlying")
        known_at, is_assumed = self._known(cells.get("known_at", ""), day)
        return {
            "symbol": symbol,
            "fiscal_period": cells.get("fiscal_period") or _period(day, is_assumed=is_assumed),
            "report_date": day,
            "time_of_day": _word("time_of_day", cells, _TIMES),
            "known_at": known_at,
            "known_assumed": is_assumed,
            "confirmed": _word("confirmed", cells, _FLAGS),
            "source": cells.get("source") or self._source,
            "simulated": self._simulated,
        }

    def _known(self, text: str, day: date | None) -> tuple[datetime, bool]:
        if text:
            if len(text) > 10:
                return parse_moment(text, name="known_at"), False
            return _end_of(_date("known_at", text)), False
        if self._days is None or day is None:
            raise InputError(
                "known_at", text, "when this was learnt; or say --known-days-before DAYS to assume it for a day"
            )  # fmt: skip
        self.notes[f"without known_at, assumed to be known from the end of the {_ordinal(self._days)} day before"] += 1
        return _end_of(day - timedelta(days=self._days)), True


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _check_header(path, header)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    raise FileFormatError(
                        path, f"{len(cells)} cells, expected {len(header)} as in the header", line=reader.line_num
                    )
                yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(path, f"cannot be read: {error}") from None


def _check_header(path: Path, header: list[str]) -> None:
    for name in header:
        if name not in COLUMNS:
            problem = UnknownNameError("column", name, COLUMNS)
            raise FileFormatError(path, str(problem), line=1)
    if doubled := [name for name, count in Counter(header).items() if count > 1]:
        raise FileFormatError(path, f"column {doubled[0]} stands there twice", line=1)
    if missing := [name for name in COLUMNS[:2] if name not in header]:
        raise FileFormatError(path, f"column {missing[0]} is missing; expected {', '.join(COLUMNS)}", line=1)


def _period(day: date | None, *, is_assumed: bool) -> str:
    if day is None:
        return NEVER
    if not is_assumed:
        raise InputError("fiscal_period", "", "which report this is about, such as 2026Q3, since its day may move")
    return f"on {day}"


def _word(name: str, cells: Mapping[str, str], known: Mapping[str, Any]) -> Any:
    text = cells.get(name, "").lower()
    if text not in known:
        raise UnknownNameError(name, text, [word for word in known if word])
    return known[text]


def _day(text: str) -> date | None:
    return None if text.lower() == NEVER else _date("report_date", text)


def _date(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InputError(name, text, f"a date such as 2026-10-22, from {FIRST_DAY} to {LAST_DAY}")
    return day


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), EXCHANGE_TZ).astimezone(UTC)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
