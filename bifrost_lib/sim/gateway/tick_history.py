"""Historical ticks and histograms, made of one-second and one-minute bars."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.gateway.history import check_farm, read_bars
from bifrost_lib.sim.gateway.moments import read_moment
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.gateway.spans import begin_of
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    CancelHistogramData,
    HistogramData,
    HistogramEntry,
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    ReqHistogramData,
    ReqHistoricalTicks,
)

MOST_TICKS = 1000
#: How far a request that names one end looks for its ticks.
FARTHEST = timedelta(days=7)
_UNITS = {"seconds": "S", "days": "D", "weeks": "W", "months": "M", "years": "Y"}


@handles(ReqHistoricalTicks)
def historical_ticks(session: Session, message: ReqHistoricalTicks) -> None:
    """Send up to 1,000 ticks that follow `start`, or precede `end`."""
    check_farm(session)
    start, end = read_moment(message.start), read_moment(message.end)
    if (start is None) == (end is None):
        raise invalid("Either start time or end time must be given, and not both")
    if message.what not in _TELL:
        raise invalid(f"Historical ticks are TRADES, MIDPOINT or BID_ASK, not {message.what!r}")
    instrument = session.gateway.index.one(message.contract)
    count = min(max(message.number_of_ticks, 1), MOST_TICKS)
    _TELL[message.what](session, message, instrument, start, end, count)


def _trades(session: Session, message: Any, instrument: Instrument, start: Any, end: Any, count: int) -> None:
    bars = _seconds(session, message, instrument, "TRADES", start, end, count)
    exchange = instrument.primary_exchange or "CBOE"
    rows = zip(bars.start.tolist(), bars.close.tolist(), bars.volume.tolist(), strict=True)
    ticks = tuple(HistoricalTickLast(at, 0, price, size, exchange) for at, price, size in rows)
    session.send(HistoricalTicksLast(message.req_id, _cut(ticks, start, count)))


def _midpoints(session: Session, message: Any, instrument: Instrument, start: Any, end: Any, count: int) -> None:
    bars = _seconds(session, message, instrument, "MIDPOINT", start, end, count)
    ticks = tuple(HistoricalTick(at, price) for at, price in zip(bars.start.tolist(), bars.close.tolist(), strict=True))
    session.send(HistoricalTicks(message.req_id, _cut(ticks, start, count)))


def _quotes(session: Session, message: Any, instrument: Instrument, start: Any, end: Any, count: int) -> None:
    bids = _seconds(session, message, instrument, "BID", start, end, count)
    asks = _seconds(session, message, instrument, "ASK", start, end, count)
    ask_at = dict(zip(asks.start.tolist(), asks.close.tolist(), strict=True))
    sizes = [1.0 if instrument.sec_type == "OPT" else 100.0] * 2
    ticks = tuple(
        HistoricalTickBidAsk(at, 0, bid, ask_at[at], *sizes)
        for at, bid in zip(bids.start.tolist(), bids.close.tolist(), strict=True)
        if at in ask_at
    )
    session.send(HistoricalTicksBidAsk(message.req_id, _cut(ticks, start, count)))


_TELL = {"TRADES": _trades, "MIDPOINT": _midpoints, "BID_ASK": _quotes}


def _seconds(
    session: Session,
    message: ReqHistoricalTicks,
    instrument: Instrument,
    what: str,
    start: datetime | None,
    end: datetime | None,
    count: int,
) -> Bars:
    # The span doubles until it holds enough: nobody knows beforehand how often something traded.
    now = session.gateway.market.clock.now()
    span = timedelta(seconds=2 * count)
    while True:
        begin = start if start is not None else min(end or now, now) - span
        finish = min(end or begin + span, now)
        bars = read_bars(session, instrument, what, begin, finish, 1, regular_hours=message.use_rth)
        if len(bars.start) >= count or span >= FARTHEST or (start is not None and finish >= now):
            return bars
        span = min(4 * span, FARTHEST)


def _cut(ticks: tuple[Any, ...], start: datetime | None, count: int) -> tuple[Any, ...]:
    return ticks[:count] if start is not None else ticks[-count:]


@handles(ReqHistogramData)
def histogram(session: Session, message: ReqHistogramData) -> None:
    """Send how much was traded at each price over a time such as "3 days"."""
    check_farm(session)
    instrument = session.gateway.index.one(message.contract)
    words = message.time_period.strip().lower().split()
    unit = _UNITS.get(words[1] if words[1:] and words[1].endswith("s") else f"{words[1]}s" if words[1:] else "")
    if unit is None or not words[0].isdigit():
        raise invalid(f"Histogram over {message.time_period!r}: a number and days, weeks, months or years")
    now = session.gateway.market.clock.now()
    start = begin_of(session.gateway.market, now, f"{words[0]} {unit}", regular_hours=message.use_rth)
    bars = read_bars(session, instrument, "TRADES", start, now, 60, regular_hours=message.use_rth)
    traded: Counter[float] = Counter()
    for price, volume in zip(bars.close.tolist(), bars.volume.tolist(), strict=True):
        traded[price] += int(volume)
    if not traded:
        raise Refusal(162, kind="no data", contract=instrument.symbol, what="Histogram")
    session.send(HistogramData(message.req_id, tuple(HistogramEntry(*entry) for entry in sorted(traded.items()))))


@handles(CancelHistogramData)
def cancel_histogram(_: Session, __: CancelHistogramData) -> None:
    """Nothing waits: the answer has gone out."""
