"""A Bokeh model as a widget."""

from __future__ import annotations

from jupyter_bokeh.widgets import BokehModel


class Picture(BokehModel):  # type: ignore[misc]  # jupyter_bokeh has no types
    """A Bokeh model that lives on a page until it is closed, and may be closed twice, as the collector will."""

    def close(self) -> None:
        """Leave the page."""
        if self.comm is not None:
            super().close()
