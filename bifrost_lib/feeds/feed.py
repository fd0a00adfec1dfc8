"""The front door: files found, their formats recognised, and one `Feed` for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bifrost_lib.core.errors import BifrostError, FileFormatError, InputError
from bifrost_lib.feeds.delimited import DelimitedReader
from bifrost_lib.feeds.detection import candidates
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.records import Batch

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
        reader = DelimitedReader(self.path, self.mappings, self.symbol)
        for batch in reader.batches():
            self.in_time_order = reader.in_time_order
            yield batch

    def corporate_actions(self) -> pd.DataFrame:
        """Return splits and dividends known beside the file; columns symbol, ex_date, kind, value."""
        return pd.DataFrame({"symbol": [], "ex_date": [], "kind": [], "value": []})


def open_feed(path: Path | str, *, format: str = "auto", symbol: str | None = None) -> Feed:
    """Return the feed of one file.

    Parameters
    ----------
    path : path
    format : str
        ``auto``, ``lean``, the name of a built-in mapping, or the path of a mapping file (``*.toml``).
    symbol : str, optional
        Underlying, for files that do not say it.

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
    mappings = [] if format == "lean" else list(candidates(format))
    feeds = []
    for path in _files([Path(path) for path in paths]):
        feeds.append(_delimited(path, mappings, format, symbol))
    return feeds


def _files(paths: Sequence[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError("path", str(path), "a file or folder that exists")
        if path.is_dir():
            found |= dict.fromkeys(child for child in sorted(path.rglob("*")) if child.is_file() and _delimited_name(child))
        else:
            found[path] = None
    return list(found)


def _delimited_name(path: Path) -> bool:
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return name.endswith(_DELIMITED) and not path.name.startswith(".")


def _delimited(path: Path, mappings: list[Mapping], layout: str, symbol: str | None) -> Feed:
    try:
        mapping = DelimitedReader(path, mappings, symbol).mapping()
    except (FileFormatError, InputError) as error:
        return Feed(path, "unknown", (path,), symbol, mappings=mappings, problem=error)
    name = layout if layout.endswith(".toml") else mapping.name
    return Feed(path, name, (path,), symbol, mapping.note, mappings=[mapping])
