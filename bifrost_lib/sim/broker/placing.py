"""What happens when a client sends an order: it is checked, answered, changed, or starts to work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import isnan

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.sim.broker.desk import Desk
from bifrost_lib.sim.broker.fills import leg_prices
from bifrost_lib.sim.broker.moments import auction_of, deadline_of, next_opening, parse_moment_text, trades_now
from bifrost_lib.sim.broker.orders import HELD, PRE_SUBMITTED, WorkingOrder
from bifrost_lib.sim.broker.products import Product, product_of
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.refusals import (
    NO_DEFINITION,
    READ_ONLY,
    WHICH_ACCOUNT,
    change_problem,
    invalid,
    order_problem,
    rejected,
)
from bifrost_lib.sim.broker.reports import what_if
from bifrost_lib.sim.broker.valuation import Figures, Trade
from bifrost_lib.sim.broker.working import REDUCE, wake
from bifrost_lib.sim.wire import ErrorMessage, Order, PlaceOrder, error


def place(desk: Desk, client_id: int, request: PlaceOrder, now: datetime) -> None:
    """Take a client's order: a question, a change of an order that is there, or a new one."""
    product = product_of(desk.market.instruments, request.contract)
    order = _normal(desk, client_id, request)
    existing = desk.book.find(client_id, request.order_id)
    problem = _problem(desk, order, product, existing, now)
    if problem is not None or product is None:
        desk.tell(replace(problem or NO_DEFINITION, req_id=request.order_id), client_id, order.account)
        return
    sheet = QuoteSheet(desk.market, {*product.con_ids, *desk.accounts.held_con_ids()})
    if order.what_if:
        _answer(desk, WorkingOrder(client_id, order, product, order.account, now), sheet)
    elif existing is not None:
        _change(desk, existing, order, sheet, now)
    else:
        _start(desk, WorkingOrder(client_id, order, product, order.account, now), sheet, now)


def _normal(desk: Desk, client_id: int, request: PlaceOrder) -> Order:
    # Fields in the form that the rest relies on; the client's own ids cannot be chosen by the message.
    order = request.order
    names = desk.accounts.names
    return replace(
        order,
        order_id=request.order_id,
        client_id=client_id,
        action="SELL" if order.action == "SSHORT" else order.action,
        order_type=order.order_type.replace("MIDPX", "MIDPRICE"),
        account=order.account or (names[0] if len(names) == 1 else ""),
    )


def _problem(
    desk: Desk, order: Order, product: Product | None, existing: WorkingOrder | None, now: datetime
) -> ErrorMessage | None:
    if desk.settings.read_only:
        return READ_ONLY
    if product is None:
        return NO_DEFINITION
    if not order.account:
        return WHICH_ACCOUNT
    if order.account not in desk.accounts.names:
        return invalid(f"Invalid account code '{order.account}'")
    if not order.what_if:
        if desk.book.was_used(order.client_id, order.order_id):
            return error(103)
        if existing is not None and (problem := change_problem(existing, order, product)):
            return problem
    parent = desk.book.find(order.client_id, order.parent_id) if order.parent_id else None
    if order.parent_id and parent is None:
        return error(10006)
    return order_problem(order, product, now)


# Questions and margins


def _trades(desk: Desk, working: WorkingOrder, sheet: QuoteSheet) -> list[Trade]:
    # The whole order at its limit, else at the market, with the commissions of one fill.
    quote = sheet.product_quote(working.product)
    limit = working.limit
    touch = quote.ask if working.is_buy else quote.bid
    net = limit if limit is not None else touch
    if isnan(net):
        net = quote.reference
    bill, volume = replace(working.bill), replace(desk.accounts.ledger(working.account).volume)
    trades = []
    for leg, asked in leg_prices(working.product, working.sign, net, sheet):
        instrument = leg.instrument
        known = desk.accounts.appraiser.price(instrument.con_id, sheet)
        # What nobody quotes cannot be judged, and is taken for free.
        price = next((number for number in (asked, known) if not isnan(number)), 0.0)
        qty = working.sign * leg.ratio * working.remaining
        commission = bill.charge(
            is_option=instrument.sec_type == "OPT", qty=abs(qty), price=price, multiplier=instrument.multiplier,
            sale=qty < 0, volume=volume,
        )  # fmt: skip
        trades.append(Trade(instrument, qty, price, commission))
    return trades


def _answer(desk: Desk, working: WorkingOrder, sheet: QuoteSheet) -> None:
    trades = _trades(desk, working, sheet)
    before = desk.accounts.figures(working.account, sheet)
    after = desk.accounts.figures(working.account, sheet, trades)
    commission = sum(trade.commission for trade in trades)
    order = replace(working.order, perm_id=desk.book.new_perm_id())
    desk.tell(what_if(order, working, before, after, commission), working.client_id, working.account)


def _margin_problem(desk: Desk, working: WorkingOrder, sheet: QuoteSheet) -> ErrorMessage | None:
    # Attached orders close what their parent opens; they are judged with it.
    if not desk.settings.enforce_margin or working.order.parent_id:
        return None
    before = desk.accounts.figures(working.account, sheet)
    after = desk.accounts.figures(working.account, sheet, _trades(desk, working, sheet))
    if after.available >= 0 or after.available >= before.available:
        return None
    return rejected(_shortage(after))


def _shortage(after: Figures) -> str:
    return (
        "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
        f"[{after.equity_with_loan:.2f} USD] MUST EXCEED THE INITIAL MARGIN [{after.required.initial:.2f} USD]"
    )


# New orders and changes


def _start(desk: Desk, working: WorkingOrder, sheet: QuoteSheet, now: datetime) -> None:
    problem = _crowd_problem(desk, working) or _margin_problem(desk, working, sheet)
    if problem is not None:
        desk.tell(replace(problem, req_id=working.order_id), working.client_id, working.account)
        return
    if not working.order.tif and desk.settings.preset_tif:
        desk.tell(error(10349, working.order_id), working.client_id, working.account)
    order = _with_group(desk, working)
    working.order = replace(order, perm_id=desk.book.new_perm_id(), tif=order.tif or "DAY")
    _set_times(desk, working, now)
    desk.book.add(working)
    if working.order.transmit:
        _transmit(desk, desk.book.family(working), sheet, now)


def _change(desk: Desk, working: WorkingOrder, order: Order, sheet: QuoteSheet, now: datetime) -> None:
    changed = replace(working, order=replace(order, perm_id=working.perm_id, tif=order.tif or "DAY"))
    problem = _margin_problem(desk, changed, sheet)
    if problem is not None:
        desk.tell(replace(problem, req_id=working.order_id), working.client_id, working.account)
        return
    old = working.order
    group = (order.oca_group, order.oca_type) if order.oca_group else (old.oca_group, old.oca_type)
    working.order = replace(changed.order, oca_group=group[0], oca_type=group[1])
    working.rested = False
    if order.trail_stop_price != old.trail_stop_price:
        working.stop = float("nan")
    _set_times(desk, working, now)
    if working.is_open:
        if working.remaining <= 0:
            desk.finish(working, now)
        desk.tell_order(working)
        wake(desk, working, sheet, now)
    elif working.order.transmit:
        _transmit(desk, desk.book.family(working), sheet, now)


def _transmit(desk: Desk, family: Sequence[WorkingOrder], sheet: QuoteSheet, now: datetime) -> None:
    for member in family:
        if member.status != HELD:
            continue
        member.status = PRE_SUBMITTED
        for warning in _warnings(desk, member, now):
            desk.tell(warning, member.client_id, member.account)
        member.why_held = _why_held(desk, member)
        desk.tell_order(member)
        wake(desk, member, sheet, now)


def _why_held(desk: Desk, working: WorkingOrder) -> str:
    if working.order.parent_id:
        return "child"
    return "trigger" if working.order.order_type.startswith(("STP", "TRAIL")) else ""


def _warnings(desk: Desk, working: WorkingOrder, now: datetime) -> list[ErrorMessage]:
    order, found = working.order, []
    if order.outside_rth and not working.product.is_stock:
        found.append(error(2109, order.order_id))
    if not trades_now(desk.market, working.product, order, now):
        opening = next_opening(now).astimezone(EXCHANGE_TZ)
        found.append(
            error(
                399,
                order.order_id,
                message=f"{order.action} {order.total_quantity:g} {working.product.contract.local_symbol}\n"
                "Warning: your order will not be placed at the exchange until "
                f"{opening:%Y-%m-%d %H:%M:%S} {EXCHANGE_TZ.key}",
            )
        )
    return found


def _set_times(desk: Desk, working: WorkingOrder, now: datetime) -> None:
    order = working.order
    working.deadline = deadline_of(order, working.product, desk.market, now)
    working.auction = auction_of(order, now)
    working.starts = parse_moment_text(order.good_after_time)


def _with_group(desk: Desk, working: WorkingOrder) -> Order:
    # Attached orders that close their parent's position are an OCA group of their own.
    order = working.order
    parent = desk.book.parent(working)
    if parent is None or order.oca_group:
        return order if order.oca_type or not order.oca_group else replace(order, oca_type=1)
    closes = parent.order.action != order.action and parent.product.con_ids == working.product.con_ids
    return replace(order, oca_group=str(parent.perm_id), oca_type=REDUCE) if closes else order


def _crowd_problem(desk: Desk, working: WorkingOrder) -> ErrorMessage | None:
    alike = [
        other for other in desk.book.unfinished()
        if other.product.con_ids == working.product.con_ids
        and other.account == working.account
        and other.order.action == working.order.action
    ]  # fmt: skip
    limit = desk.settings.max_working_orders
    if len(alike) < limit:
        return None
    return rejected(f"There are already {limit} orders working on this side of the contract")
