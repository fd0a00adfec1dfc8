"""What a fill does: executions, commissions, and the account's ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import isnan

from bifrost_lib.sim.broker.ledger import Ledger
from bifrost_lib.sim.broker.matching import Match
from bifrost_lib.sim.broker.moments import moment_text
from bifrost_lib.sim.broker.orders import WorkingOrder
from bifrost_lib.sim.broker.products import Leg, Product, contract_of
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.tape import Record, Tape
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import UNSET_DOUBLE, CommissionReport, Contract, ExecutionData

ADDED, REMOVED = 1, 2


def leg_prices(product: Product, sign: float, net: float, sheet: QuoteSheet) -> list[tuple[Leg, float]]:
    """Return each leg with its price per share, so that the legs together cost `net` per unit.

    Every leg trades at the side it takes (`sign` > 0 buys the product). What `net` differs from that is put on the
    dearest leg; where that would leave it without a price, the legs stay at their quotes, which are never worse for
    the order. Prices are NaN where a side is not quoted.
    """
    if not product.is_combo:
        return [(product.legs[0], net)]
    found = []
    for leg in product.legs:
        quote = sheet.quote(leg.instrument.con_id)
        found.append((leg, quote.ask if sign * leg.ratio > 0 else quote.bid))
    shift = net - sum(leg.ratio * price for leg, price in found)
    if isnan(shift) or abs(shift) < 1e-9:
        return found
    dearest = max(range(len(found)), key=lambda i: found[i][1])
    leg, price = found[dearest]
    moved = round(price + shift / leg.ratio, 6)
    if moved > 0:
        found[dearest] = (leg, moved)
    return found


def book_fill(
    working: WorkingOrder, matched: Match, *, sheet: QuoteSheet, ledger: Ledger, tape: Tape, now: datetime,
    auction: bool = False,
) -> list[Record]:  # fmt: skip
    """Book one fill and return its executions: of a combination the whole first, then its legs."""
    product, sign = working.product, working.sign
    priced = leg_prices(product, sign, matched.price, sheet)
    net = sum(leg.ratio * price for leg, price in priced) if product.is_combo else matched.price
    net = round(net, 6)
    working.filled += matched.qty
    working.paid += matched.qty * net
    working.last_price = net
    ids = tape.new_ids(working.perm_id, len(priced) + product.is_combo)
    liquidity = ADDED if matched.adds_liquidity else REMOVED
    records = []
    if product.is_combo:
        told = _execution(working, product.contract, ids.pop(0), sign * matched.qty, net, now, liquidity)
        told = replace(told, cum_qty=working.filled, avg_price=working.average_price)
        records.append(Record(now, told, None))
    for (leg, price), exec_id in zip(priced, ids, strict=True):
        instrument, qty = leg.instrument, sign * leg.ratio * matched.qty
        if not auction:
            sheet.take(instrument.con_id, asks=qty > 0, size=abs(qty))
        report = _book_leg(working, ledger, instrument, qty, price, exec_id)
        contract = contract_of(instrument) if product.is_combo else product.contract
        told = _execution(working, contract, exec_id, qty, price, now, liquidity)
        # A leg at a price of its own has no average over the order's earlier fills.
        each = abs(leg.ratio) * working.filled
        average = price if product.is_combo else working.average_price
        records.append(Record(now, replace(told, cum_qty=each, avg_price=average), report))
    tape.records += records
    return records


def _book_leg(
    working: WorkingOrder, ledger: Ledger, instrument: Instrument, qty: float, price: float, exec_id: str
) -> CommissionReport:
    commission = working.bill.charge(
        is_option=instrument.sec_type == "OPT", qty=abs(qty), price=price, multiplier=instrument.multiplier,
        sale=qty < 0, volume=ledger.volume,
    )  # fmt: skip
    realized = ledger.trade(instrument.con_id, instrument.multiplier, qty, price, commission)
    profit = UNSET_DOUBLE if realized is None else realized
    return CommissionReport(exec_id, commission, instrument.currency, profit, 0.0)


def _execution(
    working: WorkingOrder, contract: Contract, exec_id: str, qty: float, price: float, now: datetime, liquidity: int
) -> ExecutionData:
    return ExecutionData(
        req_id=-1,
        order_id=working.order_id,
        contract=contract,
        exec_id=exec_id,
        time=moment_text(now),
        account=working.account,
        exchange=venue(contract),
        side="BOT" if qty > 0 else "SLD",
        shares=abs(qty),
        price=price,
        perm_id=working.perm_id,
        client_id=working.client_id,
        order_ref=working.order.order_ref,
        model_code=working.order.model_code,
        last_liquidity=liquidity,
    )


def venue(contract: Contract) -> str:
    """Return the exchange that a smart-routed contract trades at."""
    if contract.exchange not in ("", "SMART"):
        return contract.exchange
    return contract.primary_exchange or "CBOE"
