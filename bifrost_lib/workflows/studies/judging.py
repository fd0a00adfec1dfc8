"""The end of a study: its choice, made once, and looks at the days that were kept back, each of them counted."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bifrost_lib import store
from bifrost_lib.core.errors import DocumentError, InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.kept_back import HoldOutClosed, held_out_cubes
from bifrost_lib.workflows.studies.study import BacktestStudy, find_study

if TYPE_CHECKING:
    from bifrost_lib.backtest import Result


@dataclass(frozen=True, eq=False)
class Look:
    """One look at a hold-out.

    Attributes
    ----------
    study : str
    number : int
        1 for the first; only that one is free of what was learned from the others.
    seen_in : dict
        Names of other studies that had looked at some of these days of one of the symbols, and how often: for whoever
        chose after that, these days were not kept back.
    result : Result
        Of the chosen document on the days kept back, with its statistics.
    """

    study: str
    number: int
    seen_in: dict[str, int]
    result: Result

    def __str__(self) -> str:
        which = "the first look" if self.number == 1 else f"look number {self.number}: no longer out of sample"
        seen = "".join(f"; study {name} looked here {times} times" for name, times in self.seen_in.items())
        return f"{self.study}, {self.result.start} to {self.result.end}: {which}{seen}"


def freeze_study(
    desk: Desk,
    name: str,
    *,
    choice: StrategyDocument | None = None,
    values: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> BacktestStudy:
    """Make the choice of a study, for good; after that its hold-out can be looked at.

    Parameters
    ----------
    desk : Desk
    name : str
    choice : StrategyDocument, optional
        One of the study's documents. Default: what `values` say, and without those the best of the newest search.
    values : mapping, optional
        Parameter path to value, one of the grid's.
    reason : str, optional
        Why this one, for those who read it later.

    Raises
    ------
    UnknownNameError
        If there is no such study.
    InputError
        If it is frozen already, the choice is none of its documents, or nothing was searched yet and nothing chosen.
    """
    study = find_study(desk, name)
    if study.is_frozen:
        raise InputError("study", name, f"one that is not frozen; this one is since {study.frozen}")
    if choice is None:
        choice = _chosen(desk, study, values)
    if study.values_of(choice) is None:
        raise InputError("choice", choice.name, f"one of the documents that study {name!r} is about")
    store.freeze_study(
        desk.store,
        name,
        choice=choice.model_dump(mode="json"),
        choice_hash=choice.sha256,
        reason=reason,
        frozen=desk.clock.now(),
        frozen_by=getpass.getuser(),
    )
    return find_study(desk, name)


def look_at_study(desk: Desk, name: str, *, purpose: str | None = None) -> Look:
    """Replay the choice of a frozen study on the days that it kept back.

    The look is written down before anything is computed, and stays counted whatever becomes of it.

    Parameters
    ----------
    desk : Desk
    name : str
    purpose : str, optional
        Why one looks, for those who read it later.

    Raises
    ------
    HoldOutClosed
        If the choice is not made.
    NoDataError
        If the days kept back are not stored yet; then it was no look.
    """
    from bifrost_lib.backtest import run, summarize

    study = find_study(desk, name)
    if study.choice is None:
        raise HoldOutClosed(name, study.holdout_start, study.holdout_end)
    cubes = held_out_cubes(desk, study)
    seen_in = _seen_in_others(desk, study)
    number = store.begin_look(
        desk.store, name, ts=desk.clock.now(), who=getpass.getuser(), document_hash=study.choice.sha256, purpose=purpose
    )
    result = run(study.choice, cubes, start=study.holdout_start, end=study.holdout_end, **study.options)
    figures = summarize(result.trades, result.equity, capital=result.capital)
    store.finish_look(
        desk.store, name, number, statistics=figures,
        cube_sha256={symbol: cube.sha256 for symbol, cube in cubes.items()},
    )  # fmt: skip
    return Look(name, number, seen_in, replace(result, statistics=figures))


def _chosen(desk: Desk, study: BacktestStudy, values: Mapping[str, Any] | None) -> StrategyDocument:
    from bifrost_lib.backtest import with_parameters

    if values is not None:
        try:
            found = with_parameters(study.document, values)
        except DocumentError:
            found = None
        if found is None or {*values} != {*(study.grid or {})} or study.values_of(found) is None:
            known = ", ".join(study.grid or {})
            raise InputError("values", dict(values), f"one of its values for each parameter of the grid: {known}")
        return found
    if not study.grid:
        return study.document
    for told in store.list_study_runs(desk.store, study.name)["statistics"]:
        best = (told or {}).get("best", {})
        if best.get("document_hash"):
            return with_parameters(study.document, best["values"])
    raise InputError("choice", None, f"a choice, or a search first: bifrost study run {study.name}")


def _seen_in_others(desk: Desk, study: BacktestStudy) -> dict[str, int]:
    listed = store.list_studies(desk.store)
    others = listed[(listed["name"] != study.name) & (listed["looks"] > 0)].to_dict("records")
    return {
        str(row["name"]): int(row["looks"])
        for row in others
        if {*row["symbols"]} & {*study.symbols}
        and row["holdout_start"] <= study.holdout_end
        and study.holdout_start <= row["holdout_end"]
    }
