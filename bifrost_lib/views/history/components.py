"""Components of the history page: pictures that a browser draws from one shared text, and choices."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from bifrost_lib.views.live.components import asset


@cache
def _script(name: str) -> str:
    return files("bifrost_lib.views.history").joinpath(name).read_text(encoding="utf-8")


class Chart(JSComponent):
    """A picture.

    Attributes
    ----------
    item : str
        What `chart_text` or `empty_text` returned; viewers share it.
    """

    item = param.String(default="")

    _esm = _script("chart.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), _script("history.css")]


class Choice(JSComponent):
    """A row of buttons of which one is chosen; arrow keys move the choice.

    Attributes
    ----------
    options : list of str
    value : str
    label : str
        What is chosen, for those who listen to the page.
    """

    options = param.List(default=[])
    value = param.String(default="")
    label = param.String(default="")

    _esm = _script("choice.js")
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), _script("history.css")]
