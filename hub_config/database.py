"""The hub's own database, a file: a commit waits for the disk once and not four times, and no reader for a writer."""

from __future__ import annotations

import sqlite3
from typing import Any


class HubDatabase(sqlite3.Connection):
    """A connection that writes ahead; what was committed, a revoked word above all, still survives a loss of power."""

    def __init__(self, *where: Any, **options: Any) -> None:
        super().__init__(*where, **options)
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
