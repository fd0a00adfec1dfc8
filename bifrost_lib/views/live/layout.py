"""The page around the components: style, theme, and how parts share a laptop's screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from string import Template
from typing import Any

import panel

from bifrost_lib.views.following import follows
from bifrost_lib.views.live.part import asset, part_scripts
from bifrost_lib.views.palette import page_colours
from bifrost_lib.views.theme import page_icon, theme_script

pn: Any = panel
#: Panel ends each column with a button that scrolls, after a gap: nothing here scrolls, and ends would not meet.
NO_BUTTON = ".scroll-button { display: none; }"


def live_page(
    *, title: str, theme: str, sketched: str, scripts: Sequence[str], item: dict[str, Any], wait_s: float = 0.0
) -> str:
    """Return a whole page that loads nothing from other machines, and shows data before any script is loaded.

    Parameters
    ----------
    title : str
    theme : {"light", "dark"}
    sketched : str
        What `sketch` returned.
    scripts : sequence of str
        Addresses of Bokeh's and Panel's scripts, in their order.
    item : dict
        What Bokeh embeds: the viewer's token and the place.
    wait_s : float
        How long the scripts are to wait after the sketch has been painted.
    """
    parts = (
        f'bifrost.know("{name}", (() => {{\n{part["script"]}}})(), {_json(part["styles"])})'
        for name, part in part_scripts().items()
    )
    return Template(asset("page.html")).substitute(
        title=escape(title), theme=theme, sketch=sketched, scripts=_json(list(scripts)), style=page_style(),
        parts="\n".join(parts), theme_script=theme_script() + asset("theme.js"), part_script=asset("part.js"),
        icon=page_icon(), item=_json(item), wait_ms=round(1000 * wait_s),
    )  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")  # nothing in it ends the script


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
    styles = {"gap": f"{gap_px}px"} | options.pop("styles", {})
    return pn.Column(*parts, margin=0, styles=styles, stylesheets=[NO_BUTTON], **options)


def links(pages: Sequence[tuple[str, str]], *, current: str) -> list[dict[str, Any]]:
    """Return the links of a page's head: pairs of title and address, the current one marked.

    A page that can show what this one does is told, by the head's state, what that is.
    """
    return [
        {"title": title, "href": href, "current": title == current, "carries": follows(href)} for title, href in pages
    ]
