"""Bringing a cube up to date with the store: new sessions are appended, changed or damaged ones made anew."""

from __future__ import annotations

import errno
import logging
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store.contract_book import ContractBook, book_of
from bifrost_lib.store.cubes.columns import ColumnWriter, cut_back, digest_of, is_whole, keep_only, mapped
from bifrost_lib.store.cubes.contracts import KnownContracts, contracts_digest
from bifrost_lib.store.cubes.facts import SessionFacts, counted_rows, session_facts
from bifrost_lib.store.cubes.layout import COLUMNS, DAILY, SHELVES, cube_folder, read_cadence
from bifrost_lib.store.cubes.manifest import Manifest, SessionEntry, read_manifest, write_manifest
from bifrost_lib.store.cubes.sessions import SessionBlock, read_session
from bifrost_lib.store.locks import exclusive
from bifrost_lib.store.reading import cursor_of

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

Progress = Callable[[int, int], None]
_log = logging.getLogger(__name__)
#: So many sessions are read in one transaction and committed together: what a crash can cost.
_TOGETHER = 32
#: A minute cube of years takes a while; a second process waits for the first.
_PATIENCE_S = 3_600.0
#: Up to this size the digests of all sessions are checked whenever a cube is opened.
_CHECKED_BYTES = 64 << 20
_SAMPLES = {"row": "row_contract", "moment": "moment_us", "quote": "bid", "forward": "forward"}


@dataclass(frozen=True)
class CubeUpdate:
    """What bringing a cube up to date did.

    Attributes
    ----------
    folder : Path
    sessions : int
        How many the cube has now.
    exported : int
        How many were read of the store.
    rebuilt : tuple of (date, str)
        Sessions that were there already and had to be made anew, and why.
    """

    folder: Path
    sessions: int
    exported: int
    rebuilt: tuple[tuple[Any, str], ...]


def update_cube(
    store: Store,
    symbol: str,
    *,
    cadence: str | int = DAILY,
    verify: bool | None = None,
    on_progress: Progress | None = None,
) -> CubeUpdate:
    """Bring the stored cube of `symbol` up to date, and tell what was done.

    Parameters
    ----------
    store : Store
    symbol : str
    cadence : "daily" or int
        One moment a session, its close; or one every so many minutes.
    verify : bool, optional
        Compare every session's digest with its columns, and its rows with those counted in the store. Default:
        digests alone, and only of cubes up to 64 MiB.
    on_progress : callable, optional
        Told how many sessions are done, and of how many.

    Raises
    ------
    NoDataError
        If nothing is stored of the symbol.
    StoreError
        If the columns cannot be written; the former state remains.
    """
    return bring_up_to_date(store, symbol, cadence=cadence, verify=verify, on_progress=on_progress)[1]


def bring_up_to_date(
    store: Store, symbol: str, *, cadence: str | int, verify: bool | None, on_progress: Progress | None
) -> tuple[Manifest, CubeUpdate]:
    """Do as `update_cube` does; return the manifest too."""
    minutes = read_cadence(cadence)
    folder = cube_folder(store.home, symbol, minutes)
    state = _State.read(store, symbol, folder, verify)
    if not state.damaged and state.is_current:
        return state.manifest, CubeUpdate(folder, len(state.manifest.sessions), 0, ())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / "lock", timeout_s=_PATIENCE_S):
            state = _State.read(store, symbol, folder, verify)  # another process may just have done it
            update = _Update(store, minutes, folder, state, on_progress)
            update.run()
    except OSError as error:
        raise _cannot_write(folder, error) from None
    rebuilt = tuple((np.datetime64(day, "D").item(), why) for day, why in sorted(update.rebuilt.items()))
    for day, why in rebuilt:
        _log.warning("cube of %s: %s is made anew, because %s", symbol, day, why)
    return update.manifest, CubeUpdate(folder, len(update.manifest.sessions), update.exported, rebuilt)


@dataclass(frozen=True)
class _State:
    """What the cube has, what the store has, and which sessions of the cube cannot be believed, and why."""

    manifest: Manifest
    facts: list[SessionFacts]
    damaged: dict[int, str]

    @classmethod
    def read(cls, store: Store, symbol: str, folder: Path, verify: bool | None) -> _State:
        facts = session_facts(store.engine, symbol, now=store.clock.now())
        manifest = read_manifest(folder)
        damaged = _damaged_columns(folder, manifest, verify)
        if verify:
            damaged |= _miscounted(store, manifest, facts)
        return cls(manifest, facts, damaged)

    @property
    def is_current(self) -> bool:
        known = {entry.day: entry.facts for entry in self.manifest.sessions} | dict(self.manifest.passed or {})
        return known == {one.number: one.words for one in self.facts}


class _Update:
    """One pass over the store's sessions, under the cube's lock."""

    def __init__(self, store: Store, minutes: int, folder: Path, state: _State, on_progress: Progress | None) -> None:
        self._store, self._minutes, self._folder, self._progress = store, minutes, folder, on_progress
        self.manifest, self._facts, self.exported = state.manifest, state.facts, 0
        entries = {entry.day: entry for entry in state.manifest.sessions}
        words = {one.number: one.words for one in state.facts}
        self.rebuilt = {
            day: state.damaged.get(day, "its rows in the store have changed")
            for day, entry in entries.items()
            if day in state.damaged or (day in words and words[day] != entry.facts)
        }
        self._kept = {day: one for day, one in entries.items() if day in words and day not in self.rebuilt}
        self._passed = {day: told for day, told in (state.manifest.passed or {}).items() if words.get(day) == told}
        self._starts = _starts(state.manifest)
        missing = [day for day in words if day not in self._kept and day not in self._passed]
        last = state.manifest.sessions[-1].day if entries else 0
        self._appends = len(self._kept) == len(entries) and min(missing, default=last + 1) > last

    def run(self) -> None:
        """Write what is missing; `manifest` is then what was committed."""
        before = self.manifest
        grows = self._appends and before.sessions
        generation = before.generation + (0 if grows else 1)
        sizes = before.sizes() if grows else dict.fromkeys(before.sizes(), 0)
        keep_only(self._folder, before.generation)
        place = self._folder / str(generation)
        writer = ColumnWriter(place, sizes)
        try:
            self._write(writer, generation)
        except BaseException:
            writer.close()
            if self.manifest.generation == generation:
                cut_back(place, self.manifest.sizes())
            else:
                shutil.rmtree(place, ignore_errors=True)
            raise
        writer.close()
        keep_only(self._folder, generation)

    def _write(self, writer: ColumnWriter, generation: int) -> None:
        source = self._folder / str(self.manifest.generation)
        contracts = KnownContracts(np.empty(0, dtype=np.int64), ())
        if self._kept:
            known = self.manifest.contracts
            contracts = KnownContracts(mapped(source, "contract_id", 0, known), self.manifest.classes)
            if not self._appends:
                writer.copy(source, dict.fromkeys(SHELVES, 0), {"contract": known})
        entries: list[SessionEntry] = []
        for first in range(0, len(self._facts), _TOGETHER):
            part = self._facts[first : first + _TOGETHER]
            entries += self._sessions(part, writer, contracts, source)
            done = first + len(part)
            if self._progress is not None:
                self._progress(done, len(self._facts))
            # What replaces a former state must be whole before it does; a first export may be seen growing.
            if done == len(self._facts) or (self._appends and len(entries) > len(self._kept)):
                writer.commit()
                digest = contracts_digest(writer.folder, len(contracts), contracts.classes)
                self._commit(Manifest(generation, tuple(entries), len(contracts), tuple(contracts.classes),
                                      dict(self._passed), digest))  # fmt: skip

    def _commit(self, manifest: Manifest) -> None:
        write_manifest(self._folder, manifest)
        self.manifest = manifest

    def _sessions(
        self, part: Sequence[SessionFacts], writer: ColumnWriter, contracts: KnownContracts, source: Path
    ) -> Iterator[SessionEntry]:
        engine, book = self._store.engine, book_of(self._store.engine)
        with cursor_of(engine) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for facts in part:
                if (entry := self._kept.get(facts.number)) is not None:
                    if not self._appends:
                        writer.copy(source, self._starts[entry.day], asdict(entry))
                    yield entry
                elif facts.number not in self._passed:
                    block = read_session(cursor, engine, book, facts, self._minutes)
                    if block is None:
                        self._passed[facts.number] = facts.words
                        continue
                    self.exported += 1
                    stored = block.read if block.read == facts.rows else counted_rows(cursor, facts)
                    yield _append(writer, contracts, book, cursor, facts, block, stored)


def _append(
    writer: ColumnWriter,
    contracts: KnownContracts,
    book: ContractBook,
    cursor: Any,
    facts: SessionFacts,
    block: SessionBlock,
    stored: int,
) -> SessionEntry:
    numbers, new = contracts.numbers(block.contract_ids, book.positions(cursor, block.contract_ids), book)
    arrays = {**block.arrays, "row_contract": numbers}
    writer.append({**arrays, **new})
    counts = {shelf: len(arrays[name]) for shelf, name in _SAMPLES.items()}
    return SessionEntry(
        day=facts.number,
        facts=facts.words,
        stored_rows=stored,
        **counts,
        last_us=int(arrays["moment_us"][-1]),
        open_spot=_number(block.open_spot),
        close_spot=_number(block.close_spot),
        digest=digest_of(arrays),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _starts(manifest: Manifest) -> dict[int, dict[str, int]]:
    """Return where each session begins on every shelf."""
    found, at = {}, dict.fromkeys(SHELVES, 0)
    for entry in manifest.sessions:
        found[entry.day] = dict(at)
        for shelf in SHELVES[1:]:
            at[shelf] += getattr(entry, shelf)
    return found


def _damaged_columns(folder: Path, manifest: Manifest, verify: bool | None) -> dict[int, str]:
    """Return the sessions whose columns are not what was written; by their digests where those are looked at."""
    place, sizes = folder / str(manifest.generation), manifest.sizes()
    if not manifest.sessions:
        return {}
    everything = [entry.day for entry in manifest.sessions]
    if not is_whole(place, sizes):
        return dict.fromkeys(everything, "a column is shorter than its manifest says")
    size = sum(sizes[shelf] * np.dtype(kind).itemsize for shelf, kind in COLUMNS.values())
    if verify is False or (verify is None and size > _CHECKED_BYTES):
        return {}
    if contracts_digest(place, manifest.contracts, manifest.classes) != manifest.contracts_digest:
        return dict.fromkeys(everything, "its contracts are not what was written")
    starts, names = _starts(manifest), [name for name, (shelf, _) in COLUMNS.items() if shelf != "contract"]
    whole = {name: mapped(place, name, 0, sizes[COLUMNS[name][0]]) for name in names}
    found = {}
    for entry in manifest.sessions:
        first = starts[entry.day]
        parts = {}
        for name in names:
            shelf = COLUMNS[name][0]
            parts[name] = whole[name][first[shelf] : first[shelf] + getattr(entry, shelf)]
        if digest_of(parts) != entry.digest:
            found[entry.day] = "its columns are not what was written"
    return found


def _miscounted(store: Store, manifest: Manifest, facts: Sequence[SessionFacts]) -> dict[int, str]:
    """Return the sessions of which the store has another number of rows than when they were exported."""
    stored, found = {entry.day: entry.stored_rows for entry in manifest.sessions}, {}
    with cursor_of(store.engine) as cursor:
        for one in facts:
            if one.number in stored and (rows := counted_rows(cursor, one)) != stored[one.number]:
                found[one.number] = f"the store has {rows:,} rows of it and had {stored[one.number]:,}"
    return found


def _cannot_write(folder: Path, error: OSError) -> StoreError:
    what = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
    return StoreError(
        f"cube {folder}: {what}; free some space or set BIFROST_HOME to another disk, and run the same again; "
        "what the cube had before is intact"
    )
