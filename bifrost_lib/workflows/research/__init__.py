"""Studies: begun from templates, and what past entries of a document amount to."""

from bifrost_lib.workflows.research.creating import Study, new_study
from bifrost_lib.workflows.research.entries import study_entries
from bifrost_lib.workflows.research.summaries import entries_by_third, entry_summary, running_profit

__all__ = ["Study", "entries_by_third", "entry_summary", "new_study", "running_profit", "study_entries"]
