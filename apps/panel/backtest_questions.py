"""The question that the tab *What worked* asks of a library, and the controls that put it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import panel

from bifrost_lib.views import live

pn: Any = panel

ALL = ""
SAMPLES = {"out of sample": "out", "in sample": "in"}
#: What an answer can be ordered by, in words.
ORDERS = {
    "return, low end": "return_low",
    "mean return": "return_mean",
    "not luck": "deflated_sharpe",
    "Sharpe > 0": "probabilistic_sharpe",
    "win rate, low end": "win_rate_low",
    "P&L": "pnl_mean",
}
_RANKS = {"any": "any", "low third": "low", "middle third": "middle", "high third": "high"}
_TRENDS = {"any": "any", "up": "up", "flat": "flat", "down": "down"}


@dataclass(frozen=True)
class Question:
    """What worked in a library: on symbols like one (all without), in a regime, with so many trades, best first."""

    library: str = ""
    strategy: str = ALL
    like: str = ALL
    neighbours: int = 3
    iv_rank: str = "any"
    trend: str = "any"
    sample: str = "out"
    least_trades: int = 30
    order: str = "return_low"

    @property
    def words(self) -> str:
        """The part of it that says where: sample and regime."""
        regime = {"IV rank": self.iv_rank, "trend": self.trend}
        said = [f"{what} {value}" for what, value in regime.items() if value != "any"]
        return ", ".join(["out of sample" if self.sample == "out" else "IN SAMPLE", *said])


@dataclass(frozen=True)
class Shelved:
    """A library that can be asked: its symbols, and its strategies."""

    name: str
    symbols: tuple[str, ...]
    strategies: tuple[str, ...]


class Questions:
    """A row of choices that make a `Question`."""

    def __init__(self) -> None:
        self._known: dict[str, Shelved] = {}
        first = Question()
        self._widgets = {
            "library": _select("Library", [], "", 140),
            "strategy": _select("Strategy", {"all": ALL}, ALL, 150),
            "like": _select("Symbols like", {"all": ALL}, ALL, 96),
            "neighbours": _select("Nearest", [1, 2, 3, 5, 10, 20], first.neighbours, 72),
            "iv_rank": _select("IV rank at entry", _RANKS, first.iv_rank, 112),
            "trend": _select("Trend at entry", _TRENDS, first.trend, 96),
            "least_trades": _select("Trades, at least", [5, 10, 20, 30, 50, 100], first.least_trades, 100),
            "sample": _select("Sample", SAMPLES, first.sample, 128),
            "order": _select("Best by", ORDERS, first.order, 138),
        }
        self._widgets["library"].param.watch(lambda _: self._offer_own(), "value")
        self._grey()
        self._widgets["like"].param.watch(lambda _: self._grey(), "value")
        self.row = live.row(*self._widgets.values(), sizing_mode="stretch_width", height=46, gap_px=10)

    @property
    def question(self) -> Question:
        """What is asked."""
        values: dict[str, Any] = {name: widget.value for name, widget in self._widgets.items()}
        return Question(**values | {"library": values["library"] or ""})

    def watch(self, chosen: Callable[[Any], Any]) -> None:
        """Tell `chosen`, by Panel's event, whenever one is changed."""
        for widget in self._widgets.values():
            widget.param.watch(chosen, "value")

    def offer(self, libraries: Mapping[str, Shelved]) -> None:
        """Let the reader choose among libraries; what he chose before stays where it is still there."""
        if libraries == self._known:
            return
        self._known = dict(libraries)
        self._choose_among("library", list(libraries))
        self._offer_own()

    def _offer_own(self) -> None:
        shelved = self._known.get(self._widgets["library"].value or "")
        symbols, strategies = (shelved.symbols, shelved.strategies) if shelved else ((), ())
        self._choose_among("like", {"all": ALL} | {name: name for name in symbols})
        self._choose_among("strategy", {"all": ALL} | {name.replace("_", " "): name for name in strategies})

    def _choose_among(self, name: str, options: Any) -> None:
        widget = self._widgets[name]
        values = list(options.values()) if isinstance(options, dict) else options
        kept = widget.value if widget.value in values else (values[0] if values else None)
        widget.param.update(options=options, value=kept)

    def _grey(self) -> None:
        self._widgets["neighbours"].disabled = self._widgets["like"].value == ALL


def _select(label: str, options: Any, value: Any, width: int) -> Any:
    return live.field(pn.widgets.Select(label=label, options=options, value=value, width=width))
