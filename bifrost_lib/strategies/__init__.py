"""Strategies as data: a catalogue, measures of any legs, and ranked candidates from a chain.

Names are loaded on first use, because the compiler behind some of them takes longer to import than most commands run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.strategies.catalogue import CATALOG, GROUPS, resolve_strategy, strategy_named
    from bifrost_lib.strategies.conditions.admission import admit, refusal_until
    from bifrost_lib.strategies.conditions.dividends import DividendCalendar
    from bifrost_lib.strategies.conditions.earnings import EarningsCalendar, EarningsReport
    from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
    from bifrost_lib.strategies.documents.entry import Condition, Entry, EventWindow
    from bifrost_lib.strategies.documents.exits import Exits, Roll, Target
    from bifrost_lib.strategies.documents.part import Range
    from bifrost_lib.strategies.documents.phrases import describe_document, leg_words
    from bifrost_lib.strategies.documents.reading import read_document, read_file, read_mapping, write_document
    from bifrost_lib.strategies.documents.rules import (
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
    from bifrost_lib.strategies.documents.sizing import Costs, Sizing, fill_price
    from bifrost_lib.strategies.holdings.grouping import Grouping, split_portfolio
    from bifrost_lib.strategies.holdings.holding import UNTRADABLE, QuoteBoard, exit_due, intrinsic_cash
    from bifrost_lib.strategies.holdings.matching import Match, name_of
    from bifrost_lib.strategies.margins.regulation_t import INDEX_RATE, STOCK_RATE, naked_rate
    from bifrost_lib.strategies.measures.evaluation import evaluate
    from bifrost_lib.strategies.measures.example import example_legs, example_payoff
    from bifrost_lib.strategies.measures.payoff import payoff_at_expiry, value_before_expiry
    from bifrost_lib.strategies.scanning.candidates import CandidateSet
    from bifrost_lib.strategies.scanning.correction import PopCorrection
    from bifrost_lib.strategies.scanning.finder import Progress, find_candidates
    from bifrost_lib.strategies.scanning.score import WEIGHTS
    from bifrost_lib.strategies.scanning.slices import ExpirySlice, Filters, cut_chain
    from bifrost_lib.strategies.scanning.targets import Aimed, View, aim
    from bifrost_lib.strategies.scanning.weights import ScoreWeights, read_weights, read_weights_file

_HOMES = {
    "CATALOG": "catalogue",
    "GROUPS": "catalogue",
    "resolve_strategy": "catalogue",
    "strategy_named": "catalogue",
    "admit": "conditions.admission",
    "refusal_until": "conditions.admission",
    "DividendCalendar": "conditions.dividends",
    "EarningsCalendar": "conditions.earnings",
    "EarningsReport": "conditions.earnings",
    "DteRange": "documents.document",
    "Leg": "documents.document",
    "StrategyDocument": "documents.document",
    "Condition": "documents.entry",
    "Entry": "documents.entry",
    "EventWindow": "documents.entry",
    "Exits": "documents.exits",
    "Roll": "documents.exits",
    "Target": "documents.exits",
    "Range": "documents.part",
    "describe_document": "documents.phrases",
    "leg_words": "documents.phrases",
    "read_document": "documents.reading",
    "read_file": "documents.reading",
    "read_mapping": "documents.reading",
    "write_document": "documents.reading",
    "AtMoney": "documents.rules",
    "AtStrike": "documents.rules",
    "ByDelta": "documents.rules",
    "ByPremium": "documents.rules",
    "Mirror": "documents.rules",
    "Offset": "documents.rules",
    "PctOtm": "documents.rules",
    "SameAs": "documents.rules",
    "SamePremium": "documents.rules",
    "StrikeRule": "documents.rules",
    "Wing": "documents.rules",
    "Costs": "documents.sizing",
    "Sizing": "documents.sizing",
    "fill_price": "documents.sizing",
    "Grouping": "holdings.grouping",
    "split_portfolio": "holdings.grouping",
    "QuoteBoard": "holdings.holding",
    "UNTRADABLE": "holdings.holding",
    "exit_due": "holdings.holding",
    "intrinsic_cash": "holdings.holding",
    "Match": "holdings.matching",
    "name_of": "holdings.matching",
    "INDEX_RATE": "margins.regulation_t",
    "STOCK_RATE": "margins.regulation_t",
    "naked_rate": "margins.regulation_t",
    "evaluate": "measures.evaluation",
    "example_legs": "measures.example",
    "example_payoff": "measures.example",
    "payoff_at_expiry": "measures.payoff",
    "value_before_expiry": "measures.payoff",
    "CandidateSet": "scanning.candidates",
    "PopCorrection": "scanning.correction",
    "Progress": "scanning.finder",
    "find_candidates": "scanning.finder",
    "WEIGHTS": "scanning.score",
    "ExpirySlice": "scanning.slices",
    "Filters": "scanning.slices",
    "cut_chain": "scanning.slices",
    "Aimed": "scanning.targets",
    "View": "scanning.targets",
    "aim": "scanning.targets",
    "ScoreWeights": "scanning.weights",
    "read_weights": "scanning.weights",
    "read_weights_file": "scanning.weights",
    "warm_up": "warm",
}

__all__ = [
    "CATALOG",
    "GROUPS",
    "INDEX_RATE",
    "STOCK_RATE",
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
    "fill_price",
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
