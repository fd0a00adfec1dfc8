"""What a library is made of: documents of the catalogue or of files, each with what is varied of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bifrost_lib.backtest import assignments, expand, grid_size, read_grid
from bifrost_lib.core.errors import DocumentError
from bifrost_lib.strategies import StrategyDocument, read_mapping, resolve_strategy

#: A document, and what was varied of it.
Varied = tuple[StrategyDocument, dict[str, Any]]


@dataclass(frozen=True)
class Shelf:
    """A document of a library, and the grid of what is varied of it; without a grid it stands alone."""

    document: StrategyDocument
    grid: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """How many documents it makes."""
        return 1 if self.grid is None else grid_size(read_grid(self.grid))

    def documents(self) -> list[Varied]:
        """Return them with what was varied of each."""
        if self.grid is None:
            return [(self.document, {})]
        grid = read_grid(self.grid)
        return list(zip(expand(self.document, grid), assignments(grid), strict=True))


def read_shelves(source: str | Mapping[str, Any]) -> list[Shelf]:
    """Return what a library file lists.

    Parameters
    ----------
    source : str or mapping
        YAML or JSON: strategies of the catalogue, or files of documents, each with its grid, or with nothing:
        ``iron_condor: {exits.take_profit.share: [0.25, 0.5]}``.

    Raises
    ------
    DocumentError
        If the file is not like that.
    UnknownNameError, FileFormatError
        If there is no such strategy or file.
    """
    content = read_mapping(source, expected="a mapping of strategies to their grids")
    for name, grid in content.items():
        if grid is not None and not isinstance(grid, Mapping):
            raise DocumentError(name[:60], grid, "a grid: a mapping of parameters to lists of values; or nothing")
    return [Shelf(resolve_strategy(name), grid or None) for name, grid in content.items()]
