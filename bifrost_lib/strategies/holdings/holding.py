"""What a structure is worth while it is held, and what it paid when its first option expired.

Cash is that of one unit: `premium` at entry (credit > 0), plus what ending it brings, plus dividends on its shares,
less commissions. Nothing is assumed where a side of a quote is missing: then there is no value, and a reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.documents.exits import Exits, Target
from bifrost_lib.strategies.documents.sizing import fill_price

#: Qualities of a quote whose two sides cannot both be believed.
UNTRADABLE = ("no_quote", "one_sided", "crossed", "stale", "expired")
_WORDS = ("quality", "trading_class", "settlement")
_NUMBERS = ("bid", "ask", "iv", "delta", "vega", "multiplier")


@dataclass(frozen=True)
class Closing:
    """What closing would bring (> 0) or cost (< 0), for one unit; `value` is NaN where `reason` says why not.

    `iv` is the legs' volatility weighted by vega, `delta` that of the unit, `short_delta` the largest of short options.
    """

    value: float
    reason: str = ""
    iv: float = math.nan
    delta: float = math.nan
    short_delta: float = math.nan


class QuoteBoard:
    """The quotes of one chain by contract.

    Parameters
    ----------
    chain : DataFrame
        ``core.vocabulary.CHAIN_COLUMNS`` of one symbol at one moment.
    """

    def __init__(self, chain: pd.DataFrame) -> None:
        # A board is asked for a few legs and then forgotten: masks over its columns cost less than an index.
        self._expiry = chain["expiry"].to_numpy().astype("datetime64[D]")
        self._strike = chain["strike"].to_numpy(dtype=np.float64)
        self._is_call = (chain["right"] == "C").to_numpy(dtype=bool)
        self._numbers = {name: chain[name].to_numpy(dtype=np.float64) for name in _NUMBERS}
        words = {name: chain[name].astype("category").cat for name in _WORDS}
        self._words = {name: (column.codes.to_numpy(), list(column.categories)) for name, column in words.items()}

    def place(self, leg: Mapping[str, Any]) -> int | None:
        """Return where the chain quotes a leg's contract; None if it does not, or not unambiguously.

        A leg that names its class or multiplier means that contract; else one with the usual 100 shares goes first.
        """
        is_it = (self._is_call == (leg["right"] == "C")) & (np.abs(self._strike - leg["strike"]) < 5e-5)
        is_it &= self._expiry == np.datetime64(str(leg["expiry"])[:10], "D")
        found = [int(place) for place in np.flatnonzero(is_it)]
        if leg.get("trading_class") is not None:
            found = [place for place in found if self._word("trading_class", place) == leg["trading_class"]]
        if leg.get("multiplier") is not None:
            found = [place for place in found if self._numbers["multiplier"][place] == leg["multiplier"]]
        if len(found) > 1:
            found = [place for place in found if self._numbers["multiplier"][place] == 100.0]
        return found[0] if len(found) == 1 else None

    def _word(self, name: str, place: int) -> str:
        codes, words = self._words[name]
        return str(words[codes[place]]) if codes[place] >= 0 else ""

    def facts(self, leg: Mapping[str, Any]) -> dict[str, Any]:
        """Return what tells the leg's contract from others: class, settlement, multiplier; and its two sides."""
        place = self.place(leg)
        if place is None:
            return {}
        words = {name: self._word(name, place) for name in ("trading_class", "settlement")}
        return words | {name: float(self._numbers[name][place]) for name in ("multiplier", "bid", "ask")}

    def close(self, legs: Sequence[Mapping[str, Any]], *, spot: float, multiplier: float, fill: float) -> Closing:
        """Value the closing of `legs`, each giving away the share `fill` of its spread.

        Parameters
        ----------
        legs : sequence of mapping
            `right`, `qty`, `strike`, `expiry`, as candidates carry them; a stock leg closes at `spot`.
        spot : float
            Price of the underlying.
        multiplier : float
            Shares per contract.
        fill : float
            0.5 closes at mid, 1 crosses the spread; as in a document's costs.
        """
        if not 0 <= fill <= 1:
            raise InputError("fill", fill, "a share of the spread, 0 to 1")
        value = delta = vega = weighted = 0.0
        short_delta = math.nan
        for leg in legs:
            weight = leg["qty"] * multiplier
            if leg["right"] == "S":
                value, delta = value + weight * spot, delta + weight
                continue
            place = self.place(leg)
            problem = "is not quoted" if place is None else self._problem(place)
            if place is None or problem:
                return Closing(math.nan, f"{_name(leg)} {problem}")
            bid, ask = self._numbers["bid"][place], self._numbers["ask"][place]
            value += weight * fill_price(bid, ask, qty=-weight, fill=fill)
            leg_delta = float(self._numbers["delta"][place])
            delta += weight * leg_delta
            if weight < 0:
                short_delta = np.fmax(short_delta, abs(leg_delta))
            size = abs(weight) * self._numbers["vega"][place]
            vega, weighted = vega + size, weighted + size * self._numbers["iv"][place]
        if not math.isfinite(value):
            return Closing(math.nan, "the price of the underlying is not known")
        return Closing(value, iv=weighted / vega if vega > 0 else math.nan, delta=delta, short_delta=short_delta)

    def _problem(self, place: int) -> str:
        bid, ask = self._numbers["bid"][place], self._numbers["ask"][place]
        missing = [name for name, side in (("bid", bid), ("ask", ask)) if not math.isfinite(side)]
        if missing:
            return f"has no {' and no '.join(missing)}"
        quality = self._word("quality", place)
        return f"has a {quality.replace('_', ' ')} quote" if quality in UNTRADABLE or bid > ask else ""


def intrinsic_cash(legs: Sequence[Mapping[str, Any]], *, spot: float, multiplier: float) -> float:
    """Return the cash that `legs` settle for when all expire at `spot`; shares count with their price.

    Examples
    --------
    >>> put_spread = [{"right": "P", "qty": -1, "strike": 100.0}, {"right": "P", "qty": 1, "strike": 95.0}]
    >>> intrinsic_cash(put_spread, spot=97.0, multiplier=100.0)
    -300.0
    """
    total = 0.0
    for leg in legs:
        if leg["right"] == "S":
            worth = spot
        else:
            worth = max(spot - leg["strike"] if leg["right"] == "C" else leg["strike"] - spot, 0.0)
        total += leg["qty"] * multiplier * worth
    return total


def exit_due(
    exits: Exits,
    *,
    pnl: float,
    entry: Mapping[str, Any],
    entered: datetime,
    at: datetime,
    near: date,
    short_delta: float = math.nan,
) -> str:
    """Return which exit of a document is due, in words; empty if none is.

    Parameters
    ----------
    exits : Exits
        Rolls are left out: they are entries of their own.
    pnl : float
        Profit of closing now; NaN is not known, and then only the calendar can close.
    entry : mapping
        `premium`, `max_profit` and `max_loss` at entry, which shares of profit and loss refer to.
    entered, at : datetime, aware
    near : date
        First expiry.
    short_delta : float
        Largest size of a short option's delta.
    """
    today = exchange_date(at)
    if exits.stop is not None and pnl <= -_amount(exits.stop, entry):
        return f"stop at {_share(exits.stop)}"
    if exits.take_profit is not None and pnl >= _amount(exits.take_profit, entry):
        return f"take profit at {_share(exits.take_profit)}"
    if exits.delta is not None and short_delta >= exits.delta:
        return f"delta of {exits.delta:g}"
    if exits.dte is not None and (near - today).days <= exits.dte:
        return f"{exits.dte} days to expiry"
    if exits.days_in_trade is not None and (today - exchange_date(entered)).days >= exits.days_in_trade:
        return f"{exits.days_in_trade} days in trade"
    return ""


def _share(target: Target) -> str:
    return f"{100 * target.share:g} % of {target.of.replace('_', ' ')}"


def _amount(target: Target, entry: Mapping[str, Any]) -> float:
    """Return a share of a figure at entry; NaN, which nothing reaches, where the entry has no such figure."""
    figure = {"credit": entry["premium"], "debit": -entry["premium"]}.get(target.of, entry.get(target.of))
    return target.share * figure if figure is not None and figure > 0 else math.nan


def _name(leg: Mapping[str, Any]) -> str:
    return f"{str(leg['expiry'])[:10]} {leg['strike']:g}{leg['right']}"
