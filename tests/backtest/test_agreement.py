"""The engine and the plain one agree, to the last digits, on every trade, price and cash flow of random runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import run
from bifrost_lib.backtest.engine import wheel
from bifrost_lib.strategies import (
    ByDelta,
    Costs,
    DteRange,
    Exits,
    Leg,
    Roll,
    Sizing,
    StrategyDocument,
    Target,
)
from tests.backtest.reference.engine import Outcome
from tests.backtest.reference.engine import run as plain_run
from tests.backtest.reference.random_documents import random_document
from tests.backtest.reference.random_markets import random_market
from tests.backtest.reference.tables import cube_of, equity_table, legs_table, trades_table
from tests.backtest.reference.wheel import run_wheel

RUNS, WHEELS = 200, 60
CLOSE = 1e-9
#: What the random runs must have met, so that their agreement says something: ends of trades, and what befell them.
EVERYTHING = (
    *("open", "stop", "take profit", "delta", "dte", "days in trade", "assigned", "expired"),
    *("unpriceable: split", "unpriceable: settlement", "unpriceable: quotes"),
    *("rolled", "split", "dividend", "carried", "shares", "two expiries", "two classes", "another multiplier", "AM"),
    "no bid",
    *("weekday", "iv_rank", "vol_index", "skew", "ex_dividend", "earnings", "max_active", "spot", "no moment"),
    *("no expiry", "no legs", "cash", "capital"),
)


def random_run(seed: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return a document, one or two markets, and the other arguments of a run."""
    rng = np.random.default_rng(seed)
    markets = [random_market(rng)]
    if rng.random() < 0.1:
        markets.append(random_market(rng, symbol="XYZ", near=markets[0]))
    document = random_document(rng, spot=float(markets[0].quotes["spot"].median()))
    days = sorted(set(markets[0].quotes["ts"].dt.tz_convert("America/New_York").dt.date))
    terms: dict[str, Any] = {
        "fills": [*["realistic"] * 2, "mid", "worst", float(rng.uniform(0.3, 1.0))][int(rng.integers(5))],
        "capital": float(rng.choice([20_000, 100_000, 1_000_000])),
        "rate": float(rng.choice([0.0, 0.05, 0.2])),
    }
    if rng.random() < 0.2:
        terms["entry_time"] = time(int(rng.integers(9, 16)), 45)
    if rng.random() < 0.15:
        terms["entry_offset"] = int(rng.integers(1, 5))
    if rng.random() < 0.2 and len(markets) == 1:
        terms["end"] = days[int(rng.integers(len(days) // 2, len(days)))]
    if rng.random() < 0.1 and len(markets) == 1:
        terms["start"] = days[int(rng.integers(0, len(days) // 2))]
    return document, markets, terms


def random_wheel(seed: int) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return a document, the one that follows it after an assignment, markets, and the other arguments of a run."""
    rng = np.random.default_rng(seed)
    _, _, terms = random_run(seed)
    terms = {name: value for name, value in terms.items() if name not in ("start", "end")}
    markets = [random_market(rng, symbol="ABC")]
    if rng.random() < 0.25:
        markets.append(random_market(rng, symbol="XYZ", near=markets[0]))
    puts, calls = ByDelta(-0.5, -0.75, -0.25), ByDelta(0.5, 0.25, 0.75)
    fields: dict[str, Any] = {"dte": DteRange(1, 4, 20), "sizing": Sizing(contracts=int(rng.integers(1, 4)))}
    exits = [
        Exits(),
        Exits(take_profit=Target(0.5), stop=Target(3.0)),
        Exits(dte=2, roll=(Roll("tested", only_for_credit=True),)),
    ]
    sold_put = StrategyDocument(name="sold_put", view="up", legs=(Leg("put", "P", -1, puts),), **fields)
    bought = StrategyDocument(
        name="covered", view="up", legs=(Leg("stock", "S", 1), Leg("call", "C", -1, calls)), **fields
    )
    pair = [sold_put, bought] if rng.random() < 0.7 else [bought, sold_put]
    first, follower = (one.with_(exits=exits[int(rng.integers(3))], costs=Costs()) for one in pair)
    return first.with_(exits=first.exits.with_(after_assignment=follower.name)), follower, markets, terms


def assert_agree(found: Any, plain: Outcome) -> None:
    """Assert that a result says what a plain outcome says."""
    assert len(found.trades) == len(plain.trades)
    if plain.trades:
        _assert_same(found.trades, trades_table(plain))
        legs = found.legs.sort_values(["trade", "opened", "leg"], ignore_index=True)
        _assert_same(legs, legs_table(plain))
    _assert_same(found.equity, equity_table(plain))
    assert found.skipped == dict(plain.skipped)


def _assert_same(found: pd.DataFrame, plain: pd.DataFrame) -> None:
    assert len(found) == len(plain)
    for name in plain.columns:
        ours, theirs = found[name].tolist(), plain[name].tolist()
        if pd.api.types.is_float_dtype(plain[name]):
            np.testing.assert_allclose(ours, theirs, rtol=CLOSE, atol=CLOSE * 100, err_msg=name)
        else:
            pairs = zip(ours, theirs, strict=True)
            assert all(one == other or (pd.isna(one) and pd.isna(other)) for one, other in pairs), (name, ours, theirs)


@pytest.mark.slow
@pytest.mark.long
def test_random_runs_agree():
    seen, differing = Counter[str](), []
    for seed in range(RUNS):
        document, markets, terms = random_run(seed)
        follower = wheel.follower_of(document)
        plain = run_wheel(document, follower, *markets, **terms) if follower else plain_run(document, *markets, **terms)
        seen.update(_features(plain))
        differing += _differing(seed, document, markets, terms, plain)
    assert not differing, "\n".join(differing)
    assert {name for name in EVERYTHING if not seen[name]} == set(), "what no run did is not compared"


@pytest.mark.slow
def test_random_wheels_agree(monkeypatch):
    seen, differing = Counter[str](), []
    for seed in range(WHEELS):
        document, follower, markets, terms = random_wheel(seed)
        monkeypatch.setattr(wheel, "strategy_named", {follower.name: follower}.__getitem__)
        plain = run_wheel(document, follower, *markets, **terms)
        seen.update(trade.reason for trade in plain.trades)
        seen.update("dividend" for trade in plain.trades if trade.reason == "shares held" and trade.dividends)
        differing += _differing(seed, document, markets, terms, plain)
    assert not differing, "\n".join(differing)
    met = ("shares held", "dividend", "assigned", "expired", "open", "stop", "take profit", "unpriceable: split")
    assert {name for name in met if not seen[name]} == set(), "what no run did is not compared"


def _differing(seed: int, document: Any, markets: list[Any], terms: dict[str, Any], plain: Outcome) -> list[str]:
    try:
        assert_agree(run(document, {one.symbol: cube_of(one) for one in markets}, **terms), plain)
    except AssertionError as error:
        return [f"seed {seed}: {document.name}, {terms}: {' '.join(str(error).split())[:300]}"]
    return []


def test_a_trade_whose_last_session_is_missing_agrees():
    for seed in range(RUNS):
        document, markets, terms = random_run(seed)
        days = markets[0].quotes["ts"].dt.tz_convert("America/New_York").dt.date
        ended = [one.closed for one in plain_run(document, *markets, **terms).trades if one.reason == "expired"]
        if len(markets) == 1 and ended and ended[0].date() < min(days.max(), terms.get("end", date.max)):
            break
    market = replace(markets[0], quotes=markets[0].quotes[days != ended[0].date()])
    plain = plain_run(document, market, **terms)
    assert "unpriceable: no session" in [trade.reason for trade in plain.trades]
    assert_agree(run(document, cube_of(market), **terms), plain)


def _features(plain: Outcome) -> Counter[str]:
    """Count what happened in a run, by trade."""
    found = Counter[str]()
    for trade in plain.trades:
        contracts = [held.contract for held in trade.legs]
        found[trade.reason] += 1
        found["rolled"] += bool(trade.past_legs)
        found["split"] += any(held.contract != held.first_contract for held in trade.legs)
        found["dividend"] += trade.dividends != 0
        found["carried"] += trade.carried > 0
        found["no bid"] += trade.reason != "expired" and any(held.close_price == 0 for held in trade.legs)
        found["shares"] += trade.stock_shares != 0
        found["two expiries"] += len({one.group.expiry for one in contracts}) > 1
        found["two classes"] += len({one.group.trading_class for one in contracts}) > 1
        found["another multiplier"] += any(one.group.multiplier != 100 for one in contracts)
        found["AM"] += any(one.group.trading_class == "SPX" for one in contracts) and trade.reason == "expired"
    found.update(plain.skipped.keys())
    return found
