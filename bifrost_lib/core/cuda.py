"""How kernels become code for a GPU: the same functions that `core.kernels` compiles for the processor.

A kernel of scalars may be called from a GPU loop as it is; the compiler translates it for the device. A kernel of
blocks is first narrowed to one element by `with_constants`. Import this module only where a GPU is wanted: it loads the
compiler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import config
from numba import cuda as _cuda

from bifrost_lib.core.errors import EnvironmentProblem

cuda: Any = _cuda  # the compiler's words for the device are made at run time, so no type checker knows them
_THREADS = 128
config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # type: ignore[attr-defined, unused-ignore]  # a few options are no mistake


@cuda.jit(device=True)  # type: ignore[untyped-decorator, unused-ignore]
def thread() -> int:
    """Return the number of the running thread, counted over the whole grid."""
    return int(cuda.grid(1))


def gpu_loop(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a function of arrays whose every thread does one element, so that it is compiled for the GPU."""
    compiled: Callable[..., None] = cuda.jit(function)
    return compiled


def with_constants(function: Any, constants: Mapping[str, int]) -> Any:
    """Compile the source of `function` for the GPU as if its module's `constants` had these values.

    The same goes for the functions that it calls; one that names none of the constants is returned as it is.
    """
    source = getattr(function, "py_func", function)
    known = source.__globals__
    changed: dict[str, Any] = {}
    for name in set(source.__code__.co_names) & known.keys():
        if name in constants:
            changed[name] = constants[name]
        elif isinstance(getattr(known[name], "py_func", known[name]), FunctionType):
            narrowed = with_constants(known[name], constants)
            if narrowed is not known[name]:
                changed[name] = narrowed
    if not changed:
        return function
    return cuda.jit(device=True)(FunctionType(source.__code__, {**known, **changed}, source.__name__))


def has_gpu() -> bool:
    """Tell whether a GPU can be used, or the simulator (``NUMBA_ENABLE_CUDASIM=1``) stands in for one."""
    return bool(cuda.is_available())


def require_gpu() -> None:
    """Raise `EnvironmentProblem` if there is no GPU."""
    if not has_gpu():
        raise EnvironmentProblem(
            "no CUDA GPU answers", "check nvidia-smi, or call the function without gpu_ in its name"
        )


def run_on_gpu(
    loop: Any, columns: Sequence[npt.NDArray[Any]], size: int, results: Sequence[npt.DTypeLike]
) -> list[npt.NDArray[Any]]:
    """Run `loop` with one thread for each of `size` elements and return its results.

    Parameters
    ----------
    loop
        Made by `gpu_loop`; takes `columns`, then one array for each of `results`.
    columns : sequence of arrays
        Of `size` elements, or of one that serves all; they are copied to the device.
    size : int
    results : sequence of dtypes

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    require_gpu()
    given = [cuda.to_device(column) for column in columns]
    found = [cuda.device_array(size, dtype=np.dtype(kind)) for kind in results]
    if size:
        loop[math.ceil(size / _THREADS), _THREADS](*given, *found)
    return [one.copy_to_host() for one in found]


def change_on_gpu(table: npt.NDArray[Any], steps: Iterable[tuple[Any, int, Sequence[Any]]]) -> None:
    """Let loops change `table`, which stays on the device between one and the next.

    Parameters
    ----------
    table : contiguous array
    steps : iterable of (loop, size, arguments)
        A loop made by `gpu_loop` takes the table, then the `arguments`, which are numbers and arrays that it only
        reads; it is run with one thread for each of `size` elements.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    require_gpu()
    held = cuda.to_device(table)
    for loop, size, arguments in steps:
        given = [cuda.to_device(one) if isinstance(one, np.ndarray) else one for one in arguments]
        loop[math.ceil(size / _THREADS), _THREADS](held, *given)
    held.copy_to_host(table)
