"""Nothing that lies later changes what came before: no quote, listing, price, condition, split, dividend or
announcement."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import run
from bifrost_lib.core.calendar import EXCHANGE_TZ, sessions
from bifrost_lib.strategies import (
    ByDelta,
    Condition,
    Costs,
    DteRange,
    Entry,
    EventWindow,
    Exits,
    Leg,
    Roll,
    Sizing,
    StrategyDocument,
    Target,
)
from tests.backtest.reference.random_markets import random_market
from tests.backtest.reference.tables import cube_of
from tests.backtest.reference.tape import Learnt, Market

SEEDS = (5, 11, 12)
STRANGLE = StrategyDocument(
    name="strangle",
    view="of everything that a run may look at",
    legs=(
        Leg("shares", "S", 1),
        Leg("put", "P", -1, ByDelta(-0.3, -0.6, -0.05)),
        Leg("call", "C", -1, ByDelta(0.3, 0.05, 0.6)),
    ),
    dte=DteRange(1, 8, 40),
    entry=Entry(
        conditions=(Condition("skew", low=-1.0),),
        ex_dividend=EventWindow(before=1, through_expiry=True),
        earnings=EventWindow(before=2, after=1),
    ),
    exits=Exits(take_profit=Target(0.3), stop=Target(1.5), dte=1, roll=(Roll("delta", at=0.6, most=3),)),
    sizing=Sizing(contracts=1, max_active=5),
    costs=Costs(commission=1.0),
)
TERMS: dict[str, Any] = {"capital": 1e6, "rate": 0.1}


def _day_of(quotes: pd.DataFrame) -> pd.Series:
    found: pd.Series = quotes["ts"].dt.tz_convert(EXCHANGE_TZ).dt.date
    return found


def _until(market: Market, end: date) -> Market:
    """Return the market as it would have been recorded on the evening of `end`."""
    return Market(
        market.symbol,
        market.quotes[_day_of(market.quotes) <= end],
        {day: ratio for day, ratio in market.splits.items() if day <= end},
        {day: cash for day, cash in market.dividends.items() if day <= end},
        {day: both for day, both in market.prices.items() if day <= end},
        {day: known for day, known in market.conditions.items() if day <= end},
        [one for one in market.earnings if one.known_at <= market.quotes["ts"][_day_of(market.quotes) <= end].max()],
    )


def _with_another_future(market: Market, end: date) -> Market:
    """Return the market with all that lies after `end` replaced by nonsense, and more of it."""
    past = _until(market, end)
    later = market.quotes[_day_of(market.quotes) > end].copy()
    later[["bid", "ask"]] *= 7.0
    later["spot"] *= 3.0
    later["delta"] = -later["delta"]
    new = later.assign(strike=later["strike"] + 0.37, quality="ok")
    reused = later.assign(trading_class="AAA", multiplier=50.0)
    evening = past.quotes["ts"].max().to_pydatetime()
    rewritten = [
        Learnt(evening + timedelta(seconds=1 + place), one.event, end - timedelta(days=place), "during")
        for place, one in enumerate((*past.earnings, Learnt(evening, "unheard of", end, "during")))
    ]
    days = [day for day in sessions(end + timedelta(days=1), end + timedelta(days=40)) if day > end]
    return Market(
        market.symbol,
        pd.concat([past.quotes, later, new, reused], ignore_index=True),
        past.splits | {days[0]: 5.0, days[4]: 3.0},
        past.dividends | dict.fromkeys(days[:10], 9.0),
        past.prices | dict.fromkeys(days, (1.0, 9999.0)),
        past.conditions | {day: {"skew": -5.0} for day in days},
        past.earnings + rewritten,
    )


@pytest.fixture(scope="module", params=SEEDS)
def market(request) -> Market:
    """A market with quotes on at least a dozen sessions."""
    rng = np.random.default_rng(request.param)
    while True:
        found = random_market(rng, symbol="ABC")
        if 12 <= _day_of(found.quotes).nunique() <= 24:
            return found


@pytest.fixture(scope="module")
def end(market) -> date:
    """A session in its midst."""
    days = sorted(set(_day_of(market.quotes)))
    found: date = days[2 * len(days) // 3]
    return found


def _assert_equal(one: Any, other: Any) -> None:
    for name in ("trades", "legs", "equity"):
        ours, theirs = getattr(one, name), getattr(other, name)
        pd.testing.assert_frame_equal(
            ours.drop(columns="contract", errors="ignore"),
            theirs.drop(columns="contract", errors="ignore"),
            check_exact=True,
        )
    assert one.skipped == other.skipped


def test_nothing_after_the_end_is_read(market, end):
    recorded = run(STRANGLE, cube_of(_until(market, end)), **TERMS)
    assert len(recorded.trades), "a run without a trade proves nothing"
    for richer in (market, _with_another_future(market, end)):
        _assert_equal(run(STRANGLE, cube_of(richer), end=end, **TERMS), recorded)


def test_nothing_later_remains_in_a_cube_that_was_cut(market, end):
    recorded = cube_of(_until(market, end))
    cut = cube_of(_with_another_future(market, end)).between(None, end)
    assert cut.sha256 == recorded.sha256


def test_what_has_ended_is_not_changed_by_what_comes(market, end):
    # Without an end: trades that were over, and the account until then, stand. Days of dividends are announced, but
    # not when, so a document that looks for them is not asked, nor is the last evening, on which tomorrow's may end a
    # trade. Of earnings it is known when they were announced.
    entry = Entry(conditions=STRANGLE.entry.conditions, earnings=STRANGLE.entry.earnings)
    document = STRANGLE.with_(entry=entry)
    recorded = run(document, cube_of(_until(market, end)), **TERMS)
    lived_on = run(document, cube_of(_with_another_future(market, end)), **TERMS)
    days = len(recorded.equity) - 1
    pd.testing.assert_frame_equal(recorded.equity[:days], lived_on.equity[:days], check_exact=True)
    before = recorded.equity["ts"].iloc[days - 1]
    over = [one.trades[one.trades["closed"] <= before].reset_index(drop=True) for one in (recorded, lived_on)]
    assert len(over[0]), "a run without a trade proves nothing"
    pd.testing.assert_frame_equal(*over, check_exact=True)
