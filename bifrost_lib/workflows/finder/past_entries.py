"""What a document would have entered on each past day, and how that ended: one walk through the stored sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.analytics import market_conditions
from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies import StrategyDocument, admit, find_candidates, refusal_until
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.dividends import calendar_of, ex_dividend_days
from bifrost_lib.workflows.earnings import EarningsHistory, earnings_history
from bifrost_lib.workflows.finder.following import Entry, Follower, Seen, entry_of

#: How far back a candidate's own past is looked at.
LOOKBACK = timedelta(days=365)
_CONDITIONS = ("iv", "iv_rank", "skew", "term_slope")
_PROMISES = ("spot", "premium", "max_loss", "pop", "ev", "score", "dte")


def past_entries(
    desk: Desk, symbol: str, document: StrategyDocument, *, at: datetime, most_new: int | None = None
) -> pd.DataFrame:
    """Return the best candidate of each stored session before `at`, and what became of it by then.

    Each day is entered with the chain that was known at its end, and followed by what was known on each day after; days
    that ended are kept in the store, so that only new ones are computed.

    Parameters
    ----------
    desk : Desk
    symbol : str
    document : StrategyDocument
    at : datetime, aware
        Entries are older than this by at least one session, and no later chain is read.
    most_new : int, optional
        Compute at most so many days that are not kept yet, evenly spaced; later looks add the others.

    Returns
    -------
    DataFrame
        See `store.document_outcomes`.
    """
    symbol, at = symbol.upper(), as_utc(at)
    days = store.session_ends(desk.store.engine, symbol, at - LOOKBACK, at)
    newest = max(days, default=None)
    past = {day: end for day, end in days.items() if day != newest}
    known = store.document_outcomes(desk.store, symbol, document.sha256, at=at)
    learnt = earnings_history(desk, symbol, at=at)
    events = _Events(learnt, ex_dividend_days(desk, symbol, at=at) if document.entry.ex_dividend else [])
    if past:
        wanted = _spaced(_unfinished(known, past, days) | _outdated(known, symbol, document, events), most_new)
        if wanted:
            ivs = dict(zip(known["at"], known["iv"], strict=True))
            walk = _Walk(desk, symbol, document, ivs=ivs, stored=_stored_conditions(desk, symbol, at), events=events)
            rows = walk.through(days, enter=wanted, at=at)
            store.save_outcomes(desk.store, symbol, document.sha256, rows)
            known = _merged(known, rows)
    days_to_next = pd.Series([learnt.days_to_next(moment) for moment in known["at"]], dtype="float64")
    known = known.assign(earnings_days=days_to_next)
    return known[known["session"].isin(list(past))].reset_index(drop=True)


def _unfinished(known: pd.DataFrame, past: Mapping[date, datetime], days: Mapping[date, datetime]) -> set[date]:
    """Return the days that were never entered, or whose entry was still held when it was last looked at."""
    newest = max(days.values())
    is_final = known["ended"].notna() | known["legs"].isna() | (known["seen"] >= newest)
    return set(past) - set(known.loc[is_final, "session"])


def _outdated(known: pd.DataFrame, symbol: str, document: StrategyDocument, events: _Events) -> set[date]:
    """Return the days whose entry was chosen with other events in view than the store knows of now."""
    if document.entry.earnings is None and document.entry.ex_dividend is None:
        return set()
    days = set()
    for row in known[["session", "at", "legs", "earnings_days"]].to_dict("records"):
        stored, now = row["earnings_days"], events.earnings.days_to_next(row["at"])
        is_same = document.entry.earnings is None or stored == now or (math.isnan(stored) and math.isnan(now))
        if not is_same or (isinstance(row["legs"], list) and _is_refused(row, symbol, document, events)):
            days.add(row["session"])
    return days


def _is_refused(row: Mapping[Any, Any], symbol: str, document: StrategyDocument, events: _Events) -> bool:
    known = events.known_at(row["at"])
    try:
        admit(document, symbol=symbol, at=row["at"], conditions=None, **known)
    except NoDataError:
        return True
    return bool(refusal_until(document.entry, near_expiry(row["legs"]), at=row["at"], **known))


def near_expiry(legs: Sequence[Mapping[str, Any]]) -> date:
    """Return the first expiry among legs."""
    return min(date.fromisoformat(str(leg["expiry"])[:10]) for leg in legs if leg["expiry"])


def _stored_conditions(desk: Desk, symbol: str, at: datetime) -> dict[date, dict[str, Any]]:
    """Return the last conditions of each session that collectors stored."""
    try:
        frame = store.market_conditions(desk.store.engine, symbol, at=at, start=at - LOOKBACK, daily=True)
    except NoDataError:
        return {}
    return {
        exchange_date(row["ts"]): {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    }


def _spaced(days: set[date], most: int | None) -> set[date]:
    if most is None or len(days) <= most:
        return days
    ordered = sorted(days)
    return {ordered[round(place * (len(ordered) - 1) / max(most - 1, 1))] for place in range(most)}


def _merged(known: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    fresh = pd.DataFrame(rows, columns=list(known.columns)).astype(known.dtypes)
    kept = known[~known["session"].isin(fresh["session"])]
    both = [frame for frame in (kept, fresh) if len(frame)]
    return pd.concat(both).sort_values("session", ignore_index=True) if both else known


@dataclass(frozen=True)
class _Events:
    """All that was learnt of earnings, and the days of all dividends, to be asked at earlier moments."""

    earnings: EarningsHistory
    ex_dividend: list[date]

    def known_at(self, at: datetime) -> dict[str, Any]:
        """Return the calendars that `find_candidates` takes, as they were known at `at`."""
        today = exchange_date(at)
        past = calendar_of([day for day in self.ex_dividend if day <= today])
        return {"earnings": self.earnings.known_at(at), "dividends": past}


@dataclass
class _Walk:
    """One pass through the sessions of a symbol, the oldest first."""

    desk: Desk
    symbol: str
    document: StrategyDocument
    ivs: dict[datetime, float]
    stored: dict[date, dict[str, Any]]
    events: _Events
    held: dict[date, Entry] = field(default_factory=dict)
    rows: dict[date, dict[str, Any]] = field(default_factory=dict)

    def through(self, days: Mapping[date, datetime], *, enter: set[date], at: datetime) -> list[dict[str, Any]]:
        """Enter on the days `enter`, follow what is held through all of `days`, and return the rows."""
        follower, newest = Follower(self.desk), max(days.values())
        for day, end in days.items():
            self._look(follower, end, at)
            if day in enter:
                self.rows[day] = {"session": day, "at": end, "seen": newest}
                self._enter(follower, day, end)
        self._look(follower, at, at)
        return list(self.rows.values())

    def _enter(self, follower: Follower, day: date, end: datetime) -> None:
        row, known = self.rows[day], follower.known(self.symbol, end)
        if known is None:
            row["hindrance"] = "no chain is stored"
            return
        bare = known.chain.copy(deep=False)
        bare.attrs = {}  # pandas would copy them with every column that is looked at
        market = self._market(bare, day, end)
        row |= {name: market[name] for name in _CONDITIONS} | {"earnings_days": self.events.earnings.days_to_next(end)}
        asked = {"conditions": market, **self.events.known_at(end)}
        try:
            found = find_candidates(bare, self.document, at=end, top=1, **asked)
            record = found.records()[0]
        except NoDataError as nothing:
            row["hindrance"] = str(nothing)
            return
        entry = entry_of(self.symbol, end, self.document, record, known.board)
        row |= {name: record[name] for name in _PROMISES} | {"legs": [dict(leg) for leg in entry.legs]}
        self.held[day] = entry

    def _market(self, chain: pd.DataFrame, day: date, end: datetime) -> dict[str, float]:
        """Return the market's conditions at the end of a session: as they were stored, else from the chain."""
        stored = self.stored.get(day)
        if stored is not None and stored["ts"] <= end and not math.isnan(stored["iv"]):
            self.ivs[end] = stored["iv"]
            return stored
        past = pd.Series(self.ivs, dtype="float64")
        past.index = pd.DatetimeIndex(past.index, tz="UTC") if len(past) else pd.DatetimeIndex([], tz="UTC")
        found = market_conditions(chain, history=past, at=end)
        self.ivs[end] = found.iv
        return found.as_row()

    def _look(self, follower: Follower, end: datetime, at: datetime) -> None:
        has_exits = self.document.exits.model_fields_set
        for day, entry in list(self.held.items()):
            if entry.expires <= end:
                self._end(day, follower.settle(entry, at))
            elif has_exits and (seen := follower.see(entry, end)).is_end:
                self._end(day, seen)

    def _end(self, day: date, seen: Seen) -> None:
        del self.held[day]
        if seen.is_end and not math.isnan(seen.pnl):
            self.rows[day] |= {"pnl": seen.pnl, "ended": seen.ts, "exit_reason": seen.exit}
        else:
            self.rows[day]["hindrance"] = seen.reason
