"""Front doors that open on demand: importing a package must not load what its caller never uses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def front_door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package whose names are loaded when they are first asked for.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    homes : mapping of str to str
        Each public name, and the module of the package that defines it.

    Examples
    --------
    >>> __getattr__, __dir__ = front_door(__name__, _HOMES)
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
