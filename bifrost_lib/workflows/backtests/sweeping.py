"""A grid of parameters over the stored history, and how much of its best result is luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.judging import judged
from bifrost_lib.workflows.backtests.reading import Opened, Tell, Terms, open_chains
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.backtest import SweepResult

#: Fewer quotes times sets than this are simulated in this process: starting workers would take longer.
_SMALL_WORK = 100_000_000


@dataclass(frozen=True, eq=False)
class GridRun:
    """A grid of one document.

    Attributes
    ----------
    document : StrategyDocument
        That the grid varies.
    documents : tuple of StrategyDocument
    assignments : tuple of dict
        The grid's values of each.
    result : SweepResult
    statistics : dict
        ``sets``, ``best`` (its place), ``sharpe`` (its own, of one session), ``deflated_sharpe`` (probability that it
        is better than luck), ``luck`` (the Sharpe ratio that luck alone reaches), ``trials`` (independent ones), and
        ``pbo`` (probability that choosing the best overfits); NaN with a ``reason``.
    cube_sha256, code_version : str
    simulated : bool
    """

    document: StrategyDocument
    documents: tuple[StrategyDocument, ...]
    assignments: tuple[dict[str, Any], ...]
    result: SweepResult
    statistics: dict[str, Any]
    cube_sha256: str
    code_version: str
    simulated: bool

    @property
    def table(self) -> pd.DataFrame:
        """The summary with a column for each parameter, by its path, the best Sharpe ratio first."""
        import pandas as pd

        summary: pd.DataFrame = self.result.summary
        parameters = pd.DataFrame(list(self.assignments), index=summary.index)
        found = pd.concat([parameters, summary.drop(columns=[*parameters], errors="ignore")], axis=1)
        return found.sort_values("sharpe", ascending=False, kind="stable", na_position="last")

    def as_dict(self) -> dict[str, Any]:
        """Return the grid's results JSON-ready, the best first."""
        summary = self.result.summary
        sets = [
            {"document_hash": row["document_hash"], "parameters": self.assignments[int(place)],
             **{name: value for name, value in row.items() if name not in ("document_hash", "name")}}
            for place, row in zip(self.table.index, summary.loc[self.table.index].to_dict("records"), strict=True)
        ]  # fmt: skip
        told = {"document_hash": self.document.sha256, "strategy": self.document.name, "simulated": self.simulated}
        told |= {"cube_sha256": self.cube_sha256, "code_version": self.code_version}
        return {**told, "sets": sets, "statistics": self.statistics}


def run_grid(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    grid: Mapping[str, Any],
    *,
    progress: Callable[[Any], None] | None = None,
    tell: Tell | None = None,
    **terms: Unpack[Terms],
) -> GridRun:
    """Replay every document of a grid over stored chains, large ones on the workers of a Dask client.

    Parameters
    ----------
    desk, document, symbols, tell, **terms
        As for `run_backtest`.
    grid : mapping
        Parameter path to values, see `backtest.read_grid`.
    progress : callable, optional
        Given a `SweepProgress` now and then where workers do it.

    Raises
    ------
    DocumentError
        If the document has no such parameter, or a value is none that it may have.
    SweepInterrupted
        If workers were lost; the same call goes on from what is finished.
    NoDataError, InputError, HoldOutClosed
        As for `run_backtest`.
    """
    from bifrost_lib.backtest import assignments, code_version, expand

    documents, values = tuple(expand(document, grid)), tuple(assignments(grid))
    opened = open_chains(desk, documents, symbols, terms, tell)
    with sweeping(desk, opened, len(documents), progress=progress) as sweep:
        result = sweep(documents)
    return GridRun(
        document,
        documents,
        values,
        result,
        judged(result.daily),
        opened.cube_sha256,
        code_version(),
        opened.simulated,
    )


@contextmanager
def sweeping(
    desk: Desk, opened: Opened, sets: int, *, progress: Callable[[Any], None] | None = None
) -> Iterator[Callable[[Sequence[StrategyDocument]], SweepResult]]:
    """Yield what replays documents over opened chains: this process for few of them, else the workers of a client.

    Parameters
    ----------
    sets : int
        How many there will be in all.
    progress : callable, optional
        Given a `SweepProgress` now and then where workers do it.
    """
    quotes = sum(len(cube.bid) for cube in opened.cubes.values())
    if not desk.settings.dask_scheduler and quotes * sets <= _SMALL_WORK:
        from bifrost_lib.backtest import sweep

        yield lambda documents: sweep(documents, opened.cubes, **opened.options)
        return
    from bifrost_lib.workflows.sweeps import connect, run_sweep

    home = desk.settings.home
    with connect(desk.settings) as client:
        yield lambda documents: run_sweep(
            documents, opened.cubes, client=client, home=home, progress=progress, **opened.options
        )
