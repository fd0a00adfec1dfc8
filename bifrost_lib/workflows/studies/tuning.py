"""A search of a study's parameters, at random or by what was found, on the days that may be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import InputError
from bifrost_lib.workflows.backtests import Method, Search, search
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.kept_back import study_cubes
from bifrost_lib.workflows.studies.searching import StudyRun, check_open, judged, note_run, reached
from bifrost_lib.workflows.studies.study import find_study
from bifrost_lib.workflows.sweeps import run_sweep

if TYPE_CHECKING:
    from dask.distributed import Client


def search_study(
    desk: Desk,
    name: str,
    *,
    sets: int = 100,
    method: Method = "bayesian",
    seed: int = 0,
    how: Mapping[str, Any] | None = None,
    client: Client | None = None,
    stop: Callable[[], bool] | None = None,
    tell_best: Callable[[int, int, float], None] | None = None,
) -> StudyRun:
    """Try some sets of a study's grid on the days that may be seen, and count them as tried.

    Parameters
    ----------
    desk : Desk
    name : str
    sets, method, seed, how, stop, tell_best
        As of `backtests.tune`.
    client : Client, optional
        Of Dask. Default: what `connect` gives, for as long as it takes.

    Raises
    ------
    UnknownNameError
        If there is no such study, or no such method.
    InputError
        If the study is frozen, or has no grid.
    NoDataError
        If no trial traded.
    """
    from bifrost_lib.backtest import SweepResult

    study = find_study(desk, name)
    check_open(study)
    if not study.grid:
        raise InputError("study", name, "one with a grid; this one is of its document alone")
    cubes = study_cubes(desk, study)
    with reached(desk, client) as workers:
        found = search(
            study.document, study.grid, cubes, trials=sets, method=method, seed=seed, stop=stop, tell=tell_best,
            sweep=lambda documents: run_sweep(
                documents, cubes, client=workers, home=desk.settings.home, **study.options
            ),
            **(how or {}),
        )  # fmt: skip
    documents, values = tuple(found.documents), tuple(found.parameters)
    statistics = judged(desk, study, documents, values, found.daily) | {"best": _best(found)}
    statistics["search"] = {
        "method": method, "seed": seed, "asked": sets, "tried": len(documents), "refused": found.refused,
        "stopped": found.stopped, "sets": list(values),
    }  # fmt: skip
    note_run(desk, study, "sweep", documents, cubes, statistics)
    result = SweepResult(found.summary, found.daily, found.sessions, float(study.options["capital"]))
    return StudyRun(name, documents, values, result, statistics)


def _best(found: Search) -> dict[str, Any]:
    # By what was maximised: that it held in every part, not in the whole alone.
    gains = found.daily[found.best]
    spread = float(gains.std(ddof=1))
    return {
        "place": found.best,
        "document_hash": found.document.sha256,
        "values": dict(found.parameters[found.best]),
        "sharpe": float(gains.mean()) / spread if spread > 0 else float("nan"),
    }
