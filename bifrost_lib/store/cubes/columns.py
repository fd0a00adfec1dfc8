"""The column files of a cube: flat, little-endian, only ever appended to, and mapped for reading."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from bifrost_lib.store.cubes.layout import COLUMNS
from bifrost_lib.store.cubes.manifest import sync_folder

Array = npt.NDArray[Any]
_PIECE = 1 << 24


class ColumnWriter:
    """Appends to all columns of one generation, from what its manifest counts on."""

    def __init__(self, folder: Path, sizes: Mapping[str, int]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, BinaryIO] = {}
        self._sizes = dict(sizes)
        try:
            for name, (shelf, kind) in COLUMNS.items():
                file = self._files[name] = (folder / name).open("ab", buffering=0)
                # What lies beyond was never committed: a process ended there.
                file.truncate(sizes[shelf] * np.dtype(kind).itemsize)
        except BaseException:
            self.close()
            raise

    def append(self, arrays: Mapping[str, Array]) -> None:
        """Append arrays by column name; those of one shelf must be equally long."""
        for name, array in arrays.items():
            self._write(name, np.ascontiguousarray(array, dtype=COLUMNS[name][1]).view(np.uint8).data)

    def copy(self, source: Path, starts: Mapping[str, int], counts: Mapping[str, int]) -> None:
        """Append a piece of another generation's columns."""
        for name, (shelf, kind) in COLUMNS.items():
            if counts.get(shelf):
                size = np.dtype(kind).itemsize
                with (source / name).open("rb") as file:
                    file.seek(starts[shelf] * size)
                    left = counts[shelf] * size
                    while left and (piece := file.read(min(left, _PIECE))):
                        self._write(name, piece)
                        left -= len(piece)

    def commit(self) -> None:
        """Have everything on the disk."""
        for file in self._files.values():
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def close(self) -> None:
        """Close the files; what was not committed is cut by the next writer."""
        for file in self._files.values():
            file.close()

    def _write(self, name: str, piece: bytes | memoryview) -> None:
        view = memoryview(piece)
        while view.nbytes:
            view = view[self._files[name].write(view) :]


def cut_back(folder: Path, sizes: Mapping[str, int]) -> None:
    """Give back the space of what was not committed."""
    for name, (shelf, kind) in COLUMNS.items():
        if (folder / name).exists():
            os.truncate(folder / name, sizes[shelf] * np.dtype(kind).itemsize)


def keep_only(folder: Path, generation: int) -> None:
    """Remove other generations; who still has them mapped keeps what is mapped."""
    for one in folder.iterdir():
        if one.name.isdecimal() and int(one.name) != generation:
            shutil.rmtree(one)


def is_whole(folder: Path, sizes: Mapping[str, int]) -> bool:
    """Tell whether every column has what the manifest counts."""
    try:
        return all(
            (folder / name).stat().st_size >= sizes[shelf] * np.dtype(kind).itemsize
            for name, (shelf, kind) in COLUMNS.items()
        )
    except FileNotFoundError:
        return False


def mapped(folder: Path, name: str, start: int, count: int) -> Array:
    """Return a piece of a column as a map of its file: nothing is read before it is looked at.

    It may be written to, which changes neither the file nor what others see; compiled loops take it like any array.
    """
    kind = np.dtype(COLUMNS[name][1])
    if not count:
        return np.empty(0, dtype=kind)
    return np.memmap(folder / name, dtype=kind, mode="c", offset=start * kind.itemsize, shape=(count,))


def digest_of(arrays: Mapping[str, Array]) -> str:
    """Return the digest of one session's part of the columns."""
    told = hashlib.sha256()
    for name, (shelf, kind) in COLUMNS.items():
        if shelf != "contract":
            told.update(np.ascontiguousarray(arrays[name], dtype=kind).view(np.uint8).data)
    return told.hexdigest()
