"""The database: snapshots of option chains in time, written by COPY, read as of a moment. The only user of SQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.store.chain import option_chain as option_chain
    from bifrost_lib.store.database import Store as Store
    from bifrost_lib.store.database import open_store as open_store
    from bifrost_lib.store.trouble import AlreadyIngested as AlreadyIngested
    from bifrost_lib.store.writing import FileKey as FileKey
    from bifrost_lib.store.writing import SnapshotWriter as SnapshotWriter
    from bifrost_lib.store.writing import ingestion as ingestion

# Loaded on first use: the database driver, SQLAlchemy and pandas take longer to load than `--help` may take.
_HOMES = {
    "AlreadyIngested": "trouble",
    "FileKey": "writing",
    "SnapshotWriter": "writing",
    "Store": "database",
    "ingestion": "writing",
    "open_store": "database",
    "option_chain": "chain",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
