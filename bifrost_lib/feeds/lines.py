"""Text into rows of numbers, moments and words: the kernel fed block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.parquet import ParquetText
from bifrost_lib.feeds.scan_layout import WRONG_COLUMNS, Cells, Columns, Rows, Separators, Style, Words
from bifrost_lib.feeds.scanner import scan
from bifrost_lib.feeds.separators import find_separators
from bifrost_lib.feeds.streams import ByteSource

_ROWS = 1 << 17
_LONGEST_LINE = 1 << 27


@dataclass
class Lines:
    """Rows as the kernel left them: one block's worth, valid until the next block is read."""

    count: int
    text: bytes
    numbers: npt.NDArray[np.float64]
    bad_numbers: npt.NDArray[np.int64]
    moments: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32]
    words: list[list[str]]
    line: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    status: npt.NDArray[np.uint8]

    def raw(self, row: int) -> str:
        """The text of a line."""
        return self.text[self.start[row] : self.stop[row]].decode("utf-8", "replace").rstrip("\r\n")

    def only(self, rows: npt.NDArray[np.bool_]) -> Lines:
        """The rows that a mask selects."""
        if rows.all():
            return self
        return Lines(
            int(np.count_nonzero(rows)),
            self.text,
            self.numbers[:, rows],
            self.bad_numbers[rows],
            self.moments[:, rows],
            self.flags[:, rows],
            self.codes[:, rows],
            self.words,
            self.line[rows],
            self.start[rows],
            self.stop[rows],
            self.status[rows],
        )


class Scanner:
    """Feeds the kernel block by block."""

    def __init__(self, stream: ByteSource | None, plan: Plan, mapping: Mapping, line_end: int = 10) -> None:
        self._stream, self._plan, self._line_end = stream, plan, line_end
        self._lines_in_block = 0
        used = np.flatnonzero(plan.kinds)
        self._columns = Columns(len(plan.kinds), used, plan.kinds[used], plan.slots[used], *plan.programs())
        blank = "".join(f"{word.lower()}\n" for word in mapping.blank_words)
        self._style = Style(ord(mapping.decimal), _thousands(mapping), np.frombuffer(blank.encode(), dtype=np.uint8))
        self._separators = Separators(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
        numbers = max(plan.numbers.values(), default=0) + 1
        self._cells = _cells(numbers, max(len(plan.formats), 1))
        self._words = _words(max(len(plan.texts), 1))
        line, start, stop = np.empty((3, _ROWS), dtype=np.int64)
        self._rows = Rows(line, start, stop, np.empty(_ROWS, dtype=np.uint8))

    def lines(self, text: bytes, line: int) -> Iterator[Lines]:
        """Yield the rows of `text` and of all that follows it in the stream; `line` is the number of the first.

        Raises
        ------
        FileFormatError
            If the file is cut off or its packing is damaged; it names the line.
        """
        end, stream = bytes([self._line_end]), self._stream
        if isinstance(stream, ParquetText):
            stream.keep(self._columns.used.tolist())
        if stream is None:
            raise ValueError("this scanner has no stream")
        final = False
        while not final:
            following = stream.read()
            final = not following
            cut_off = final and bool(text) and not text.endswith(end)
            whole = text + end if cut_off else text
            rest = whole.rfind(end) + 1
            for found in self.rows(whole, line, rest):
                if cut_off and found.status[-1] == WRONG_COLUMNS and found.stop[-1] == len(whole) - 1:
                    problem = "the last line is cut off; nothing of this file can be trusted"
                    raise FileFormatError(stream.path, problem, line=int(found.line[-1]), member=stream.member)
                yield found
            line += self._lines_in_block
            text = whole[rest:] + following
            if len(text) > _LONGEST_LINE:
                problem = "no line end within 128 MiB; this is no table of text"
                raise FileFormatError(stream.path, problem, line=line, member=stream.member)

    def rows(self, text: bytes, line: int, size: int | None = None) -> Iterator[Lines]:
        """Yield the rows of the whole lines in ``text[:size]``; `line` is the number of the first."""
        buf = np.frombuffer(text, dtype=np.uint8, count=len(text) if size is None else size)
        if len(buf) >= len(self._separators.places):
            self._separators = Separators(*np.empty((2, len(buf) + 1), dtype=np.int32))
        places, line_ends = self._separators
        quoted, has_nul = b'"' in text, b"\0" in text
        _, lines = find_separators(buf, 0, ord(self._plan.delimiter), self._line_end, quoted, self._separators)
        self._lines_in_block = lines
        at_line = 0
        while at_line < lines:
            begin = int(places[line_ends[at_line - 1] - 1]) + 1 if at_line else 0
            self._words.table[:] = 0
            self._words.known[:] = 0
            rows, at_line = scan(
                buf, begin, line + at_line, has_nul, self._separators, at_line, lines,
                self._style, self._columns, self._cells, self._words, self._rows,
            )  # fmt: skip
            if rows:
                yield self._found(rows, text)

    def _found(self, rows: int, text: bytes) -> Lines:
        cells, words, places = self._cells, self._words, self._rows
        known = []
        for starts, stops, count in zip(words.start, words.stop, words.known, strict=True):
            spans = zip(starts[:count], stops[:count], strict=True)
            known.append([text[begin:end].decode("utf-8", "replace") for begin, end in spans])
        return Lines(
            count=rows, text=text, numbers=cells.numbers[:, :rows], bad_numbers=cells.bad_numbers[:rows],
            moments=cells.moments[:, :rows], flags=cells.flags[:, :rows], codes=words.codes[:, :rows], words=known,
            line=places.line[:rows], start=places.start[:rows], stop=places.stop[:rows], status=places.status[:rows],
        )  # fmt: skip


def _cells(numbers: int, moments: int) -> Cells:
    return Cells(
        numbers=np.empty((numbers, _ROWS)),
        bad_numbers=np.empty(_ROWS, dtype=np.int64),
        moments=np.empty((moments, _ROWS), dtype=np.int64),
        flags=np.empty((moments, _ROWS), dtype=np.uint8),
    )


def _words(texts: int) -> Words:
    return Words(
        codes=np.empty((texts, _ROWS), dtype=np.int32),
        table=np.zeros((texts, 2 * _ROWS), dtype=np.int32),
        start=np.empty((texts, _ROWS + 1), dtype=np.int64),
        stop=np.empty((texts, _ROWS + 1), dtype=np.int64),
        known=np.zeros(texts, dtype=np.int64),
    )


def _thousands(mapping: Mapping) -> int:
    # A comma groups thousands inside quotes even where it also separates fields.
    return ord(mapping.thousands) if mapping.thousands and mapping.thousands != mapping.decimal else 0
