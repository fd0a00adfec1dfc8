"""The end of option positions: what holders ask for, and what expiry does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bifrost_lib.core.calendar import exchange_date, expiry_moment
from bifrost_lib.sim.broker.desk import Desk
from bifrost_lib.sim.broker.expiries import (
    Ending,
    exercises,
    expired_holdings,
    intrinsic_value,
    settle,
    settlement_price,
)
from bifrost_lib.sim.broker.products import instrument_of
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.broker.refusals import NO_DEFINITION, invalid, rejected
from bifrost_lib.sim.broker.tape import Record
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import ErrorMessage, ExerciseOptions

EXERCISE, LAPSE = 1, 2


def exercise_early(desk: Desk, client_id: int, request: ExerciseOptions, now: datetime) -> None:
    """Exercise long options at once, or remember that they are to lapse; errors carry the request's id."""
    names = desk.accounts.names
    account = request.account or (names[0] if len(names) == 1 else "")
    instrument = instrument_of(desk.market.instruments, request.contract)
    sheet = QuoteSheet(desk.market)
    problem = _problem(desk, account, instrument, request, sheet, now)
    if problem is not None or instrument is None:
        desk.tell(replace(problem or NO_DEFINITION, req_id=request.req_id), client_id, account)
        return
    ledger = desk.accounts.ledger(account)
    if request.action == LAPSE:
        ledger.lapsing[instrument.con_id] = float(request.quantity)
        return
    spot = desk.accounts.appraiser.price(instrument.under_con_id, sheet)
    records = settle(
        Ending(instrument, float(request.quantity), spot, exercised=True), ledger=ledger, market=desk.market,
        tape=desk.tape, now=now, perm_id=desk.book.new_perm_id(), client_id=client_id, order_id=request.req_id,
    )  # fmt: skip
    _tell(desk, records, client_id, sheet)


def end_expired(desk: Desk, now: datetime) -> None:
    """End every option position whose moment has come: exercised, assigned, or worthless."""
    if desk.next_expiry is None or now < desk.next_expiry:
        return
    sheet = QuoteSheet(desk.market)
    for ledger in desk.accounts.ledgers.values():
        for holding, instrument in list(expired_holdings(ledger, desk.market, now)):
            for working in desk.book.unfinished():
                if instrument.con_id in working.product.con_ids:
                    desk.end(working, now, "contract expired")
            spot = settlement_price(instrument, desk.market, sheet, now)
            for ending in _endings(instrument, holding.qty, spot, ledger.lapsing.pop(instrument.con_id, 0.0)):
                records = settle(
                    ending, ledger=ledger, market=desk.market, tape=desk.tape, now=now,
                    perm_id=desk.book.new_perm_id(),
                )  # fmt: skip
                _tell(desk, records, None, sheet)
    desk.plan_expiry()


def _endings(instrument: Instrument, qty: float, spot: float, lapsing: float) -> list[Ending]:
    if not exercises(instrument, spot):
        return [Ending(instrument, qty, spot, exercised=False)]
    lapsed = min(lapsing, qty) if qty > 0 else 0.0
    parts = [Ending(instrument, qty - lapsed, spot, exercised=True), Ending(instrument, lapsed, spot, exercised=False)]
    return [part for part in parts if part.qty]


def _problem(
    desk: Desk, account: str, instrument: Instrument | None, request: ExerciseOptions, sheet: QuoteSheet, now: datetime
) -> ErrorMessage | None:
    if account not in desk.accounts.names:
        return invalid(f"Invalid account code '{account}'")
    if instrument is None or instrument.expiry is None:
        return NO_DEFINITION
    holding = desk.accounts.ledger(account).holdings.get(instrument.con_id)
    if request.action not in (EXERCISE, LAPSE) or request.quantity <= 0:
        return invalid("Invalid exercise action or quantity")
    if holding is None or holding.qty < request.quantity:
        return rejected("No unexercised long position of that size is held")
    if now >= expiry_moment(instrument.expiry, instrument.settlement or "PM"):
        return rejected("This contract has expired")
    if request.action == EXERCISE:
        if instrument.style == "european" and exchange_date(now) != instrument.expiry:
            return rejected("This option can only be exercised at its expiry")
        spot = desk.accounts.appraiser.price(instrument.under_con_id, sheet)
        if not request.override and not intrinsic_value(instrument, spot) > 0:
            return rejected("The option is not in the money; exercise it with override")
    return None


def _tell(desk: Desk, records: list[Record], client_id: int | None, sheet: QuoteSheet) -> None:
    desk.tell_records(records, client_id)
    desk.tell_reports(records, client_id, sheet)
