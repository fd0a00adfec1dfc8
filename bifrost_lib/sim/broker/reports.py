"""How orders and positions are told: records of the protocol made from the broker's state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.sim.broker.orders import FILLED, WorkingOrder
from bifrost_lib.sim.broker.valuation import Figures
from bifrost_lib.sim.wire import CompletedOrder, OpenOrder, Order, OrderState, OrderStatus


def open_order(working: WorkingOrder) -> OpenOrder:
    """Return an order as IB holds it; margins are told for questions only."""
    state = OrderState(status=working.status)
    if working.status == FILLED:
        state = replace(state, commission=round(working.bill.total, 6), commission_currency="USD")
    return OpenOrder(working.order_id, working.product.contract, working.order, state)


def order_status(working: WorkingOrder) -> OrderStatus:
    """Return where an order stands."""
    return OrderStatus(
        order_id=working.order_id,
        status=working.status,
        filled=working.filled,
        remaining=working.remaining,
        avg_fill_price=working.average_price,
        perm_id=working.perm_id,
        parent_id=working.order.parent_id,
        last_fill_price=working.last_price,
        client_id=working.client_id,
        why_held=working.why_held,
    )


def completed_order(working: WorkingOrder) -> CompletedOrder:
    """Return an order that is done, with when and how it ended."""
    ended = working.ended.astimezone(EXCHANGE_TZ) if working.ended else None
    size = f"Filled Size: {working.filled:g}" if working.status == FILLED else working.end_reason or "Cancelled"
    state = OrderState(
        status=working.status,
        completed_time=f"{ended:%Y%m%d %H:%M:%S} {EXCHANGE_TZ.key}" if ended else "",
        completed_status=size,
    )
    order = replace(working.order, filled_quantity=working.filled, parent_perm_id=0)
    return CompletedOrder(working.product.contract, order, state)


def what_if(order: Order, working: WorkingOrder, before: Figures, after: Figures, commission: float) -> OpenOrder:
    """Return the answer to a what-if question: margins and equity before and after, and the commission."""
    was, will = before.required, after.required
    amounts = {
        "init_margin_before": was.initial,
        "maint_margin_before": was.maintenance,
        "equity_with_loan_before": before.equity_with_loan,
        "init_margin_change": will.initial - was.initial,
        "maint_margin_change": will.maintenance - was.maintenance,
        "equity_with_loan_change": after.equity_with_loan - before.equity_with_loan,
        "init_margin_after": will.initial,
        "maint_margin_after": will.maintenance,
        "equity_with_loan_after": after.equity_with_loan,
        "commission": commission,
        "min_commission": commission,
        "max_commission": commission,
    }
    rounded: dict[str, Any] = {name: round(amount, 6) for name, amount in amounts.items()}
    state = OrderState(status="PreSubmitted", commission_currency="USD", **rounded)
    return OpenOrder(order.order_id, working.product.contract, order, state)
