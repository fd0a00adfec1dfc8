"""What the scanner is told, and the arrays that it fills: tuples that kernels take and give on as they are."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bifrost_lib.feeds.moment_formats import Program

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

# What a column is read as.
SKIP: Final = 0
NUMBER: Final = 1
MOMENT: Final = 2
TEXT: Final = 3
OCC: Final = 4
SIZES: Final = 5
PERCENT: Final = 6

# What became of a line.
FINE: Final = 0
EMBEDDED_NUL: Final = 1
BAD_QUOTES: Final = 2
WRONG_COLUMNS: Final = 3


class Style(NamedTuple):
    """How a vendor writes numbers.

    `decimal` and `thousands` are bytes, 0 for none; `blank_words` are lower-case words that stand for nothing, each
    ended by a line feed.
    """

    decimal: int
    thousands: int
    blank_words: Bytes


class Columns(NamedTuple):
    """Which columns are read, and how; `width` is how many fields a line must have.

    `used`, `kinds` and `slots` (n,) are the columns, what they are read as, and the row of the cells that takes each. A
    SIZES column fills numbers at slot and slot + 1; an OCC column fills numbers (strike, and after it the right: 1
    call, 0 put), moments (expiry, local microseconds) and words (root), the first and the last of them at the slots
    ``spans[-1]``. The other `spans` are, for each moment slot, the first and last of its `programs`.
    """

    width: int
    used: Longs
    kinds: Longs
    slots: Longs
    programs: Program
    spans: Longs


class Cells(NamedTuple):
    """What was read, (slots, rows) but for `bad_numbers`.

    `numbers` are NaN where blank, and `bad_numbers` (rows,) has a bit per slot for what is no number; `moments` are
    microseconds, and `flags` what they are.
    """

    numbers: Floats
    bad_numbers: Longs
    moments: Longs
    flags: Bytes


class Words(NamedTuple):
    """Texts, coded per slot by first appearance.

    `codes` is (slots, rows). `table` finds a word again, by a key of its bytes; `start` and `stop` are where its first
    appearance stands in the text, and `known` (slots,) counts the distinct ones.
    """

    codes: Ints
    table: Ints
    start: Longs
    stop: Longs
    known: Longs


class Rows(NamedTuple):
    """Where each row stands, (rows,): the number of its line, its first and last byte, and what became of it."""

    line: Longs
    start: Longs
    stop: Longs
    status: Bytes


class Separators(NamedTuple):
    """The place of each end of a field or line, and for each line how many there are up to and including its end."""

    places: Ints
    line_ends: Ints
