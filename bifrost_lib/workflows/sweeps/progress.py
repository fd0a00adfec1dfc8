"""How far a sweep is, and why one ended early."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import BifrostError


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is.

    Attributes
    ----------
    done, total : int
        Parameter sets.
    kept : int
        Those of `done` that an earlier call had found already.
    elapsed_s : float
        Seconds since the call began.
    workers : int
        Processes that simulate at the moment.
    trouble : str
        What went wrong on the way and was overcome, the newest; empty if nothing did.
    """

    done: int
    total: int
    kept: int
    elapsed_s: float
    workers: int
    trouble: str = ""

    @property
    def sets_per_s(self) -> float:
        """Parameter sets simulated in a second so far; NaN before the first."""
        made = self.done - self.kept
        return made / self.elapsed_s if made and self.elapsed_s > 0 else float("nan")

    @property
    def left_s(self) -> float:
        """Seconds that the rest will take at this speed; NaN before the first set is done."""
        return (self.total - self.done) / self.sets_per_s

    def __str__(self) -> str:
        share = f"{self.done:,} of {self.total:,} sets"
        kept = f", {self.kept:,} of them kept from before" if self.kept else ""
        speed = f", {self.sets_per_s:,.3g} a second on {self.workers}" if self.done > self.kept else ""
        left = f", {self.left_s:,.0f} s left" if self.kept < self.done < self.total else ""
        return share + kept + speed + left + (f" ({self.trouble})" if self.trouble else "")


Progress = Callable[[SweepProgress], None]


class Meter:
    """Counts what is done and tells it, at most so often."""

    def __init__(self, total: int, tell: Progress | None, *, every_s: float = 0.2) -> None:
        self.total, self.done, self.kept, self.workers, self.trouble = total, 0, 0, 0, ""
        self._tell, self._every_s = tell, every_s
        self._begun, self._told = time.perf_counter(), float("-inf")

    def note(self, *, done: int = 0, kept: int = 0, workers: int | None = None, trouble: str | None = None) -> None:
        """Add what was done, and tell it if that was not done just now."""
        self.done += done + kept
        self.kept += kept
        self.workers = self.workers if workers is None else workers
        self.trouble = self.trouble if trouble is None else trouble
        now = time.perf_counter()
        if self._tell and (self.done == self.total or now - self._told >= self._every_s):
            self._told = now
            self._tell(SweepProgress(self.done, self.total, self.kept, now - self._begun, self.workers, self.trouble))


class SweepInterrupted(BifrostError):  # noqa: N818 (it says what happened to the sweep)
    """A sweep that ended before its last set; the same call goes on from there.

    Attributes
    ----------
    cause : str
        What ended it, in words.
    done, total : int
        Parameter sets whose results are kept, and all of them.
    folder : Path
        Where the results are.
    """

    def __init__(self, cause: str, *, done: int, total: int, folder: Path) -> None:
        self.cause, self.done, self.total, self.folder = cause, done, total, folder
        super().__init__(f"{cause}; {done:,} of {total:,} sets are kept in {folder}, the same call goes on from there")
