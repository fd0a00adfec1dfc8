"""What a viewer's page depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Visit:
    """Somebody comes to a page.

    Attributes
    ----------
    links : tuple of (title, address)
        The other pages that he may open.
    theme : {"light", "dark"}
    asked : dict
        What the address asked for, by name.
    document : Document, optional
        His session's; a page without one is only looked at, and follows nothing.
    """

    links: tuple[tuple[str, str], ...] = ()
    theme: str = "light"
    asked: Mapping[str, str] = field(default_factory=dict)
    document: Any = None
