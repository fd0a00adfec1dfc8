"""Quotes of the synthetic market: reproducible in any order of asking, without free money, and on their ticks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.calendar import year_fraction
from bifrost_lib.core.clock import ScaledClock, SteppedClock
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import price
from bifrost_lib.sim import SIMULATED, SyntheticMarket, simulated_history
from bifrost_lib.sim.exchange import BOARD_COLUMNS, COMPUTATION_COLUMNS, COMPUTATION_SIDES, Board
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.tickers import UNDERLYINGS
from bifrost_lib.sim.market.universe import RATE

NOON = datetime(2026, 11, 18, 18, 0, 7, tzinfo=UTC)
BID, ASK, LAST, MODEL = range(4)


def chain(market: SyntheticMarket, symbol: str, *, width: float = 0.15, most_days: int = 120) -> list[Instrument]:
    spot = market.quotes([stock(market, symbol)]).values["last"][0]
    until = market.clock.now().date() + timedelta(days=most_days)
    return [
        one
        for one in market.instruments.options(symbol)
        if abs(one.strike / spot - 1) < width and one.expiry and one.expiry <= until
    ]


def stock(market: SyntheticMarket, symbol: str) -> int:
    found = market.instruments.underlying(symbol)
    assert found
    return found.con_id


def ids(options: list[Instrument]) -> list[int]:
    return [one.con_id for one in options]


def assert_same(one: Board, other: Board) -> None:
    for name in BOARD_COLUMNS:
        np.testing.assert_array_equal(one.values[name], other.values[name], err_msg=name)
    np.testing.assert_array_equal(one.computations, other.computations)


def test_a_board_has_every_column_and_side(market: SyntheticMarket) -> None:
    board = market.quotes([stock(market, "SPY"), *ids(market.instruments.options("SPY")[:3])])
    assert set(board.values) == set(BOARD_COLUMNS)
    assert board.computations.shape == (4, len(COMPUTATION_SIDES), len(COMPUTATION_COLUMNS))
    assert np.isnan(board.computations[0]).all()
    assert board.ts == NOON


@settings(max_examples=12, deadline=None)
@given(offsets=st.lists(st.integers(0, 36_000), min_size=1, max_size=4), pick=st.integers(0, 200))
def test_quotes_do_not_depend_on_start_speed_or_order_of_polling(offsets: list[int], pick: int) -> None:
    """A market that was polled on the way shows what one shows that is asked only now."""
    start = datetime(2026, 9, 22, 13, 40, tzinfo=UTC)
    walked_clock, end = SteppedClock(start), start + timedelta(seconds=sum(offsets) / 4)
    walked = SyntheticMarket(walked_clock, symbols=["SIM", "SIMX"])
    options = chain(walked, "SIM")[pick : pick + 20] + chain(walked, "SIMX")[pick : pick + 5]
    asked = [*ids(options), stock(walked, "SIM")]
    for offset in offsets:
        walked.quotes(asked[:: 1 + offset % 3])
        walked_clock.advance(timedelta(seconds=offset / 4))
    fresh = SyntheticMarket(SteppedClock(end), symbols=["SIMX", "SIM"])
    backward = fresh.quotes(asked[::-1])
    board = walked.quotes(asked)
    for name in BOARD_COLUMNS:
        np.testing.assert_array_equal(board.values[name], backward.values[name][::-1], err_msg=name)
    np.testing.assert_array_equal(board.computations, backward.computations[::-1])


def test_another_seed_gives_other_quotes(market: SyntheticMarket) -> None:
    other = SyntheticMarket(market.clock, seed=1, symbols=["SPY"])
    spy = [stock(market, "SPY")]
    assert other.quotes(spy).values["last"][0] != market.quotes(spy).values["last"][0]


def test_a_fast_clock_changes_nothing_but_the_moment() -> None:
    clock = ScaledClock(datetime(2026, 11, 18, 18, tzinfo=UTC), speed=50.0)
    market = SyntheticMarket(clock, symbols=["SIM"])
    board = market.quotes([stock(market, "SIM")])
    still = SyntheticMarket(SteppedClock(board.ts), symbols=["SIM"])
    assert_same(board, still.quotes([stock(market, "SIM")]))


def test_it_continues_the_simulated_history() -> None:
    frames = list(simulated_history(symbols=list(SIMULATED), start=date(2026, 7, 8), end=date(2026, 7, 10)))
    for frame in frames:
        symbol = frame["symbol"].iloc[0]
        for moment, spot in frame.groupby("ts")["spot"].first().items():
            at = moment.to_pydatetime()  # type: ignore[attr-defined]
            shown = SyntheticMarket(SteppedClock(at), symbols=[symbol])
            assert shown.quotes([stock(shown, symbol)]).values["last"][0] == spot


def test_the_index_and_its_fund_walk_together(market: SyntheticMarket) -> None:
    spx, spy = market.quotes([stock(market, "SPX"), stock(market, "SPY")]).values["last"]
    assert spx == pytest.approx(10 * spy, abs=0.11)


def test_an_index_has_no_sides_and_a_stock_has_them_a_cent_or_two_apart(market: SyntheticMarket) -> None:
    board = market.quotes([stock(market, "SPX"), stock(market, "AAPL")])
    assert np.isnan([board.values["bid"][0], board.values["ask"][0]]).all()
    assert 0.009 < board.values["ask"][1] - board.values["bid"][1] < 0.021
    assert board.values["bid"][1] <= board.values["last"][1] + 0.02


@pytest.mark.parametrize("symbol", ["SPY", "AAPL", "SPX", "SIMX"])
def test_sides_are_on_ticks_and_never_cross(market: SyntheticMarket, symbol: str) -> None:
    options = chain(market, symbol, width=0.4, most_days=800)
    board = market.quotes(ids(options))
    bid, ask, last = (board.values[name] for name in ("bid", "ask", "last"))
    assert (ask > bid).all()
    assert (bid >= 0).all()
    assert ((bid > 0) == (board.values["bid_size"] > 0)).all()
    assert (board.values["ask_size"] >= 1).all()
    rule = options[0].ticks
    for prices in (bid, ask, last[~np.isnan(last)]):
        tick = np.where(prices >= 3.0 - 1e-9, rule[-1][1], rule[0][1])
        np.testing.assert_allclose(prices / tick, np.round(prices / tick), atol=1e-6)


def test_spreads_are_tight_near_the_money_and_wide_far_from_it(market: SyntheticMarket) -> None:
    options = [one for one in chain(market, "SPY", width=0.4, most_days=40) if one.right == "P"]
    spot = market.quotes([stock(market, "SPY")]).values["last"][0]
    board = market.quotes(ids(options))
    middle = (board.values["bid"] + board.values["ask"]) / 2
    width = (board.values["ask"] - board.values["bid"]) / middle
    away = np.array([one.strike for one in options]) / spot
    near, far = width[(away > 0.99) & (away < 1.0)], width[away < 0.85]
    assert np.median(near) < 0.03
    assert np.median(far) > 5 * np.median(near)


def test_european_mids_keep_put_call_parity_within_the_spreads(market: SyntheticMarket) -> None:
    options = chain(market, "SPX")
    board = market.quotes(ids(options))
    index = market.quotes([stock(market, "SPX")]).values["last"][0]
    places = {(one.trading_class, one.expiry, one.strike, one.right): place for place, one in enumerate(options)}
    pairs = 0
    for (trading_class, expiry, strike, right), call in places.items():
        if right != "C" or expiry is None:
            continue
        put = places[trading_class, expiry, strike, "P"]
        tau = year_fraction(NOON, expiry, options[call].settlement)
        worth = index * np.exp(-UNDERLYINGS["SPX"].div_yield * tau) - strike * np.exp(-RATE * tau)
        middle, room = ((board.values["bid"] + sign * board.values["ask"]) / 2 for sign in (1, -1))
        assert abs(middle[call] - middle[put] - worth) <= -room[call] - room[put]
        pairs += 1
    assert pairs > 1_000


def test_american_options_are_worth_at_least_the_european_and_the_intrinsic_value(market: SyntheticMarket) -> None:
    options = chain(market, "SPY", width=0.3)
    board = market.quotes(ids(options))
    spot = board.computations[0, MODEL, COMPUTATION_COLUMNS.index("und_price")]
    model, iv = (board.computations[:, MODEL, COMPUTATION_COLUMNS.index(name)] for name in ("price", "iv"))
    strike, calls = np.array([one.strike for one in options]), np.array([one.right == "C" for one in options])
    tau = np.array([year_fraction(NOON, one.expiry) for one in options if one.expiry])
    european = price(
        spot=spot, strike=strike, tau=tau, vol=iv, right=calls, rate=RATE, div_yield=UNDERLYINGS["SPY"].div_yield
    )
    assert (model >= european - 1e-9).all()
    assert (model - european).max() > 0.05
    intrinsic = np.maximum(np.where(calls, spot - strike, strike - spot), 0.0)
    assert (model >= intrinsic - 1e-6).all()
    assert (board.values["ask"] >= intrinsic - 1e-6).all()


def test_computations_carry_the_numbers_of_their_side_in_ibs_units(market: SyntheticMarket) -> None:
    options = [one for one in chain(market, "SPX", width=0.02) if one.expiry == date(2026, 12, 18)]
    board = market.quotes(ids(options))
    found = {name: board.computations[:, :, place] for place, name in enumerate(COMPUTATION_COLUMNS)}
    np.testing.assert_array_equal(found["price"][:, BID], board.values["bid"])
    np.testing.assert_array_equal(found["price"][:, ASK], board.values["ask"])
    assert (found["iv"][:, BID] < found["iv"][:, MODEL]).all()
    assert (found["iv"][:, MODEL] < found["iv"][:, ASK]).all()
    calls = np.array([one.right == "C" for one in options])
    assert (np.abs(found["delta"][:, MODEL]) < 1).all()
    assert ((found["delta"][:, MODEL] > 0) == calls).all()
    for step, one in enumerate(options[:5]):
        assert one.expiry
        tau = year_fraction(NOON, one.expiry, one.settlement)
        common: dict[str, Any] = {
            "strike": one.strike,
            "right": one.right,
            "rate": RATE,
            "div_yield": UNDERLYINGS["SPX"].div_yield,
        }
        spot, iv = found["und_price"][step, MODEL], found["iv"][step, MODEL]
        value = price(spot=spot, tau=tau, vol=iv, **common)
        assert found["price"][step, MODEL] == pytest.approx(value, rel=1e-9)
        a_point = price(spot=spot, tau=tau, vol=iv + 0.01, **common) - value
        assert found["vega"][step, MODEL] == pytest.approx(a_point, rel=0.02)
        a_day = price(spot=spot, tau=tau - 1 / 365, vol=iv, **common) - value
        assert found["theta"][step, MODEL] == pytest.approx(a_day, rel=0.05)
        assert found["pv_dividend"][step, MODEL] == pytest.approx(
            spot * (1 - np.exp(-UNDERLYINGS["SPX"].div_yield * tau))
        )


def test_greeks_of_american_options_include_early_exercise(market: SyntheticMarket) -> None:
    options = [one for one in chain(market, "SPY", width=0.3) if one.right == "P"]
    board = market.quotes(ids(options))
    spot = board.computations[0, MODEL, COMPUTATION_COLUMNS.index("und_price")]
    deep = np.array([one.strike > 1.15 * spot for one in options])
    assert deep.sum() > 5
    delta = board.computations[deep, MODEL, COMPUTATION_COLUMNS.index("delta")]
    assert delta.min() == pytest.approx(-1.0, abs=0.01)
    assert (delta >= -1.0).all()


def test_quotes_move_at_most_ten_times_a_second_and_not_all_at_once() -> None:
    clock = SteppedClock(NOON)
    market = SyntheticMarket(clock, symbols=["SPY"])
    options = [one for one in chain(market, "SPY", width=0.1) if one.expiry == date(2026, 12, 18)]
    names = ("bid", "ask", "bid_size", "ask_size")
    before = market.quotes(ids(options))
    clock.advance(timedelta(milliseconds=60))
    between = market.quotes(ids(options))
    assert all(np.array_equal(before.values[name], between.values[name]) for name in names)
    changed = []
    for _ in range(20):
        clock.advance(timedelta(milliseconds=100))
        after = market.quotes(ids(options))
        changed.append(np.any([before.values[name] != after.values[name] for name in names], axis=0))
        before = after
    rate = np.mean(changed)
    assert 0.1 < rate < 0.9


def test_volume_grows_and_open_interest_stands_through_a_session() -> None:
    clock = SteppedClock(datetime(2026, 11, 18, 14, 30, tzinfo=UTC))
    market = SyntheticMarket(clock, always_open=False, symbols=["SIMT"])
    asked = [*ids(chain(market, "SIMT")), stock(market, "SIMT")]
    boards = []
    for _ in range(7):
        boards.append(market.quotes(asked).values)
        clock.advance(timedelta(hours=1))
    for earlier, later in itertools.pairwise(boards):
        alive = ~np.isnan(earlier["volume"]) & ~np.isnan(later["volume"])
        assert (later["volume"][alive] >= earlier["volume"][alive]).all()
        np.testing.assert_array_equal(earlier["open_interest"][alive], later["open_interest"][alive])
        assert (later["high"][-1], -later["low"][-1]) >= (earlier["high"][-1], -earlier["low"][-1])
    assert boards[-1]["volume"][-1] > 5 * boards[1]["volume"][-1] / 2
    clock.advance(timedelta(hours=17))
    tomorrow = market.quotes(asked).values["open_interest"]
    moved = np.abs(tomorrow - boards[0]["open_interest"])
    assert np.nanmax(moved) > 0


def test_results_move_stocks_at_once_and_lower_their_volatility() -> None:
    """Companies report on 22 October 2026, five minutes after the close; a fund does not."""
    clock = SteppedClock(datetime(2026, 10, 22, 20, 4, 59, tzinfo=UTC))
    market = SyntheticMarket(clock, symbols=["AAPL", "MSFT", "TSLA", "SIMT", "SPY"])
    asked = [one.con_id for one in market.instruments.underlyings()]
    before = market.quotes(asked).values
    clock.advance(timedelta(seconds=2))
    after = market.quotes(asked).values
    moves = np.abs(np.log(after["last"] / before["last"]))
    assert moves[:4].max() > 0.03
    assert moves[4] < 0.001
    assert (before["implied_vol"][:4] > after["implied_vol"][:4] + 0.01).all()
    assert before["implied_vol"][4] == pytest.approx(after["implied_vol"][4], abs=1e-4)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 18, 14, 29, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 18, 14, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 18, 20, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 18, 21, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 26, 17, 0, tzinfo=UTC), False),  # Thanksgiving
        (datetime(2026, 11, 27, 17, 59, 59, tzinfo=UTC), True),  # the day after closes at 13:00
        (datetime(2026, 11, 27, 18, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 17, 0, tzinfo=UTC), False),  # a Saturday
    ],
)
def test_a_market_with_sessions_keeps_holidays_and_early_closes(moment: datetime, is_open: bool) -> None:
    market = SyntheticMarket(SteppedClock(moment), always_open=False, symbols=["SIM"])
    assert market.is_open(moment) is is_open
    board = market.quotes([stock(market, "SIM"), *ids(chain(market, "SIM", width=0.01))])
    assert (~np.isnan(board.values["bid"])).any() == is_open
    assert not np.isnan(board.values["last"][0])


def test_outside_the_session_everything_stands_as_at_the_close() -> None:
    clock = SteppedClock(datetime(2026, 11, 25, 21, 0, tzinfo=UTC))
    market = SyntheticMarket(clock, always_open=False, symbols=["SIM"])
    asked = [stock(market, "SIM"), *ids([one for one in chain(market, "SIM") if one.expiry != date(2026, 11, 25)])]
    at_close = market.quotes(asked)
    clock.advance(timedelta(hours=20))  # Thanksgiving
    holiday = market.quotes(asked)
    for name in ("last", "volume", "high", "open_interest"):
        np.testing.assert_array_equal(at_close.values[name], holiday.values[name])
    np.testing.assert_array_equal(at_close.computations[:, MODEL], holiday.computations[:, MODEL])
    assert holiday.values["close"][0] == holiday.values["last"][0]
    assert at_close.values["close"][0] != at_close.values["last"][0]


def test_an_always_open_market_trades_on_a_sunday(market: SyntheticMarket) -> None:
    clock = SteppedClock(datetime(2026, 11, 22, 9, tzinfo=UTC))
    sunday = SyntheticMarket(clock, symbols=["SPY"])
    near = ids(chain(sunday, "SPY", width=0.02))
    before = sunday.quotes(near)
    clock.advance(timedelta(minutes=1))
    after = sunday.quotes(near)
    assert sunday.is_open(clock.now())
    assert (after.values["bid"] != before.values["bid"]).mean() > 0.3
    assert not np.isnan(after.values["ask"]).any()


def test_arguments_are_checked() -> None:
    with pytest.raises(UnknownNameError) as unknown:
        SyntheticMarket(SteppedClock(NOON), symbols=["SPYX"])
    assert unknown.value.name == "symbol"
    with pytest.raises(InputError) as negative:
        SyntheticMarket(SteppedClock(NOON), seed=-1)
    assert negative.value.name == "seed"


@pytest.mark.parametrize("year", [2019, 2060])
def test_a_clock_outside_the_simulated_years_is_refused(year: int) -> None:
    with pytest.raises(InputError) as caught:
        SyntheticMarket(SteppedClock(datetime(year, 1, 2, tzinfo=UTC)), symbols=["SIM"])
    assert caught.value.name == "clock"


@pytest.mark.parametrize("moment", [datetime(2023, 2, 1, 15, tzinfo=UTC), datetime(2031, 3, 5, 15, tzinfo=UTC)])
def test_years_before_and_long_after_the_anchor_are_quoted(moment: datetime) -> None:
    market = SyntheticMarket(SteppedClock(moment), symbols=["SIM"])
    board = market.quotes(ids(chain(market, "SIM")))
    assert (board.values["ask"] > board.values["bid"]).all()
