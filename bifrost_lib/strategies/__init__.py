"""Strategies as data: a catalogue, measures of any legs, and ranked candidates from a chain.

Names are loaded on first use, because the compiler behind some of them takes longer to import than most commands run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.strategies.admission import admit, refusal_until
    from bifrost_lib.strategies.candidates import CandidateSet
    from bifrost_lib.strategies.catalogue import CATALOG, GROUPS, strategy_named
    from bifrost_lib.strategies.correction import PopCorrection
    from bifrost_lib.strategies.dividends import DividendCalendar
    from bifrost_lib.strategies.document import DteRange, Leg, StrategyDocument
    from bifrost_lib.strategies.earnings import EarningsCalendar, EarningsReport
    from bifrost_lib.strategies.entry import Condition, Entry, EventWindow
    from bifrost_lib.strategies.example import example_legs, example_payoff
    from bifrost_lib.strategies.exits import Exits, Roll, Target
    from bifrost_lib.strategies.finder import Progress, find_candidates
    from bifrost_lib.strategies.grouping import Grouping, split_portfolio
    from bifrost_lib.strategies.holding import UNTRADABLE, QuoteBoard, exit_due, intrinsic_cash
    from bifrost_lib.strategies.margin import INDEX_RATE, naked_rate
    from bifrost_lib.strategies.matching import Match, name_of
    from bifrost_lib.strategies.measures import evaluate
    from bifrost_lib.strategies.part import Range
    from bifrost_lib.strategies.payoff import payoff_at_expiry, value_before_expiry
    from bifrost_lib.strategies.phrases import describe_document, leg_words
    from bifrost_lib.strategies.reading import read_document, read_file, read_mapping, resolve_strategy, write_document
    from bifrost_lib.strategies.rules import (
        AtMoney,
        AtStrike,
        ByDelta,
        ByPremium,
        Mirror,
        Offset,
        PctOtm,
        SameAs,
        SamePremium,
        StrikeRule,
        Wing,
    )
    from bifrost_lib.strategies.score import WEIGHTS
    from bifrost_lib.strategies.sizing import Costs, Sizing
    from bifrost_lib.strategies.slices import ExpirySlice, Filters, cut_chain
    from bifrost_lib.strategies.targets import Aimed, View, aim
    from bifrost_lib.strategies.weights import ScoreWeights, read_weights, read_weights_file

_HOMES = {
    "CATALOG": "catalogue",
    "GROUPS": "catalogue",
    "strategy_named": "catalogue",
    "example_legs": "example",
    "example_payoff": "example",
    "Grouping": "grouping",
    "split_portfolio": "grouping",
    "INDEX_RATE": "margin",
    "naked_rate": "margin",
    "Match": "matching",
    "name_of": "matching",
    "describe_document": "phrases",
    "leg_words": "phrases",
    "read_document": "reading",
    "read_file": "reading",
    "read_mapping": "reading",
    "resolve_strategy": "reading",
    "write_document": "reading",
    "PopCorrection": "correction",
    "DividendCalendar": "dividends",
    "DteRange": "document",
    "Leg": "document",
    "StrategyDocument": "document",
    "admit": "admission",
    "refusal_until": "admission",
    "EarningsCalendar": "earnings",
    "EarningsReport": "earnings",
    "Condition": "entry",
    "Entry": "entry",
    "EventWindow": "entry",
    "Exits": "exits",
    "Roll": "exits",
    "Target": "exits",
    "Range": "part",
    "Costs": "sizing",
    "Sizing": "sizing",
    "CandidateSet": "candidates",
    "ExpirySlice": "slices",
    "Filters": "slices",
    "cut_chain": "slices",
    "Progress": "finder",
    "find_candidates": "finder",
    "ScoreWeights": "weights",
    "read_weights": "weights",
    "read_weights_file": "weights",
    "Aimed": "targets",
    "View": "targets",
    "aim": "targets",
    "QuoteBoard": "holding",
    "UNTRADABLE": "holding",
    "exit_due": "holding",
    "intrinsic_cash": "holding",
    "evaluate": "measures",
    "payoff_at_expiry": "payoff",
    "value_before_expiry": "payoff",
    "AtMoney": "rules",
    "AtStrike": "rules",
    "ByPremium": "rules",
    "Offset": "rules",
    "SamePremium": "rules",
    "StrikeRule": "rules",
    "ByDelta": "rules",
    "Mirror": "rules",
    "PctOtm": "rules",
    "SameAs": "rules",
    "Wing": "rules",
    "WEIGHTS": "score",
    "warm_up": "warm",
}

__all__ = [
    "CATALOG",
    "GROUPS",
    "INDEX_RATE",
    "UNTRADABLE",
    "WEIGHTS",
    "Aimed",
    "AtMoney",
    "AtStrike",
    "ByDelta",
    "ByPremium",
    "CandidateSet",
    "Condition",
    "Costs",
    "DividendCalendar",
    "DteRange",
    "EarningsCalendar",
    "EarningsReport",
    "Entry",
    "EventWindow",
    "Exits",
    "ExpirySlice",
    "Filters",
    "Grouping",
    "Leg",
    "Match",
    "Mirror",
    "Offset",
    "PctOtm",
    "PopCorrection",
    "Progress",
    "QuoteBoard",
    "Range",
    "Roll",
    "SameAs",
    "SamePremium",
    "ScoreWeights",
    "Sizing",
    "StrategyDocument",
    "StrikeRule",
    "Target",
    "View",
    "Wing",
    "admit",
    "aim",
    "cut_chain",
    "describe_document",
    "evaluate",
    "example_legs",
    "example_payoff",
    "exit_due",
    "find_candidates",
    "intrinsic_cash",
    "leg_words",
    "naked_rate",
    "name_of",
    "payoff_at_expiry",
    "read_document",
    "read_file",
    "read_mapping",
    "read_weights",
    "read_weights_file",
    "refusal_until",
    "resolve_strategy",
    "split_portfolio",
    "strategy_named",
    "value_before_expiry",
    "warm_up",
    "write_document",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
