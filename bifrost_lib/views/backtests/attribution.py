"""What a strategy earned its money with, by greek."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.backtests.trades import bars
from bifrost_lib.views.history.drawing import Drawn
from bifrost_lib.views.palette import theme_palette


def attribution_chart(parts: Mapping[str, float], *, theme: str = "light") -> Drawn:
    """Draw the parts of a profit ($) as bars, in their order; what is not known, or nothing, is left out.

    Parameters
    ----------
    parts : mapping of str to float
        Such as delta, gamma, vega, theta and what they do not explain; they sum to the profit.

    Raises
    ------
    InputError
        If none of them is known.
    """
    palette = theme_palette(theme)
    rows = pd.DataFrame({"part": [name.replace("_", " ") for name in parts], "pnl": list(parts.values())}).dropna()
    rows = rows[rows["pnl"] != 0].reset_index(drop=True)
    if rows.empty:
        raise InputError("parts", dict(parts), "at least one part that is known and not nothing")
    rows["colour"] = [palette.profit if value >= 0 else palette.loss for value in rows["pnl"]]
    return bars(rows, "part", "pnl", [], [("", "@part"), ("", "@pnl{+0,0} $")], theme)
