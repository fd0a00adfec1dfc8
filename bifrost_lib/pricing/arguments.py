"""What callers may pass: broadcasting, the ways of writing a right, and refusals that name the argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.result_memory import result_table

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]

_RIGHT_EXPECTED = "'C' or 'P', or an array of them (text, categories, or booleans that are true for calls)"
_CALL, _PUT = ord("C"), ord("P")


@dataclass(frozen=True)
class Batch:
    """Arguments as flat arrays of one element or of `size`, and the shape that results take."""

    shape: tuple[int, ...]
    size: int
    columns: tuple[npt.NDArray[Any], ...]

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """How far each column moves per element: 0 where one value serves all, else 1."""
        return np.array([0 if column.size == 1 else 1 for column in self.columns])

    def part(self, rows: slice) -> list[npt.NDArray[Any]]:
        """The columns' elements in `rows`; a column of one element serves every part."""
        return [column if column.size == 1 else column[rows] for column in self.columns]

    def target(self, out: npt.NDArray[np.float64] | None) -> Floats:
        """Return the flat array that a loop writes its result to: `out` itself, or a new one.

        Raises
        ------
        InputError
            If `out` is not a contiguous, writable float64 array of the result's shape, apart from the arguments.
        """
        return np.empty(self.size) if out is None else self._checked(out, self.shape).reshape(-1)

    def targets(self, names: Sequence[str], out: Mapping[str, Floats] | Floats | None) -> dict[str, Floats]:
        """Return the flat arrays that results called `names` are written to: those in `out`, its rows, or new ones.

        Raises
        ------
        InputError
            If `out` lacks a name, or an array is not as for `target`.
        """
        if out is None:  # one piece of memory: the system hands out a large one in large pages, twice as fast to fill
            return dict(zip(names, result_table(len(names), self.size), strict=True))
        if isinstance(out, Mapping):
            for name in names:
                if name not in out:
                    raise InputError("out", sorted(out), f"an array for each of {', '.join(names)}")
            return {name: self.target(out[name]) for name in names}
        rows = self._checked(out, (len(names), *self.shape)).reshape(len(names), self.size)
        return dict(zip(names, rows, strict=True))

    def _checked(self, out: Any, shape: tuple[int, ...]) -> Floats:
        fine = isinstance(out, np.ndarray) and out.shape == shape and out.dtype == np.float64
        if not (fine and out.flags.c_contiguous and out.flags.writeable):
            found = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else out
            raise InputError("out", found, f"a contiguous, writable float64 array of shape {shape}")
        if any(np.may_share_memory(out, column) for column in self.columns):
            raise InputError("out", "memory of an argument", "an array apart from the arguments, which are still read")
        checked: Floats = out
        return checked

    def result(self, flat: npt.NDArray[Any]) -> Any:
        """Give a flat result of `size` elements the broadcast shape; a scalar for scalar arguments."""
        return flat.reshape(self.shape)[()]


def batch(**arguments: Any) -> Batch:
    """Broadcast `arguments` against each other; the one named ``right`` becomes int8 flags, 1 for a call.

    Raises
    ------
    InputError
        If an argument is not numeric (or, for ``right``, not a right), or if shapes do not broadcast.
    """
    arrays = [is_call(value) if name == "right" else numbers(name, value) for name, value in arguments.items()]
    shapes = {array.shape for array in arrays}
    try:
        shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    except ValueError:
        found = ", ".join(f"{name} {array.shape}" for name, array in zip(arguments, arrays, strict=True))
        raise InputError("shape", found, "arguments that broadcast against each other") from None
    size = prod(shape)
    return Batch(shape, size, tuple(_flat(array, shape) for array in arrays))


def numbers(name: str, value: Any) -> Floats:
    """Return `value` as float64, without a copy where it already is; what is masked is missing: NaN."""
    try:
        if isinstance(value, np.ma.MaskedArray):
            return np.where(np.ma.getmaskarray(value), np.nan, np.asarray(value, dtype=np.float64))
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(name, value, "a number or an array of numbers") from None


def is_call(right: Any) -> Flags:
    """Return 1 for calls and 0 for puts, as int8, in the shape of `right`."""
    if isinstance(right, str):
        if right not in ("C", "P"):
            raise InputError("right", right, _RIGHT_EXPECTED)
        return np.array(right == "C", dtype=np.int8)
    categorical = getattr(right, "cat", right)
    if hasattr(categorical, "codes") and hasattr(categorical, "categories"):
        return _from_categories(np.asarray(categorical.codes), list(categorical.categories))
    array = np.asarray(right)
    if array.dtype == np.bool_:
        return array.view(np.int8)
    if array.dtype.kind in "iu":
        if array.size and (int(array.min()) < 0 or int(array.max()) > 1):
            raise InputError("right", array, _RIGHT_EXPECTED)
        return array.astype(np.int8, copy=False)
    return _from_text(array)


def _from_categories(codes: npt.NDArray[Any], categories: list[Any]) -> Flags:
    unknown = [category for category in categories if category not in ("C", "P")]
    table = np.array([category == "C" for category in categories] + [False], dtype=np.int8)
    if codes.size and (int(codes.min()) < 0 or (unknown and np.isin(codes, _positions(categories, unknown)).any())):
        raise InputError("right", unknown or None, _RIGHT_EXPECTED)
    flags: Flags = table[codes]
    return flags


def _positions(categories: list[Any], wanted: list[Any]) -> list[int]:
    return [position for position, category in enumerate(categories) if category in wanted]


def _from_text(array: npt.NDArray[Any]) -> Flags:
    if array.dtype == np.dtype("<U1") and array.size:
        letters: npt.NDArray[Any] = np.ascontiguousarray(array).view(np.uint32)
        calls, puts = letters == _CALL, letters == _PUT
    else:
        calls, puts = np.asarray(array == "C", dtype=bool), np.asarray(array == "P", dtype=bool)
    if not (calls | puts).all():
        wrong = array[~(calls | puts)]
        raise InputError("right", wrong.flat[0], _RIGHT_EXPECTED)
    flags: Flags = calls.view(np.int8)
    return flags


def _flat(array: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if array.size == 1:
        return np.ascontiguousarray(array).reshape(1)
    if array.shape != shape:
        array = np.broadcast_to(array, shape)
    return np.ascontiguousarray(array).reshape(-1)


def refuse(flags: int, names: Mapping[str, str], columns: tuple[npt.NDArray[Any], ...]) -> None:
    """Raise for the first argument whose bit is set in `flags`; `names` maps an argument to what it must be."""
    for position, (name, expected) in enumerate(names.items()):
        if flags >> position & 1:
            column = columns[position]
            strict = expected.endswith("> 0")
            wrong = column[column <= 0] if strict else column[column < 0]
            raise InputError(name, float(wrong[0]), expected)
