"""The state of each watched market: volatility and where it stands, skew, slope, ratios and an index, on a beat."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from bifrost_lib.analytics import MarketConditions, market_conditions
from bifrost_lib.core.calendar import exchange_date, previous_session, session_close
from bifrost_lib.core.errors import BifrostError, NoDataError, SourceUnavailable, StaleQuoteError
from bifrost_lib.ib import Gateway, GatewayRefusal
from bifrost_lib.sim import SOURCE
from bifrost_lib.store import RunOutcome, SpooledBatch, begin_run, interrupted_runs, option_chain
from bifrost_lib.store import market_conditions as stored_conditions
from bifrost_lib.workflows.collection.coverage import without_partial_ratios
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.waiting import run_forever
from bifrost_lib.workflows.collection.watched import Watched
from bifrost_lib.workflows.desk import Desk

COLLECTOR = "market_conditions"
#: Calendar days of history behind ranks and realised volatility.
HISTORY_DAYS = 365
#: An older chain says nothing about the market of now.
OLDEST_CHAIN = timedelta(minutes=30)
LOOK_S = 15.0  # how often to see whether a chain has come

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Past:
    """What was before today: daily bars of the underlying, its 30-day volatility of each session, the last chain."""

    day: date
    bars: pd.DataFrame | None
    iv: pd.Series[float]
    chain: pd.DataFrame | None


class ConditionsJob:
    """Describes markets by their stored chains and the gateway's daily bars.

    Parameters
    ----------
    desk : Desk
    gateway : Gateway
        An open one.
    outbox : Outbox
    hours : Hours
    symbols : sequence of str
        These instead of what the watchlist marks.
    """

    def __init__(
        self, desk: Desk, gateway: Gateway, outbox: Outbox, *, hours: Hours, symbols: Sequence[str] = ()
    ) -> None:
        self._desk, self._gateway, self._outbox, self._hours = desk, gateway, outbox, hours
        self._watched, self._is_chosen = Watched(desk, symbols), bool(symbols)
        self._past: dict[str, Past] = {}
        self._described: dict[str, datetime] = {}
        self.stored = 0

    async def run(self, stop: asyncio.Event, *, every_s: float) -> None:
        """Describe every market on a beat, in its hours, until `stop` is set."""
        clock = self._desk.clock
        await asyncio.to_thread(interrupted_runs, self._desk.store, COLLECTOR, at=clock.now())

        async def job() -> None:
            if self._hours.slot_at(clock.now(), every_s) is not None:
                await self.run_once(every_s=every_s)

        await run_forever(job, name=COLLECTOR, every_s=min(every_s, LOOK_S), clock=clock, stop=stop)

    async def run_once(self, *, every_s: float = 0.0) -> None:
        """Describe every market that was not described for `every_s` seconds.

        One of which no fresh chain is stored is left for later: a chain takes its time to be collected.
        """
        for watch in await self._watched.load():
            now, last = self._desk.clock.now(), self._described.get(watch.symbol)
            due = last is None or now >= last + timedelta(seconds=every_s)
            wanted = watch.market_conditions or self._is_chosen
            if wanted and due and await self.describe(watch.symbol) is not None:
                self._described[watch.symbol] = now

    async def describe(self, symbol: str) -> MarketConditions | None:
        """Describe one market and store it; None where no fresh chain is stored to describe it by."""
        started = self._desk.clock.now()
        try:
            chain = await asyncio.to_thread(
                option_chain, self._desk.store.engine, symbol, at=started, max_age=OLDEST_CHAIN
            )
        except (NoDataError, StaleQuoteError) as trouble:
            log.info("%s is not described yet: %s", symbol, trouble)
            return None
        batch_id = f"{COLLECTOR} {symbol} {started:%Y-%m-%dT%H:%M:%S.%fZ} {secrets.token_hex(3)}"
        source = SOURCE if self._gateway.status().simulated else "ib"
        found, problem, run_id = None, "", None
        try:
            run_id = await asyncio.to_thread(
                begin_run, self._desk.store, collector=COLLECTOR, source=source, symbol=symbol, started=started,
                batch=batch_id, expected=1,
            )  # fmt: skip
            past = await self._known(symbol, started)
            found = market_conditions(chain, daily_bars=past.bars, history=past.iv, at=started)
            if past.chain is not None:
                found = without_partial_ratios(found, chain, past.chain)
        except SourceUnavailable as trouble:
            log.warning("%s: %s", symbol, trouble)
            problem = str(trouble)
        finished = max(started, self._desk.clock.now())
        outcome = RunOutcome(
            expected=1,
            received=int(found is not None),
            missing={} if found is not None else {"disconnected": 1},
            seconds=(finished - started).total_seconds(),
            problem=problem,
        )
        rows = None if found is None else conditions_frame(found, symbol)
        await self._outbox.send(
            SpooledBatch(
                batch_id, COLLECTOR, source, symbol, started, finished, outcome, conditions=rows, run_id=run_id
            )
        )
        self.stored += int(found is not None)
        if found is not None and found.reasons:
            log.info("%s: %s", symbol, found.reasons)
        return found

    async def _known(self, symbol: str, at: datetime) -> Past:
        """Return what was before today, asked for once a day."""
        today = exchange_date(at)
        known = self._past.get(symbol)
        if known is None or known.day != today:
            bars = await self._bars(symbol, "TRADES")
            theirs = await self._bars(symbol, "OPTION_IMPLIED_VOLATILITY")
            ours = await asyncio.to_thread(self._stored_iv, symbol, at)
            chain = await asyncio.to_thread(self._chain_before, symbol, today)
            known = self._past[symbol] = Past(today, bars, one_history(ours, theirs), chain)
        return known

    def _chain_before(self, symbol: str, day: date) -> pd.DataFrame | None:
        close = session_close(previous_session(day))
        try:
            return option_chain(self._desk.store.engine, symbol, at=close, max_age=OLDEST_CHAIN)
        except (NoDataError, StaleQuoteError) as trouble:
            log.info("nothing to compare the chain of %s with: %s", symbol, trouble)
            return None

    async def _bars(self, symbol: str, what: str) -> pd.DataFrame | None:
        try:
            underlying = await self._gateway.underlying(symbol)
            return await self._gateway.daily_bars(underlying, days=HISTORY_DAYS, what=what)
        except (GatewayRefusal, SourceUnavailable) as trouble:
            log.warning("%s without %s bars: %s", symbol, what, trouble)
            return None

    def _stored_iv(self, symbol: str, at: datetime) -> pd.Series[float]:
        start = at - timedelta(days=HISTORY_DAYS)
        try:
            frame = stored_conditions(self._desk.store.engine, symbol, at=at, start=start, daily=True)
        except BifrostError as trouble:
            log.debug("%s", trouble)
            return pd.Series(dtype="float64", index=pd.DatetimeIndex([], tz="UTC"))
        known: pd.Series[float] = frame.set_index("ts")["iv"].dropna()
        return known


def one_history(ours: pd.Series[float], theirs: pd.DataFrame | None) -> pd.Series[float]:
    """Join our own 30-day volatilities with the vendor's of the sessions before ours began.

    Parameters
    ----------
    ours : Series on aware times
    theirs : DataFrame, optional
        ts, close: the vendor's daily implied volatility.

    Notes
    -----
    The two are measured differently, by a few tenths of a point on liquid names; as our own record grows, the vendor's
    drops out of the year that counts.
    """
    if theirs is None or theirs.empty:
        return ours
    vendor: pd.Series[float] = theirs.set_index("ts")["close"].dropna()
    if ours.empty:
        return vendor
    joined: pd.Series[float] = pd.concat([vendor[vendor.index < ours.index.min()], ours])
    return joined


def conditions_frame(found: MarketConditions, symbol: str) -> pd.DataFrame:
    """Return a description as the one row that the store takes."""
    row = found.as_row() | {"symbol": symbol, "iv_days": float(found.iv_days)}
    frame = pd.DataFrame([row])
    return frame.astype({"ts": "datetime64[us, UTC]"})
