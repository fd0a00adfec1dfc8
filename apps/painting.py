"""First pictures come from one copy of the nursery that stays: its desks are open, so a picture only reads what is new.

The parent holds one end of a Unix socket, the painter the other: one JSON object a line with ``notebook`` and ``env``,
answered by one with the ``picture``, as HTML, or with the ``problem``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.nursery import code_cells, run_cell
from bifrost_lib.core.errors import SourceUnavailable

#: A picture that takes longer is given up, and its painter with it.
DRAWN_WITHIN_S = 20.0

log = logging.getLogger(__name__)


class Painter:
    """The parent's end of a painter.

    Parameters
    ----------
    door : socket.socket
        Where the painter comes to; it listens.
    end : callable
        Ends the painter, whatever it does.

    Raises
    ------
    OSError
        If no painter comes.
    """

    def __init__(self, door: socket.socket, end: Callable[[], None]) -> None:
        self._end = end
        door.settimeout(DRAWN_WITHIN_S)
        self._socket, _ = door.accept()
        self._socket.settimeout(DRAWN_WITHIN_S)
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def picture(self, notebook: Path, env: dict[str, str]) -> str:
        """Return what a page's notebook shows first, as HTML.

        Raises
        ------
        OSError
            If the painter has ended, or is late; it is of no use any more.
        SourceUnavailable
            If the notebook cannot be drawn.
        """
        self._lines.write(json.dumps({"notebook": str(notebook), "env": env}) + "\n")
        self._lines.flush()
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError("its painter has ended")
        answer = json.loads(line)
        if "problem" in answer:
            raise SourceUnavailable(f"the first picture of {notebook.stem}", answer["problem"])
        return str(answer["picture"])

    def close(self) -> None:
        """End the painter."""
        self._end()
        with contextlib.suppress(OSError):  # an order that was not taken any more
            self._lines.close()
        self._socket.close()


class Easel:
    """A page's notebook, run up to its last cell; that one is the viewer's, and is run for one after the other."""

    def __init__(self, notebook: Path) -> None:
        *before, self._viewers = code_cells(notebook)
        self._names: dict[str, Any] = {"__name__": "__main__"}
        for cell in before:
            run_cell(cell, self._names)

    def picture(self) -> str:
        """Return what the notebook shows a viewer of whom the environment tells; nothing of him stays."""
        from ipywidgets import Widget

        from bifrost_lib.views import still_page

        try:
            return str(still_page(lambda: run_cell(self._viewers, dict(self._names))))
        finally:
            Widget.close_all()


def paint(address: str) -> None:
    """Draw what is asked for at `address` until nobody is there to ask."""
    easels: dict[str, Easel] = {}
    with socket.socket(socket.AF_UNIX) as parent:
        parent.connect(address)
        with parent.makefile("rw", encoding="utf-8") as lines:
            for line in lines:
                order = json.loads(line)
                os.environ.clear()
                os.environ.update(order["env"])
                lines.write(json.dumps(_answer(easels, order["notebook"])) + "\n")
                lines.flush()


def _answer(easels: dict[str, Easel], notebook: str) -> dict[str, str]:
    try:
        if notebook not in easels:
            easels[notebook] = Easel(Path(notebook))
        return {"picture": easels[notebook].picture()}
    except Exception as problem:
        log.exception("%s cannot be drawn", notebook)
        easels.pop(notebook, None)  # its desk may be of no use any more
        return {"problem": f"{type(problem).__name__}: {problem}"}
