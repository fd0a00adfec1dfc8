"""Exercise and assignment: what becomes of options at their expiry, or when their holder asks.

Options that are in the money by 0.01 or more are exercised, the short ones assigned; all others end worthless. Stock
options deliver shares at the strike, index options pay the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan, nan

from bifrost_lib.core.calendar import expiry_moment
from bifrost_lib.sim.broker.fills import venue
from bifrost_lib.sim.broker.ledger import Holding, Ledger
from bifrost_lib.sim.broker.moments import moment_text
from bifrost_lib.sim.broker.products import contract_of
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.tape import Record, Tape
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import CommissionReport, ExecutionData

IN_THE_MONEY = 0.01
#: A quote this long after the moment of expiry says nothing about the settlement any more.
_LATE = timedelta(minutes=5)


def expired_holdings(ledger: Ledger, market: Market, now: datetime) -> Iterator[tuple[Holding, Instrument]]:
    """Return positions in options whose moment of expiry has come."""
    for holding in ledger.open_positions():
        instrument = market.instruments.by_con_id(holding.con_id)
        if instrument is None or instrument.expiry is None:
            continue
        if now >= expiry_moment(instrument.expiry, instrument.settlement or "PM"):
            yield holding, instrument


def settlement_price(instrument: Instrument, market: Market, sheet: QuoteSheet, now: datetime) -> float:
    """Return the underlying's price that decides over an option: of the close, or of the open for AM settlement.

    NaN when the market never showed a price.
    """
    assert instrument.expiry is not None  # noqa: S101 (an option)
    opening = instrument.settlement == "AM"
    moment = expiry_moment(instrument.expiry, instrument.settlement or "PM")
    if now - moment > _LATE:
        # The day's bar, since the present quote belongs to a later moment.
        day_s = 86_400
        begin, end = moment - timedelta(hours=12), moment + timedelta(hours=12)
        bars = market.bars(
            instrument.under_con_id, what="TRADES", start=begin, end=end, bar_s=day_s, regular_hours=True
        )
        if len(bars.close):
            return float(bars.open[-1] if opening else bars.close[-1])
    quote = sheet.quote(instrument.under_con_id)
    wanted = quote.open if opening else quote.last
    return quote.reference if isnan(wanted) else wanted


def intrinsic_value(instrument: Instrument, spot: float) -> float:
    """Return what an option is worth at expiry, per share, >= 0."""
    return max(spot - instrument.strike if instrument.right == "C" else instrument.strike - spot, 0.0)


@dataclass(frozen=True, slots=True)
class Ending:
    """How `qty` options (signed as held) end at `spot`; `exercised` False lets them lapse."""

    instrument: Instrument
    qty: float
    spot: float
    exercised: bool


def settle(
    ending: Ending, *, ledger: Ledger, market: Market, tape: Tape, now: datetime, perm_id: int, client_id: int = 0,
    order_id: int = 0,
) -> list[Record]:  # fmt: skip
    """Book the end of options and return its executions: the options', then the shares'."""
    instrument, qty = ending.instrument, ending.qty
    underlying = market.instruments.by_con_id(instrument.under_con_id)
    delivers = ending.exercised and underlying is not None and underlying.sec_type == "STK"
    ids = tape.new_ids(perm_id, 2)

    def told(part: Instrument, exec_id: str, moved: float, price: float, realized: float) -> Record:
        contract = contract_of(part)
        execution = ExecutionData(
            req_id=-1, order_id=order_id, contract=contract, exec_id=exec_id, time=moment_text(now),
            account=ledger.account, exchange=venue(contract), side="BOT" if moved > 0 else "SLD", shares=abs(moved),
            price=price, perm_id=perm_id, client_id=client_id, cum_qty=abs(moved), avg_price=price,
        )  # fmt: skip
        return Record(now, execution, CommissionReport(exec_id, 0.0, part.currency, realized, 0.0))

    if delivers and underlying is not None:
        each = instrument.multiplier if instrument.right == "C" else -instrument.multiplier
        stock = ledger.holding(underlying.con_id, 1.0)
        before = stock.realized
        ledger.deliver(instrument.con_id, qty, underlying.con_id, each, instrument.strike)
        records = [
            told(instrument, ids[0], -qty, 0.0, 0.0),
            told(underlying, ids[1], qty * each, instrument.strike, stock.realized - before),
        ]
    else:
        value = intrinsic_value(instrument, ending.spot) if ending.exercised else 0.0
        realized = ledger.settle_in_cash(instrument.con_id, qty, value * instrument.multiplier)
        records = [told(instrument, ids[0], -qty, value, realized)]
    tape.records += records
    return records


def exercises(instrument: Instrument, spot: float) -> bool:
    """Tell whether an option is exercised without being asked; not when the settlement price is unknown."""
    value = nan if isnan(spot) else intrinsic_value(instrument, spot)
    return value >= IN_THE_MONEY - 1e-9
