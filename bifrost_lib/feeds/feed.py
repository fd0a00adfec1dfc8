"""The front door: files found, their formats recognised, and one `Feed` for each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bifrost_lib.core.errors import BifrostError, FileFormatError, InputError
from bifrost_lib.feeds.corporate_actions import no_actions, read_corporate_actions
from bifrost_lib.feeds.delimited import DelimitedReader
from bifrost_lib.feeds.detection import candidates
from bifrost_lib.feeds.lean import LeanReader, UniverseReader
from bifrost_lib.feeds.lean_names import KINDS, is_context, parse_archive, underlying_name
from bifrost_lib.feeds.mapping import Mapping, built_in_mappings
from bifrost_lib.feeds.records import Batch
from bifrost_lib.feeds.underlying import find_root

_DELIMITED = (".csv", ".txt", ".tsv", ".parquet", ".pq")
_PACKED = (".gz", ".xz", ".bz2", ".zip")


@dataclass
class Feed:
    """One unit of reading: a file, or a LEAN quote archive with the trade and open-interest archives beside it.

    Attributes
    ----------
    path : Path
        The file that names it.
    format : str
        Name of the mapping, the path of a user's mapping file, ``lean``, or ``unknown``.
    parts : tuple of Path
        All files whose contents become rows, `path` among them.
    symbol : str or None
        The underlying that the caller gave for files that do not say it.
    note : str
        What a reader of this kind of file should know, or ''.
    """

    path: Path
    format: str
    parts: tuple[Path, ...]
    symbol: str | None = None
    note: str = ""
    mappings: Sequence[Mapping] = field(default=(), repr=False)
    problem: BifrostError | None = field(default=None, repr=False)
    in_time_order: bool | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files whose contents become rows."""
        return self.parts

    @property
    def size(self) -> int:
        """Bytes on disk of all parts."""
        return sum(part.stat().st_size for part in self.parts)

    def sha256(self) -> str:
        """Return the hash of the contents of all parts, and of the mapping file where a user wrote one."""
        digest = hashlib.sha256()
        written = [mapping.path for mapping in self.mappings if mapping.path is not None]
        for path in (*self.parts, *written):
            with path.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
        return digest.hexdigest()

    @property
    def source(self) -> str:
        """Name of the vendor, as it is stored with the quotes."""
        return self.mappings[0].name.partition("_")[0] if self.format.endswith(".toml") else self.format.split("_")[0]

    def batches(self) -> Iterator[Batch]:
        """Yield the quotes, complete for each (symbol, ts), with flat memory.

        Raises
        ------
        FileFormatError
            If the file is damaged or of no known layout. It may come after some batches; nothing of the file can be
            trusted then.
        InputError
            If the underlying is not known.
        """
        if self.problem is not None:
            raise self.problem
        if self.format == "lean":
            yield from LeanReader(self.parts).batches()
            return
        kind = UniverseReader if self.format.startswith("lean_universe") else DelimitedReader
        reader = kind(self.path, self.mappings, self.symbol)
        for batch in reader.batches():
            self.in_time_order = reader.in_time_order
            yield batch

    def corporate_actions(self) -> pd.DataFrame:
        """Return the splits and dividends of the underlying that the LEAN tree around the file knows.

        Columns as `read_corporate_actions` gives them; without rows where there is no factor file.
        """
        root = find_root(self.path, "equity") if self.format.startswith("lean") else None
        name = underlying_name(self.path) if root is not None else None
        factors = root / "factor_files" / f"{name}.csv" if root is not None and name else None
        if factors is None or not factors.exists():
            return no_actions()
        return read_corporate_actions(factors)


def open_feed(path: Path | str, *, format: str = "auto", symbol: str | None = None) -> Feed:
    """Return the feed of one file.

    Parameters
    ----------
    path : path
    format : str
        ``auto``, ``lean``, the name of a built-in mapping, or the path of a mapping file (``*.toml``).
    symbol : str, optional
        Underlying, for files that do not say it; a file's own symbol column or contract names count more.

    Raises
    ------
    InputError
        If there is no such file.
    FileFormatError
        If it is of no known layout.
    """
    feeds = discover([Path(path)], format=format, symbol=symbol)
    if len(feeds) != 1:
        raise InputError("path", str(path), "one file; discover() takes folders")
    if feeds[0].problem is not None:
        raise feeds[0].problem
    return feeds[0]


def discover(paths: Sequence[Path | str], *, format: str = "auto", symbol: str | None = None) -> list[Feed]:
    """Return the feeds of files and folders, sorted by path.

    In a folder the chain files of known layouts are taken, everywhere below it. A delimited file that fits no layout
    is among them with its `problem`, which `Feed.batches` raises, so that nothing is passed over in silence.

    Raises
    ------
    InputError
        If a path does not exist.
    UnknownNameError
        If `format` is no known name.
    """
    mappings = _lean_mappings() if format == "lean" else list(candidates(format))
    found = _files([Path(path) for path in paths], archives=format in ("auto", "lean"))
    sets: dict[tuple[str, str], list[Path]] = {}
    if format in ("auto", "lean"):
        for path in found:
            if (archive := parse_archive(path)) is not None:
                sets.setdefault(archive.group, []).append(path)
    feeds = [_lean(paths, group, symbol) for group, paths in sets.items()]
    taken = {path for paths in sets.values() for path in paths}
    feeds += [_delimited(path, mappings, format, symbol) for path in found if path not in taken]
    return sorted(feeds, key=lambda feed: feed.path)


def _lean_mappings() -> list[Mapping]:
    return [mapping for name, mapping in built_in_mappings().items() if name.startswith("lean_")]


def _files(paths: Sequence[Path], *, archives: bool) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError("path", str(path), "a file or folder that exists")
        if path.is_dir():
            children = (child for child in sorted(path.rglob("*")) if child.is_file())
            found |= dict.fromkeys(child for child in children if _is_wanted(child, archives=archives))
        else:
            found[path] = None
    # A file that is named twice, or also lies in a named folder, is read once.
    return list({path.resolve(): path for path in reversed(found)}.values())


def _is_wanted(path: Path, *, archives: bool) -> bool:
    # In a folder: chain files by their names, without what a LEAN tree has beside its options.
    name = path.name.lower()
    if name.startswith(".") or is_context(path):
        return False
    if archives and parse_archive(path) is not None:
        return True
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return name.endswith(_DELIMITED)


def _lean(given: list[Path], group: tuple[str, str], symbol: str | None) -> Feed:
    # The archives beside the given ones belong to the same set, given or not; the quotes name it.
    beside = {path: found for path in sorted(given[0].parent.iterdir()) if (found := parse_archive(path)) is not None}
    parts = sorted(
        (path for path, found in beside.items() if found.group == group),
        key=lambda path: (KINDS.index(beside[path].kind), path.name),
    )
    name = next((path for path in parts if path in given), given[0])
    return Feed(name, "lean", tuple(parts), symbol)


def _delimited(path: Path, mappings: list[Mapping], layout: str, symbol: str | None) -> Feed:
    try:
        mapping = DelimitedReader(path, mappings, symbol).mapping()
    except (FileFormatError, InputError) as error:
        return Feed(path, "unknown", (path,), symbol, mappings=mappings, problem=error)
    name = layout if layout.endswith(".toml") else mapping.name
    if mapping.name.startswith("lean_universe") and symbol is None:
        symbol = path.absolute().parent.name.upper()
    return Feed(path, name, (path,), symbol, mapping.note, mappings=[mapping])
