"""What a sweep has found so far, in files: written as results come, never changed, and read by the next call.

A folder belongs to one cube, one set of options and one state of the code. Its parts are Arrow files, each written
whole under another name and then renamed, so a process that is killed or a disk that fills leaves none in pieces, and
two sweeps of one cube may write at the same time. A row is found by the hash of its document: the order of the
documents, how they were cut into chunks, and which grid they came from do not matter.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import FileFormatError

Arrays = dict[str, npt.NDArray[Any]]

_KEY = "document"  # the column with the documents' hashes
_SUFFIX = ".arrow"
_ABOUT = "about.json"


class Checkpoint:
    """The finished parameter sets of one cube and one set of options.

    Parameters
    ----------
    folder : Path
        Made when something is written.
    about : mapping, optional
        What the folder is of, JSON-ready, for whoever looks into it.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        self.folder, self._about = folder, dict(about or {})

    def finished(self) -> set[str]:
        """Return the hashes of the documents whose results are kept."""
        return {key for path in self._parts() for key in _read(path, only_keys=True)[_KEY]}

    def append(self, keys: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep the results of documents, all or none of them.

        Parameters
        ----------
        keys : sequence of str
            The documents' hashes.
        arrays : mapping of str to array
            Numbers or truth values, the first axis as long as `keys`.

        Raises
        ------
        OSError
            If the disk does not take them; nothing of them is left then.
        """
        import pyarrow as pa

        self._make_folder()
        table = pa.table({_KEY: pa.array(list(keys), pa.string())} | {name: _column(a) for name, a in arrays.items()})
        path = self.folder / f"{secrets.token_hex(8)}{_SUFFIX}"
        draft = path.with_suffix(".draft")
        try:
            with draft.open("xb") as file:
                with pa.ipc.new_file(file, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
                    writer.write_table(table)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def read(self, keys: Sequence[str]) -> tuple[list[str], Arrays]:
        """Return which of the documents are kept, in the order of `keys`, and their results in that order."""
        wanted = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        found: dict[str, tuple[int, int]] = {}
        parts: list[dict[str, Any]] = []
        for path in self._parts():
            here = _read(path, only_keys=True)[_KEY]
            rows = {key: row for row, key in enumerate(here) if key in wanted and key not in found}
            if rows:
                found |= {key: (len(parts), row) for key, row in rows.items()}
                parts.append({name: values for name, values in _read(path).items() if name != _KEY})
        order = sorted(found, key=wanted.__getitem__)
        if not order:
            return [], {}
        return order, gather(parts, [found[key] for key in order])

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        about = self.folder / _ABOUT
        if not about.exists():
            about.write_text(json.dumps(self._about, indent=2, sort_keys=True, default=str), encoding="utf-8")


def join(parts: Sequence[Mapping[str, npt.NDArray[Any]]]) -> Arrays:
    """Return results of several chunks as one, in their order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def gather(parts: Sequence[Mapping[str, npt.NDArray[Any]]], places: Sequence[tuple[int, int]]) -> Arrays:
    """Return the results at `places`, each a part and a row of it, in their order; every part is read once."""
    which, rows = np.array(places).reshape(-1, 2).T
    found = {name: np.empty((len(places), *first.shape[1:]), first.dtype) for name, first in parts[0].items()}
    for number, part in enumerate(parts):
        chosen = np.flatnonzero(which == number)
        for name, array in found.items():
            array[chosen] = part[name][rows[chosen]]
    return found


def _column(array: npt.NDArray[Any]) -> Any:
    """Return an Arrow column of the array; one of more axes becomes lists of one length."""
    import pyarrow as pa

    if array.dtype.kind not in "biufSU" and array.dtype.kind != "M":
        raise TypeError(f"results are numbers, truth values or moments, not {array.dtype}")
    if array.ndim == 1:
        return pa.array(array)
    width = int(np.prod(array.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(array).reshape(-1)), width)


def _read(path: Path, *, only_keys: bool = False) -> dict[str, Any]:
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(included_fields=[0] if only_keys else None)
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source, options=options).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFormatError(path, f"is no part of a sweep ({error}); remove it: its sets are made again") from None
    return {name: _values(table[name].combine_chunks()) for name in table.column_names}


def _values(column: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_string(column.type):
        return column.to_pylist()
    if pa.types.is_fixed_size_list(column.type):
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
    return column.to_numpy(zero_copy_only=False)
