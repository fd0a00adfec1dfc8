"""How long to wait before the next attempt, and under which client id to make it."""

from __future__ import annotations

from random import Random

from bifrost_lib.core.errors import UnknownNameError

#: The client ids of each role; orders belong to the id that placed them, so roles never share one.
CLIENT_IDS: dict[str, range] = {
    "collector": range(10, 20),
    "orders": range(20, 30),
    "research": range(30, 40),
}


class Backoff:
    """Pauses that double from `first_s` to `cap_s`, each with up to a quarter of jitter, never above the cap."""

    def __init__(self, first_s: float = 1.0, cap_s: float = 300.0, *, random: Random | None = None) -> None:
        self._first_s, self._cap_s = first_s, cap_s
        self._random = random or Random()  # noqa: S311 (it spreads clients, it guards nothing)
        self.attempts = 0

    def pause(self) -> float:
        """Return the seconds to wait before the next attempt."""
        base = min(self._cap_s, self._first_s * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        return min(self._cap_s, base * (1.0 + 0.25 * self._random.random()))

    def succeeded(self) -> None:
        """Begin again with the shortest pause."""
        self.attempts = 0


class ClientIds:
    """The ids of a role, one after the other when the gateway says that one is in use (error 326)."""

    def __init__(self, role: str) -> None:
        if role not in CLIENT_IDS:
            raise UnknownNameError("role", role, CLIENT_IDS)
        self._ids = CLIENT_IDS[role]
        self._next, self._refused = 0, 0

    @property
    def current(self) -> int:
        """The id for the next attempt."""
        return self._ids[self._next]

    @property
    def exhausted(self) -> bool:
        """Whether every id was refused since the last success."""
        return self._refused >= len(self._ids)

    def refused(self) -> None:
        """Move to the next id."""
        self._next = (self._next + 1) % len(self._ids)
        self._refused += 1

    def accepted(self) -> None:
        """Keep this id for reconnecting."""
        self._refused = 0
