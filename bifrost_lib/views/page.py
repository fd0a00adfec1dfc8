"""The box that a page of widgets stands in."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from bifrost_lib.views.palette import style_sheet


def page_box(children: Sequence[widgets.Widget], theme: str) -> widgets.VBox:
    """Return `children` one under the other as a whole page, with the style sheet and the colours of `theme`."""
    page = widgets.VBox([widgets.HTML(f"<style>{style_sheet()}</style>"), *children])
    for name in ("bf-root", "bf-page", f"bf-{theme}"):
        page.add_class(name)
    return page
