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
from bifrost_lib.feeds.scanner import WRONG_COLUMNS, find_separators, scan
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
        self._used = np.flatnonzero(plan.kinds)
        self._programs, self._spans = plan.programs()
        self._marks = np.array([ord(mapping.decimal), _thousands(mapping), line_end], dtype=np.int64)
        words = "".join(f"{word.lower()}\n" for word in mapping.blank_words)
        self._blank = np.frombuffer(words.encode(), dtype=np.uint8)
        numbers = max(plan.numbers.values(), default=0) + 1
        moments, texts = max(len(plan.formats), 1), max(len(plan.texts), 1)
        self._places, self._line_ends = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
        self._numbers = np.empty((numbers, _ROWS))
        self._moments = np.empty((moments, _ROWS), dtype=np.int64)
        self._flags = np.empty((moments, _ROWS), dtype=np.uint8)
        self._codes = np.empty((texts, _ROWS), dtype=np.int32)
        self._tables = np.zeros((texts, 2 * _ROWS), dtype=np.int32)
        self._word_start = np.empty((texts, _ROWS + 1), dtype=np.int64)
        self._word_stop = np.empty((texts, _ROWS + 1), dtype=np.int64)
        self._known = np.zeros(texts, dtype=np.int64)
        self._row = [np.empty(_ROWS, dtype=np.int64) for _ in range(4)]
        self._status = np.empty(_ROWS, dtype=np.uint8)

    def lines(self, text: bytes, line: int) -> Iterator[Lines]:
        """Yield the rows of `text` and of all that follows it in the stream; `line` is the number of the first.

        Raises
        ------
        FileFormatError
            If the file is cut off or its packing is damaged; it names the line.
        """
        end, stream = bytes([self._line_end]), self._stream
        if isinstance(stream, ParquetText):
            stream.keep(self._used.tolist())
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
        if len(buf) >= len(self._places):
            self._places = np.empty(len(buf) + 1, dtype=np.int32)
            self._line_ends = np.empty(len(buf) + 1, dtype=np.int32)
        delimiter = ord(self._plan.delimiter)
        _, lines = find_separators(buf, 0, delimiter, self._line_end, b'"' in text, self._places, self._line_ends)
        self._lines_in_block = lines
        at_line, has_nul = 0, b"\0" in text
        while at_line < lines:
            begin = int(self._places[self._line_ends[at_line - 1] - 1]) + 1 if at_line else 0
            rows, at_line = self._scan(buf, begin, line + at_line, has_nul, at_line, lines)
            if rows:
                yield self._found(rows, text)

    def _scan(
        self, buf: npt.NDArray[np.uint8], begin: int, line: int, has_nul: bool, at_line: int, lines: int
    ) -> tuple[int, int]:
        self._tables[:] = 0
        self._known[:] = 0
        rows, next_line = scan(
            buf,
            begin,
            line,
            has_nul,
            self._marks,
            self._blank,
            self._places,
            self._line_ends,
            at_line,
            lines,
            len(self._plan.kinds),
            self._used,
            self._plan.kinds[self._used],
            self._plan.slots[self._used],
            self._programs,
            self._spans,
            self._numbers,
            self._row[3],
            self._moments,
            self._flags,
            self._codes,
            self._tables,
            self._word_start,
            self._word_stop,
            self._known,
            self._row[0],
            self._row[1],
            self._row[2],
            self._status,
        )
        return rows, next_line

    def _found(self, rows: int, text: bytes) -> Lines:
        words = []
        for slot, known in enumerate(self._known):
            starts, stops = self._word_start[slot], self._word_stop[slot]
            words.append([text[starts[i] : stops[i]].decode("utf-8", "replace") for i in range(known)])
        return Lines(
            rows,
            text,
            self._numbers[:, :rows],
            self._row[3][:rows],
            self._moments[:, :rows],
            self._flags[:, :rows],
            self._codes[:, :rows],
            words,
            self._row[0][:rows],
            self._row[1][:rows],
            self._row[2][:rows],
            self._status[:rows],
        )


def _thousands(mapping: Mapping) -> int:
    # A comma groups thousands inside quotes even where it also separates fields.
    return ord(mapping.thousands) if mapping.thousands and mapping.thousands != mapping.decimal else 0
