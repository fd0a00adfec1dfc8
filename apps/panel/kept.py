"""What the viewers of one process share: each thing is made once, the least recently used forgotten first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Made = TypeVar("Made")


class Kept:
    """Things by what they show.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, Any] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` made of `key` before, or makes now; who asks meanwhile waits for the same."""
        with self._lock:
            if key in self._made:
                return cast("Made", self._found(key))
            turn = self._turns.setdefault(key, threading.Lock())
        try:
            with turn:
                with self._lock:
                    if key in self._made:
                        return cast("Made", self._found(key))
                return self._keep(key, make())
        finally:
            self._turns.pop(key, None)

    def _found(self, key: Hashable) -> Any:
        self._made.move_to_end(key)
        return self._made[key]

    def _keep(self, key: Hashable, made: Made) -> Made:
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made

    def holds(self, key: Hashable) -> bool:
        """Tell whether something was made of `key` and is kept."""
        with self._lock:
            return key in self._made
