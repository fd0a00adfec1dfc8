"""A Bokeh model as a widget, and the room for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar

import ipywidgets as widgets
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Serializer
from bokeh.models.ui import UIElement
from jupyter_bokeh.widgets import BokehModel

#: A browser needs about this long to build a picture; until then what changes in it would be lost on the way.
SETTLES_S = 3.0


#: Whether pages are drawn with room for their pictures, and without them.
_IS_ROOM_ONLY = ContextVar("_IS_ROOM_ONLY", default=False)


class Room(widgets.Box):  # type: ignore[misc]  # ipywidgets has no types
    """Where a picture will stand; `still` is HTML that stands for it, where there is such."""

    still = ""


def picture(draw: Callable[[], UIElement], *, still: str = "") -> widgets.Widget:
    """Return what `draw` draws as a widget; inside `room_only` it is not drawn, and `still` stands for it."""
    if not _IS_ROOM_ONLY.get():
        return Picture(draw())
    room = Room()
    room.still = still
    return room


@contextmanager
def room_only() -> Iterator[None]:
    """Draw pages without their pictures, which take most of the time, for as long as the block lasts."""
    before = _IS_ROOM_ONLY.set(True)
    try:
        yield
    finally:
        _IS_ROOM_ONLY.reset(before)


class Picture(BokehModel):  # type: ignore[misc]  # jupyter_bokeh has no types
    """A Bokeh model that lives on a page until it is closed, and may be closed twice, as the collector will."""

    def close(self) -> None:
        """Leave the page."""
        if self.comm is not None:
            super().close()

    def _document_patched(self, event: Any) -> None:
        # Arrays travel inside the text: sent as buffers beside it they are lost on some ways between kernel and page.
        if event.setter is self:
            return
        models = event.document.models
        serializer = Serializer(references=models.synced_references, deferred=False)
        content = {"events": serializer.encode([event])}
        models.flush_synced(lambda model: not serializer.has_ref(model))
        for part in ({"msgtype": "PATCH-DOC"}, {}, content):
            self.send({"msg": "patch", "payload": serialize_json(part)})


class Board(Protocol):
    """What draws on a chart of its own."""

    @property
    def chart(self) -> UIElement: ...


BoardT = TypeVar("BoardT", bound=Board)


class LivingPicture(Generic[BoardT]):
    """A board whose numbers change while its chart stays on the page.

    Parameters
    ----------
    make : callable
        Returns the board; called when it is first drawn on.
    """

    def __init__(self, make: Callable[[], BoardT]) -> None:
        self._make = make
        self._board: BoardT | None = None
        self._picture: Picture | None = None
        self._born_s = 0.0

    def redraw(self, draw: Callable[[BoardT], None]) -> widgets.Widget:
        """Call `draw` with the board, and return the widget that shows it: a new one until it has settled.

        Inside `room_only` nothing is drawn.
        """
        if _IS_ROOM_ONLY.get():
            return Room()
        self._board = self._board or self._make()
        if self._picture is not None and time.monotonic() - self._born_s > SETTLES_S:
            draw(self._board)
            return self._picture
        self.close()
        draw(self._board)
        self._picture, self._born_s = Picture(self._board.chart), time.monotonic()
        return self._picture

    def close(self) -> None:
        """Leave the page."""
        if self._picture is not None:
            self._picture.close()
            self._picture = None
