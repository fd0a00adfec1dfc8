"""Ticks become observations: units, what "none" looks like, and when an observation is complete."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import isnan, nan

import pytest

from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.ib.mapping import (
    expiry_of,
    generic_ticks,
    greek_or_nan,
    price_or_nan,
    size_or_nan,
    theta_per_year,
    vega_per_unit,
)
from bifrost_lib.ib.records import ListedOption, Underlying
from bifrost_lib.ib.slots import Slot, ask_for

MOMENT = datetime(2026, 11, 20, 15, tzinfo=UTC)
CALL = ListedOption(101, OptionContract("SPY", date(2026, 12, 18), 600.0, "C"))
PUT = ListedOption(102, OptionContract("SPY", date(2026, 12, 18), 600.0, "P"))
SPY = Underlying("SPY", 1, "STK", "SMART", "USD")
SPX = Underlying("SPX", 2, "IND", "CBOE", "USD")
BID, ASK, LAST, CLOSE = 1, 2, 4, 9
CALL_OPEN_INTEREST, PUT_OPEN_INTEREST = 27, 28


class _Listener:
    def __init__(self) -> None:
        self.ticks = 0

    def ticked(self, slot: Slot) -> None:
        self.ticks += 1

    def refused(self, slot: Slot, code: int, text: str) -> None:
        raise AssertionError("nothing is refused here")

    def snapshot_ended(self, slot: Slot) -> None:
        raise AssertionError("no snapshots here")


def _slot(item: ListedOption | Underlying = CALL, *, open_interest: bool = True) -> Slot:
    return Slot(ask_for(item, open_interest=open_interest), _Listener())


def _model(slot: Slot, **numbers: float) -> None:
    told = {"iv": 0.2, "delta": 0.5, "gamma": 0.01, "vega": 0.7, "theta": -0.05, "spot": 601.5} | numbers
    slot.computation(**told, moment=MOMENT)


def test_an_option_is_complete_with_quote_greeks_and_open_interest():
    slot = _slot()
    for tick in (BID, ASK):
        slot.price(tick, 4.0 + tick, 10.0, MOMENT)
    assert not slot.complete
    _model(slot)
    assert not slot.complete
    slot.size(CALL_OPEN_INTEREST, 1234.0, MOMENT)
    assert slot.complete
    seen = slot.observation
    assert (seen.bid, seen.ask, seen.bid_size, seen.ask_size, seen.open_interest) == (5.0, 6.0, 10.0, 10.0, 1234.0)
    assert seen.ts == MOMENT and seen.spot == 601.5 and seen.market_data_type == "live"


def test_open_interest_of_zero_is_a_number_and_that_of_the_other_right_is_not():
    """IB sends the other right's as 0 on every option line."""
    slot = _slot(PUT)
    slot.size(CALL_OPEN_INTEREST, 0.0, MOMENT)
    assert isnan(slot.observation.open_interest)
    slot.size(PUT_OPEN_INTEREST, 0.0, MOMENT)
    assert slot.observation.open_interest == 0.0


def test_greeks_are_per_year_and_per_unit_of_volatility():
    slot = _slot()
    _model(slot)
    seen = slot.observation
    assert seen.ib_vega == pytest.approx(70.0)  # IB: 0.70 a point of volatility
    assert seen.ib_theta == pytest.approx(-18.25)  # IB: -0.05 a calendar day
    assert (seen.ib_iv, seen.ib_delta, seen.ib_gamma) == (0.2, 0.5, 0.01)


@pytest.mark.parametrize("variant", ["minus", "nan", "unset"])
def test_greeks_that_were_not_computed_are_nan(variant):
    nothing = {"minus": (-1.0, -2.0), "nan": (nan, nan), "unset": (1.7976931348623157e308,) * 2}[variant]
    slot = _slot()
    _model(slot, iv=nothing[0], delta=nothing[1], gamma=nothing[1], vega=nothing[1], theta=nothing[1], spot=nothing[0])
    seen = slot.observation
    assert all(isnan(value) for value in (seen.ib_iv, seen.ib_delta, seen.ib_gamma, seen.ib_vega, seen.ib_theta))
    assert isnan(seen.spot)


@pytest.mark.parametrize("none", [-1.0, 0.0])
def test_no_bid_is_an_answer_and_no_number(none):
    slot = _slot(open_interest=False)
    slot.price(BID, none, 0.0, MOMENT)
    slot.price(ASK, 0.05, 3.0, MOMENT)
    _model(slot)
    assert isnan(slot.observation.bid) and slot.complete


def test_two_empty_sides_are_told_but_never_complete():
    slot = _slot(open_interest=False)
    slot.price(BID, -1.0, 0.0, MOMENT)
    slot.price(ASK, -1.0, 0.0, MOMENT)
    _model(slot)
    assert slot.told_empty and not slot.complete


def test_a_bid_that_goes_away_leaves_nothing_behind():
    slot = _slot()
    slot.price(BID, 1.0, 5.0, MOMENT)
    slot.price(BID, -1.0, 0.0, MOMENT)
    assert isnan(slot.observation.bid) and slot.observation.bid_size == 0.0


def test_delayed_ticks_fill_the_same_fields():
    slot = _slot(open_interest=False)
    for tick, price in ((66, 1.0), (67, 1.1), (68, 1.05), (75, 0.9)):
        slot.price(tick, price, 2.0, MOMENT)
    slot.computation(0.2, 0.5, 0.01, 0.7, -0.05, 600.0, MOMENT)
    seen = slot.observation
    assert (seen.bid, seen.ask, seen.last, seen.close, seen.spot) == (1.0, 1.1, 1.05, 0.9, 600.0)
    assert slot.complete


def test_an_index_needs_a_level_only_and_a_stock_a_quote_too():
    index, stock = _slot(SPX), _slot(SPY)
    for slot in (index, stock):
        slot.price(LAST, 6000.0, 0.0, MOMENT)
    assert index.complete and not stock.complete


def test_unknown_ticks_are_passed_over():
    slot = _slot()
    slot.price(37, 5.0, 0.0, MOMENT)
    slot.size(87, 5.0, MOMENT)
    assert slot.observation.ts is None


def test_a_slot_forgets_when_it_begins_anew():
    slot = _slot()
    slot.price(BID, 1.0, 5.0, MOMENT)
    old = slot.observation
    slot.begin(7, 0.0, 0.0, 3)
    assert isnan(slot.observation.bid) and old.bid == 1.0
    assert slot.observation.market_data_type == "delayed" and not slot.has_price


def test_sentinels():
    assert isnan(price_or_nan(-1.0)) and isnan(price_or_nan(nan)) and price_or_nan(0.01) == 0.01
    assert size_or_nan(0.0) == 0.0 and isnan(size_or_nan(-1.0))
    assert isnan(greek_or_nan(-2.0, -2.0)) and greek_or_nan(-1.9, -2.0) == -1.9
    assert isnan(vega_per_unit(-2.0)) and isnan(theta_per_year(-2.0))


def test_delayed_data_refuse_the_option_volume():
    assert generic_ticks(open_interest=True, delayed=False) == "100,101"
    assert generic_ticks(open_interest=True, delayed=True) == "101"
    assert generic_ticks(open_interest=False, delayed=False) == ""


@pytest.mark.parametrize(
    ("local_symbol", "real_expiration", "last_trade", "expected"),
    [
        # A gateway whose login lives in Shanghai tells the next day.
        ("SPY   230623C00435000", "20230623", "20230624 04:00:00 Asia/Shanghai", date(2023, 6, 23)),
        # AM-settled: the last trading day is a Thursday.
        ("SPX   261218C06000000", "", "20261217", date(2026, 12, 18)),
        ("", "20261218", "20261217", date(2026, 12, 18)),
        ("", "", "20261217 15:15:00 US/Central", date(2026, 12, 17)),
        ("", "", "", None),
    ],
)
def test_the_expiry_is_that_of_the_occ_symbol(local_symbol, real_expiration, last_trade, expected):
    found = expiry_of(local_symbol=local_symbol, real_expiration=real_expiration, last_trade=last_trade)
    assert found == expected
