"""Which sets of a study were tried: those of its whole grid, or those that searches proposed."""

from __future__ import annotations

import json
from typing import Any

from bifrost_lib import store
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.searching import documents_of
from bifrost_lib.workflows.studies.study import BacktestStudy


def tried_sets(desk: Desk, study: BacktestStudy) -> tuple[tuple[StrategyDocument, ...], tuple[dict[str, Any], ...]]:
    """Return the documents that were tried in a study, each once, and the grid's values of each.

    Raises
    ------
    InputError
        If the study has no grid.
    NoDataError
        If nothing was tried yet.
    """
    from bifrost_lib.backtest import with_parameters

    if not study.grid:
        raise InputError("study", study.name, "one with a grid; this one is of its document alone")
    runs = store.list_study_runs(desk.store, study.name)["statistics"]
    searches = [(told or {}).get("search") for told in runs]
    if any(search is None for search in searches):  # a run of the whole grid
        return documents_of(study)
    proposed = [values for search in reversed(searches) for values in search.get("sets", ())]
    if not proposed:
        raise NoDataError(
            "tried sets", study=study.name, hint="run the study first: `bifrost study run NAME --search bayesian`"
        )
    values = tuple({json.dumps(one, sort_keys=True): one for one in proposed}.values())
    return tuple(with_parameters(study.document, one) for one in values), values
