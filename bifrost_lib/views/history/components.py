"""Components of the history page: pictures that a browser draws from one shared text, and choices."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from bifrost_lib.views.live.part import Part, asset

PACKAGE = "bifrost_lib.views.history"


class Chart(Part):
    """A picture.

    Attributes
    ----------
    item : str
        What `chart_text` or `empty_text` returned; viewers share it.
    data : str
        What is set anew in the picture, as JSON: attributes by the names of their models.
    """

    item = param.String(default="")
    data = param.String(default="{}")

    _module = asset("figure_sketch.js", PACKAGE) + asset("chart.js", PACKAGE)
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), asset("history.css", PACKAGE)]


class Choice(Part):
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

    _module = asset("choice.js", PACKAGE)
    _stylesheets: ClassVar[list[Any]] = [asset("live.css"), asset("history.css", PACKAGE)]
