"""Components of the backtests page: the form that asks for a run, and what stands where there is nothing yet."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import param

from bifrost_lib.views.live.part import Part, asset

PACKAGE = "bifrost_lib.views.backtests"


class RunForm(Part):
    """What to replay, on which symbol, from when to when; Enter runs it, Escape cancels.

    Attributes
    ----------
    choices : str
        What `offer` wrote.
    values : dict
        What was asked for last: `strategy`, `symbol`, `start`, `end` (ISO dates, may be empty), `fills`, `capital`.
    asked, cancelled : int
        How often a run was asked for, and cancelled.
    state : dict
        `running`, `share` (of the work that is done, None where that is unknown), `text`, `kind` (error, good or
        nothing).
    """

    choices = param.String(default="{}")
    values = param.Dict(default={})
    asked = param.Integer(default=0)
    cancelled = param.Integer(default=0)
    state = param.Dict(default={})

    _module = asset("form.js", PACKAGE)
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), asset("form.css", PACKAGE)]

    def offer(self, choices: dict[str, Any]) -> None:
        """Let the reader choose: `strategies` and `symbols` (lists of texts), `fills` (name to words), and `values`.

        `values` are what stands in the form at first, named as the attribute's.
        """
        self.choices = json.dumps(choices, ensure_ascii=False, separators=(",", ":"))


class Empty(Part):
    """What stands in the middle of a page that has nothing to show.

    Attributes
    ----------
    state : dict
        `kind` (empty, loading or error), `title`, `text`, and `commands` that a terminal takes.
    """

    state = param.Dict(default={})

    _module = asset("empty.js", PACKAGE)
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), asset("empty.css", PACKAGE)]
