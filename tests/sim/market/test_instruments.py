"""What the synthetic exchange lists looks like what a real one lists, and keeps its conIds."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from bifrost_lib.core.calendar import third_friday
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.contracts import parse_occ_symbol
from bifrost_lib.sim import SyntheticMarket

KNOWN = {
    "SPY": 756733,
    "AAPL": 265598,
    "MSFT": 272093,
    "TSLA": 76792991,
    "QQQ": 320227571,
    "IWM": 9579970,
    "SPX": 416904,
}


def test_underlyings_have_the_con_ids_of_ib(market: SyntheticMarket) -> None:
    found = {one.symbol: one for one in market.instruments.underlyings()}
    assert {symbol: found[symbol].con_id for symbol in KNOWN} == KNOWN
    assert {"SIM", "SIMX", "SIMT"} <= set(found)
    assert (found["SPX"].sec_type, found["SPX"].exchange) == ("IND", "CBOE")
    assert (found["SPY"].sec_type, found["SPY"].stock_type) == ("STK", "ETF")


def test_con_ids_are_distinct_and_fit_31_bits(market: SyntheticMarket) -> None:
    ids = [one.con_id for one in market.instruments.underlyings()]
    for symbol in [one.symbol for one in market.instruments.underlyings()]:
        ids += [one.con_id for one in market.instruments.options(symbol)]
    assert len(set(ids)) == len(ids)
    assert min(ids) > 0
    assert max(ids) < 2**31


def test_con_ids_do_not_depend_on_seed_or_process(market: SyntheticMarket) -> None:
    other = SyntheticMarket(market.clock, seed=7, symbols=["SIMT"]).instruments.options("SIMT")
    ours = {one.local_symbol: one.con_id for one in market.instruments.options("SIMT")}
    shared = [one for one in other if one.local_symbol in ours]
    assert len(shared) > 500
    assert all(ours[one.local_symbol] == one.con_id for one in shared)
    code = (
        "from bifrost_lib.core.clock import parse_moment, SteppedClock\n"
        "from bifrost_lib.sim import SyntheticMarket\n"
        f"clock = SteppedClock(parse_moment('{market.clock.now().isoformat()}'))\n"
        "print(sum(one.con_id for one in SyntheticMarket(clock, symbols=['SIMT']).instruments.options('SIMT')))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(told) == sum(one.con_id for one in market.instruments.options("SIMT"))


def test_spy_has_a_chain_of_realistic_size(market: SyntheticMarket) -> None:
    options = market.instruments.options("SPY")
    by_expiry = Counter(one.expiry for one in options)
    assert 4_000 <= len(options) <= 9_500
    expiries = sorted(expiry for expiry in by_expiry if expiry)
    assert sum(by_expiry[expiry] for expiry in expiries[:10]) >= 2_000
    assert expiries[0] == date(2026, 11, 18)
    assert expiries[-1] > date(2028, 11, 18)
    assert date(2026, 11, 26) not in expiries  # Thanksgiving


def test_strikes_are_dense_near_the_money_and_sparse_far_away(market: SyntheticMarket) -> None:
    spot = market.quotes([KNOWN["SPY"]]).values["last"][0]
    expiry = third_friday(2026, 12)
    strikes = sorted({one.strike for one in market.instruments.options("SPY") if one.expiry == expiry})
    near = [strike for strike in strikes if abs(strike / spot - 1) < 0.03]
    far = [strike for strike in strikes if strike / spot < 0.8]
    assert {round(b - a, 6) for a, b in itertools.pairwise(near)} == {1.0}
    assert min(b - a for a, b in itertools.pairwise(far)) >= 5.0


def test_the_index_settles_monthlies_on_the_opening_and_has_both_classes_on_the_third_friday(
    market: SyntheticMarket,
) -> None:
    options = market.instruments.options("SPX")
    settled = {(one.trading_class, one.settlement, one.style) for one in options}
    assert settled == {("SPX", "AM", "european"), ("SPXW", "PM", "european")}
    assert {one.expiry for one in options if one.trading_class == "SPX"} == {
        day for day in {one.expiry for one in options} if day and day == third_friday(day.year, day.month)
    }
    assert third_friday(2026, 12) in {one.expiry for one in options if one.trading_class == "SPXW"}


def test_options_are_sorted_and_named_as_the_clearing_house_does(market: SyntheticMarket) -> None:
    options = market.instruments.options("SPX")
    keys = [(one.trading_class, one.expiry or date.max, one.strike, one.right) for one in options]
    assert keys == sorted(keys)
    for one in options[::500]:
        parsed = parse_occ_symbol(one.local_symbol)
        assert (parsed.trading_class, parsed.expiry, parsed.strike, parsed.right) == (
            one.trading_class, one.expiry, one.strike, one.right,
        )  # fmt: skip
        assert market.instruments.by_con_id(one.con_id) is one


def test_tick_rules_are_those_of_the_classes(market: SyntheticMarket) -> None:
    book = market.instruments
    assert {one.ticks for one in book.options("SPY")} == {((0.0, 0.01),)}
    assert {one.ticks for one in book.options("AAPL")} == {((0.0, 0.01), (3.0, 0.05))}
    assert {one.ticks for one in book.options("SPX")} == {((0.0, 0.05), (3.0, 0.10))}


def test_a_contract_stays_listed_until_it_expires_and_is_known_after_that() -> None:
    clock = SteppedClock(datetime(2026, 9, 16, 15, tzinfo=UTC))
    book = SyntheticMarket(clock, symbols=["SIM", "SIMT"]).instruments
    listed = {one.con_id: one for symbol in ("SIM", "SIMT") for one in book.options(symbol)}
    for _ in range(6):
        clock.advance(timedelta(days=5))
        today = clock.now().date()
        now = {one.con_id for symbol in ("SIM", "SIMT") for one in book.options(symbol)}
        assert {con_id for con_id, one in listed.items() if one.expiry and one.expiry > today} <= now
        gone = [con_id for con_id, one in listed.items() if one.expiry and one.expiry < today]
        assert gone
        assert not now & set(gone)
        assert all(book.by_con_id(con_id) == listed[con_id] for con_id in gone)


def test_the_same_day_lists_the_same_whenever_the_program_was_started() -> None:
    clock = SteppedClock(datetime(2026, 9, 16, 15, tzinfo=UTC))
    early = SyntheticMarket(clock, symbols=["SIMT"])
    clock.advance(timedelta(days=21))
    late = SyntheticMarket(clock, symbols=["SIMT"])
    assert early.instruments.options("SIMT") == late.instruments.options("SIMT")


def test_options_expire_at_their_moment() -> None:
    clock = SteppedClock(datetime(2026, 11, 18, 20, 59, 59, tzinfo=UTC))
    market = SyntheticMarket(clock, symbols=["SPY"])
    assert market.instruments.options("SPY")[0].expiry == date(2026, 11, 18)
    ending = market.instruments.options("SPY")[0]
    clock.advance(timedelta(seconds=1))
    assert market.instruments.options("SPY")[0].expiry == date(2026, 11, 19)
    assert market.instruments.by_con_id(ending.con_id) == ending
    assert not market.quotes([ending.con_id]).values["bid"] >= 0


@pytest.mark.parametrize(("pattern", "first"), [("SPY", "SPY"), ("sp", "SPX"), ("apple", "AAPL"), ("zzz", None)])
def test_search_finds_symbols_and_names(market: SyntheticMarket, pattern: str, first: str | None) -> None:
    found = market.instruments.search(pattern)
    assert (found[0].symbol if found else None) == first


def test_an_unknown_con_id_is_none_in_the_book_and_a_key_error_in_quotes(market: SyntheticMarket) -> None:
    assert market.instruments.by_con_id(4711) is None
    with pytest.raises(KeyError):
        market.quotes([4711])
