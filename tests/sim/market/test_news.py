"""News and dividends of the synthetic market."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.sim import SyntheticMarket
from bifrost_lib.sim.market.tickers import UNDERLYINGS

SPY, AAPL, TSLA = 756733, 265598, 76792991
START = datetime(2026, 6, 1, tzinfo=UTC)


def test_headlines_are_the_same_whenever_they_are_asked_for_and_never_from_the_future() -> None:
    clock = SteppedClock(datetime(2026, 10, 20, tzinfo=UTC))
    market = SyntheticMarket(clock, symbols=["AAPL"])
    far = START + timedelta(days=365)
    early = market.headlines(AAPL, start=START, end=far)
    assert early
    assert max(item.ts for item in early) <= clock.now()
    clock.advance(timedelta(days=20))
    late = market.headlines(AAPL, start=START, end=far)
    assert late[-len(early) :] == early
    assert [item.ts for item in late] == sorted((item.ts for item in late), reverse=True)
    codes = {code for code, _ in market.news_providers()}
    assert {item.provider for item in late} <= codes
    assert len({item.article_id for item in late}) == len(late)


def test_results_are_news_five_minutes_after_the_close(market: SyntheticMarket) -> None:
    items = market.headlines(AAPL, start=START, end=market.clock.now())
    results = [item.ts for item in items if "results" in item.headline]
    assert datetime(2026, 10, 22, 20, 5, tzinfo=UTC) in results
    funds = market.headlines(SPY, start=START, end=market.clock.now())
    assert not [item for item in funds if "results" in item.headline]


def test_dividends_are_the_yield_in_cash(market: SyntheticMarket) -> None:
    paid, expected, ex_date, amount = market.dividends(SPY)
    spot = market.quotes([SPY]).values["last"][0]
    assert expected == pytest.approx(UNDERLYINGS["SPY"].div_yield * spot, rel=0.02)
    assert 0.6 * expected < paid < 1.4 * expected
    assert amount == pytest.approx(expected / 4, abs=0.01)
    assert ex_date
    assert exchange_date(ex_date) == date(2026, 12, 18)
    assert market.dividends(TSLA) == (0.0, 0.0, None, 0.0)
