"""Why an order cannot be accepted, as errors of the protocol (without a request id): new orders, and changes."""

from __future__ import annotations

from datetime import datetime, timedelta

from bifrost_lib.sim.broker.algos import algo_problem
from bifrost_lib.sim.broker.moments import DATED_TIFS, parse_moment_text, stated_end
from bifrost_lib.sim.broker.orders import FILLED, LIMIT_NEEDED, ORDER_TYPES, WorkingOrder
from bifrost_lib.sim.broker.products import Product
from bifrost_lib.sim.wire import UNSET_DOUBLE, ErrorMessage, Order, error

READ_ONLY = error(321, kind="read only")
NO_DEFINITION = error(200)
OFF_TICK = error(110)
SIZE_ZERO = error(434)
FRACTIONAL = ErrorMessage(
    -1, 10243, "Fractional-sized order cannot be placed via API. Please specify a whole quantity."
)
BAD_END, BAD_START = error(391), error(343)
#: An order that was still good when it was sent is taken, and ends at once.
ON_ITS_WAY = timedelta(minutes=1)
#: IB publishes no code of its own for this one; it is refused like every order that makes sense and cannot work.
HAS_PASSED = error(201, reason="The time until which the order is good has passed.")
WHICH_ACCOUNT = ErrorMessage(-1, 435, "You must specify an account.")

TIFS = frozenset({"", "DAY", "GTC", "IOC", "FOK", "GTD", "DTC", "OPG"})
_STOP_NEEDED = frozenset({"STP", "STP LMT", "MIT", "LIT"})


def invalid(cause: str) -> ErrorMessage:
    """Return the refusal of a request that makes no sense."""
    return error(321, where="bW", cause=cause)


def rejected(reason: str) -> ErrorMessage:
    """Return the refusal of an order that makes sense."""
    return error(201, reason=reason)


def order_problem(order: Order, product: Product, now: datetime) -> ErrorMessage | None:
    """Return what is wrong with an order taken by itself, at this moment."""
    if order.action not in ("BUY", "SELL"):
        return invalid(f"Invalid order action '{order.action}'")
    if order.total_quantity <= 0:
        return SIZE_ZERO
    if order.total_quantity != int(order.total_quantity):
        return FRACTIONAL
    if order.order_type not in ORDER_TYPES:
        return error(387)
    if order.tif not in TIFS:
        return invalid(f"Invalid time in force '{order.tif}'")
    return _legs_problem(product) or (
        _price_problem(order, product) or _moment_problem(order, now) or algo_problem(order)
    )


def change_problem(working: WorkingOrder, order: Order, product: Product) -> ErrorMessage | None:
    """Return why `working` cannot become `order`."""
    if working.status == FILLED:
        return error(104)
    if working.is_done:
        return error(103)
    same = (
        working.product.con_ids == product.con_ids
        and [leg.ratio for leg in working.product.legs] == [leg.ratio for leg in product.legs]
        and working.order.action == order.action
        and working.order.parent_id == order.parent_id
        and order.account in ("", working.account)
    )
    if not same or order.total_quantity < working.filled:
        return error(105)
    if order.order_type != working.order.order_type and {order.order_type, working.order.order_type} != {"LMT", "MKT"}:
        return error(329)
    return None


def _legs_problem(product: Product) -> ErrorMessage | None:
    for leg in product.legs:
        if leg.instrument.sec_type not in ("STK", "OPT"):
            return rejected("This contract cannot be traded.")
    return None


def _price_problem(order: Order, product: Product) -> ErrorMessage | None:
    kind = order.order_type
    if kind in LIMIT_NEEDED and order.lmt_price == UNSET_DOUBLE:
        return invalid("Please enter a valid limit price.")
    if kind in _STOP_NEEDED and (order.aux_price == UNSET_DOUBLE or (order.aux_price <= 0 and not product.is_combo)):
        return invalid("Please enter a valid stop price.")
    if kind.startswith("TRAIL"):
        amounts = [value for value in (order.aux_price, order.trailing_percent) if value not in (UNSET_DOUBLE, 0.0)]
        if len(amounts) != 1 or amounts[0] <= 0:
            return invalid("Please enter either a trailing amount or a trailing percentage.")
    prices = [] if kind in ("MKT", "TRAIL", "MOC", "MOO", "MTL") else [order.lmt_price]
    prices += [order.aux_price] if kind in _STOP_NEEDED else []
    prices += [order.trail_stop_price] if kind.startswith("TRAIL") else []
    for price in prices:
        if price == UNSET_DOUBLE:
            continue
        if not abs(price) < 1e9 or (price < 0 and not product.is_combo):
            return invalid("The price is not valid.")
        if not product.is_on_tick(price):
            return OFF_TICK
    return None


def _moment_problem(order: Order, now: datetime) -> ErrorMessage | None:
    if order.good_after_time and parse_moment_text(order.good_after_time) is None:
        return BAD_START
    if not order.good_till_date:
        return BAD_END if order.tif == "GTD" else None
    ends = stated_end(order.good_till_date)
    if ends is None:
        return BAD_END
    return HAS_PASSED if order.tif in DATED_TIFS and ends + ON_ITS_WAY <= now else None
