"""What a replay is asked beside its documents and its chains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from bifrost_lib.backtest.engine.market import Allowed, Array, Cubes, Stage, allowed_sessions, set_stage
from bifrost_lib.backtest.engine.tables import Terms


@dataclass(frozen=True, eq=False, kw_only=True)
class Replay:
    """The window, the fills, the account and the moments of a replay; `run` says what each means."""

    start: date | None = None
    end: date | None = None
    fills: str | float = "realistic"
    capital: float = 100_000.0
    entry_time: time | None = None
    entry_offset: int = 0
    rate: float = 0.0
    entry_allowed: Allowed = None

    @property
    def terms(self) -> Terms:
        """What the documents are read with; `InputError` if one is outside its domain."""
        return Terms(self.fills, self.capital, self.rate)

    def allowed(self, cubes: Cubes) -> Array | None:
        """Return on which sessions of the window something may be opened."""
        return allowed_sessions(cubes, self.entry_allowed, self.start, self.end)

    @property
    def window(self) -> tuple[Any, ...]:
        """What a stage depends on beside its cubes."""
        return self.start, self.end, self.entry_time, self.entry_offset

    def stage(self, cubes: Cubes) -> Stage:
        """Return the cubes made ready, from the first session to the last."""
        return set_stage(
            cubes, start=self.start, end=self.end, entry_time=self.entry_time, entry_offset=self.entry_offset
        )
