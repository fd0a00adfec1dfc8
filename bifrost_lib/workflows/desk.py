"""The composition root: where settings, clock and store meet, and nowhere else."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Self

from bifrost_lib.core.clock import Clock, SystemClock
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.store import Store, open_store


class Desk:
    """Everything that a workflow needs; closes its store when it is left, collected, or the process ends."""

    def __init__(self, *, settings: Settings, clock: Clock, store: Store) -> None:
        self.settings, self.clock, self.store = settings, clock, store
        self._finalizer = weakref.finalize(self, store.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Desk(home={str(self.settings.home)!r}, store={self.store.description!r})"

    def close(self) -> None:
        """Let go of the store; the embedded server stops when nobody else uses it."""
        self._finalizer()


def open_desk(*, settings: Settings | None = None, clock: Clock | None = None) -> Desk:
    """Open the platform: read the settings, start or reach the database, and bring its tables up to date.

    Parameters
    ----------
    settings : Settings, optional
        Default: from the environment and ``$BIFROST_HOME/bifrost.toml``.
    clock : Clock, optional
        Default: the machine's clock.

    Returns
    -------
    Desk
        A context manager; in a notebook it may simply be kept, the end of the kernel closes it.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is wrong.
    SourceUnavailable, StoreError, EnvironmentProblem
        If the database cannot be used; the message says what to do.

    Examples
    --------
    >>> from bifrost_lib.workflows import open_desk, find_strategies
    >>> desk = open_desk()  # doctest: +SKIP
    >>> find_strategies(desk, "SIM", "iron_condor").candidates  # doctest: +SKIP
    """
    settings = settings or load_settings()
    clock = clock or SystemClock()
    return Desk(settings=settings, clock=clock, store=open_store(settings, clock))
