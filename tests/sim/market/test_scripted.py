"""A scripted market shows what a test wrote, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.sim import ScriptedMarket
from bifrost_lib.sim.exchange import COMPUTATION_COLUMNS, Bars, Headline
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.book import option_instrument

NOW = datetime(2026, 11, 18, 18, tzinfo=UTC)
STOCK = Instrument(
    con_id=11, symbol="ABC", sec_type="STK", exchange="SMART", primary_exchange="NYSE", currency="USD",
    local_symbol="ABC", trading_class="ABC", long_name="ALPHABETICAL CO", market_rule_id=26, ticks=((0.0, 0.01),),
)  # fmt: skip
CALL = option_instrument(STOCK, con_id=12, trading_class="ABC", expiry=date(2026, 11, 20), strike=50.0, right="C")


@pytest.fixture
def scripted() -> ScriptedMarket:
    return ScriptedMarket(SteppedClock(NOW), [STOCK], [CALL])


def test_nothing_is_shown_until_it_is_set(scripted: ScriptedMarket) -> None:
    board = scripted.quotes([11, 12])
    assert all(np.isnan(column).all() for column in board.values.values())
    assert np.isnan(board.computations).all()


def test_what_was_set_is_shown_and_the_rest_is_not(scripted: ScriptedMarket) -> None:
    scripted.set(12, bid=1.0, ask=1.1)
    scripted.set(12, ask=1.2)
    scripted.set_computation(12, "model", iv=0.3, delta=0.5)
    board = scripted.quotes([12, 11])
    assert (board.values["bid"][0], board.values["ask"][0]) == (1.0, 1.2)
    assert np.isnan(board.values["last"]).all()
    assert np.isnan(board.values["bid"][1])
    assert board.computations[0, 3, COMPUTATION_COLUMNS.index("iv")] == 0.3
    assert np.isnan(board.computations[0, :3]).all()
    scripted.clear(12)
    assert np.isnan(scripted.quotes([12]).values["bid"]).all()


def test_unknown_names_are_refused(scripted: ScriptedMarket) -> None:
    with pytest.raises(UnknownNameError) as value:
        scripted.set(12, bidd=1.0)
    assert value.value.nearest == "bid"
    with pytest.raises(UnknownNameError) as side:
        scripted.set_computation(12, "modell", iv=0.3)
    assert side.value.name == "side"
    with pytest.raises(KeyError):
        scripted.set(99, bid=1.0)
    with pytest.raises(KeyError):
        scripted.quotes([99])


def test_options_expire_and_stay_known() -> None:
    clock = SteppedClock(NOW)
    scripted = ScriptedMarket(clock, [STOCK], [CALL])
    assert scripted.instruments.options("ABC") == [CALL]
    clock.advance(timedelta(days=3))
    assert scripted.instruments.options("ABC") == []
    assert scripted.instruments.by_con_id(12) == CALL
    assert scripted.instruments.search("alpha") == [STOCK]


def test_bars_news_and_dividends_are_those_that_were_set(scripted: ScriptedMarket) -> None:
    second = int(NOW.timestamp())
    start = np.array([second - 120, second - 60, second, second + 60])
    column = np.arange(4.0)
    scripted.set_bars(11, Bars(start, column, column, column, column, column, column, start), bar_s=60)
    found = scripted.bars(
        11, what="TRADES", start=NOW - timedelta(seconds=60), end=NOW + timedelta(days=1), bar_s=60, regular_hours=True
    )
    assert found.open.tolist() == [1.0]
    item = Headline(NOW, "BZ", "BZ$1", "something happened", "more")
    scripted.publish(11, item)
    assert scripted.headlines(11, start=NOW, end=NOW) == [item]
    scripted.set_dividends(11, 1.0, 1.2, NOW, 0.3)
    assert scripted.dividends(11) == (1.0, 1.2, NOW, 0.3)
    assert scripted.first_moment(11) == NOW - timedelta(seconds=120)


def test_a_market_that_is_not_always_open_says_what_it_was_told() -> None:
    scripted = ScriptedMarket(SteppedClock(NOW), [STOCK], always_open=False)
    assert scripted.is_open(NOW)
    scripted.open = False
    assert not scripted.is_open(NOW)
