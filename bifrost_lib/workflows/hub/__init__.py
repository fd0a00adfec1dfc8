"""What the hub, its pages and `bifrost up` agree on: the pages, who is who, the addresses, and the shared secrets."""

from __future__ import annotations

from bifrost_lib.workflows.hub.registry import ROLES, Page, read_registry

__all__ = ["ROLES", "Page", "read_registry"]
