"""A chain is what was known at a time: nothing later, nothing expired, nothing hidden."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.calendar import dte, year_fraction
from bifrost_lib.core.errors import InputError, NoDataError, StaleQuoteError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.store import chain_moments, latest_moment, option_chain

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ladder(store, made, symbol):
    """Three strikes over ten minutes; the bid says the minute."""
    rows = [
        {"ts": made.noon + step * MINUTE, "strike": strike, "bid": float(step), "ask": step + 1.0, "quality": "ok"}
        for step in range(10)
        for strike in (90.0, 100.0, 110.0)
    ]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    return symbol


def test_nothing_after_at_is_seen(store, made, ladder):
    for at, seen in [(timedelta(0), 0), (timedelta(seconds=59), 0), (3 * MINUTE, 3), (timedelta(days=3), 9)]:
        chain = option_chain(store.engine, ladder, at=made.noon + at)
        assert (chain["bid"] == seen).all() and len(chain) == 3
        assert chain.attrs["at"] == made.noon + at
        assert chain.attrs["as_of"] == made.noon + seen * MINUTE
        assert latest_moment(store.engine, ladder, at=made.noon + at) == made.noon + seen * MINUTE


def test_the_schema_is_the_vocabularys(store, ladder):
    chain = option_chain(store.engine, ladder)
    assert tuple(chain.columns) == CHAIN_COLUMNS
    check_frame(chain, CHAIN_COLUMNS)


def test_mid_tau_and_dte_are_those_of_the_row(store, made, symbol):
    made.ingest(store, symbol, made.snapshots([{"bid": 1.0, "ask": 1.5}, {"strike": 9.0, "bid": 1.0}], symbol=symbol))
    chain = option_chain(store.engine, symbol, at=made.noon + timedelta(days=1)).set_index("strike")
    assert chain["mid"].to_dict() == {100.0: 1.25, 9.0: pytest.approx(np.nan, nan_ok=True)}
    assert chain["tau"].to_list() == pytest.approx([year_fraction(made.noon, date(2024, 4, 19))] * 2, rel=1e-15)
    assert chain["dte"].to_list() == [dte(made.noon, date(2024, 4, 19))] * 2 == [35, 35]


def test_at_the_open_settlement_takes_off_the_last_day(store, made, symbol):
    index = {"style": "european", "settlement": "AM", "bid": 1.0}
    made.ingest(store, symbol, made.snapshots([index], symbol=symbol))
    at = datetime(2024, 4, 19, 13, 29, tzinfo=UTC)
    chain = option_chain(store.engine, symbol, at=at)
    assert chain["tau"].item() == pytest.approx(year_fraction(made.noon, date(2024, 4, 19), "AM"), rel=1e-15)
    with pytest.raises(NoDataError, match="expired"):
        option_chain(store.engine, symbol, at=at + MINUTE)


def test_rows_are_sorted_by_expiry_strike_right(store, made, symbol):
    rows = [
        row | {"expiry": expiry} for expiry in ("2024-06-21", "2024-04-19") for row in made.chain_rows([110, 90, 100])
    ]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    chain = option_chain(store.engine, symbol)
    keys = list(zip(chain["expiry"], chain["strike"], chain["right"], strict=True))
    assert keys == sorted(keys)
    assert len(keys) == 12


def test_one_expiry_can_be_asked_for(store, made, symbol):
    rows = [{"expiry": expiry, "bid": 1.0} for expiry in ("2024-04-19", "2024-05-17")]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    chain = option_chain(store.engine, symbol, expiry=date(2024, 5, 17))
    assert chain["expiry"].dt.date.tolist() == [date(2024, 5, 17)]
    with pytest.raises(NoDataError) as caught:
        option_chain(store.engine, symbol, expiry=date(2024, 5, 24))
    assert caught.value.facts == {"symbol": symbol, "expiry": date(2024, 5, 24)}


def test_expired_contracts_are_left_out_from_the_moment_of_expiry_on(store, made, symbol):
    rows = [{"expiry": expiry, "bid": 1.0} for expiry in ("2024-03-15", "2024-03-22")]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    close = datetime(2024, 3, 15, 20, 0, tzinfo=UTC)
    assert len(option_chain(store.engine, symbol, at=close - timedelta(microseconds=1))) == 2
    assert len(option_chain(store.engine, symbol, at=close)) == 1
    with pytest.raises(NoDataError, match="expired"):
        option_chain(store.engine, symbol, at=close + timedelta(days=7))


def test_each_contract_shows_its_newest_quote_of_the_last_quarter_hour(store, made, symbol):
    rows = [
        {"strike": 90.0, "ts": made.noon, "bid": 1.0, "quality": "ok"},
        {"strike": 100.0, "ts": made.noon - 14 * MINUTE, "bid": 2.0, "quality": "ok"},
        {"strike": 100.0, "ts": made.noon - 12 * MINUTE, "bid": 3.0, "quality": "ok"},
        {"strike": 110.0, "ts": made.noon - 15 * MINUTE, "bid": 4.0, "quality": "ok"},
        {"strike": 120.0, "ts": made.noon - 15 * MINUTE - timedelta(microseconds=1), "bid": 5.0, "quality": "ok"},
    ]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    chain = option_chain(store.engine, symbol)
    assert chain["bid"].tolist() == [1.0, 3.0, 4.0, 5.0]
    assert chain["quality"].tolist() == ["ok", "ok", "ok", "stale"]


def test_what_counts_as_fresh_can_be_told(store, made, ladder):
    later = made.snapshots(
        [{"ts": made.noon + 10 * MINUTE, "strike": 90.0, "bid": 10.0, "quality": "ok"}], symbol=ladder
    )
    made.ingest(store, f"{ladder}/later", later)
    for fresh, qualities in [(MINUTE, ["ok"] * 3), (timedelta(seconds=59), ["ok", "stale", "stale"])]:
        chain = option_chain(store.engine, ladder, fresh=fresh)
        assert (chain["bid"].tolist(), chain["quality"].tolist()) == ([10.0, 9.0, 9.0], qualities)


def test_a_trade_does_not_hide_a_quote_but_stands_where_there_is_none(store, made, symbol):
    rows = [
        {"strike": 90.0, "ts": made.noon - MINUTE, "bid": 1.0},
        {"strike": 90.0, "ts": made.noon, "last": 1.1},
        {"strike": 100.0, "ts": made.noon, "last": 2.1},
        {"strike": 100.0, "ts": made.noon - 3 * MINUTE, "last": 9.9},
    ]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    chain = option_chain(store.engine, symbol).set_index("strike")
    assert chain.loc[90.0, "ts"] == made.noon - MINUTE and chain.loc[90.0, "bid"] == 1.0
    assert chain.loc[100.0, "last"] == 2.1


def test_quotes_of_the_day_before_do_not_leak_into_a_session(store, made, symbol):
    rows = [{"strike": 90.0, "ts": made.noon - timedelta(days=1), "bid": 1.0}, {"strike": 100.0, "bid": 2.0}]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    assert option_chain(store.engine, symbol)["strike"].tolist() == [100.0]
    assert option_chain(store.engine, symbol, at=made.noon - MINUTE)["strike"].tolist() == [90.0]


FRESH = itertools.count()  # a symbol for each example, since all share the database
OFFSETS = st.sampled_from([0, 1, 30, 60, 61, 299, 300, 301, 899, 900, 901, 5000, 86_400])  # seconds; the steps' edges


@given(
    rows=st.lists(st.tuples(OFFSETS, st.sampled_from([90.0, 100.0, 110.0]), st.booleans()), min_size=1, max_size=25),
    looks=st.lists(OFFSETS, min_size=1, max_size=4),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_chain_is_what_a_slow_search_through_all_rows_finds(store, made, symbol, rows, looks):
    name = f"{symbol}{next(FRESH)}"
    unique = {(seconds, strike): quoted for seconds, strike, quoted in rows}
    told = [
        {"ts": made.noon - timedelta(seconds=seconds), "strike": strike, "bid" if quoted else "last": float(place)}
        for place, ((seconds, strike), quoted) in enumerate(unique.items())
    ]
    made.ingest(store, name, made.snapshots(told, symbol=name))
    table = pd.DataFrame(told).reindex(columns=["ts", "strike", "bid", "last"])
    for seconds in looks:
        at = made.noon - timedelta(seconds=seconds)
        expected = slow_search(table, at)
        if expected is None:
            with pytest.raises(NoDataError):
                option_chain(store.engine, name, at=at)
            continue
        found = option_chain(store.engine, name, at=at)[["strike", "ts", "bid", "last"]]
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def slow_search(table, at):
    """The definition, row by row."""
    known = table[table["ts"] <= at]
    if known.empty:
        return None
    newest = known["ts"].max()
    session = known[
        known["ts"].dt.tz_convert("America/New_York").dt.date == newest.tz_convert("America/New_York").date()
    ]
    recent = session[session["ts"] >= newest - timedelta(minutes=15)]
    chosen = []
    for strike in sorted(session["strike"].unique()):
        of_it = recent[recent["strike"] == strike]
        of_it = of_it if len(of_it) else session[session["strike"] == strike]
        quoted = of_it[of_it["bid"].notna()]
        chosen.append((quoted if len(quoted) else of_it).sort_values("ts").iloc[-1])
    return pd.DataFrame(chosen)[["strike", "ts", "bid", "last"]].reset_index(drop=True)


def test_an_older_chain_than_allowed_is_refused(store, made, ladder):
    at = made.noon + 9 * MINUTE + timedelta(seconds=900)
    assert len(option_chain(store.engine, ladder, at=at, max_age=timedelta(seconds=900))) == 3
    with pytest.raises(StaleQuoteError) as caught:
        option_chain(store.engine, ladder, at=at + timedelta(seconds=1), max_age=timedelta(seconds=900))
    assert (caught.value.age_s, caught.value.max_age_s) == (901, 900)
    for name in ("max_age", "fresh"):
        with pytest.raises(InputError) as refused:
            option_chain(store.engine, ladder, **{name: timedelta(seconds=-1)})
        assert refused.value.name == name


def test_an_unknown_symbol_is_met_with_the_nearest_known_one(store, ladder):
    with pytest.raises(NoDataError, match=f"did you mean {ladder}") as caught:
        option_chain(store.engine, ladder[:-1])
    assert caught.value.facts == {"symbol": ladder[:-1]}


def test_before_the_first_quote_there_is_no_chain_and_the_range_is_named(store, made, ladder):
    for ask in (option_chain, latest_moment):
        with pytest.raises(NoDataError, match="2024-03-15T16:00Z to 2024-03-15T16:09Z") as caught:
            ask(store.engine, ladder, at=made.noon - MINUTE)
        assert caught.value.at == made.noon - MINUTE


def test_a_naive_time_is_refused(store, ladder):
    for ask in (option_chain, latest_moment):
        with pytest.raises(InputError) as caught:
            ask(store.engine, ladder, at=datetime(2024, 3, 15).replace(tzinfo=None))  # noqa: DTZ001
        assert caught.value.name == "at"


def test_a_contract_first_seen_later_in_the_same_second_is_not_known_yet(store, made, symbol):
    early, late = (made.noon + timedelta(milliseconds=step) for step in (300, 700))
    rows = [{"ts": early, "bid": 1.0}, {"ts": late, "bid": 2.0, "expiry": "2024-05-17"}]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    assert option_chain(store.engine, symbol, at=early)["bid"].tolist() == [1.0]
    with pytest.raises(NoDataError):
        option_chain(store.engine, symbol, at=early, expiry=date(2024, 5, 17))


def test_moments_of_a_chain_are_listed_in_order_within_bounds(store, made, ladder):
    found = chain_moments(store.engine, ladder, made.noon + MINUTE, made.noon + 4 * MINUTE)
    assert found.tolist() == [made.noon + step * MINUTE for step in (1, 2, 3, 4)]
    assert str(found.dtype) == "datetime64[us, UTC]"
    with pytest.raises(NoDataError):
        chain_moments(store.engine, ladder, made.noon + timedelta(hours=1), made.noon + timedelta(hours=2))
    with pytest.raises(InputError) as caught:
        chain_moments(store.engine, ladder, made.noon, made.noon - MINUTE)
    assert caught.value.name == "end"


def test_moments_of_several_sessions_and_files_are_joined(store, made, symbol):
    days = [made.noon - timedelta(days=back) for back in (2, 1, 0)]
    for place, day in enumerate(days):
        made.ingest(store, f"{symbol}/{place}", made.snapshots([{"ts": day, "bid": 1.0}], symbol=symbol))
    late = made.snapshots([{"ts": days[1] + MINUTE, "bid": 1.0}], symbol=symbol)
    made.ingest(store, f"{symbol}/late", late)
    found = chain_moments(store.engine, symbol, days[0], days[2])
    assert found.tolist() == [days[0], days[1], days[1] + MINUTE, days[2]]


def test_what_comes_later_in_the_day_is_seen_by_a_process_that_already_looked(store, made, ladder):
    assert len(option_chain(store.engine, ladder)) == 3
    later = made.snapshots([{"ts": made.noon + 10 * MINUTE, "strike": 120.0, "bid": 7.0}], symbol=ladder)
    made.ingest(store, f"{ladder}/later", later)
    assert option_chain(store.engine, ladder)["strike"].tolist() == [90.0, 100.0, 110.0, 120.0]
