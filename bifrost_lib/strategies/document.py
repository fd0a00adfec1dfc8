"""The strategy document: legs, strike rules and days to expiry, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.strategies.rules import StrikeRule

LEG_RIGHTS = ("C", "P", "S")  # S is the underlying itself
EXPIRIES = ("near", "far")
CASH = ("credit", "debit", "any")
MARGIN_RULES = ("reg_t", "cash")


@dataclass(frozen=True)
class Leg:
    """One leg of a structure.

    `qty` is in contracts, positive long and negative short. A stock leg (right ``"S"``) counts in contracts too: 1
    is as many shares as a contract's multiplier. It has neither rule nor expiry.
    """

    name: str
    right: str
    qty: int
    rule: StrikeRule | None = None
    expiry: str = "near"

    def __post_init__(self) -> None:
        if self.right not in LEG_RIGHTS:
            raise InputError(f"{self.name}.right", self.right, "C, P, or S for the underlying")
        if self.qty == 0 or not isinstance(self.qty, int):
            raise InputError(f"{self.name}.qty", self.qty, "a whole number of contracts, not 0")
        if (self.right == "S") != (self.rule is None):
            raise InputError(f"{self.name}.rule", self.rule, "a strike rule for options, and none for the underlying")
        if self.expiry not in EXPIRIES:
            raise UnknownNameError(f"{self.name}.expiry", self.expiry, EXPIRIES)

    @property
    def is_option(self) -> bool:
        return self.right != "S"


@dataclass(frozen=True)
class DteRange:
    """Calendar days to expiry: the range that is scanned and the target that the score likes best."""

    low: int
    target: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.target <= self.high:
            raise InputError("dte", (self.low, self.target, self.high), "days with 0 <= low <= target <= high")


@dataclass(frozen=True)
class Strategy:
    """A structure that can be scanned for; a plain value that compares, hashes and prints as its literal.

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
    """

    name: str
    view: str
    legs: tuple[Leg, ...]
    dte: DteRange = field(default=DteRange(20, 45, 60))
    gap: DteRange = field(default=DteRange(14, 30, 60))
    cash: str = "any"
    margin: str = "reg_t"
    risk: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise InputError("name", self.name, "lower-case letters, digits and underscores")
        if self.cash not in CASH:
            raise UnknownNameError(f"{self.name}.cash", self.cash, CASH)
        if self.margin not in MARGIN_RULES:
            raise UnknownNameError(f"{self.name}.margin", self.margin, MARGIN_RULES)
        if not any(leg.is_option and leg.expiry == "near" for leg in self.legs):
            raise InputError(f"{self.name}.legs", len(self.legs), "at least one option leg at the near expiry")
        _check_references(self)

    @property
    def option_legs(self) -> tuple[Leg, ...]:
        return tuple(leg for leg in self.legs if leg.is_option)

    @property
    def stock_qty(self) -> int:
        """Contracts' worth of shares held; negative when sold short."""
        return sum(leg.qty for leg in self.legs if not leg.is_option)

    @property
    def has_two_expiries(self) -> bool:
        return any(leg.expiry == "far" for leg in self.option_legs)


def _check_references(strategy: Strategy) -> None:
    seen: list[str] = []
    for leg in strategy.legs:
        if leg.name in seen:
            raise InputError(f"{strategy.name}.legs", leg.name, "a name that no other leg has")
        for ref in leg.rule.refs if leg.rule else ():
            if ref not in seen:
                raise UnknownNameError(f"{strategy.name}.{leg.name}.rule", ref, seen or ["a leg before this one"])
        if leg.is_option:
            seen.append(leg.name)
