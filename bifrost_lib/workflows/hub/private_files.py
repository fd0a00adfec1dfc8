"""Files that only their owner may read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` at one stroke, readable by its owner alone (mode 0600), in a folder made at need."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def make_private(path: Path, text: str) -> str:
    """Write `text` to `path` unless it exists, and return what it holds."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(draft, text)
    try:
        with suppress(FileExistsError):  # another process was quicker: its text stands
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text(encoding="utf-8")
