"""How scalar functions become machine code: the one place that knows the compiler and its cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_LOCK = ".lock"
#: Kept beside kernels, and none of them: locks, and the exchange's sessions.
_OTHERS = (_LOCK, ".npy")
_PACKAGE = Path(__file__).parents[1]
_IMPORT = re.compile(rb"^ *from (bifrost_lib[\w.]*) import \(?([\w, \n]*)", re.MULTILINE)


def cache_folder() -> Path:
    """Return where compiled kernels are kept: ``NUMBA_CACHE_DIR``, else ``cache/numba`` in the home folder."""
    from bifrost_lib.core.settings import default_home

    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("BIFROST_HOME") or default_home()).expanduser().absolute() / "cache" / "numba"


def has_kernels() -> bool:
    """Tell whether anything has been compiled into the cache folder yet; declaring kernels only makes empty folders."""
    return any(path.is_file() and path.suffix not in _OTHERS for path in cache_folder().rglob("*"))


@contextmanager
def one_writer(kept: Path) -> Iterator[None]:
    """Let one process at a time write a path of the cache; the system lets go of it, however that process ends.

    Where its folder can be neither made nor written to, nothing can be kept either, and nobody waits.
    """
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(kept.with_name(kept.name + _LOCK), os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def keep(path: Path, stored: bytes) -> None:
    """Write a file of the cache, whole or not at all, since others may be reading; in a folder of theirs nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(stored)
        Path(file.name).chmod(0o644)  # for every user who shares the folder
        Path(file.name).replace(path)
    except OSError:
        return


def kernel(**options: Any) -> Callable[[F], F]:
    """Decorate a function of scalars and arrays so that it is compiled on first use and cached on disk.

    Options are those of ``numba.njit`` (``parallel``, ``fastmath``, ``inline``...). Without a cache folder that can
    be written, kernels still work and are compiled again in every process.
    """
    import numba

    def compile_later(function: F) -> F:
        folder = str(cache_folder() / sources_digest(Path(function.__code__.co_filename)))
        numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]
        kept = _writable(folder)
        compiled: F = numba.njit(cache=kept, **options)(function)
        if kept and not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            _keep_alone(compiled, Path(folder))
        return compiled

    return compile_later


def _keep_alone(compiled: Any, folder: Path) -> None:
    # the compiler's cache reads its list of what is kept, adds to it and writes it back: two processes at once would
    # give the code for two signatures one name
    kept = compiled._cache
    save = kept.save_overload

    def save_alone(signature: Any, data: Any) -> None:
        with one_writer(folder / "index"):
            save(signature, data)

    kept.save_overload = save_alone


@cache
def sources_digest(source: Path) -> str:
    """Name the contents of a file and of all files of ours that it imports from, directly or not.

    The compiler's own cache looks only at a kernel's own file, and would go on using machine code into which an older
    version of another file's function was compiled.
    """
    found: dict[Path, bytes] = {}
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path not in found and path.exists():
            found[path] = path.read_bytes()
            for module, names in re.findall(_IMPORT, found[path]):
                place = _PACKAGE.parent / module.decode().replace(".", "/")
                waiting += [
                    place.with_suffix(".py"),
                    *(place / f"{name.decode()}.py" for name in names.replace(b",", b" ").split()),
                ]
    told = hashlib.blake2b(digest_size=8)
    for path in sorted(found):
        told.update(path.name.encode() + found[path])
    return told.hexdigest()


def _writable(folder: str) -> bool:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
