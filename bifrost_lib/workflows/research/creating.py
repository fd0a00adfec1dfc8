"""A study of one's own: four notebooks that follow each other, copied from the templates under a new name."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import EnvironmentProblem, InputError

#: What the templates are called, wherever their name stands in them.
PLACEHOLDER = "my_study"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Study:
    """A folder with the notebooks of a study, in the order in which they are worked through."""

    name: str
    folder: Path
    notebooks: tuple[Path, ...]


def templates_folder() -> Path:
    """Return the folder of the checkout where the templates are kept."""
    return Path(__file__).resolve().parents[3] / "notebooks" / "research" / "templates"


def new_study(name: str, into: Path | None = None) -> Study:
    """Copy the research templates into a new folder, all of them or none, with the study's name in each.

    Parameters
    ----------
    name : str
        Lower-case letters, digits, ``-`` and ``_``, a letter first; at most 40 of them.
    into : Path, optional
        An existing folder in which the study's own is made. Default: the current one.

    Raises
    ------
    InputError
        If the name is none, `into` is no folder, or there is something of that name in it.
    EnvironmentProblem
        If the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise InputError("name", name, "at most 40 lower-case letters, digits, - and _, a letter first")
    into = (into or Path()).absolute()
    if not into.is_dir():
        raise InputError("into", str(into), "a folder that exists")
    folder = into / name
    if folder.exists() or folder.is_symlink():
        raise InputError("name", name, f"a name that is free; {folder} exists")
    try:
        _fill(folder)
    except OSError as error:
        raise EnvironmentProblem(f"{folder} cannot be made: {error.strerror}", "choose another folder") from error
    return Study(name, folder, tuple(sorted(folder.glob("*.ipynb"))))


def _fill(folder: Path) -> None:
    # Written beside its place and moved there at one stroke, so that nobody finds half a study.
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for template in sorted(templates_folder().glob("*.ipynb")):
            text = template.read_text(encoding="utf-8").replace(PLACEHOLDER, folder.name)
            (unfinished / template.name).write_text(text, encoding="utf-8")
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
