"""Whether an order trades against a quote: how much, and at what price. Nobody gets a better price than displayed."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isnan

from bifrost_lib.sim.broker.orders import TRIGGERED_TYPES, WorkingOrder
from bifrost_lib.sim.broker.quotes import Quote
from bifrost_lib.sim.wire import UNSET_DOUBLE, UNSET_INT


@dataclass(frozen=True, slots=True)
class Match:
    """Units of the order, and the price per share (net, for a combination)."""

    qty: float
    price: float
    adds_liquidity: bool = False


def match(working: WorkingOrder, quote: Quote, *, allowed: float, fill_share: float) -> Match | None:
    """Return what an active order trades against `quote` now, None when nothing.

    Parameters
    ----------
    allowed : float
        Units that may have been filled in all by now, for algorithms.
    fill_share : float
        Share of the displayed size that may be taken at once; at least one unit of what is displayed.

    Notes
    -----
    An order that can trade at once gets the opposite side's price. One that had to wait gets its own limit when the
    market comes to it. Marks `working.rested`.
    """
    price = _price(working, quote)
    if quote.halted or price is None:
        return None
    shown = quote.ask_size if working.is_buy else quote.bid_size
    if working.order.order_type in ("MIDPRICE", "PEG MID"):
        shown = min(quote.ask_size, quote.bid_size)
    whole = working.order.all_or_none or working.order.tif == "FOK"
    takes = shown if whole else max(shown * fill_share, min(shown, 1.0))
    qty = floor(min(working.remaining, takes, allowed - working.filled) + 1e-9)
    least = working.remaining if whole else 1.0
    if not working.filled and working.order.min_qty not in (0, UNSET_INT):
        least = max(least, min(float(working.order.min_qty), working.remaining))
    if qty < least:
        return None
    return Match(float(qty), price, adds_liquidity=working.rested)


def auction_match(working: WorkingOrder, price: float) -> Match | None:
    """Return what an order trades in an auction at `price`: all of it, unless its limit forbids."""
    limit = working.limit
    if isnan(price) or (limit is not None and working.sign * (price - limit) > 1e-9):
        return None
    return Match(working.remaining, price)


def _price(working: WorkingOrder, quote: Quote) -> float | None:
    # The price at which the order trades now, None when it does not.
    sign, limit, kind = working.sign, working.limit, _working_type(working)
    touch = quote.ask if working.is_buy else quote.bid
    if kind in ("MIDPRICE", "PEG MID"):
        middle = quote.mid
        within = not isnan(middle) and (limit is None or sign * (middle - limit) <= 1e-9)
        return round(middle, 6) if within else None
    if isnan(touch):
        return None
    if kind == "REL":
        limit = _pegged(working, quote, limit)
    if kind in ("MKT", "MTL"):
        return touch
    if limit is None or isnan(limit) or sign * (touch - limit) > 1e-9:
        working.rested = True
        return None
    return limit if working.rested else touch


def _working_type(working: WorkingOrder) -> str:
    kind = working.order.order_type
    return TRIGGERED_TYPES.get(kind, kind)


def _pegged(working: WorkingOrder, quote: Quote, cap: float | None) -> float:
    # At its own side of the market, better by an offset, never beyond its cap.
    order = working.order
    own = quote.bid if working.is_buy else quote.ask
    offset = 0.0 if order.aux_price == UNSET_DOUBLE else order.aux_price
    if order.percent_offset not in (UNSET_DOUBLE, 0.0):
        offset = own * order.percent_offset
    pegged = own + working.sign * offset
    if cap is None:
        return pegged
    return min(pegged, cap) if working.is_buy else max(pegged, cap)
