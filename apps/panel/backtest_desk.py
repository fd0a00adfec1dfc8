"""What the backtests page reads of the desk: saved runs, studies, and the grids that were searched in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from apps.panel.kept import Kept
from bifrost_lib.workflows import Desk, list_symbols

if TYPE_CHECKING:
    from bifrost_lib.backtest import Result

KEPT_RUNS = 24


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved run: what it found, of which document, and what it earned its money with."""

    run: str
    strategy: str
    result: Result
    document: Mapping[str, Any]
    attribution: Mapping[str, float]
    simulated: bool


@dataclass(frozen=True, eq=False)
class Grid:
    """A searched grid: one row a set, which parameters varied, and whether its best is more than luck."""

    made: str
    summary: pd.DataFrame
    parameters: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    splits: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"in_sample": [], "out_of_sample": []}))


class BacktestDesk:
    """Reads what is saved, each run once.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._kept = Kept(KEPT_RUNS)

    def symbols(self) -> pd.DataFrame:
        """Return the stored symbols."""
        found: pd.DataFrame = list_symbols(self.desk)
        return found

    def runs(self) -> pd.DataFrame:
        """Return the saved runs, the newest first."""
        raise NotImplementedError

    def saved(self, run: str) -> Saved:
        """Return one saved run."""
        raise NotImplementedError

    def studies(self) -> pd.DataFrame:
        """Return the studies, the newest first."""
        raise NotImplementedError

    def looks(self, study: str) -> pd.DataFrame:
        """Return the looks at the hold-out of a study."""
        raise NotImplementedError

    def grid(self, study: str) -> Grid:
        """Return the newest grid that was searched in a study."""
        raise NotImplementedError
