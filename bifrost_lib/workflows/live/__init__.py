"""What live pages show: pictures of a chain, what changed since, every stored moment, and the desk's own state."""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "ChainPicture": "pictures",
    "LiveFeed": "feed",
    "OperationsPicture": "operations",
    "REFERENCES": "references",
    "chain_picture": "pictures",
    "chain_since": "changes",
    "expiry_summary": "changes",
    "operations_picture": "operations",
    "overlaid": "pictures",
    "reference_moment": "references",
    "stored_moments": "pictures",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
