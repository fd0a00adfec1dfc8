"""Historical bars, those that are kept up to date, schedules and head timestamps."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import Any

import numpy as np

from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date, session_close, session_open, sessions
from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.gateway.describe import TIME_ZONE
from bifrost_lib.sim.gateway.moments import read_moment, write_moment
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.gateway.spans import DAY_S, bar_seconds, bars_at_most, begin_of, last_trading_moment
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    CancelHeadTimestamp,
    CancelHistoricalData,
    Contract,
    HeadTimestamp,
    HistoricalBar,
    HistoricalData,
    HistoricalDataUpdate,
    HistoricalSchedule,
    HistoricalSession,
    ReqHeadTimestamp,
    ReqHistoricalData,
)

KINDS = frozenset({
    "TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST", "HISTORICAL_VOLATILITY",
    "OPTION_IMPLIED_VOLATILITY", "SCHEDULE",
})  # fmt: skip
QUOTED = frozenset({"MIDPOINT", "BID", "ASK", "BID_ASK"})
LIVE_KINDS = frozenset({"TRADES", "MIDPOINT", "BID", "ASK"})
UPDATE_S = 1.0
#: IB refuses what is too long for its bars as well; nobody else is served while they are made.
MOST_BARS = 50_000
FIELDS = ("open", "high", "low", "close", "volume", "wap", "count")


@handles(ReqHistoricalData)
def historical_data(session: Session, message: ReqHistoricalData) -> None:
    """Send bars, and keep them up to date when asked to."""
    gateway = session.gateway
    instrument, what = _asked(session, message.contract, message.what), message.what.upper()
    bar_s = bar_seconds(message.bar_size)
    end = read_moment(message.end)
    if message.keep_up_to_date:
        _check_live(session, message, what)
    if what == "ADJUSTED_LAST" and end is not None:
        raise invalid("End Date not supported with adjusted last")
    _pace(session, message, instrument, bar_s)
    now = gateway.market.clock.now()
    end = min(end or now, now)
    if what == "SCHEDULE":
        _send_schedule(session, message, end)
        return
    # What goes on goes on whenever this market trades; regular hours are the exchange's only in the past.
    regular_hours = message.use_rth and not (message.keep_up_to_date and gateway.market.always_open)
    if message.duration.strip().upper().endswith("S"):
        end = last_trading_moment(gateway.market, end, regular_hours=regular_hours)
    start = _whole(begin_of(gateway.market, end, message.duration, regular_hours=regular_hours), bar_s)
    if bars_at_most(start, end, bar_s, regular_hours=regular_hours) > MOST_BARS:
        raise Refusal(162, detail="Time length exceed max.")
    bars = read_bars(session, instrument, what, start, end, bar_s, regular_hours=regular_hours)
    if not len(bars.start) and not message.keep_up_to_date:
        where = f"{instrument.symbol}@{message.contract.exchange or instrument.exchange}"
        raise Refusal(162, kind="no data", contract=where, what=what.title())
    rows = tuple(_rows(bars, bar_s, what, message.format_date))
    session.send(HistoricalData(message.req_id, write_moment(start), write_moment(end), rows))
    if message.keep_up_to_date:
        _keep(session, message, instrument, what, bar_s, bars, regular_hours=regular_hours)


@handles(CancelHistoricalData)
def cancel_historical(session: Session, message: CancelHistoricalData) -> None:
    """End updates."""
    if not session.stop("history", message.req_id):
        raise Refusal(366, ticker_id=message.req_id)
    session.refuse(message.req_id, 162, kind="cancelled", ticker_id=message.req_id)


@handles(ReqHeadTimestamp)
def head_timestamp(session: Session, message: ReqHeadTimestamp) -> None:
    """Send the moment of the oldest data."""
    instrument = _asked(session, message.contract, message.what)
    first = session.gateway.market.first_moment(instrument.con_id)
    text = f"{first.astimezone(UTC):%Y%m%d-%H:%M:%S}" if message.format_date == 1 else str(int(first.timestamp()))
    session.send(HeadTimestamp(message.req_id, text))


@handles(CancelHeadTimestamp)
def cancel_head_timestamp(_: Session, __: CancelHeadTimestamp) -> None:
    """Nothing waits: the answer has gone out."""


def check_farm(session: Session) -> None:
    """Refuse when historical data cannot be had at present."""
    faults = session.gateway.faults
    facts = faults.active.get("hmds-error")
    if facts is not None:
        raise Refusal(162, detail=facts["text"])
    if faults.farm_is_broken("hmds"):
        raise Refusal(162, detail="HMDS server disconnect occurred.  Attempting reconnection...")


def read_bars(
    session: Session,
    instrument: Instrument,
    what: str,
    start: datetime,
    end: datetime,
    bar_s: int,
    *,
    regular_hours: bool,
) -> Bars:
    """Return bars of [start, end); weeks and months are put together from days."""
    market = session.gateway.market
    bars = market.bars(
        instrument.con_id, what=what, start=start, end=end, bar_s=min(bar_s, DAY_S), regular_hours=regular_hours
    )
    return bars if bar_s <= DAY_S else _joined(bars, by_week=bar_s == 7 * DAY_S)


def _asked(session: Session, contract: Contract, what: str) -> Instrument:
    if what.upper() not in KINDS:
        raise invalid(f"Historical data request for {what!r}: Legal ones are: {', '.join(sorted(KINDS))}")
    check_farm(session)
    if contract.sec_type == "BAG":
        raise Refusal(162, detail="No historical data for combinations")
    found = session.gateway.index.find(contract, expired=True)
    if len(found) != 1:
        return session.gateway.index.one(contract)
    return found[0]


def _check_live(session: Session, message: ReqHistoricalData, what: str) -> None:
    if message.end.strip():
        raise invalid("End date is not supported when the data are kept up to date")
    if what not in LIVE_KINDS:
        raise invalid(f"{what} cannot be kept up to date")
    if ("history", message.req_id) in session.repeated:
        raise Refusal(322, kind="duplicate")


def _pace(session: Session, message: ReqHistoricalData, instrument: Instrument, bar_s: int) -> None:
    gateway, limits = session.gateway, session.gateway.limits
    opened = sum(kind == "history" for each in gateway.sessions for kind, _ in each.repeated)
    if limits.enforced and opened >= limits.historical_open:
        cause = f"Only {limits.historical_open} simultaneous API historical data requests allowed."
        raise Refusal(322, where="bW", cause=cause)
    contract = instrument.con_id, message.contract.exchange, message.what
    request = (*contract, message.end, message.bar_size, message.duration, message.use_rth, message.format_date)
    weight = 2 if message.what.upper() == "BID_ASK" else 1
    if gateway.historical.refuse(request, contract, bar_s=bar_s, weight=weight, at=time.monotonic()):
        raise Refusal(162, kind="pacing")


def _whole(start: datetime, bar_s: int) -> datetime:
    # The first bar is a whole one, as every other: it begins at a multiple of its length since midnight in New York.
    local = start.astimezone(EXCHANGE_TZ)
    since_midnight = local.hour * 3600 + local.minute * 60 + local.second
    return start - timedelta(seconds=since_midnight % bar_s, microseconds=local.microsecond) if bar_s < DAY_S else start


def _rows(bars: Bars, bar_s: int, what: str, format_date: int) -> Iterable[HistoricalBar]:
    columns = [np.asarray(getattr(bars, name)).tolist() for name in FIELDS]
    for start, *numbers in zip(bars.start.tolist(), *columns, strict=True):
        first, high, low, close, volume, wap, count = (-1.0 if isnan(number) else number for number in numbers)
        if what in QUOTED:
            volume = wap = count = -1.0  # nothing was traded, and IB says so with these
        yield HistoricalBar(_stamp(start, bar_s, format_date), first, high, low, close, volume, wap, int(count))


def _stamp(start: int, bar_s: int, format_date: int) -> str:
    if bar_s >= DAY_S:
        return f"{exchange_date(datetime.fromtimestamp(start, UTC)):%Y%m%d}"
    return str(start) if format_date == 2 else write_moment(float(start))


def _joined(bars: Bars, *, by_week: bool) -> Bars:
    days = [exchange_date(datetime.fromtimestamp(start, UTC)) for start in bars.start.tolist()]
    keys = [_period(day, by_week=by_week) for day in days]
    firsts = np.array([place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]], dtype=np.intp)
    if not len(firsts):
        return bars
    lasts = np.append(firsts[1:], len(keys)) - 1
    volume = np.add.reduceat(bars.volume, firsts)
    with np.errstate(invalid="ignore", divide="ignore"):
        wap = np.add.reduceat(bars.wap * bars.volume, firsts) / volume
    return Bars(
        start=bars.start[firsts],
        open=bars.open[firsts],
        high=np.maximum.reduceat(bars.high, firsts),
        low=np.minimum.reduceat(bars.low, firsts),
        close=bars.close[lasts],
        volume=volume,
        wap=np.where(volume > 0, wap, bars.wap[lasts]),
        count=np.add.reduceat(bars.count, firsts),
    )


def _period(day: date, *, by_week: bool) -> tuple[int, int]:
    calendar = day.isocalendar()
    return (calendar.year, calendar.week) if by_week else (day.year, day.month)


def _keep(
    session: Session,
    message: ReqHistoricalData,
    instrument: Instrument,
    what: str,
    bar_s: int,
    bars: Bars,
    *,
    regular_hours: bool,
) -> None:
    last: list[Any] = [None, int(bars.start[-1]) if len(bars.start) else 0]

    def update() -> None:
        # From the last bar that was told on: it may have moved, and new ones may have begun.
        now = session.gateway.market.clock.now()
        since = datetime.fromtimestamp(last[1], UTC) if last[1] else _whole(now - timedelta(seconds=bar_s), bar_s)
        found = read_bars(session, instrument, what, since, now, bar_s, regular_hours=regular_hours)
        for row in _rows(found, bar_s, what, message.format_date):
            if row != last[0]:
                last[0] = row
                session.send(HistoricalDataUpdate(message.req_id, row.date, row.open, row.high, row.low, row.close,
                                                  row.volume, row.wap, row.count))  # fmt: skip
        if len(found.start):
            last[1] = int(found.start[-1])

    session.repeat("history", message.req_id, UPDATE_S, update, is_market_data=True)


def _send_schedule(session: Session, message: ReqHistoricalData, end: datetime) -> None:
    start = begin_of(session.gateway.market, end, message.duration, regular_hours=True)
    days = sessions(exchange_date(start), exchange_date(end))
    rows = tuple(
        HistoricalSession(_local(session_open(day)), _local(session_close(day)), f"{day:%Y%m%d}") for day in days
    )
    if not rows:
        raise Refusal(162, kind="no data", contract=message.contract.symbol, what="Schedule")
    session.send(HistoricalSchedule(message.req_id, rows[0].start, rows[-1].end, TIME_ZONE, rows))


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(EXCHANGE_TZ):%Y%m%d-%H:%M:%S}"
