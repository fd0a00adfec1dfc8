"""What the finder is given: results of scans and profiles, known here only by their shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import pandas as pd


class Candidates(Protocol):
    """Ranked candidates, and how many were considered."""

    @property
    def considered(self) -> int: ...

    def records(self) -> list[dict[str, Any]]: ...


class Found(Protocol):
    """What a scan returns, as far as the page needs it."""

    @property
    def symbol(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def source(self) -> str: ...
    @property
    def spot(self) -> float: ...
    @property
    def chain(self) -> pd.DataFrame: ...
    @property
    def candidates(self) -> Candidates: ...


class Profile(Protocol):
    """Profit over spot: see `views.payoff_chart` for the frame, and one standard deviation down and up."""

    @property
    def frame(self) -> pd.DataFrame: ...
    @property
    def band(self) -> tuple[float, float] | None: ...


Scan = Callable[..., Found]
ProfileOf = Callable[[Any, int], Profile]
