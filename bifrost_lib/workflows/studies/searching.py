"""A search on the days of a study that may be seen, and how much of its best result is luck."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests import judge
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.kept_back import study_cubes
from bifrost_lib.workflows.studies.study import BacktestStudy, find_study
from bifrost_lib.workflows.sweeps import Progress, connect, run_sweep

if TYPE_CHECKING:
    from dask.distributed import Client

    from bifrost_lib.backtest import ChainCube, SweepResult


@dataclass(frozen=True, eq=False)
class StudyRun:
    """A search of a study.

    Attributes
    ----------
    study : str
    documents : tuple of StrategyDocument
        What was searched, in the order of the rows of `result`.
    assignments : tuple of dict
        The grid's values of each.
    result : SweepResult
    statistics : dict
        ``best`` (its row, hash, values and Sharpe ratio), ``deflated_sharpe`` (probability that the best is better
        than luck, given all that was tried in this study), ``luck`` (the Sharpe ratio that luck alone reaches),
        ``trials`` (independent ones), ``pbo`` (probability that choosing the best overfits). NaN with a ``reason``
        where there is too little to tell. Sharpe ratios are those of one session.
    """

    study: str
    documents: tuple[StrategyDocument, ...]
    assignments: tuple[dict[str, Any], ...]
    result: SweepResult
    statistics: dict[str, Any]

    @property
    def best(self) -> StrategyDocument | None:
        """The document with the best Sharpe ratio; None where none ever traded."""
        place = self.statistics["best"]["place"]
        return None if place is None else self.documents[place]

    @property
    def table(self) -> pd.DataFrame:
        """The summary with a column for each parameter of the grid."""
        summary: pd.DataFrame = self.result.summary
        columns = pd.DataFrame(list(self.assignments), index=summary.index)
        return pd.concat([columns, summary.drop(columns=[*columns], errors="ignore")], axis=1)


def run_study(
    desk: Desk,
    name: str,
    *,
    client: Client | None = None,
    progress: Progress | None = None,
    start: date | None = None,
    end: date | None = None,
) -> StudyRun:
    """Simulate every document of a study's grid on the days that may be seen, and count it as tried.

    Parameters
    ----------
    desk : Desk
    name : str
    client : Client, optional
        Of Dask. Default: what `connect` gives, for as long as it takes.
    progress : callable, optional
        Given a `SweepProgress` a few times a second.
    start, end : date, optional
        A part of those days.

    Raises
    ------
    UnknownNameError
        If there is no such study.
    HoldOutClosed
        If `end` reaches into the days kept back.
    InputError
        If the study is frozen: its choice is made, and searching on would be choosing again.
    SweepInterrupted
        If the sweep ended early; the same call goes on.
    """
    study = find_study(desk, name)
    check_open(study)
    cubes = study_cubes(desk, study, start=start, end=end)
    documents, assignments = documents_of(study)
    with reached(desk, client) as found:
        result = run_sweep(documents, cubes, client=found, home=desk.settings.home, progress=progress, **study.options)
    statistics = judged(desk, study, documents, assignments, np.asarray(result.daily))
    note_run(desk, study, "sweep" if study.grid else "run", documents, cubes, statistics)
    return StudyRun(name, documents, assignments, result, statistics)


def check_open(study: BacktestStudy) -> None:
    """Refuse to search on after the choice."""
    if study.is_frozen:
        raise InputError("study", study.name, "one whose choice is not made; begin another to search on")


def documents_of(study: BacktestStudy) -> tuple[tuple[StrategyDocument, ...], tuple[dict[str, Any], ...]]:
    """Return the documents of a study and the grid's values of each."""
    from bifrost_lib.backtest import assignments, expand

    if not study.grid:
        return (study.document,), ({},)
    return tuple(expand(study.document, study.grid)), tuple(assignments(study.grid))


@contextmanager
def reached(desk: Desk, client: Client | None) -> Iterator[Client]:
    """Yield the client given, or one of our own for as long as it is needed."""
    if client is not None:
        yield client
        return
    with connect(desk.settings) as own:
        yield own


def judged(
    desk: Desk, study: BacktestStudy, documents: Sequence[StrategyDocument], values: Sequence[Mapping[str, Any]],
    daily: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return what a search amounts to: its best set, and how much of that is luck."""
    digest = digest_of(documents)
    found = judge(daily, tried=_tried_before(desk, study, digest))
    chosen = found.place
    return {
        "documents": digest,
        "best": {
            "place": chosen,
            "document_hash": None if chosen is None else documents[chosen].sha256,
            "values": {} if chosen is None else dict(values[chosen]),
            "sharpe": found.best.sharpe,
        },
        **found.figures,
    }


def note_run(
    desk: Desk, study: BacktestStudy, kind: str, documents: Sequence[StrategyDocument],
    cubes: Mapping[str, ChainCube], statistics: Mapping[str, Any],
) -> None:  # fmt: skip
    """Enter a search in the study's list; sets that it had tried before are not counted again."""
    from bifrost_lib.backtest import code_version

    again = statistics["documents"] in {told.get("documents") for told in _earlier(desk, study)}
    store.add_study_run(
        desk.store,
        study.name,
        ts=desk.clock.now(),
        who=getpass.getuser(),
        kind=kind,
        sets=0 if again else len(documents),
        first_day=min(cube.start for cube in cubes.values()),
        last_day=max(cube.end for cube in cubes.values()),
        cube_sha256={symbol: cube.sha256 for symbol, cube in cubes.items()},
        code_version=code_version(),
        statistics=statistics,
    )


def digest_of(documents: Sequence[StrategyDocument]) -> str:
    """Return a name of a set of documents, whatever their order."""
    told = hashlib.sha256("\n".join(sorted({document.sha256 for document in documents})).encode())
    return told.hexdigest()[:32]


def _tried_before(desk: Desk, study: BacktestStudy, digest: str) -> int:
    runs = store.list_study_runs(desk.store, study.name)
    return sum(
        int(row["sets"]) for row in runs.to_dict("records") if (row["statistics"] or {}).get("documents") != digest
    )


def _earlier(desk: Desk, study: BacktestStudy) -> list[dict[str, Any]]:
    return [told or {} for told in store.list_study_runs(desk.store, study.name)["statistics"]]
