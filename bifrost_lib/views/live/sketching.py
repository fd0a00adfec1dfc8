"""A page as a browser can draw it before the server has made its session: parts, sizes, and what they show."""

from __future__ import annotations

import json
from typing import Any

import panel

from bifrost_lib.views.live.part import Part

pn: Any = panel


def sketch(content: Any) -> str:
    """Return a page's layout as text for ``bifrost.sketch``.

    Parameters
    ----------
    content : Row or Column
        A page that no session owns. What is neither a layout, a `Part` nor a widget is left blank.
    """
    return json.dumps(_node(content, "column"), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _node(shown: Any, inside: str) -> dict[str, Any]:
    node: dict[str, Any] = {"css": _css(shown, inside)}
    if isinstance(shown, pn.Row | pn.Column):
        box = "row" if isinstance(shown, pn.Row) else "column"
        return node | {"box": box, "parts": [_node(part, box) for part in shown if part.visible]}
    if isinstance(shown, Part):
        return node | {"part": type(shown).__name__, "model": shown.drawn()}
    if isinstance(shown, pn.widgets.FileDownload):
        return node | {"button": shown.label}
    if isinstance(shown, pn.widgets.Widget):
        return node | {"label": shown.label, "value": _words(shown)}
    return node | {"blank": not isinstance(shown, pn.Spacer)}


def _words(widget: Any) -> str:
    options = getattr(widget, "options", [])
    if isinstance(options, dict):
        return next((name for name, value in options.items() if value == widget.value), "")
    return str(widget.value if widget.value is not None else "")


def _css(shown: Any, inside: str) -> str:
    # As Bokeh sizes its layouts: what stretches fills, everything else keeps its size.
    mode = shown.sizing_mode or ""
    stretches = {"row": mode in ("stretch_width", "stretch_both"), "column": mode in ("stretch_height", "stretch_both")}
    sizes = {"row": shown.width, "column": shown.height}
    across = "column" if inside == "row" else "row"
    rules = {"flex": "1 1 0" if stretches[inside] else "0 0 auto"}
    if stretches[inside]:
        rules["min-width" if inside == "row" else "min-height"] = "0"
    elif sizes[inside]:
        rules["flex-basis"] = f"{sizes[inside]}px"
    if stretches[across]:
        rules["align-self"] = "stretch"
    elif sizes[across]:
        rules["width" if across == "row" else "height"] = f"{sizes[across]}px"
    rules |= shown.styles or {}
    return ";".join(f"{name}:{value}" for name, value in rules.items())
