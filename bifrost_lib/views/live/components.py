"""Components that draw in the browser: they hold little on the server, and follow the reader's colours."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import param

from bifrost_lib.views.live.part import Part, asset


class Head(Part):
    """The head of a page: links, what is shown, whether it is real, and how old; the age ticks in the browser.

    Attributes
    ----------
    pages : list of dict
        `title`, `href`, `current`.
    state : dict
        `what`, `spot`, `change`, `direction` (up, down), `simulated`, `as_of_ms`, `now_ms`, `at_ms` (None for the
        present), `note`, `note_kind`; times in milliseconds since 1970.
    """

    pages = param.List(default=[])
    state = param.Dict(default={})

    _module = asset("head.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css")]


class Ladder(Part):
    """Calls, strikes and puts of one expiration.

    Attributes
    ----------
    table : str
        What `draw` drew.
    patch : dict
        Cells to change in it, as `ladder_patch` returns them.
    """

    # Text, since bokeh would wrap each list of a nested value for each viewer: ten times the memory.
    table = param.String(default="{}")
    patch = param.Dict(default={})

    _module = asset("ladder.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css")]

    def draw(self, table: dict[str, Any]) -> None:
        """Draw what `ladder_table` or `ladder_notice` returned."""
        self.table = _text(table)


class TimeBar(Part):
    """Where in time the page stands.

    Attributes
    ----------
    moments : str
        Every stored moment, milliseconds since 1970, ascending, as `offer` wrote them.
    at_ms : int or None
        The moment that was chosen; None follows the present.
    """

    moments = param.String(default="[]")
    at_ms = param.Number(default=None, allow_None=True)

    _module = asset("timebar.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css")]

    def offer(self, moments_ms: list[int]) -> None:
        """Let the reader choose among these moments."""
        self.moments = _text(moments_ms)


class Grid(Part):
    """A table to read; rows that have a key can be chosen.

    Attributes
    ----------
    table : str
        What `draw` drew.
    chosen : str
        Key of the chosen row.
    """

    table = param.String(default='{"columns": [], "rows": []}')
    chosen = param.String(default="")

    _module = asset("grid.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css")]

    def draw(self, table: dict[str, Any]) -> None:
        """Draw a table; one that is drawn already costs nothing.

        Parameters
        ----------
        table : dict
            `columns` (`title`, `unit`, `help`, `text`: left-aligned), `rows` (`key`, `cells`: texts, or dicts with
            `text`, `kind`, `title` and `links`), `caption`, `notice` (`kind`, `text`) in place of rows.
        """
        self.table = _text(table)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
