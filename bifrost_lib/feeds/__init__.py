"""Floor 7: files in, frames out. Knows nothing of the store or of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.feeds.corporate_actions import read_corporate_actions
    from bifrost_lib.feeds.earnings import EarningsFile, read_earnings
    from bifrost_lib.feeds.feed import Feed, discover, open_feed
    from bifrost_lib.feeds.mapping import Mapping, built_in_mappings, load_mapping
    from bifrost_lib.feeds.records import REASONS, Batch, Reject

__all__ = [
    "REASONS",
    "Batch",
    "EarningsFile",
    "Feed",
    "Mapping",
    "Reject",
    "built_in_mappings",
    "discover",
    "load_mapping",
    "open_feed",
    "read_corporate_actions",
    "read_earnings",
]

_HOMES = {
    "read_corporate_actions": "corporate_actions",
    "EarningsFile": "earnings",
    "read_earnings": "earnings",
    "Feed": "feed",
    "discover": "feed",
    "open_feed": "feed",
    "Mapping": "mapping",
    "built_in_mappings": "mapping",
    "load_mapping": "mapping",
    "REASONS": "records",
    "Batch": "records",
    "Reject": "records",
}

__getattr__, __dir__ = front_door(__name__, _HOMES)
