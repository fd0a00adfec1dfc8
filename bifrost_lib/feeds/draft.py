"""Rows on their way to quotes: what was read, what it means so far, and the first reason to refuse each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.lines import Lines
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.quotes import Array, Listing, Quotes
from bifrost_lib.feeds.records import REASONS

#: The number that stands for a reason of `REASONS`; 0 is none.
CODE = {reason: code for code, reason in enumerate(REASONS, start=1)}
REASON = ["", *REASONS]
#: The code of a word that stands for nothing given; words that mean nothing have one below it.
NOT_GIVEN = -1


@dataclass
class Context:
    """What holds for all rows of a part: the file's mapping, and what its name or footer says in place of columns."""

    mapping: Mapping
    plan: Plan
    listing: Listing
    symbol: str = ""
    ts: int | None = None
    expiry: int | None = None
    part: int = 0
    member: str | None = None


@dataclass
class Draft:
    """Rows of one block, whose `quotes` are filled column by column and whose `reason` is the first that was found.

    `quotes` and `reason` have one entry a row; `reason` holds a `CODE`, 0 while nothing speaks against the row.
    """

    lines: Lines
    context: Context
    quotes: Quotes
    reason: Array

    @property
    def plan(self) -> Plan:
        """Which columns hold what."""
        return self.context.plan

    @property
    def mapping(self) -> Mapping:
        """How the vendor writes it."""
        return self.context.mapping

    def refuse(self, rows: Array, reason: str) -> None:
        """Refuse the `rows`, a mask, that nothing has spoken against before."""
        self.reason[rows & (self.reason == 0)] = CODE[reason]

    def refuse_for(self, reason: Array) -> None:
        """Refuse rows for reasons that were found elsewhere, a `CODE` each, as `refuse` does."""
        rows = (reason != 0) & (self.reason == 0)
        self.reason[rows] = reason[rows]

    def number(self, word: str) -> Array:
        """Return what was read as a number of the plan; NaN where it is blank or none."""
        found: Array = self.lines.numbers[self.plan.numbers[word]]
        return found

    def is_no_number(self, *words: str) -> Array:
        """Return where a column of these holds text that is no number."""
        mask = sum(1 << self.plan.numbers[word] for word in words)
        found: Array = (self.lines.bad_numbers & mask) != 0
        return found

    def moment(self, word: str) -> tuple[Array, Array]:
        """Return microseconds, and what they are, of a moment of the plan."""
        slot = self.plan.moments[word]
        return self.lines.moments[slot], self.lines.flags[slot]

    def coded(self, word: str, meaning: Callable[[str], int]) -> Array:
        """Return the code that `meaning` gives to each row's text; `NOT_GIVEN` where there is none."""
        slot, blank = self.plan.texts[word], {"", *self.mapping.blank_words}
        codes = [NOT_GIVEN if text.strip().lower() in blank else meaning(text) for text in self.lines.words[slot]]
        found: Array = np.array(codes or [NOT_GIVEN], dtype=np.int32)[self.lines.codes[slot]]
        return found
