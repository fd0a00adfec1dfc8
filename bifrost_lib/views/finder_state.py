"""What a scan was asked for, as the text of a link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.views.link_words import link_words, matching, moment_word, symbol_word

MOST_CANDIDATES = 100


@dataclass(frozen=True)
class Request:
    """One scan that is asked for; `at` None is the newest stored moment."""

    symbol: str
    strategy: str
    dte: tuple[int, int]
    top: int
    at: datetime | None

    def query(self) -> str:
        """Return it as a query string."""
        words = {"symbol": self.symbol, "strategy": self.strategy, "dte": f"{self.dte[0]}-{self.dte[1]}"}
        words |= {"top": str(self.top)} | ({"at": self.at.isoformat()} if self.at else {})
        return urlencode(words, safe=":")


def read_request(query: str, first: Request, *, strategies: Iterable[str]) -> Request:
    """Return what a query string asks for, `first` where it is silent.

    Parameters
    ----------
    query : str
        For example ``symbol=SIM&strategy=iron_condor&dte=20-60&top=10&at=2026-09-30T18:00Z``, each part optional.
    first : Request
    strategies : iterable of str
        Names that there are.

    Raises
    ------
    InputError
        If a part cannot be read; ``error.name`` says which.
    """
    words = link_words(query)
    found = first
    if "symbol" in words:
        found = replace(found, symbol=symbol_word(words["symbol"]))
    if "strategy" in words:
        if words["strategy"] not in (known := list(strategies)):
            raise UnknownNameError("strategy", words["strategy"], known)
        found = replace(found, strategy=words["strategy"])
    if "dte" in words:
        low, high = matching("dte", words["dte"], r"\d{1,3}-\d{1,3}", "days such as 20-60").split("-")
        if int(low) > int(high):
            raise InputError("dte", words["dte"], "the fewer days first, such as 20-60")
        found = replace(found, dte=(int(low), int(high)))
    if "top" in words:
        top = int(matching("top", words["top"], r"[1-9]\d{0,2}", "a number of candidates"))
        if top > MOST_CANDIDATES:
            raise InputError("top", words["top"], f"at most {MOST_CANDIDATES} candidates")
        found = replace(found, top=top)
    if "at" in words:
        found = replace(found, at=moment_word(words["at"]))
    return found
