"""One entry followed through the stored chains: marked, closed by its document's exits, or settled at expiry.

Each step reads the store as of its own moment, so that nothing later is ever used.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import (
    exchange_date,
    expiry_moment,
    session_close,
    session_open,
    sessions,
)
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies import QuoteBoard, StrategyDocument, exit_due, intrinsic_cash
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk

EXPIRED = "expired"
#: The price at which options settle is that of their moment; a price older than this is another one.
SETTLEMENT_WINDOW = timedelta(hours=1)
_KEPT = 8


@dataclass(frozen=True)
class Entry:
    """One unit of a structure that was entered at `at`, and the document that says when it ends.

    Attributes
    ----------
    legs : tuple of dict
        `right`, `qty`, `strike`, `expiry` (ISO text), and where known `trading_class`, `settlement`, `multiplier`.
    premium : float
        Cash at entry, all legs: credit > 0.
    max_profit, max_loss : float or None
        What shares of profit and loss refer to; None where unbounded.
    """

    symbol: str
    at: datetime
    legs: tuple[dict[str, Any], ...]
    premium: float
    multiplier: float
    max_profit: float | None
    max_loss: float | None
    document: StrategyDocument

    @property
    def expires(self) -> datetime:
        """The moment at which the first option expires."""
        return min(_expiry(leg) for leg in self.legs if leg["right"] != "S")

    @property
    def near(self) -> date:
        """The first expiry."""
        return min(date.fromisoformat(str(leg["expiry"])[:10]) for leg in self.legs if leg["right"] != "S")


@dataclass(frozen=True)
class Seen:
    """An entry at a moment: its closing value and profit, or the reason why there is none; `exit` is what is due."""

    ts: datetime
    as_of: datetime | None = None
    value: float = math.nan
    carried: float = 0.0
    pnl: float = math.nan
    spot: float = math.nan
    iv: float = math.nan
    delta: float = math.nan
    reason: str = ""
    exit: str = ""

    @property
    def is_end(self) -> bool:
        """Whether the entry ends here, with a result."""
        return bool(self.exit) and not math.isnan(self.pnl)


def candidate_hash(legs: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of a structure: the same contracts and quantities, in any order, have the same."""
    rows = sorted(
        [leg["right"], leg["qty"], leg["strike"] or 0.0, str(leg["expiry"] or "")[:10], leg.get("trading_class") or ""]
        for leg in legs
    )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def identified(legs: Sequence[Mapping[str, Any]], board: QuoteBoard) -> tuple[dict[str, Any], ...]:
    """Return legs with what tells their contracts from others, and the two sides that they were quoted at."""
    return tuple({**leg, **(board.facts(leg) if leg["right"] != "S" else {})} for leg in legs)


def entry_of(
    symbol: str, at: datetime, document: StrategyDocument, record: Mapping[str, Any], board: QuoteBoard
) -> Entry:
    """Return a candidate of a scan as an entry that can be followed."""
    return Entry(
        symbol=symbol,
        at=at,
        legs=identified(record["legs"], board),
        premium=float(record["premium"]),
        multiplier=float(record["multiplier"]),
        max_profit=record["max_profit"],
        max_loss=record["max_loss"],
        document=document,
    )


def mark_moments(after: datetime, until: datetime) -> list[datetime]:
    """Return the closes of sessions after `after` and until `until`."""
    closes = [session_close(day) for day in sessions(exchange_date(after), exchange_date(until))]
    return [close for close in closes if after < close <= until]


@dataclass(frozen=True)
class Known:
    """A chain, its quotes by contract, the spot, and the moment of its newest quote."""

    chain: pd.DataFrame
    board: QuoteBoard
    spot: float
    as_of: datetime


class Follower:
    """Follows entries through the chains of a desk; keeps the last few chains, so go through time in one direction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.known = lru_cache(_KEPT)(self._known)
        self._actions = lru_cache(_KEPT)(self._read_actions)

    def _known(self, symbol: str, at: datetime) -> Known | None:
        """Return the chain that was known at `at`; None where there was none."""
        try:
            chain = read_chain(self._desk, symbol, at=at)
        except NoDataError:
            return None
        return Known(chain, QuoteBoard(chain), float(chain.attrs["spot"]), chain.attrs["as_of"])

    def see(self, entry: Entry, at: datetime) -> Seen:
        """Mark an entry at `at`, before its first expiry."""
        problem = self._adjustment(entry, at)
        known = None if problem else self.known(entry.symbol, at)
        if known is None:
            return Seen(at, reason=problem or "no chain is stored")
        spot, as_of = known.spot, known.as_of
        if exchange_date(as_of) != exchange_date(at) or as_of <= entry.at:
            return Seen(at, as_of, reason=f"no chain of {exchange_date(at)} is stored")
        costs = entry.document.costs
        closing = known.board.close(
            entry.legs, spot=spot, multiplier=entry.multiplier, fill=costs.fill_of(min(len(entry.legs), 12))
        )
        carried = self.carried(entry, at)
        pnl = entry.premium + closing.value + carried
        due = exit_due(
            entry.document.exits, pnl=pnl, entry=_figures(entry), entered=entry.at, at=at, near=entry.near,
            short_delta=closing.short_delta,
        )  # fmt: skip
        return Seen(at, as_of, closing.value, carried, pnl, spot, closing.iv, closing.delta, closing.reason, due)

    def settle(self, entry: Entry, at: datetime) -> Seen:
        """Return how an entry ended at its first expiry, as far as is known at `at`, which is not before it.

        Options that expire settle for their intrinsic value at the settlement price: of the close (PM) the last price
        of the session, at most an hour old; of the open (AM) the first one. Later options and shares are closed there.
        """
        moment = entry.expires
        problem = self._adjustment(entry, moment)
        if problem:
            return Seen(moment, reason=problem)
        expiring = [leg for leg in entry.legs if leg["right"] != "S" and _expiry(leg) == moment]
        found = self._settlement(entry.symbol, expiring, at)
        if found is None:
            return Seen(moment, reason=f"no price of the settlement on {exchange_date(moment)} is stored")
        as_of, spot = found
        value = intrinsic_cash(
            [leg for leg in entry.legs if leg in expiring or leg["right"] == "S"],
            spot=spot,
            multiplier=entry.multiplier,
        )
        rest = [leg for leg in entry.legs if leg not in expiring and leg["right"] != "S"]
        if rest:
            known = self.known(entry.symbol, moment)
            if known is None or exchange_date(known.as_of) != exchange_date(moment):
                return Seen(moment, reason=f"no chain of {exchange_date(moment)} is stored for the legs that go on")
            fill = entry.document.costs.fill_of(min(len(rest), 12))
            closing = known.board.close(rest, spot=known.spot, multiplier=entry.multiplier, fill=fill)
            if closing.reason:
                return Seen(moment, known.as_of, reason=closing.reason)
            value += closing.value
        carried = self.carried(entry, moment)
        return Seen(moment, as_of, value, carried, entry.premium + value + carried, spot, exit=EXPIRED)

    def carried(self, entry: Entry, at: datetime) -> float:
        """Return the dividends that shares of the entry received, or owed when sold short, until `at`."""
        shares: float = entry.multiplier * sum(leg["qty"] for leg in entry.legs if leg["right"] == "S")
        if not shares:
            return 0.0
        return shares * sum(value for day, kind, value in self._events(entry, at) if kind == "dividend")

    def _adjustment(self, entry: Entry, at: datetime) -> str:
        splits = [day for day, kind, _ in self._events(entry, at) if kind == "split"]
        return f"split on {splits[0]}: the contracts were adjusted" if splits else ""

    def _events(self, entry: Entry, at: datetime) -> list[tuple[date, str, float]]:
        first, last = exchange_date(entry.at), exchange_date(at)
        return [event for event in self._actions(entry.symbol) if first < event[0] <= last]

    def _read_actions(self, symbol: str) -> list[tuple[date, str, float]]:
        frame = store.corporate_actions(self._desk.store.engine, symbol)
        return [(day.date(), str(kind), float(value)) for day, kind, value in
                zip(frame["ex_date"], frame["kind"], frame["value"], strict=True)]  # fmt: skip

    def _settlement(
        self, symbol: str, expiring: Sequence[Mapping[str, Any]], at: datetime
    ) -> tuple[datetime, float] | None:
        moment, is_am = _expiry(expiring[0]), expiring[0].get("settlement") == "AM"
        engine = self._desk.store.engine
        if is_am:
            end = min(at, moment + SETTLEMENT_WINDOW)
            return store.spot_between(engine, symbol, moment, end, first=True) if end >= moment else None
        start = max(moment - SETTLEMENT_WINDOW, session_open(exchange_date(moment)))
        return store.spot_between(engine, symbol, start, moment)


def _expiry(leg: Mapping[str, Any]) -> datetime:
    return expiry_moment(date.fromisoformat(str(leg["expiry"])[:10]), leg.get("settlement") or "PM")


def _figures(entry: Entry) -> dict[str, Any]:
    return {"premium": entry.premium, "max_profit": entry.max_profit, "max_loss": entry.max_loss}
