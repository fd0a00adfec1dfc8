"""What a builder shows, as the text of a link: symbol, moment, legs and assumptions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.link_words import link_words, matching, moment_word, symbol_word

Pick = dict[str, Any]

MOST_QTY = 9_999
_NUMBER = r"\d{1,7}(?:\.\d{1,6})?"
_LEG = re.compile(
    rf"(?P<qty>-?\d{{1,4}})(?P<right>[CPS])"
    rf"(?:(?P<strike>{_NUMBER})@(?P<expiry>\d{{4}}-\d\d-\d\d)(?:~(?P<trading_class>[A-Z0-9.]{{1,12}}))?)?"
    rf"(?::(?P<price>{_NUMBER}))?"
)
_EXAMPLE = "legs such as -1P480@2026-10-16,1S, each with an optional price such as :1.25"


@dataclass(frozen=True)
class BuilderState:
    """Everything that a link reproduces.

    `picks` are legs as `workflows.build_structure` takes them; `fill` is a share of half the spread, `days` and
    `vol_points` what the sliders show.
    """

    symbol: str = ""
    at: datetime | None = None
    picks: tuple[Pick, ...] = ()
    fill: float = 0.0
    days: int = 0
    vol_points: int = 0

    def query(self) -> str:
        """Return the state as a query string; what is as always is left out."""
        words = {
            "symbol": self.symbol,
            "at": self.at.isoformat() if self.at else "",
            "legs": ",".join(leg_text(pick) for pick in self.picks),
            "fill": f"{self.fill:g}" if self.fill else "",
            "days": str(self.days or ""),
            "iv": str(self.vol_points or ""),
        }
        return urlencode({name: text for name, text in words.items() if text}, safe=",@:~")


def read_query(query: str, first: BuilderState) -> BuilderState:
    """Return the state that a query string asks for, `first` where it is silent.

    Raises
    ------
    InputError
        If a part cannot be read; ``error.name`` says which.
    """
    words = link_words(query)
    found = first
    if "symbol" in words:
        found = replace(found, symbol=symbol_word(words["symbol"]))
    if "at" in words:
        found = replace(found, at=moment_word(words["at"]))
    if "legs" in words:
        found = replace(found, picks=tuple(_read_leg(text) for text in words["legs"].split(",") if text))
    if "fill" in words:
        found = replace(found, fill=float(matching("fill", words["fill"], r"0(\.\d{1,4})?|1(\.0*)?", "0 to 1")))
    if "days" in words:
        found = replace(found, days=int(matching("days", words["days"], r"\d{1,4}", "a number of days")))
    if "iv" in words:
        found = replace(found, vol_points=int(matching("iv", words["iv"], r"-?\d{1,2}", "volatility points")))
    return found


def candidate_query(record: Mapping[str, Any], *, symbol: str, at: datetime | None) -> str:
    """Return the query that opens a candidate of a scan in the builder."""
    picks = tuple(_pick(leg) for leg in record["legs"])
    return BuilderState(symbol=symbol, at=at, picks=picks).query()


def leg_text(pick: Mapping[str, Any]) -> str:
    """Return a leg as it stands in a link: ``-1P480@2026-10-16~SIM:1.25``."""
    own = pick.get("price")
    price = "" if own is None else f":{_plain(own)}"
    if pick["right"] == "S":
        return f"{pick['qty']}S{price}"
    trading_class = f"~{pick['trading_class']}" if pick.get("trading_class") else ""
    return f"{pick['qty']}{pick['right']}{_plain(pick['strike'])}@{pick['expiry']}{trading_class}{price}"


def read_quantity(text: str) -> int:
    """Return a number of contracts that somebody typed; 0 removes a leg.

    Raises
    ------
    InputError
        If it is no whole number, or too large.
    """
    wanted = f"a whole number of contracts, for example 2 or -1, at most {MOST_QTY:,}"
    plain = text.strip().replace("\N{MINUS SIGN}", "-").removeprefix("+")
    return int(matching("quantity", plain, r"-?\d{1,4}", wanted))


def read_price(text: str) -> float | None:
    """Return a price per share that somebody typed; nothing means the quotes' price.

    Raises
    ------
    InputError
        If it is no number >= 0.
    """
    plain = text.strip().replace(",", "")
    return float(matching("price", plain, _NUMBER, "a price per share, for example 1.25")) if plain else None


def with_click(picks: Sequence[Pick], clicked: Pick) -> tuple[Pick, ...]:
    """Return the legs after one more contract was bought or sold; a leg that comes to nothing is gone."""
    key = _contract(clicked)
    found = [dict(pick) for pick in picks]
    for pick in found:
        if _contract(pick) == key:
            pick["qty"] += clicked["qty"]
            return tuple(one for one in found if one["qty"])
    return (*found, dict(clicked))


def _contract(pick: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(pick.get(name) for name in ("right", "strike", "expiry", "trading_class"))


def _pick(leg: Mapping[str, Any]) -> Pick:
    names = ("right", "qty") if leg["right"] == "S" else ("right", "qty", "strike", "expiry", "trading_class")
    return {name: leg[name] for name in names if leg.get(name) is not None}


def _read_leg(text: str) -> Pick:
    found = _LEG.fullmatch(text)
    if found is None or (found["right"] == "S") != (found["strike"] is None) or not int(found["qty"]):
        raise InputError("legs", text, _EXAMPLE)
    pick: Pick = {"right": found["right"], "qty": int(found["qty"])}
    if found["right"] != "S":
        try:
            expiry = date.fromisoformat(found["expiry"]).isoformat()
        except ValueError:
            raise InputError("legs", text, _EXAMPLE) from None
        pick |= {"strike": float(found["strike"]), "expiry": expiry}
    if found["trading_class"]:
        pick["trading_class"] = found["trading_class"]
    if found["price"]:
        pick["price"] = float(found["price"])
    return pick


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")
