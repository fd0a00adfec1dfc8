"""How scalar functions become machine code: the one place that knows the compiler and its cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Return where compiled kernels are kept: ``NUMBA_CACHE_DIR``, else ``cache/numba`` in the home folder."""
    from bifrost_lib.core.settings import default_home

    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("BIFROST_HOME") or default_home()).expanduser().absolute() / "cache" / "numba"


def kernel(**options: Any) -> Callable[[F], F]:
    """Decorate a function of scalars and arrays so that it is compiled on first use and cached on disk.

    Options are those of ``numba.njit`` (``parallel``, ``fastmath``, ``inline``...). Without a cache folder that can
    be written, kernels still work and are compiled again in every process.
    """
    folder = str(cache_folder())
    import numba

    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]

    def compile_later(function: F) -> F:
        compiled: F = numba.njit(cache=_writable(folder), **options)(function)
        return compiled

    return compile_later


def _writable(folder: str) -> bool:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
