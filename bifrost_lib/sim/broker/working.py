"""What happens to a working order as time passes: it wakes, trades, ends, and what that does to its relatives."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import floor, isnan

from bifrost_lib.sim.broker.algos import allowance
from bifrost_lib.sim.broker.desk import Desk
from bifrost_lib.sim.broker.fills import book_fill
from bifrost_lib.sim.broker.matching import Match, auction_match, match
from bifrost_lib.sim.broker.moments import trades_now
from bifrost_lib.sim.broker.orders import FILLED, PRE_SUBMITTED, SUBMITTED, TRIGGERED_TYPES, WorkingOrder
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.triggers import Facts, conditions_hold, wakes
from bifrost_lib.sim.wire import UNSET_DOUBLE

CANCEL_ALL, REDUCE_BLOCKED, REDUCE = 1, 2, 3


def watched_con_ids(desk: Desk, working: WorkingOrder) -> set[int]:
    """Return the instruments whose quotes an order may need."""
    found = set(working.product.con_ids)
    for condition in working.order.conditions:
        con_id = getattr(condition, "con_id", 0)
        if con_id and desk.market.instruments.by_con_id(con_id) is not None:
            found.add(con_id)
    return found


def work(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> None:
    """Take an open order as far as it goes at this moment."""
    if not working.is_open:
        return
    if working.auction is None and working.deadline is not None and now >= working.deadline:
        desk.end(working, now, "")
        return
    if not wake(desk, working, sheet, now):
        return
    if working.auction is not None:
        _auction(desk, working, sheet, now)
        return
    _trade(desk, working, sheet, now)


def wake(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> bool:
    """Bring an order to Submitted when nothing holds it back any more; tell whether it may trade now."""
    if working.is_done or not _released(desk, working) or (working.starts is not None and now < working.starts):
        return False
    if not _conditions_met(desk, working, sheet, now):
        return False
    open_now = trades_now(desk.market, working.product, working.order, now)
    if working.auction is not None:
        # It rests at the exchange until its auction, whose moment may be just outside the session.
        return _submit(desk, working, now) if open_now or now >= working.auction else False
    if not open_now:
        return False
    if not working.triggered and working.order.order_type in TRIGGERED_TYPES:
        if not wakes(working, sheet.product_quote(working.product)):
            return False
        _trigger(working)
    return _submit(desk, working, now)


def _released(desk: Desk, working: WorkingOrder) -> bool:
    # An attached order lives when its parent is filled, or was cancelled after a part of it had been.
    parent = desk.book.parent(working)
    return parent is None or parent.status == FILLED or (parent.is_done and parent.filled > 0)


def _conditions_met(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> bool:
    order = working.order
    if working.conditions_met or not order.conditions:
        return True
    account = working.account
    traded = {
        record.execution.contract.symbol
        for record in desk.tape.records
        if record.ts >= working.placed and record.execution.account == account
    }
    facts = Facts(now, sheet.quote, lambda: desk.accounts.figures(account, sheet).cushion, traded)
    holds = conditions_hold(order.conditions, facts)
    if order.conditions_cancel_order:
        if holds:
            desk.end(working, now, "order condition met")
        return not holds
    working.conditions_met = holds
    return holds


def _trigger(working: WorkingOrder) -> None:
    working.triggered = True
    order = working.order
    if order.order_type == "TRAIL LIMIT":
        offset = order.lmt_price_offset
        if offset == UNSET_DOUBLE:
            known = UNSET_DOUBLE not in (order.lmt_price, order.trail_stop_price)
            offset = abs(order.lmt_price - order.trail_stop_price) if known else 0.0
        limit = working.stop + working.sign * offset
        step = working.product.increment(limit)
        working.order = replace(order, lmt_price=round(round(limit / step) * step, 6))


def _submit(desk: Desk, working: WorkingOrder, now: datetime) -> bool:
    if working.status == PRE_SUBMITTED:
        working.status, working.why_held, working.submitted = SUBMITTED, "", now
        desk.tell_order(working)
    return True


def _auction(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> None:
    if working.auction is None or now < working.auction:
        return
    opening = working.order.tif == "OPG" or working.order.order_type in ("MOO", "LOO")
    quote = sheet.product_quote(working.product)
    price = quote.open if opening else quote.last
    matched = auction_match(working, quote.reference if isnan(price) else price)
    if matched is None:
        desk.end(working, now, "not filled in the auction")
    else:
        _fill(desk, working, matched, sheet, now, auction=True)


def _trade(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> None:
    begun = working.submitted or now
    if (now - begun).total_seconds() < desk.settings.fill_delay_s:
        return
    quote = sheet.product_quote(working.product)
    if isnan(working.volume_before):
        working.volume_before = quote.volume
    allowed = allowance(working, desk.market, now, quote.volume)
    matched = match(working, quote, allowed=allowed, fill_share=desk.settings.fill_share)
    if matched is not None:
        _fill(desk, working, matched, sheet, now)
    if working.order.tif in ("IOC", "FOK") and not working.is_done:
        desk.end(working, now, "")
    elif working.order.order_type == "MTL" and matched is not None and not working.is_done:
        # What the market does not take at once rests at the price of the first part.
        working.order = replace(working.order, order_type="LMT", lmt_price=matched.price)
        desk.tell_order(working)


def _fill(
    desk: Desk, working: WorkingOrder, matched: Match, sheet: QuoteSheet, now: datetime, *, auction: bool = False
) -> None:
    before = working.remaining
    ledger = desk.accounts.ledger(working.account)
    records = book_fill(
        working, matched, sheet=sheet, ledger=ledger, tape=desk.tape, now=now, auction=auction
    )  # fmt: skip
    desk.tell_records(records, working.client_id)
    if working.remaining <= 0:
        desk.finish(working, now)
    desk.tell_order(working)
    desk.tell_reports(records, working.client_id, sheet)
    _relieve_rivals(desk, working, 1.0 - working.remaining / before, now)
    if working.is_done:
        for child in desk.book.children(working):
            wake(desk, child, sheet, now)


def _relieve_rivals(desk: Desk, working: WorkingOrder, share: float, now: datetime) -> None:
    # OCA: the others are cancelled (type 1, or when this one is filled), or give up the same share of what they have.
    for other in desk.book.rivals(working):
        if working.is_done or working.order.oca_type not in (REDUCE_BLOCKED, REDUCE):
            desk.end(other, now, "OCA group filled")
        else:
            left = floor(other.remaining * (1.0 - share) + 1e-9)
            desk.resize(other, other.filled + left, now)
