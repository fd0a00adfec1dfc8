"""Instruments as the protocol describes them: contracts, details, trading hours."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from bifrost_lib.core.calendar import EXCHANGE_TZ, is_session, session_close
from bifrost_lib.sim.gateway.matching import last_trade_of
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import Contract, ContractData

TIME_ZONE = "US/Eastern"
HOURS_DAYS = 6
_ORDER_TYPES = (
    "ACTIVETIM,ADJUST,ALGO,ALLOC,AON,AVGCOST,COND,CONDORDTIF,DAY,DEACT,GAT,GTC,GTD,GTT,HID,IOC,LMT,MIT,MKT,MOC,"
    "NGCOMB,NONALGO,OCA,OPENCLOSE,SCALE,SMARTSTG,SNAPMID,STP,STPLMT,TRAIL,TRAILLMT,WHATIF"
)


@lru_cache(maxsize=65_536)
def contract_of(instrument: Instrument, exchange: str = "") -> Contract:
    """Return the contract by which the gateway speaks of an instrument."""
    is_option = instrument.sec_type == "OPT"
    return Contract(
        con_id=instrument.con_id,
        symbol=instrument.symbol,
        sec_type=instrument.sec_type,
        expiry=last_trade_of(instrument),
        strike=instrument.strike,
        right=instrument.right,
        multiplier=f"{instrument.multiplier:g}" if is_option else "",
        exchange=exchange or instrument.exchange,
        primary_exchange="" if is_option else instrument.primary_exchange,
        currency=instrument.currency,
        local_symbol=instrument.local_symbol,
        trading_class=instrument.trading_class,
    )


def details_of(
    instrument: Instrument, under: Instrument | None, *, today: date, around_the_clock: bool, exchange: str = ""
) -> ContractData:
    """Return everything that contract details say; the request's id is 0.

    Parameters
    ----------
    under : Instrument or None
        The underlying of an option.
    today : date
        At the exchange; trading hours begin with it.
    around_the_clock : bool
        Whether this market never closes.
    exchange : str
        The exchange that the request named.
    """
    is_option = instrument.sec_type == "OPT"
    last_trade = last_trade_of(instrument)
    close = "16:00:00" if instrument.settlement != "AM" else "17:00:00"
    rules = ",".join([str(instrument.market_rule_id)] * len(instrument.valid_exchanges))
    extended = instrument.sec_type == "STK"
    return ContractData(
        req_id=0,
        contract=contract_of(instrument, exchange),
        last_trade=f"{last_trade} {close} {TIME_ZONE}" if is_option else "",
        market_name=instrument.trading_class or instrument.symbol,
        min_tick=instrument.min_tick,
        order_types=_ORDER_TYPES,
        valid_exchanges=",".join(instrument.valid_exchanges),
        under_con_id=instrument.under_con_id,
        long_name=under.long_name if under else instrument.long_name,
        contract_month=f"{instrument.expiry:%Y%m}" if instrument.expiry else "",
        industry=(under or instrument).industry,
        category=(under or instrument).category,
        subcategory=(under or instrument).subcategory,
        time_zone_id=TIME_ZONE,
        trading_hours=hours(today, extended=extended, around_the_clock=around_the_clock),
        liquid_hours=hours(today, extended=False, around_the_clock=around_the_clock),
        agg_group=1,
        under_symbol=under.symbol if under else "",
        under_sec_type=under.sec_type if under else "",
        market_rule_ids=rules,
        real_expiration_date=f"{instrument.expiry:%Y%m%d}" if instrument.expiry else "",
        stock_type=instrument.stock_type,
    )


@lru_cache(maxsize=64)
def hours(today: date, *, extended: bool, around_the_clock: bool) -> str:
    """Return the hours of the coming days as ``20261123:0930-20261123:1600;20261126:CLOSED``, in `TIME_ZONE`."""
    days = (today + timedelta(days=n) for n in range(HOURS_DAYS))
    return ";".join(_hours_of(day, extended=extended, around_the_clock=around_the_clock) for day in days)


def _hours_of(day: date, *, extended: bool, around_the_clock: bool) -> str:
    text = f"{day:%Y%m%d}"
    if around_the_clock:
        return f"{text}:0000-{text}:2359"
    if not is_session(day):
        return f"{text}:CLOSED"
    close = session_close(day).astimezone(EXCHANGE_TZ)
    if extended:
        return f"{text}:0400-{text}:{'2000' if close.hour == 16 else '1700'}"
    return f"{text}:0930-{text}:{close:%H%M}"
