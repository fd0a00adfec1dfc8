"""When orders begin, end and take part in auctions; how the protocol writes moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bifrost_lib.core.calendar import (
    EXCHANGE_TZ,
    exchange_date,
    is_session,
    next_session,
    session_close,
    session_open,
)
from bifrost_lib.sim.broker.orders import AUCTION_TYPES
from bifrost_lib.sim.broker.products import Product
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.wire import Order

EXTENDED_OPEN, EXTENDED_CLOSE = time(4), time(20)
#: What an order is good for until the moment that it states.
DATED_TIFS = frozenset({"GTD", "DTC"})
_FORMATS = ("%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d")


def moment_text(moment: datetime) -> str:
    """Write a moment as executions carry it: exchange time with the name of its zone."""
    local = moment.astimezone(EXCHANGE_TZ)
    return f"{local:%Y%m%d %H:%M:%S} {EXCHANGE_TZ.key}"


def parse_moment_text(text: str, *, day: date | None = None) -> datetime | None:
    """Read ``YYYYMMDD[ HH:MM[:SS]][ zone]``, ``YYYYMMDD-HH:MM:SS`` (UTC) or, with `day`, ``HH:MM:SS[ zone]``.

    Without a zone it is exchange time; a date alone is its midnight. None when it is no moment.
    """
    words = text.split()
    if not words:
        return None
    zone: ZoneInfo | None = EXCHANGE_TZ
    if len(words) > 1 and words[-1][0].isalpha():
        try:
            zone = ZoneInfo(words.pop())
        except (ZoneInfoNotFoundError, ValueError):
            return None
    stated = " ".join(words)
    if stated[8:9] == "-":
        stated, zone = stated.replace("-", " ", 1), ZoneInfo("UTC")
    if day is not None and ":" in stated[:3]:
        stated = f"{day:%Y%m%d} {stated}"
    for form in _FORMATS:
        try:
            return datetime.strptime(stated, form).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    return None


def stated_end(text: str) -> datetime | None:
    """Read until when an order is good; a date alone lasts to its close. None when it is no moment."""
    stated = parse_moment_text(text)
    if stated is None or ":" in text:
        return stated
    day = exchange_date(stated)
    return session_close(day) if is_session(day) else stated + timedelta(days=1)


def trades_now(market: Market, product: Product, order: Order, now: datetime) -> bool:
    """Tell whether an order may be filled now: in the session, or outside it when a stock order says so."""
    if market.always_open or market.is_open(now):
        return True
    if not order.outside_rth or not product.is_stock:
        return False
    local = now.astimezone(EXCHANGE_TZ)
    return is_session(local.date()) and EXTENDED_OPEN <= local.time() < EXTENDED_CLOSE


def next_opening(now: datetime) -> datetime:
    """Return when the next session opens."""
    day = exchange_date(now)
    if is_session(day) and now < session_open(day):
        return session_open(day)
    return session_open(next_session(day))


def next_closing(now: datetime) -> datetime:
    """Return when the present or the next session closes."""
    day = exchange_date(now)
    if is_session(day) and now < session_close(day):
        return session_close(day)
    return session_close(next_session(day))


def auction_of(order: Order, now: datetime) -> datetime | None:
    """Return the auction that an order takes part in: the next opening or closing one, None for others."""
    if order.order_type in ("MOC", "LOC"):
        return next_closing(now)
    return next_opening(now) if order.tif == "OPG" or order.order_type in AUCTION_TYPES else None


def deadline_of(order: Order, product: Product, market: Market, now: datetime) -> datetime | None:
    """Return when an order placed now ends by itself; None when it does not, or when an auction decides."""
    if order.tif == "GTC" or auction_of(order, now) is not None:
        return None
    if order.tif in DATED_TIFS and order.good_till_date:
        return stated_end(order.good_till_date)
    if market.always_open:
        tomorrow = exchange_date(now) + timedelta(days=1)
        return datetime.combine(tomorrow, time(), EXCHANGE_TZ).astimezone(UTC)
    if order.outside_rth and product.is_stock:
        day = exchange_date(now)
        last = datetime.combine(day, EXTENDED_CLOSE, EXCHANGE_TZ)
        if not is_session(day) or now >= last:
            last = datetime.combine(next_session(day), EXTENDED_CLOSE, EXCHANGE_TZ)
        return last.astimezone(UTC)
    return next_closing(now)
