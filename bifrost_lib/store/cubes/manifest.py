"""What of a cube's columns counts: replaced in one step, so that a crash leaves the former state."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from bifrost_lib.store.cubes.layout import LAYOUT_VERSION, SHELVES

_NAME = "manifest.json"


@dataclass(frozen=True)
class SessionEntry:
    """One session of a cube.

    Attributes
    ----------
    day : int
        Days since 1970-01-01.
    facts : str
        What the store's directory said of the session when it was exported.
    stored_rows : int
        Rows that the store had of it then.
    row, moment, quote, forward : int
        How much it has of each.
    last_us : int
        Its last moment; 0 for a day on which nothing could be used.
    open_spot, close_spot : float or None
    digest : str
        Of its part of the columns.
    """

    day: int
    facts: str
    stored_rows: int
    row: int
    moment: int
    quote: int
    forward: int
    last_us: int
    open_spot: float | None
    close_spot: float | None
    digest: str


@dataclass(frozen=True)
class Manifest:
    """The committed state of a cube: its files' generation, its sessions in order, contracts and class names.

    `passed` are days of the store that are no sessions, with their facts.
    """

    generation: int = 0
    sessions: tuple[SessionEntry, ...] = ()
    contracts: int = 0
    classes: tuple[str, ...] = ()
    passed: Mapping[int, str] | None = None
    contracts_digest: str = ""

    def sizes(self) -> dict[str, int]:
        """Return how much of each shelf counts."""
        return {"contract": self.contracts, **totals(self.sessions)}


def totals(sessions: Iterable[SessionEntry]) -> dict[str, int]:
    """Return how many rows, moments, quotes and forwards some sessions have."""
    found = dict.fromkeys(SHELVES[1:], 0)
    for session in sessions:
        for shelf in found:
            found[shelf] += getattr(session, shelf)
    return found


def read_manifest(folder: Path) -> Manifest:
    """Return the committed state; an empty one where there is none, or none that can be read."""
    try:
        told = json.loads((folder / _NAME).read_bytes())
        if told["layout"] != LAYOUT_VERSION:
            return Manifest(generation=int(told["generation"]))
        sessions = tuple(SessionEntry(*row) for row in told["sessions"])
        passed = {int(day): str(facts) for day, facts in told["passed"].items()}
        counted = int(told["generation"]), sessions, int(told["contracts"])
        return Manifest(*counted, tuple(told["classes"]), passed, str(told["contracts_digest"]))
    except FileNotFoundError:
        return Manifest()
    except (ValueError, KeyError, TypeError):
        return Manifest(generation=_newest_generation(folder))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Commit a state; the columns must be on the disk by then."""
    told = {
        "layout": LAYOUT_VERSION,
        "generation": manifest.generation,
        "contracts": manifest.contracts,
        "classes": manifest.classes,
        "contracts_digest": manifest.contracts_digest,
        "passed": manifest.passed or {},
        "sessions": [astuple(session) for session in manifest.sessions],
    }
    new = folder / f".{_NAME}.new"
    try:
        with new.open("w") as file:
            json.dump(told, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / _NAME)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _newest_generation(folder: Path) -> int:
    return max((int(one.name) for one in folder.iterdir() if one.name.isdecimal()), default=0)
