"""Whether the best of a grid is more than the luckiest: figures, and what choosing in sample was worth out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.formats import MISSING, money, percent, plain
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.live.tables import GridTable, column
from bifrost_lib.views.palette import theme_palette

#: Below this chance of being overfitted, and above this one of being real, a figure is drawn as good.
_GOOD, _POOR = 0.95, 0.5


def overfitting_grid(figures: Mapping[str, float], *, caption: str = "Skill or luck") -> GridTable:
    """Return the figures of a grid's overfitting in words.

    Parameters
    ----------
    figures : mapping
        Any of `trials`, `effective_trials`, `sharpe` (of the best, annual), `expected_sharpe` (what the best of as many
        without skill would show), `probabilistic_sharpe`, `deflated_sharpe`, `pbo`, `mean_out_of_sample`,
        `loss_probability`.
    """
    rows = []
    for name, title, write, says in _FIGURES:
        if name not in figures:
            continue
        value = figures[name]
        known = value is not None and not np.isnan(float(value))
        text, kind = (write(float(value)), chance_kind(name, float(value))) if known else (MISSING, "muted")
        rows.append(
            {"cells": [{"text": title, "title": says}, {"text": text, "kind": kind}, {"text": says, "kind": "muted"}]}
        )
    columns = [column("", text=True), column(""), column("", text=True)]
    table: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    text = "A grid of two sets or more says how likely its best is an accident."
    return table if rows else table | {"notice": {"kind": "empty", "text": text}}


def degradation_chart(splits: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw what the set that was best in each half of the history reached in the other half.

    Parameters
    ----------
    splits : DataFrame
        `in_sample` and `out_of_sample`: the Sharpe ratio of the chosen set in both parts of each split.

    Raises
    ------
    InputError
        If no split has both.
    """
    palette = theme_palette(theme)
    known = splits[["in_sample", "out_of_sample"]].dropna()
    if known.empty:
        raise InputError("splits", f"{len(splits)} rows", "at least one with both figures")
    known = known.iloc[np.unique(np.linspace(0, len(known) - 1, 600).round().astype(int))]
    tips = [("in sample", "@in_sample{0.00}"), ("out of sample", "@out_of_sample{0.00}")]
    parts = [
        opts(
            hv.Scatter(rows, "in_sample", "out_of_sample", label=label),
            color=colour,
            size=5,
            alpha=0.6,
            tools=["hover"],
            hover_tooltips=tips,
        )
        for label, colour, rows in (
            ("held", palette.profit, known[known["out_of_sample"] > 0]),
            ("lost", palette.loss, known[known["out_of_sample"] <= 0]),
        )
    ]
    return overlay(opts(hv.HLine(0.0), color=palette.muted, line_width=1, line_dash="dotted"), *parts)


def chance_kind(name: str, value: float) -> str:
    """Return how good a probability is: good, warn or bad; nothing for other figures."""
    if name in ("deflated_sharpe", "probabilistic_sharpe"):
        return "good" if value >= _GOOD else "bad" if value < _POOR else "warn"
    if name in ("pbo", "loss_probability"):
        return "good" if value <= 1 - _GOOD else "bad" if value > _POOR else "warn"
    return ""


def _probability(value: float) -> str:
    return f"{percent(value)} %"


_FIGURES: tuple[tuple[str, str, Any, str], ...] = (
    ("trials", "Sets tried", money, "each of them is a draw for luck"),
    ("effective_trials", "Independent ones", lambda value: plain(value, decimals=1), "neighbours resemble each other"),
    ("sharpe", "Sharpe of the best", plain, "annual, in sample"),
    ("expected_sharpe", "Sharpe of luck", plain, "what the best of as many without skill would show"),
    ("probabilistic_sharpe", "Sharpe > 0", _probability, "probability, were it the only set"),
    ("deflated_sharpe", "Deflated Sharpe", _probability, "probability that it beats luck's"),
    ("pbo", "Overfitting (PBO)", _probability, "chance that the best in sample is below the median out of it"),
    ("loss_probability", "Loss out of sample", _probability, "chance that the best in sample loses"),
    ("mean_out_of_sample", "Sharpe out of sample", plain, "mean of what was chosen in sample"),
)  # fmt: skip
