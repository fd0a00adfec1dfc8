"""What the functions of a lognormal price share: their domain, and the law of the log return."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, is_call, numbers

_POSITIVE, _NOT_NEGATIVE = "finite numbers > 0", "finite numbers >= 0"
_DOMAIN = {
    "spot": _POSITIVE,
    "strike": _POSITIVE,
    "tau": _NOT_NEGATIVE,
    "vol": _NOT_NEGATIVE,
    "rate": "finite numbers",
    "div_yield": "finite numbers",
    "drift": "finite numbers",
    "call": _NOT_NEGATIVE,
    "put": _NOT_NEGATIVE,
    "low": "numbers >= 0",
    "high": "numbers >= 0",
    "right": "C or P",
}


def checked(**arguments: Any) -> dict[str, Floats]:
    """Return `arguments` as float64 arrays, without a `drift` of None, and ``right`` as +1 for calls and -1 for puts.

    Refuses the first that leaves its domain, in which NaN always lies, and shapes that do not broadcast.
    """
    given = {name: value for name, value in arguments.items() if name != "drift" or value is not None}
    arrays = {name: _signs(value) if name == "right" else numbers(name, value) for name, value in given.items()}
    for name, array in arrays.items():
        expected = _DOMAIN[name]
        wrong = np.isinf(array) & expected.startswith("finite")
        wrong |= (array <= 0) & expected.endswith("> 0") | (array < 0) & expected.endswith(">= 0")
        if wrong.any():
            raise InputError(name, float(array[wrong].flat[0]), expected)
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError("shape", shapes, "arguments that broadcast against each other") from None
    return arrays


def _signs(right: Any) -> Floats:
    return np.where(is_call(right), 1.0, -1.0)


def log_return(given: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Return standard deviation and mean of the log return until `tau`."""
    growth = given["drift"] if "drift" in given else given["rate"] - given["div_yield"]
    return given["vol"] * np.sqrt(given["tau"]), (growth - 0.5 * given["vol"] ** 2) * given["tau"]


def plain(result: Any) -> Any:
    """Return a result as float64: an array, or a scalar where all arguments were."""
    return np.asarray(result, dtype=np.float64)[()]
