"""Quotes of combinations, made of the quotes of their legs."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, isfinite, nan

import numpy as np

from bifrost_lib.sim.gateway.feed import Union
from bifrost_lib.sim.gateway.lines import Line
from bifrost_lib.sim.gateway.registry import Refusal
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import Contract, tick_price

PERIOD_S = 0.25


@dataclass(frozen=True)
class Leg:
    """One leg: `ratio` is negative where the combination sells."""

    instrument: Instrument
    ratio: int


def legs_of(session: Session, contract: Contract) -> list[Leg]:
    """Return the legs of a BAG; error 321 for unknown ones, 312 for none."""
    legs = []
    for leg in contract.combo_legs:
        found = session.gateway.market.instruments.by_con_id(leg.con_id)
        if found is None:
            raise Refusal(321, kind="contract id")
        legs.append(Leg(found, leg.ratio if leg.action.upper() == "BUY" else -leg.ratio))
    if not legs or gcd(*(leg.ratio for leg in legs)) == 0:
        raise Refusal(312)
    return legs


def follow(session: Session, line: Line, legs: list[Leg]) -> None:
    """Tell a combination's bid and ask now and whenever they change."""
    tell(session, line, legs)
    session.repeat("combo", line.req_id, PERIOD_S, lambda: tell(session, line, legs), is_market_data=True)


def tell(session: Session, line: Line, legs: list[Leg]) -> None:
    """Send the sides that changed since the line was told last."""
    if not session.gateway.faults.data_flows:
        return
    numbers = _sides(session, legs)
    for side, (price, size) in enumerate(numbers):
        if line.sent[2 * side] != price or line.sent[2 * side + 1] != size:
            line.sent[2 * side : 2 * side + 2] = price, size
            tick = (66, 67)[side] if line.is_delayed else (1, 2)[side]
            session.write(tick_price(line.req_id, tick, price, size, 1))


def _sides(session: Session, legs: list[Leg]) -> tuple[tuple[float, float], tuple[float, float]]:
    union = Union([leg.instrument for leg in legs])
    gateway = session.gateway
    values = gateway.faults.quotes.seen(union.instruments, gateway.market.quotes(union.con_ids)).board.values
    ratios = np.array([leg.ratio for leg in legs])
    rows = [union.row_of[leg.instrument.con_id] for leg in legs]
    out = []
    for own, other in (("bid", "ask"), ("ask", "bid")):
        buys = ratios > 0
        prices = np.where(buys, values[own][rows], values[other][rows])
        sizes = np.where(buys, values[f"{own}_size"][rows], values[f"{other}_size"][rows]) // np.abs(ratios)
        price = float(np.round((prices * ratios).sum(), 6)) if not np.isnan(prices).any() else nan
        out.append((price, float(sizes.min())) if isfinite(price) else (-1.0, 0.0))
    return out[0], out[1]
