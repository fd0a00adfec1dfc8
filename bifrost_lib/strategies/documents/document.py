"""The strategy document: one value that is scanned for, replayed over history, monitored and ordered."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from bifrost_lib.strategies.documents.entry import Entry
from bifrost_lib.strategies.documents.exits import Exits
from bifrost_lib.strategies.documents.mistakes import Step, mistake
from bifrost_lib.strategies.documents.part import Days, Name, Part, Words
from bifrost_lib.strategies.documents.rules import SameAs, StrikeRule
from bifrost_lib.strategies.documents.sizing import Costs, Sizing

SCHEMA_VERSION = 1
CASH = ("credit", "debit", "any")
MOST_LEGS = 12

Outlook = Literal["bullish", "bearish", "neutral", "volatile", "rising_vol", "falling_vol", "hedge", "arbitrage"]
Symbol = Annotated[str, Strict(), Field(pattern=r"^[A-Z0-9.^/-]{1,20}$", description="a symbol such as SPY")]


def _version(number: int) -> int:
    if number != SCHEMA_VERSION:
        raise mistake(f"{SCHEMA_VERSION}, the version that this Bifrost reads")
    return number


Version = Annotated[int, Strict(), AfterValidator(_version), Field(json_schema_extra={"const": SCHEMA_VERSION})]
#: Another name, which may begin with a digit: 1-1-2.
Alias = Annotated[str, Strict(), Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=64)]

#: What says how a document reads, and not what it trades: left out of its hash.
PROSE = frozenset({"name", "view", "outlook", "risk", "aliases", "variant_of"})


class DteRange(Part):
    """Calendar days to expiry: the range that is scanned and the target that the score likes best."""

    low: Days = Field(description="calendar days, the least")
    target: Days = Field(description="calendar days, the best")
    high: Days = Field(description="calendar days, the most")

    def model_post_init(self, context: Any) -> None:
        if not self.low <= self.target <= self.high:
            days = (self.low, self.target, self.high)
            raise mistake("days with 0 <= low <= target <= high", at=("target",), value=days)


class Leg(Part):
    """One leg of a structure.

    Parameters
    ----------
    name : str
        By which other legs refer to it.
    right : {"C", "P", "S"}
        Call, put, or the underlying itself.
    qty : int
        Contracts, positive long and negative short. A stock leg counts in contracts too: 1 is as many shares as a
        contract's multiplier.
    rule : StrikeRule
        Which strikes it may have; a stock leg has none.
    expiry : {"near", "far"}
        Which of the structure's two expiries.
    dte : DteRange
        Narrows the days to this leg's expiry further than the document does.
    """

    name: Name = Field(description="a name that no other leg has")
    right: Literal["C", "P", "S"] = Field(description="C, P, or S for the underlying")
    qty: Annotated[int, Strict(), Field(ge=-1000, le=1000)] = Field(
        description="a whole number of contracts, positive long and negative short"
    )
    rule: StrikeRule | None = None
    expiry: Literal["near", "far"] = "near"
    dte: DteRange | None = None

    def model_post_init(self, context: Any) -> None:
        if self.qty == 0:
            raise mistake("a whole number of contracts, not 0", at=("qty",), value=0)
        if self.is_option and self.rule is None:
            raise mistake("a strike rule, because the leg is an option", at=("rule",))
        for part in ("rule", "dte"):
            if not self.is_option and getattr(self, part) is not None:
                raise mistake("nothing, because the leg is the underlying", at=(part,), value=getattr(self, part))
        if not self.is_option and self.expiry == "far":
            raise mistake("near, because the underlying has no expiry", at=("expiry",), value=self.expiry)

    @property
    def is_option(self) -> bool:
        """Whether it is an option rather than the underlying."""
        return self.right != "S"


class StrategyDocument(Part):
    """A structure that can be scanned for, replayed, monitored and ordered; it compares, hashes and prints as a value.

    Parameters
    ----------
    name : str
        Lower case with underscores.
    view : str
        What one must believe about the market to want it, in a few words.
    legs : tuple of Leg
        Rules may refer to earlier legs only.
    dte : DteRange
        Days to the near expiry.
    gap : DteRange
        Days from the near to the far expiry, where a leg has ``expiry="far"``.
    cash : {"credit", "debit", "any"}
        What the structure must bring at the legs' prices; candidates that do not are rejected and counted.
    margin : {"reg_t", "cash"}
        Margin rule; cash: short puts are secured by their whole strike.
    risk : str
        What can go wrong, in a sentence.
    outlook : tuple of str
        The view in words of a fixed list.
    aliases : tuple of str
        Other names by which it is known.
    variant_of : str
        Name of the strategy that has the same legs, where this one differs in strikes, security or conduct alone.
    symbols : tuple of str
        Underlyings that it is meant for; empty is any.
    entry, exits, sizing, costs
        When to open and to close, how much, and what it costs.

    Notes
    -----
    A document made in Python or read from a file is checked in full: `DocumentError` names the field.
    """

    name: Name = Field(description="a name in lower-case letters, digits and underscores")
    view: Words = Field(description="what one must believe to want it, in words")
    legs: tuple[Leg, ...] = Field(min_length=1, max_length=MOST_LEGS, description="a list of legs")
    dte: DteRange = DteRange(20, 45, 60)
    gap: DteRange = DteRange(14, 30, 60)
    cash: Literal["credit", "debit", "any"] = "any"
    margin: Literal["reg_t", "cash"] = "reg_t"
    risk: Words = ""
    outlook: tuple[Outlook, ...] = Field(default=(), max_length=8)
    aliases: tuple[Alias, ...] = Field(default=(), max_length=20)
    variant_of: Name | None = None
    symbols: tuple[Symbol, ...] = Field(default=(), max_length=1000)
    entry: Entry = Entry()
    exits: Exits = Exits()
    sizing: Sizing = Sizing()
    costs: Costs = Costs()
    schema_version: Version = Field(default=SCHEMA_VERSION, repr=False)

    def model_post_init(self, context: Any) -> None:
        if not any(leg.is_option and leg.expiry == "near" for leg in self.legs):
            raise mistake("at least one option leg at the near expiry", at=("legs",), value=len(self.legs))
        _check_names(self)
        _check_rolls(self)

    @property
    def option_legs(self) -> tuple[Leg, ...]:
        """The legs that are options, in order."""
        return tuple(leg for leg in self.legs if leg.is_option)

    @property
    def stock_qty(self) -> int:
        """Contracts' worth of shares held; negative when sold short."""
        return sum(leg.qty for leg in self.legs if not leg.is_option)

    @property
    def has_two_expiries(self) -> bool:
        """Whether a leg expires later than the others."""
        return any(leg.expiry == "far" for leg in self.option_legs)

    @property
    def risk_shape(self) -> Literal["defined", "undefined"]:
        """Undefined where a short option is neither spread off nor covered by shares or by cash.

        A bought option covers only what does not outlive it.
        """
        shares = self.stock_qty
        calls = _uncovered(self.option_legs, "C", cover=max(shares, 0), owed=max(-shares, 0))
        puts = _uncovered(self.option_legs, "P", cover=max(-shares, 0))
        return "undefined" if calls or (puts and self.margin != "cash") else "defined"

    @property
    def is_locked(self) -> bool:
        """Whether the legs cancel at every price, so that only their cost is a result: boxes, conversions, rolls."""
        slope, kinks = self.stock_qty, Counter[tuple[str, str]]()
        roots: dict[str, str] = {}
        for leg in self.option_legs:
            roots[leg.name] = roots[leg.rule.of] if isinstance(leg.rule, SameAs) else leg.name
            kinks[roots[leg.name], leg.expiry] += leg.qty
            slope += leg.qty if leg.right == "C" else 0
        return slope == 0 and not any(kinks.values())

    @property
    def sha256(self) -> str:
        """Hash of what the document trades: its canonical JSON without the words that only describe it (`PROSE`).

        So a strategy keeps its history when it is renamed or explained better, and loses it when a strike rule, an
        exit or a cost changes.
        """
        content = self.model_dump(mode="json", exclude=set(PROSE))
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _uncovered(legs: tuple[Leg, ...], right: str, *, cover: int, owed: int = 0) -> int:
    # Short contracts that neither longs of the same or a later expiry nor `cover` make good; `owed` is owed besides.
    near, far = (sum(leg.qty for leg in legs if (leg.right, leg.expiry) == (right, e)) for e in ("near", "far"))
    far += cover
    return -min(far, 0) - min(near - owed + max(far, 0), 0)


def _check_names(document: StrategyDocument) -> None:
    seen: list[str] = []
    for position, leg in enumerate(document.legs):
        here: tuple[Step, ...] = ("legs", position)
        if leg.name in [other.name for other in document.legs[:position]]:
            raise mistake("a name that no other leg has", at=(*here, "name"), value=leg.name)
        for field in leg.rule.REFERS if leg.rule else ():
            ref = getattr(leg.rule, field)
            if ref not in seen:
                expected = "the name of an option leg before this one" + ("" if seen else ", and there is none")
                raise mistake(expected, at=(*here, "rule", field), value=ref, known=seen)
        if leg.is_option:
            seen.append(leg.name)


def _check_rolls(document: StrategyDocument) -> None:
    names = [leg.name for leg in document.option_legs]
    for position, roll in enumerate(document.exits.roll):
        for place, name in enumerate(roll.legs):
            if name not in names:
                where: tuple[Step, ...] = ("exits", "roll", position, "legs", place)
                raise mistake("the name of an option leg", at=where, value=name, known=names)
