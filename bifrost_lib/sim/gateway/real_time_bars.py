"""Real-time bars of five seconds, and tick-by-tick data."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan
from typing import Any

from bifrost_lib.sim.gateway.feed import Union
from bifrost_lib.sim.gateway.history import read_bars
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    CancelRealTimeBars,
    CancelTickByTick,
    RealTimeBar,
    ReqRealTimeBars,
    ReqTickByTick,
    TickByTick,
)

BAR_S = 5
LOOK_S, TICK_S = 0.5, 0.1
BAR_KINDS = frozenset({"TRADES", "MIDPOINT", "BID", "ASK"})
TICK_KINDS = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}


@handles(ReqRealTimeBars)
def real_time_bars(session: Session, message: ReqRealTimeBars) -> None:
    """Send each bar of five seconds when it is complete."""
    gateway = session.gateway
    if message.what not in BAR_KINDS:
        raise invalid(f"Real-time bars are TRADES, MIDPOINT, BID or ASK, not {message.what!r}")
    if ("bars", message.req_id) in session.repeated:
        raise Refusal(102)
    instrument = gateway.index.one(message.contract)
    told = [_last_edge(gateway.market.clock.now().timestamp())]
    regular_hours = message.use_rth and not gateway.market.always_open

    def tell() -> None:
        edge = _last_edge(gateway.market.clock.now().timestamp())
        if edge <= told[0]:
            return
        start, end = (datetime.fromtimestamp(second, UTC) for second in (told[0], edge))
        told[0] = edge
        bars = read_bars(session, instrument, message.what, start, end, BAR_S, regular_hours=regular_hours)
        columns = (bars.start, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.wap, bars.count)
        rows = [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
        if not rows and message.what == "TRADES" and not regular_hours:
            last = _shown(session, instrument)["last"]
            rows = [[told[0] - BAR_S, last, last, last, last, 0.0, last, 0]] if not isnan(last) else []
        for row in rows:
            if message.what != "TRADES":
                row[5:] = [-1.0, -1.0, -1]
            session.send(RealTimeBar(message.req_id, *(-1 if isnan(number) else number for number in row)))

    session.repeat("bars", message.req_id, LOOK_S, tell, is_market_data=True)


def _last_edge(second: float) -> int:
    return int(second) // BAR_S * BAR_S


@handles(CancelRealTimeBars)
def cancel_real_time_bars(session: Session, message: CancelRealTimeBars) -> None:
    """End real-time bars."""
    if not session.stop("bars", message.req_id):
        raise Refusal(300, ticker_id=message.req_id)


@handles(ReqTickByTick)
def tick_by_tick(session: Session, message: ReqTickByTick) -> None:
    """Send each trade or quote; there are none of options."""
    gateway = session.gateway
    kind = TICK_KINDS.get(message.tick_type)
    if kind is None:
        raise invalid(f"Tick-by-tick data are {', '.join(TICK_KINDS)}, not {message.tick_type!r}")
    instrument = gateway.index.one(message.contract)
    if instrument.sec_type == "OPT":
        raise Refusal(10189, detail="No market data permissions for OPT tick-by-tick data")
    if ("ticks", message.req_id) in session.repeated:
        raise Refusal(102)
    opened = sum(name == "ticks" for each in gateway.sessions for name, _ in each.repeated)
    if gateway.limits.enforced and opened >= gateway.limits.tick_by_tick:
        raise Refusal(10190)
    last: list[Any] = [None]

    def tell() -> None:
        now = _shown(session, instrument)
        tick = _tick(message.req_id, kind, int(gateway.market.clock.now().timestamp()), last[0], now)
        last[0] = now
        if tick is not None:
            session.send(tick)

    tell()
    session.repeat("ticks", message.req_id, TICK_S, tell, is_market_data=True)


@handles(CancelTickByTick)
def cancel_tick_by_tick(session: Session, message: CancelTickByTick) -> None:
    """End tick-by-tick data."""
    if not session.stop("ticks", message.req_id):
        raise Refusal(300, ticker_id=message.req_id)


def _shown(session: Session, instrument: Instrument) -> dict[str, float]:
    union = Union([instrument])
    gateway = session.gateway
    values = gateway.faults.quotes.seen(union.instruments, gateway.market.quotes(union.con_ids)).board.values
    return {name: float(column[0]) for name, column in values.items()}


def _tick(req_id: int, kind: int, at: int, was: dict[str, float] | None, now: dict[str, float]) -> TickByTick | None:
    names = ("last", "volume") if kind <= 2 else ("bid", "ask", "bid_size", "ask_size")
    numbers = [now[name] for name in names]
    if any(map(isnan, numbers)) or (was is not None and numbers == [was[name] for name in names]):
        return None
    if kind <= 2:
        size = now["volume"] - was["volume"] if was is not None else now["last_size"]
        return TickByTick(req_id, kind, at, price=now["last"], size=max(size, 1.0), exchange="ARCA")
    if kind == 3:
        return TickByTick(req_id, kind, at, bid=now["bid"], ask=now["ask"], bid_size=now["bid_size"],
                          ask_size=now["ask_size"])  # fmt: skip
    middle = round((now["bid"] + now["ask"]) / 2, 6)
    if was is not None and middle == round((was["bid"] + was["ask"]) / 2, 6):
        return None
    return TickByTick(req_id, kind, at, mid_point=middle)
