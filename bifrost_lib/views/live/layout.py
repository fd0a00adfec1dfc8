"""The page around the components: style, theme, and how parts share a laptop's screen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import panel

from bifrost_lib.views.live.components import asset
from bifrost_lib.views.palette import THEMES, page_colours

pn: Any = panel
BUILDER = "/strategy_builder/"
THEME_COOKIE = "bf-theme"


def theme_of(cookies: dict[str, str]) -> str:
    """Return the theme that the reader's browser asked for; light until it has."""
    wanted = cookies.get(THEME_COOKIE, "light")
    return wanted if wanted in THEMES else "light"


def live_page(content: Any, *, theme: str) -> Any:
    """Return `content` as a whole page that loads nothing from other machines."""
    page = pn.Template(_template(), items={"content": content})
    page.add_variable("style", page_style())
    page.add_variable("theme", theme)
    return page


@cache
def _template() -> Any:
    """Return the compiled template: compiling it takes as long as all the rest of a page."""
    return pn.Template(asset("page.html")).template


@cache
def page_style() -> str:
    """Return the style of the page itself, with both themes' colours as CSS variables."""
    return page_colours() + asset("page.css")


def is_seen(document: Any) -> bool:
    """Tell whether a browser is connected to a page's document; sending to one that has gone is wasted."""
    context = document.session_context if document is not None else None
    session = context.session if context is not None else None
    return session is not None and session.connection_count > 0


def field(widget: Any) -> Any:
    """Return a select or a button in the page's style."""
    widget.stylesheets = [*widget.stylesheets, asset("controls.css")]
    widget.margin = 0
    return widget


def row(*parts: Any, gap_px: int = 8, **options: Any) -> Any:
    """Return parts side by side."""
    return pn.Row(*parts, margin=0, styles={"gap": f"{gap_px}px"} | options.pop("styles", {}), **options)


def column(*parts: Any, gap_px: int = 6, **options: Any) -> Any:
    """Return parts one under the other."""
    return pn.Column(*parts, margin=0, styles={"gap": f"{gap_px}px"} | options.pop("styles", {}), **options)


def links(pages: Sequence[tuple[str, str]], *, current: str) -> list[dict[str, Any]]:
    """Return the links of a page's head: pairs of title and address, the current one marked.

    A page that works with a chain is told, by the head's state, which one is shown.
    """
    return [
        {"title": title, "href": href, "current": title == current, "carries": href.endswith(BUILDER)}
        for title, href in pages
    ]
