"""What live pages show: pictures of a chain, what changed since, every stored moment, and the desk's own state."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "ChainPicture": "pictures",
    "LiveFeed": "feed",
    "OperationsPicture": "operations",
    "REFERENCES": "references",
    "chain_picture": "pictures",
    "chain_since": "changes",
    "expiry_summary": "changes",
    "operations_picture": "operations",
    "reference_moment": "references",
    "stored_moments": "pictures",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
