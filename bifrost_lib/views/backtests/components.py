"""Components of the backtests page: the form that asks for a run, and what stands where there is nothing yet."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from bifrost_lib.views.live.components import asset


@cache
def _script(name: str) -> str:
    return files("bifrost_lib.views.backtests").joinpath(name).read_text(encoding="utf-8")


class RunForm(JSComponent):
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

    _esm = _script("form.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), _script("form.css")]

    def offer(self, choices: dict[str, Any]) -> None:
        """Let the reader choose: `strategies` and `symbols` (lists of texts), `fills` (name to words), and `values`.

        `values` are what stands in the form at first, named as the attribute's.
        """
        self.choices = json.dumps(choices, ensure_ascii=False, separators=(",", ":"))


class Empty(JSComponent):
    """What stands in the middle of a page that has nothing to show.

    Attributes
    ----------
    state : dict
        `kind` (empty, loading or error), `title`, `text`, and `commands` that a terminal takes.
    """

    state = param.Dict(default={})

    _esm = _script("empty.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), _script("empty.css")]
