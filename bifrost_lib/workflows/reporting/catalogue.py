"""Which reports there are: the notebooks of ``notebooks/reports``, with their parameters and their schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import FileFormatError, UnknownNameError
from bifrost_lib.workflows.reporting.parameters import Parameter, read_parameters
from bifrost_lib.workflows.reporting.plans import FILE_NAME, Plan, read_plans


@dataclass(frozen=True)
class Report:
    """A notebook that can be run as a report."""

    name: str
    title: str
    about: str
    notebook: Path
    parameters: tuple[Parameter, ...]
    plan: Plan

    def as_dict(self) -> dict[str, Any]:
        """Return the report in JSON's types."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "schedule": self.plan.words,
            "needs": list(self.plan.needs),
            "parameters": [
                {"name": one.name, "default": one.default, "help": one.help} for one in self.parameters
            ],
        }  # fmt: skip


def reports_folder() -> Path:
    """Return the folder of the checkout where reports are kept."""
    return Path(__file__).resolve().parents[3] / "notebooks" / "reports"


def list_reports(folder: Path | None = None) -> list[Report]:
    """Return every report of `folder` (default: the checkout's), by name.

    Raises
    ------
    FileFormatError
        If a notebook or the schedule cannot be read, or the schedule names a report that is not there.
    """
    folder = folder or reports_folder()
    plans = read_plans(folder)
    found = [_read(path, plans.get(path.stem, Plan())) for path in sorted(folder.glob("*.ipynb"))]
    names = {report.name for report in found}
    for name, plan in plans.items():
        for wanted in (name, *plan.needs):
            if wanted not in names:
                raise FileFormatError(folder / FILE_NAME, f"there is no notebook {wanted}.ipynb beside it", member=name)
    return found


def report_named(name: str, folder: Path | None = None) -> Report:
    """Return one report.

    Raises
    ------
    UnknownNameError
        If there is none of that name; `error.nearest` is the likeliest one.
    """
    known = {report.name: report for report in list_reports(folder)}
    if name not in known:
        raise UnknownNameError("report", name, known)
    return known[name]


def _read(path: Path, plan: Plan) -> Report:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        first = "".join(cells[0]["source"])
        tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", ())]
        parameters = read_parameters("".join(tagged[0]["source"])) if tagged else ()
    except (OSError, KeyError, IndexError, TypeError, ValueError, SyntaxError) as error:
        raise FileFormatError(path, f"is no report: {type(error).__name__} {error}") from None
    title, _, about = first.partition("\n")
    return Report(path.stem, title.lstrip("# ").strip(), " ".join(about.split()), path, parameters, plan)
