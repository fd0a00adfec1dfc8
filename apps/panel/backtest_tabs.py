"""The tabs of the backtests page: their parts, how these share a laptop's screen, and what an empty one says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import panel

from apps.panel.backtest_boards import TABS
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live

pn: Any = panel

#: The pictures of each tab.
PLACES = dict(zip(TABS, ("abc", "abcd", "abc", "", "a"), strict=True))
_NEW_STUDY = (
    "./bifrost study new calm iron_condor --symbol SIM --start 2025-11-20 --holdout 2026-08-03 --grid grid.yaml"
)
_NO_RUN = {
    "title": "No run is saved yet",
    "text": "Choose a strategy and a symbol above and press Run: its account, its trades and how sure its figures are "
    "appear here. In a terminal:",
    "commands": ["./bifrost backtest iron_condor --symbol SIM"],
}
#: What stands in a tab that has nothing to show yet.
NOTHING: Mapping[str, dict[str, Any]] = dict(zip(TABS, (
    _NO_RUN,
    _NO_RUN,
    {
        "title": "No grid was searched yet",
        "text": "A study names the parameters that it varies and the days that it keeps back, then tries every set on "
        "the other days:",
        "commands": [_NEW_STUDY, "./bifrost study run calm"],
    },
    {
        "title": "No study is begun yet",
        "text": "A study names its hold-out before anything is tried, and counts every look at it (tutorial 11):",
        "commands": [_NEW_STUDY],
    },
    {
        "title": "No library yet",
        "text": "A library runs many strategies on many symbols beforehand. This page then says what worked on symbols "
        "like yours, in which regime, out of sample and after costs:",
        "commands": [
            "./bifrost library build income income.yaml --symbol SIM --symbol SIMX --symbol SIMT --split 2026-06-01"
        ],
    },
), strict=True))  # fmt: skip


@dataclass
class Tab:
    """One tab: its pictures and its grids by their places, the layout that holds them, and whether it was drawn."""

    charts: dict[str, Any]
    grids: dict[str, Any]
    layout: Any
    is_drawn: bool = False


def make_tab(tab: str, chosen: Callable[[Any], Any]) -> Tab:
    """Return the parts of a tab.

    Parameters
    ----------
    tab : str
        One of `TABS`.
    chosen : callable
        Told when a row of a grid is chosen that something else shows.
    """
    wide = {"sizing_mode": "stretch_both", "min_height": 110, "margin": 0}
    charts = {place: pictures.Chart(**wide) for place in PLACES[tab]}
    grids = {place: live.Grid(**wide) for place in ("a", "b") if not (tab == TABS[2] and place == "b")}
    return Tab(charts, grids, stack(*_LAYOUTS[tab](charts, grids, chosen)))


def stack(*parts: Any) -> Any:
    """Return parts one under the other, down to the end: Panel's column leaves a gap under its last part."""
    room = [pn.Spacer(height=6, sizing_mode="stretch_width", margin=0) for _ in parts[1:]]
    mixed = [one for pair in zip(parts, [*room, None], strict=True) for one in pair if one is not None]
    return live.column(*mixed, sizing_mode="stretch_both", gap_px=0)


def _account(charts: dict[str, Any], grids: dict[str, Any], _: Any) -> list[Any]:
    grids["b"].param.update(sizing_mode="stretch_width", height=104, min_height=104)
    lower = live.row(charts["b"], charts["c"], sizing_mode="stretch_width", height=170)
    left = stack(charts["a"], lower, grids["b"])
    grids["a"].param.update(sizing_mode="stretch_height", width=344)
    return [live.row(left, grids["a"], sizing_mode="stretch_both")]


def _trades(charts: dict[str, Any], grids: dict[str, Any], chosen: Any) -> list[Any]:
    grids["a"].param.watch(chosen, "chosen")
    grids["b"].param.update(sizing_mode="stretch_width", height=132, min_height=132)
    return [live.row(*charts.values(), sizing_mode="stretch_both"), grids["a"], grids["b"]]


def _grid(charts: dict[str, Any], grids: dict[str, Any], _: Any) -> list[Any]:
    upper = live.row(charts["a"], grids["a"], sizing_mode="stretch_both")
    return [upper, live.row(charts["b"], charts["c"], sizing_mode="stretch_both")]


def _studies(_: dict[str, Any], grids: dict[str, Any], chosen: Any) -> list[Any]:
    grids["a"].param.watch(chosen, "chosen")
    return [grids["a"], grids["b"]]


def _worked(charts: dict[str, Any], grids: dict[str, Any], _: Any) -> list[Any]:
    grids["b"].param.update(sizing_mode="stretch_height", width=520)
    lower = live.row(charts["a"], grids["b"], sizing_mode="stretch_width", height=210)
    return [grids["a"], lower]


_LAYOUTS = dict(zip(TABS, (_account, _trades, _grid, _studies, _worked), strict=True))
