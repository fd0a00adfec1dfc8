"""The database: snapshots of option chains in time, written by COPY, read as of a moment. The only user of SQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.store.actions import corporate_actions as corporate_actions
    from bifrost_lib.store.actions import save_corporate_actions as save_corporate_actions
    from bifrost_lib.store.chain import option_chain as option_chain
    from bifrost_lib.store.database import Store as Store
    from bifrost_lib.store.database import open_store as open_store
    from bifrost_lib.store.moments import chain_moments as chain_moments
    from bifrost_lib.store.moments import latest_moment as latest_moment
    from bifrost_lib.store.peers import plain_copy as plain_copy
    from bifrost_lib.store.peers import plain_to_sql as plain_to_sql
    from bifrost_lib.store.summaries import StoreSummary as StoreSummary
    from bifrost_lib.store.summaries import list_files as list_files
    from bifrost_lib.store.summaries import list_symbols as list_symbols
    from bifrost_lib.store.summaries import store_summary as store_summary
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
    "StoreSummary": "summaries",
    "chain_moments": "moments",
    "corporate_actions": "actions",
    "plain_copy": "peers",
    "plain_to_sql": "peers",
    "ingestion": "writing",
    "latest_moment": "moments",
    "list_files": "summaries",
    "list_symbols": "summaries",
    "open_store": "database",
    "option_chain": "chain",
    "save_corporate_actions": "actions",
    "store_summary": "summaries",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
