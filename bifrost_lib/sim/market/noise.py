"""Random numbers that belong to a name: the same key always gives the same number, in any order of asking."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_LOW = np.uint64(0xFFFF)


def key_of(*words: str | int) -> int:
    """Return a 64-bit key of a tuple of words and numbers, the same in every process."""
    key = 0
    for word in words:
        key = _mix_one(key + (crc32(word.encode()) if isinstance(word, str) else word))
    return key


def keys_at(keys: Keys | int, *numbers: npt.ArrayLike) -> Keys:
    """Return one key for each combination of `keys` with integers, broadcast against each other."""
    found = np.asarray(keys, dtype=np.uint64)
    for number in numbers:
        found = _mix(found + _as_words(number))
    return found


def normals(keys: Keys) -> Floats:
    """Return a nearly normal number for each key: mean 0, deviation 1, within 3.5 (the sum of four uniform ones)."""
    total = (
        (keys & _LOW) + ((keys >> np.uint64(16)) & _LOW) + ((keys >> np.uint64(32)) & _LOW) + (keys >> np.uint64(48))
    )
    return np.asarray((total.astype(np.float64) - 131_070.0) * (np.sqrt(3.0) / 65_535.0))


def uniforms(keys: Keys) -> Floats:
    """Return a number in [0, 1) for each key."""
    return np.asarray((keys >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _as_words(number: npt.ArrayLike) -> Any:
    return np.asarray(number).astype(np.int64).view(np.uint64)


def _mix(words: Any) -> Keys:
    # the finalizer of splitmix64 (Steele, Lea, Flood 2014)
    with np.errstate(over="ignore"):
        words = words + np.uint64(_GOLDEN)
        words = (words ^ (words >> _SHIFTS[0])) * _FACTORS[0]
        words = (words ^ (words >> _SHIFTS[1])) * _FACTORS[1]
    return np.asarray(words ^ (words >> _SHIFTS[2]), dtype=np.uint64)


def _mix_one(word: int) -> int:
    word = (word + _GOLDEN) & _MASK
    word = ((word ^ (word >> 30)) * int(_FACTORS[0])) & _MASK
    word = ((word ^ (word >> 27)) * int(_FACTORS[1])) & _MASK
    return word ^ (word >> 31)
