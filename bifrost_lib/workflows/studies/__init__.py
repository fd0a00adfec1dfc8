"""Studies: a document and its grid searched on some days, and judged on others that nobody sees before the choice.

begin_study ... run_study, walk_study (as often as one likes) ... freeze_study ... look_at_study (each look counts)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.workflows.studies.beginning import begin_study
    from bifrost_lib.workflows.studies.judging import Look, freeze_study, look_at_study
    from bifrost_lib.workflows.studies.kept_back import HoldOutClosed, check_not_kept_back, study_cubes
    from bifrost_lib.workflows.studies.searching import StudyRun, run_study
    from bifrost_lib.workflows.studies.study import BacktestStudy, find_study, list_studies
    from bifrost_lib.workflows.studies.tried import tried_sets
    from bifrost_lib.workflows.studies.tuning import search_study
    from bifrost_lib.workflows.studies.walking import WalkForward, walk_study

_HOMES = {
    "BacktestStudy": "study",
    "HoldOutClosed": "kept_back",
    "Look": "judging",
    "StudyRun": "searching",
    "WalkForward": "walking",
    "begin_study": "beginning",
    "check_not_kept_back": "kept_back",
    "find_study": "study",
    "freeze_study": "judging",
    "list_studies": "study",
    "look_at_study": "judging",
    "run_study": "searching",
    "search_study": "tuning",
    "study_cubes": "kept_back",
    "tried_sets": "tried",
    "walk_study": "walking",
}

__all__ = [
    "BacktestStudy",
    "HoldOutClosed",
    "Look",
    "StudyRun",
    "WalkForward",
    "begin_study",
    "check_not_kept_back",
    "find_study",
    "freeze_study",
    "list_studies",
    "look_at_study",
    "run_study",
    "search_study",
    "study_cubes",
    "tried_sets",
    "walk_study",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
