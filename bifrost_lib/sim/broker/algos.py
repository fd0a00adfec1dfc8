"""IB's algorithms as far as a simulated exchange can follow them: how much of an order may have been filled by when.

Adaptive waits a little before it takes the market, by its priority. TWAP spreads an order evenly from its start to
its end, VWAP along the U shape of a day's volume and within a share of what others trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from math import floor, isnan

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.sim.broker.moments import next_closing, parse_moment_text
from bifrost_lib.sim.broker.orders import WorkingOrder
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.wire import ErrorMessage, Order, error

PATIENCE_S: Mapping[str, float] = {"Urgent": 0.0, "Normal": 2.0, "Patient": 6.0}
ALGORITHMS = frozenset({"Adaptive", "Twap", "Vwap"})
#: How long a sliced order takes in a market that never closes, when it does not say.
OPEN_ENDED = timedelta(minutes=30)
#: Density of volume at the open and close, relative to the day's average, is 1 + 2/3 of this; at noon 1 - 1/3.
U_SHAPE = 1.5


def algo_problem(order: Order) -> ErrorMessage | None:
    """Return what is wrong with an order's algorithm."""
    if not order.algo_strategy:
        return None
    if order.algo_strategy not in ALGORITHMS:
        return ErrorMessage(-1, 439, "The algorithm definition not found.")
    params = _params(order)
    priority, share = params.get("adaptivePriority", "Normal"), params.get("maxPctVol", "0.5")
    if order.algo_strategy == "Adaptive" and (priority not in PATIENCE_S or order.order_type not in ("MKT", "LMT")):
        return error(442, detail="adaptivePriority")
    if order.algo_strategy == "Vwap":
        try:
            within = 0.01 <= float(share) <= 0.5
        except ValueError:
            within = False
        if not within:
            return error(442, detail="maxPctVol")
    for name in ("startTime", "endTime"):
        if params.get(name) and parse_moment_text(params[name], day=date(2000, 1, 3)) is None:
            return error(442, detail=name)
    return None


def allowance(working: WorkingOrder, market: Market, now: datetime, volume: float) -> float:
    """Return how much of an order may have been filled by now, in units of the order.

    `volume` is what was traded in the session so far, NaN where unknown.
    """
    order = working.order
    begun = working.submitted or now
    if not order.algo_strategy:
        return order.total_quantity
    params = _params(order)
    if order.algo_strategy == "Adaptive":
        wait = PATIENCE_S[params.get("adaptivePriority", "Normal")]
        return order.total_quantity if (now - begun).total_seconds() >= wait else 0.0
    day = exchange_date(begun)
    start = max(parse_moment_text(params.get("startTime", ""), day=day) or begun, begun)
    end = parse_moment_text(params.get("endTime", ""), day=day)
    if end is None or end <= start:
        end = start + OPEN_ENDED if market.always_open else next_closing(start)
    if now < start:
        return 0.0
    passed = min((now - start) / (end - start), 1.0)
    if order.algo_strategy == "Vwap":
        passed = passed + U_SHAPE * (((2 * passed - 1) ** 3 + 1) / 6 - passed / 3)
    allowed = min(floor(order.total_quantity * passed + 1e-9) + 1.0, order.total_quantity)
    if order.algo_strategy == "Vwap" and not isnan(volume) and not isnan(working.volume_before):
        share = float(params.get("maxPctVol", "0.5"))
        allowed = min(allowed, max(floor(share * (volume - working.volume_before)), 1.0))
    return allowed


def _params(order: Order) -> dict[str, str]:
    return {param.tag: param.value for param in order.algo_params}
