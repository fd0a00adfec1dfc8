"""From legs that a trader picks off a chain to what they cost, can make and can lose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.core.contracts import INDEX_CLASSES
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import ExpirySlice, Filters, StrategyDocument, cut_chain, evaluate, find_candidates
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk

LONGEST_DAYS = 10_000
MOST_LEGS = 12

Key = tuple[str, str, str, float]


@dataclass(frozen=True)
class Market:
    """One underlying's chain as it was known at `at`, and the distribution of each of its expiries.

    `contracts` finds the row of a contract by expiry (ISO text), trading class, right and strike.
    """

    symbol: str
    at: datetime
    as_of: datetime
    source: str
    spot: float
    chain: pd.DataFrame
    slices: tuple[ExpirySlice, ...]
    contracts: Mapping[Key, int]

    @property
    def is_index(self) -> bool:
        """Whether naked options need an index's margin."""
        return self.symbol in {convention.symbol for convention in INDEX_CLASSES.values()}


@dataclass(frozen=True)
class Structure:
    """Legs with their prices, and their measures.

    Attributes
    ----------
    legs : tuple of dict
        As `strategies.evaluate` takes them: ``right, qty, strike, expiry, trading_class, price, iv, tau`` and the
        quote's ``bid, ask, open_interest``; unknown is None.
    terms : dict
        ``spot, vol, rate, div_yield, multiplier, later``: the other arguments of that call.
    near : ExpirySlice
        The first expiry among the legs, whose lognormal distribution the probabilities belong to.
    measures : dict
        What `strategies.evaluate` returned, and ``dte``.
    """

    market: Market
    legs: tuple[dict[str, Any], ...]
    terms: dict[str, Any]
    near: ExpirySlice
    measures: dict[str, Any]
    fill: float

    @property
    def record(self) -> dict[str, Any]:
        """The structure as a candidate of a scan would be described."""
        return {**self.measures, **self.terms, "tau": self.near.tau, "legs": [dict(leg) for leg in self.legs]}


def read_market(desk: Desk, symbol: str, *, at: datetime | None = None) -> Market:
    """Return what there is to pick from: the chain of `symbol` at `at`, default its newest stored moment.

    Raises
    ------
    NoDataError
        If nothing was known, or no expiry has a usable quote.
    """
    return market_of(read_chain(desk, symbol, at=at))


def market_of(chain: pd.DataFrame) -> Market:
    """Return what there is to pick from in a chain that `read_chain` returned.

    Raises
    ------
    NoDataError
        If no expiry has a usable quote.
    """
    slices, _, skipped = cut_chain(chain, dte=(0, LONGEST_DAYS), filters=Filters())
    if not slices:
        reasons = "; ".join(f"{expiry}: {why}" for expiry, why in list(skipped.items())[:3])
        raise NoDataError("usable quote", at=chain.attrs["at"], hint=reasons, symbol=chain.attrs["symbol"])
    facts = {name: chain.attrs[name] for name in ("symbol", "at", "as_of", "source", "spot")}
    return Market(**facts, chain=chain, slices=tuple(slices), contracts=_contracts(chain))


def start_legs(
    market: Market, strategy: str | StrategyDocument, *, dte: tuple[int, int] | None = None
) -> list[dict[str, Any]]:
    """Return the legs of the best candidate of a strategy, to go on from.

    Raises
    ------
    NoDataError
        If the chain admits none.
    UnknownNameError
        If `strategy` is not in the catalogue.
    """
    found = find_candidates(market.chain, strategy, at=market.at, dte=dte, top=1).records()[0]
    return [_start_leg(leg, market) for leg in found["legs"]]


def build_structure(market: Market, picks: Sequence[Mapping[str, Any]], *, fill: float = 0.0) -> Structure:
    """Price and measure picked legs.

    Parameters
    ----------
    market : Market
    picks : sequence of mapping
        Each with ``right`` ("C", "P", or "S" for the underlying), ``qty`` (whole, signed, not 0; a stock leg of 1 is
        a contract's shares), for options ``strike`` and ``expiry`` (ISO text), and optionally ``trading_class`` (else
        any class of that expiry) and ``price`` (per share; default: from the quotes).
    fill : float
        Share of half the spread that each leg is assumed to pay, 0 (mid) to 1 (cross the spread).

    Raises
    ------
    InputError
        If a leg is not listed, has no price, or does not fit the others; the message names the contract.

    Notes
    -----
    The measures are exactly those of ``strategies.evaluate(legs=structure.legs, **structure.terms)``. With several
    expiries they are those at the first one, the later legs valued with their own volatility.
    """
    if not picks:
        raise InputError("legs", 0, "at least one leg; click a bid to sell or an ask to buy")
    if len(picks) > MOST_LEGS:
        raise InputError("legs", len(picks), f"at most {MOST_LEGS}")
    if not 0 <= fill <= 1:
        raise InputError("fill", fill, "a share of half the spread, 0 to 1")
    legs = tuple(_priced(pick, market, fill) for pick in picks)
    near = _near(legs, market)
    terms: dict[str, Any] = {
        "spot": near.spot, "vol": near.vol, "rate": near.rate, "div_yield": near.div_yield,
        "multiplier": near.multiplier, "later": _carry(near, legs, market),
    }  # fmt: skip
    measures = evaluate(legs=legs, tau=near.tau, broad_index=market.is_index, **terms)
    return Structure(market, legs, terms, near, measures | {"dte": near.dte}, fill)


def contract_text(leg: Mapping[str, Any]) -> str:
    """Name a leg for a message: ``480 put 2026-10-16``."""
    if leg["right"] == "S":
        return "stock"
    word = {"C": "call", "P": "put"}.get(leg["right"], leg["right"])
    return f"{leg['strike']:g} {word} {leg['expiry']} {leg.get('trading_class') or ''}".strip()


def _contracts(chain: pd.DataFrame) -> dict[Key, int]:
    days = chain["expiry"].dt.strftime("%Y-%m-%d").tolist()
    classes, rights = chain["trading_class"].astype(str).tolist(), chain["right"].astype(str).tolist()
    return {
        key: row for row, key in enumerate(zip(days, classes, rights, chain["strike"].tolist(), strict=True))
    }  # fmt: skip


def _start_leg(leg: Mapping[str, Any], market: Market) -> dict[str, Any]:
    # The quotes give the price anew, so that it follows the assumption about fills.
    kept = {name: leg[name] for name in ("right", "qty", "strike", "expiry")}
    if leg["right"] == "S":
        return kept
    classes = [key[1] for key in market.contracts if (key[0], *key[2:]) == (leg["expiry"], leg["right"], leg["strike"])]
    return kept | {"trading_class": leg.get("trading_class") or classes[0]}


def _priced(pick: Mapping[str, Any], market: Market, fill: float) -> dict[str, Any]:
    own = pick.get("price")
    if pick["right"] == "S":
        paid = market.slices[0].spot if own is None else float(own)
        return {"right": "S", "qty": pick["qty"], "strike": None, "expiry": None, "price": paid, "iv": None}
    quote = _quote(pick, market)
    bid, ask, mid = (_known(quote[name]) for name in ("bid", "ask", "mid"))
    price = mid if own is None else float(own)
    if price is None:
        found = f"no price, its quote is {quote['quality']}"
        raise InputError(contract_text(pick), found, "a price of your own, or a contract with a bid and an ask")
    if own is None and bid is not None and ask is not None:
        price += math.copysign(fill * (ask - bid) / 2, pick["qty"])
    return {
        "right": pick["right"],
        "qty": pick["qty"],
        "strike": float(quote["strike"]),
        "expiry": pick["expiry"],
        "trading_class": str(quote["trading_class"]),
        "price": price,
        "iv": _known(quote["iv"]),
        "tau": float(quote["tau"]),
        "bid": bid,
        "ask": ask,
        "open_interest": _known(quote["open_interest"]),
    }


def _quote(pick: Mapping[str, Any], market: Market) -> dict[str, Any]:
    wanted = pick.get("trading_class")
    for trading_class in [wanted] if wanted else sorted({key[1] for key in market.contracts}):
        row = market.contracts.get((pick["expiry"], trading_class, pick["right"], float(pick["strike"])))
        if row is not None:
            return {str(name): value for name, value in market.chain.iloc[row].items()}
    raise InputError(
        contract_text(pick), "not listed", f"a contract of the {market.symbol} chain at {market.at:%Y-%m-%d %H:%M} UTC"
    )


def _carry(near: ExpirySlice, legs: Sequence[Mapping[str, Any]], market: Market) -> tuple[float, float] | None:
    # From the first expiry to the last, as the finder has it; None where there is no later one with a forward.
    last = max((leg for leg in legs if leg["right"] != "S"), key=lambda leg: float(leg["tau"]), default=None)
    if last is None:
        return None
    names = (last["expiry"], last["trading_class"])
    found = [
        one for one in market.slices if (one.expiry.isoformat(), one.trading_class) == names and one.tau > near.tau
    ]
    return near.carry_to(found[0]) if found else None


def _near(legs: Sequence[Mapping[str, Any]], market: Market) -> ExpirySlice:
    options = [leg for leg in legs if leg["right"] != "S"]
    if not options:
        return market.slices[0]
    first = min(options, key=lambda leg: float(leg["tau"]))
    for found in market.slices:
        if (found.expiry.isoformat(), found.trading_class) == (first["expiry"], first["trading_class"]):
            return found
    raise InputError(contract_text(first), "an expiry without a usable quote", "an expiry that has some")


def _known(value: Any) -> float | None:
    number = float(value)
    return None if math.isnan(number) else number
