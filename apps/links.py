"""The links in the head of every page."""

from __future__ import annotations

from bifrost_lib.workflows.hub import read_registry
from hub_config.roles import may_open


def page_links(role: str | None) -> list[tuple[str, str]]:
    """Return title and address of the pages that a person of `role` may open, the home page first.

    A page that somebody runs by himself, without a hub that knows a role, has nowhere to lead to.
    """
    if not role:
        return []
    return [("Home", "/hub/home")] + [
        (page.title, f"/services/{page.name}/") for page in read_registry() if may_open(role, page)
    ]
