"""What stands where a page has nothing to show yet: its head, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import ipywidgets as widgets

from bifrost_lib.views.header import Header
from bifrost_lib.views.html import notice
from bifrost_lib.views.page import page_box

TITLE = "No chains are stored yet"
TEXT = "Load some with bifrost ingest PATH, or start the collectors; then reload this page."


def empty_page(
    title: str, *, name: str, now: Callable[[], datetime], theme: str, pages: Sequence[tuple[str, str]]
) -> widgets.Widget:
    """Return a page that has no chains; the arguments are those of its `Header`."""
    shown = theme

    def switch_theme() -> None:
        nonlocal shown
        page.remove_class(f"bf-{shown}")
        shown = "light" if shown == "dark" else "dark"
        page.add_class(f"bf-{shown}")
        header.name_theme(shown)

    header = Header(title, now=now, on_theme=switch_theme, name=name, pages=pages)
    header.name_theme(theme)
    page = page_box([header.row, widgets.HTML(notice("empty", TITLE, TEXT))], theme)
    return page
