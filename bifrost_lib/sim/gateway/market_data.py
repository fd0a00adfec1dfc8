"""Market-data lines and snapshots."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np

from bifrost_lib.sim.gateway import combos
from bifrost_lib.sim.gateway.columns import GENERICS
from bifrost_lib.sim.gateway.lines import Line
from bifrost_lib.sim.gateway.news import follow_news
from bifrost_lib.sim.gateway.quote_faults import chosen
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    CancelMktData,
    ReqMarketDataType,
    ReqMktData,
    TickPrice,
    TickSize,
    TickSnapshotEnd,
    TickString,
    market_data_type,
    tick_req_params,
)

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
#: The key under which a client may ask what the letters of an exchange mean.
BBO_EXCHANGE = "51510001"
SNAPSHOT_PERMISSIONS = 3
MISCELLANEOUS, DIVIDENDS, NEWS = 165, 456, 292
_WEEKS = ((13, 15, 16), (26, 17, 18), (52, 19, 20))


@handles(ReqMarketDataType)
def choose_type(session: Session, message: ReqMarketDataType) -> None:
    """Take the type of data for the requests that follow."""
    if message.market_data_type not in (LIVE, FROZEN, DELAYED, DELAYED_FROZEN):
        raise invalid(f"Invalid market data type {message.market_data_type}")
    session.data_type = message.market_data_type


@handles(ReqMktData)
def subscribe(session: Session, message: ReqMktData) -> None:
    """Begin a line, or send one picture of it."""
    is_snapshot = message.snapshot or message.reg_snapshot
    generics, providers = _generics(message.generic_ticks, message.contract.sec_type)
    if is_snapshot and message.generic_ticks.strip():
        raise Refusal(321, kind="snapshot")
    if message.req_id in session.lines.by_req_id or message.req_id in session.lines.snapshots:
        raise Refusal(322, kind="duplicate")
    gateway = session.gateway
    is_combo = message.contract.sec_type == "BAG"
    legs = combos.legs_of(session, message.contract) if is_combo else []
    instrument = legs[0].instrument if is_combo else gateway.index.one(message.contract)
    if gateway.lines_in_use() >= gateway.line_limit:
        raise Refusal(101)
    kind = _type_for(session, message.req_id, instrument)
    line = Line(message.req_id, instrument, generics, is_delayed=kind in (DELAYED, DELAYED_FROZEN), is_mute=is_combo)
    session.write(market_data_type(message.req_id, kind))
    session.write(tick_req_params(message.req_id, instrument.min_tick, BBO_EXCHANGE, SNAPSHOT_PERMISSIONS))
    if gateway.faults.is_active("competing-session"):
        session.refuse(message.req_id, 10197)
    if is_snapshot:
        _picture(session, line, legs)
        return
    session.lines.by_req_id[message.req_id] = line
    if is_combo:
        combos.follow(session, line, legs)
        return
    _tell_extras(session, line, providers)
    gateway.feed.changed()
    gateway.feed.begin(session, line)


@handles(CancelMktData)
def unsubscribe(session: Session, message: CancelMktData) -> None:
    """End a line or a snapshot."""
    snapshot = session.lines.snapshots.pop(message.req_id, None)
    if snapshot is not None:
        snapshot.cancel()
        return
    if session.lines.by_req_id.pop(message.req_id, None) is None:
        raise Refusal(300, ticker_id=message.req_id)
    session.stop("combo", message.req_id)
    session.stop("news", message.req_id)
    session.gateway.feed.changed()


@lru_cache(maxsize=256)
def _generics(text: str, sec_type: str) -> tuple[frozenset[int], tuple[str, ...]]:
    # "mdoff,100,292:BRFG+DJNL": numbers, a word that stops the default ticks, and providers of news.
    numbers: set[int] = set()
    providers: tuple[str, ...] = ()
    for word in text.replace(" ", "").split(","):
        number, _, rest = word.partition(":")
        if number in ("", "mdoff"):
            continue
        if not number.isdigit() or int(number) not in GENERICS:
            legal = ",".join(str(each) for each in sorted(GENERICS))
            raise Refusal(321, kind="generic ticks", ticks=text, sec_type=sec_type, legal=legal)
        numbers.add(int(number))
        if int(number) == NEWS:
            providers = tuple(rest.split("+")) if rest else ("*",)
    return frozenset(numbers), providers


def _type_for(session: Session, req_id: int, instrument: Instrument) -> int:
    """Return the type that a new line delivers; refuses live data that the login has not."""
    gateway, wanted = session.gateway, session.data_type
    facts = gateway.faults.active.get("not-subscribed")
    if facts is not None and bool(chosen([instrument], facts)[0]):
        if wanted in (LIVE, FROZEN):
            raise Refusal(int(facts["code"]))
        session.refuse(req_id, 10167)
    is_open = gateway.market.is_open(gateway.market.clock.now())
    if wanted == FROZEN:
        return LIVE if is_open else FROZEN
    if wanted == DELAYED_FROZEN:
        return DELAYED if is_open else DELAYED_FROZEN
    return wanted


def _picture(session: Session, line: Line, legs: list[combos.Leg]) -> None:
    gateway, req_id = session.gateway, line.req_id
    delay = gateway.faults.number("slow-snapshots", "delay", gateway.snapshot_s)

    def finish() -> None:
        if session.lines.snapshots.pop(req_id, None) is not None:
            session.send(TickSnapshotEnd(req_id))

    session.lines.snapshots[req_id] = gateway.loop.call_later(delay, finish)
    if legs:
        combos.tell(session, line, legs)
    else:
        gateway.feed.begin(session, line)


def _tell_extras(session: Session, line: Line, providers: tuple[str, ...]) -> None:
    instrument = line.instrument
    if providers:
        follow_news(session, line.req_id, instrument.con_id, providers)
    if instrument.sec_type == "OPT":
        return
    if DIVIDENDS in line.generics:
        past, ahead, day, amount = session.gateway.market.dividends(instrument.con_id)
        when = f"{day:%Y%m%d}" if day is not None else ""
        text = f"{past:g},{ahead:g},{when},{amount:g}" if day is not None else f"{past:g},{ahead:g},,"
        session.send(TickString(line.req_id, 59, text))
    if MISCELLANEOUS in line.generics:
        _tell_ranges(session, line)


def _tell_ranges(session: Session, line: Line) -> None:
    # Lows and highs of 13, 26 and 52 weeks, and the average volume of 90 days.
    market = session.gateway.market
    now = market.clock.now()
    bars = market.bars(line.instrument.con_id, what="TRADES", start=now - timedelta(weeks=52), end=now, bar_s=86_400,
                       regular_hours=True)  # fmt: skip
    for weeks, low, high in _WEEKS:
        recent = bars.start >= (now - timedelta(weeks=weeks)).timestamp()
        if recent.any():
            session.send(TickPrice(line.req_id, low, float(bars.low[recent].min())))
            session.send(TickPrice(line.req_id, high, float(bars.high[recent].max())))
    volumes = bars.volume[bars.start >= (now - timedelta(days=90)).timestamp()]
    if volumes.size and np.isfinite(volumes).all():
        session.send(TickSize(line.req_id, 21, float(np.round(volumes.mean()))))
