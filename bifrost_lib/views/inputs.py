"""What the pages are given: results of scans and profiles, known here only by their shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


class Candidates(Protocol):
    """Ranked candidates, and how many were considered."""

    @property
    def considered(self) -> int: ...

    def records(self) -> list[dict[str, Any]]: ...


class Shown(Protocol):
    """What a page says about its data: which underlying, from where, and when."""

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


class Found(Shown, Protocol):
    """What a scan returns, as far as the page needs it."""

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


class Market(Shown, Protocol):
    """A chain that legs are picked from."""

    @property
    def chain(self) -> pd.DataFrame: ...


class Structure(Protocol):
    """Legs with their prices and measures; `record` describes them as a candidate is described."""

    @property
    def market(self) -> Market: ...
    @property
    def legs(self) -> Sequence[dict[str, Any]]: ...
    @property
    def measures(self) -> dict[str, Any]: ...
    @property
    def record(self) -> dict[str, Any]: ...


class Curves(Protocol):
    """Columns over spot, and one standard deviation down and up."""

    @property
    def quantity(self) -> str: ...
    @property
    def frame(self) -> pd.DataFrame: ...
    @property
    def band(self) -> tuple[float, float]: ...
    @property
    def at_spot(self) -> float: ...


class Surface(Protocol):
    """A quantity over spot and days or volatility."""

    @property
    def quantity(self) -> str: ...
    @property
    def axis(self) -> str: ...
    @property
    def spot(self) -> Floats: ...
    @property
    def other(self) -> Floats: ...
    @property
    def values(self) -> Floats: ...
    @property
    def zero(self) -> tuple[Floats, Floats]: ...


class Export(Protocol):
    """A structure as text; `stem` is a file name without its ending; `reason` says why there is no document."""

    @property
    def stem(self) -> str: ...
    @property
    def csv(self) -> str: ...
    @property
    def json(self) -> str: ...
    @property
    def yaml(self) -> str: ...
    @property
    def by_delta(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Bench(Protocol):
    """What the builder calls."""

    def read_market(self, symbol: str, *, at: datetime | None = None) -> Market: ...
    def start_legs(self, market: Any, strategy: str) -> list[dict[str, Any]]: ...
    def build_structure(self, market: Any, picks: Sequence[Mapping[str, Any]], *, fill: float = 0.0) -> Structure: ...
    def scenario_curves(
        self, structure: Any, *, quantity: str = "profit", days: float = 0.0, vol_shift: float = 0.0
    ) -> Curves: ...
    def scenario_map(
        self,
        structure: Any,
        *,
        quantity: str = "profit",
        axis: str = "days",
        days: float = 0.0,
        vol_shift: float = 0.0,
    ) -> Surface: ...
    def leg_details(self, structure: Any) -> list[dict[str, Any]]: ...
    def export_structure(self, structure: Any) -> Export: ...


Scan = Callable[..., Found]
ProfileOf = Callable[[Any, int], Profile]
Recommend = Callable[[Any, int], str]
