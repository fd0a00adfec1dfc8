"""Text into rows of numbers, moments and words: the kernel fed block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.scanner import WRONG_COLUMNS, scan
from bifrost_lib.feeds.streams import ByteSource

_ROWS = 1 << 17


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

    def only(self, rows: Any) -> Lines:
        """The rows that a mask selects."""
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

    def __init__(self, stream: ByteSource, plan: Plan, mapping: Mapping, line_end: int = 10) -> None:
        self._stream, self._plan = stream, plan
        self._programs, self._spans = plan.programs()
        self._marks = np.array(
            [ord(plan.delimiter), ord(mapping.decimal), _mark(mapping.thousands, plan.delimiter, mapping), line_end],
            dtype=np.int64,
        )
        words = "".join(f"{word.lower()}\n" for word in mapping.blank_words)
        self._blank = np.frombuffer(words.encode(), dtype=np.uint8)
        numbers = max(plan.numbers.values(), default=0) + 1
        moments, texts = max(len(plan.formats), 1), max(len(plan.texts), 1)
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
        """Yield the rows of `text` and of all that follows it in the stream; `line` is the number of the first."""
        final = False
        while not final:
            following = self._stream.read()
            final = not following
            begin, size = 0, len(text)
            buf = np.frombuffer(text, dtype=np.uint8)
            while begin < size:
                rows, consumed, next_line, unterminated = self._scan(buf, begin, final, line)
                if rows:
                    found = self._found(rows, text)
                    if unterminated and found.status[-1] == WRONG_COLUMNS:
                        raise FileFormatError(
                            self._stream.path,
                            "the last line is cut off; nothing of this file can be trusted",
                            line=int(found.line[-1]),
                            member=self._stream.member,
                        )
                    yield found
                if consumed == begin:
                    break
                begin, line = consumed, next_line
            text = text[begin:] + following
            if len(text) > 1 << 27:
                problem = "no line end within 128 MiB; this is no table of text"
                raise FileFormatError(self._stream.path, problem, line=line, member=self._stream.member)

    def _scan(self, buf: npt.NDArray[np.uint8], begin: int, final: bool, line: int) -> tuple[int, int, int, bool]:
        self._tables[:] = 0
        self._known[:] = 0
        rows, consumed, line, unterminated = scan(
            buf,
            begin,
            final,
            line,
            self._marks,
            self._blank,
            self._plan.kinds,
            self._plan.slots,
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
        return rows, consumed, line, unterminated

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


def _mark(thousands: str, delimiter: str, mapping: Mapping) -> int:
    # A comma groups thousands inside quotes even where it also separates fields.
    return ord(thousands) if thousands and thousands != mapping.decimal else 0


