"""What was quoted when: a frame of quotes, read row by row into dictionaries."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bifrost_lib.core.calendar import exchange_date, expiry_moment

UNBELIEVABLE = ("no_quote", "one_sided", "crossed", "stale", "expired")


class Group(NamedTuple):
    """The strikes of one expiry, class and multiplier."""

    expiry: date
    trading_class: str
    multiplier: float


class Contract(NamedTuple):
    """One option; its symbol is that of its tape."""

    group: Group
    right: str
    strike: float


@dataclass(frozen=True)
class Quote:
    """Both sides of a contract at a moment; NaN is not known."""

    bid: float
    ask: float
    delta: float
    quality: str
    open_interest: float
    volume: float

    @property
    def mid(self) -> float:
        """Half way between the sides."""
        return self.ask / 2 if self.nobody_bids else (self.bid + self.ask) / 2

    @property
    def nobody_bids(self) -> bool:
        """Whether there is an ask alone."""
        return self.ask > 0 and (math.isnan(self.bid) or self.bid == 0)

    @property
    def can_be_closed(self) -> bool:
        """Whether it can be believed: both sides, or an ask that nobody meets."""
        if self.nobody_bids:
            return self.quality == "one_sided" or self.quality not in UNBELIEVABLE
        return 0 <= self.bid <= self.ask and self.quality not in UNBELIEVABLE

    @property
    def can_be_opened(self) -> bool:
        """Whether it may become a leg."""
        return self.bid > 0 and self.can_be_closed and self.quality == "ok" and not math.isnan(self.delta)

    def buy(self, fill: float) -> float:
        """Return the price of buying, which gives away the share `fill` of the spread."""
        return fill * self.ask if self.nobody_bids else self.bid + fill * (self.ask - self.bid)

    def sell(self, fill: float) -> float:
        """Return the price of selling; nothing to those for whom nobody bids."""
        return self.ask - fill * (self.ask - self.bid) if self.bid > 0 else 0.0


class Learnt(NamedTuple):
    """Something that was learnt of an earnings report at a moment; without a day, none is expected."""

    known_at: datetime
    event: str
    day: date | None
    time_of_day: str


@dataclass
class Market:
    """The quotes of one underlying and what happened to it.

    `quotes` has a row for each quote, `splits` the new shares per old one, `dividends` cash per share, `prices` open
    and close by date where settlements are not made at the first and last spot of a session, and `conditions` a row
    for each session, by date, `earnings` all that was learnt of them, in order.
    """

    symbol: str
    quotes: pd.DataFrame
    splits: dict[date, float] = field(default_factory=dict)
    dividends: dict[date, float] = field(default_factory=dict)
    prices: dict[date, tuple[float, float]] = field(default_factory=dict)
    conditions: dict[date, dict[str, float]] = field(default_factory=dict)
    earnings: list[Learnt] = field(default_factory=list)


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    ordered = frame.sort_values("ts", kind="stable")
    for values in zip(*(ordered[name].to_numpy(dtype=object).tolist() for name in ordered.columns), strict=True):
        yield dict(zip(ordered.columns, values, strict=True))


class Tape:
    """A market that can be asked what was known at a moment."""

    def __init__(self, market: Market, start: date | None = None, end: date | None = None) -> None:
        self.market, self.symbol = market, market.symbol
        self.moments: dict[date, list[datetime]] = defaultdict(list)
        self.spot: dict[datetime, float] = {}
        self.quotes: dict[datetime, dict[Contract, Quote]] = defaultdict(dict)
        self.forward: dict[tuple[datetime, Group], float] = {}
        self.expires: dict[Contract, datetime] = {}
        self.american: dict[Contract, bool] = {}
        self.settles_at_open: dict[Contract, bool] = {}
        self._seen: dict[date, set[Contract]] = {}
        for row in _rows(market.quotes):
            moment = row["ts"].to_pydatetime()
            if moment not in self.spot:
                day = exchange_date(moment)
                if (start is not None and day < start) or (end is not None and day > end):
                    continue
                self.moments[day].append(moment)
                self.spot[moment] = row["spot"]
            self._read(row, moment)
        self.sessions = sorted(self.moments)

    def _read(self, row: dict[Any, Any], moment: datetime) -> None:
        group = Group(row["expiry"].date(), row["trading_class"], row["multiplier"])
        contract = Contract(group, row["right"], row["strike"])
        self.expires[contract] = expiry_moment(group.expiry, row["settlement"])
        self.american[contract] = row["style"] == "american"
        self.settles_at_open[contract] = row["settlement"] == "AM"
        self.forward[moment, group] = row["forward"]
        self.quotes[moment][contract] = Quote(
            bid=row["bid"],
            ask=row["ask"],
            delta=float(np.float32(row["delta"])),  # deltas are kept in single precision
            quality=row["quality"],
            open_interest=row["open_interest"],
            volume=row["volume"],
        )

    def session_of(self, moment: datetime) -> date:
        """Return the session of a moment."""
        return exchange_date(moment)

    def next_session(self, day: date) -> date | None:
        """Return the session after `day`, if there is one."""
        return next((session for session in self.sessions if session > day), None)

    def splits(self, day: date) -> list[float]:
        """Return the splits that take effect on a session: those of the days since the session before."""
        return [ratio for at, ratio in sorted(self.market.splits.items()) if self._is_new(at, day)]

    def dividends(self, day: date) -> list[float]:
        """Return the dividends of a session, likewise."""
        return [cash for at, cash in sorted(self.market.dividends.items()) if self._is_new(at, day)]

    @property
    def dividend_days(self) -> list[date]:
        """Return the days of all dividends up to the last session: nothing later is known."""
        return [day for day in self.market.dividends if day <= self.sessions[-1]]

    def earnings(self, day: date) -> dict[str, Learnt]:
        """Return the last word on each earnings report that was out at the first moment of a session."""
        return {one.event: one for one in self.market.earnings if one.known_at <= self.moments[day][0]}

    def _is_new(self, at: date, day: date) -> bool:
        before = [session for session in self.sessions if session < day]
        return at <= day and (not before or at > before[-1])

    def seen(self, day: date) -> set[Contract]:
        """Return the contracts that were quoted, however badly, at some moment of a session."""
        if day not in self._seen:
            self._seen[day] = {contract for moment in self.moments[day] for contract in self.quotes[moment]}
        return self._seen[day]

    def groups(self, moment: datetime) -> set[Group]:
        """Return the groups of the contracts seen on the session of a moment that have not expired by then."""
        seen = self.seen(self.session_of(moment))
        return {contract.group for contract in seen if self.expires[contract] > moment}

    def quote(self, moment: datetime, contract: Contract) -> Quote | None:
        """Return a contract's quote if it can be closed on."""
        quote = self.quotes[moment].get(contract)
        return quote if quote is not None and quote.can_be_closed else None

    def forward_or_spot(self, moment: datetime, group: Group) -> float:
        """Return the forward of a group; the spot where it is not known."""
        forward = self.forward.get((moment, group), math.nan)
        return self.spot[moment] if math.isnan(forward) else forward

    def open_price(self, day: date) -> float:
        """Return what AM options settle at."""
        known = [self.spot[moment] for moment in self.moments[day] if not math.isnan(self.spot[moment])]
        return self.market.prices[day][0] if day in self.market.prices else next(iter(known), math.nan)

    def close_price(self, day: date) -> float:
        """Return what PM options settle at."""
        known = [self.spot[moment] for moment in self.moments[day] if not math.isnan(self.spot[moment])]
        return self.market.prices[day][1] if day in self.market.prices else (known or [math.nan])[-1]
