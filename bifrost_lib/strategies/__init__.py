"""Strategies as data: a catalogue, measures of any legs, and ranked candidates from a chain.

Names are loaded on first use, because the compiler behind some of them takes longer to import than most commands run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.strategies.candidates import CandidateSet
    from bifrost_lib.strategies.catalogue import CATALOG, strategy_named
    from bifrost_lib.strategies.document import DteRange, Leg, Strategy
    from bifrost_lib.strategies.finder import find_candidates
    from bifrost_lib.strategies.measures import evaluate
    from bifrost_lib.strategies.payoff import payoff_at_expiry, value_before_expiry
    from bifrost_lib.strategies.rules import AtMoney, ByDelta, Mirror, PctOtm, SameAs, Wing
    from bifrost_lib.strategies.score import WEIGHTS
    from bifrost_lib.strategies.slices import Filters

_HOME = {
    "CATALOG": "catalogue",
    "strategy_named": "catalogue",
    "DteRange": "document",
    "Leg": "document",
    "Strategy": "document",
    "CandidateSet": "candidates",
    "Filters": "slices",
    "find_candidates": "finder",
    "evaluate": "measures",
    "payoff_at_expiry": "payoff",
    "value_before_expiry": "payoff",
    "AtMoney": "rules",
    "ByDelta": "rules",
    "Mirror": "rules",
    "PctOtm": "rules",
    "SameAs": "rules",
    "Wing": "rules",
    "WEIGHTS": "score",
}

__all__ = [
    "CATALOG",
    "WEIGHTS",
    "AtMoney",
    "ByDelta",
    "CandidateSet",
    "DteRange",
    "Filters",
    "Leg",
    "Mirror",
    "PctOtm",
    "SameAs",
    "Strategy",
    "Wing",
    "evaluate",
    "find_candidates",
    "payoff_at_expiry",
    "strategy_named",
    "value_before_expiry",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
