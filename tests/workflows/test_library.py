"""A library is counted before it is run, stored symbol by symbol, and answers what worked, where, and how surely."""

from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube, moments, session_regimes, symbol_profile
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError, NoDataError, UnknownNameError
from bifrost_lib.core.intervals import wilson_interval
from bifrost_lib.strategies import ByDelta, Leg, StrategyDocument
from bifrost_lib.workflows.backtests import Shelf, build_library, what_worked
from bifrost_lib.workflows.backtests.library_answers import nearest
from bifrost_lib.workflows.backtests.library_pooling import pooled
from bifrost_lib.workflows.backtests.library_rows import cells_of, rows_of_symbol
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings
    from bifrost_lib.store import Store

PUT = StrategyDocument(name="short_put", view="up", legs=(Leg("put", "P", -1, ByDelta(-0.3)),))
CALL = StrategyDocument(name="long_call", view="up", legs=(Leg("call", "C", 1, ByDelta(0.5)),))
SHELVES = [Shelf(PUT, {"legs.put.rule.target": [-0.16, -0.30]}), Shelf(CALL)]
SESSIONS = pd.bdate_range("2022-01-03", periods=260)
SPLIT = date(2022, 7, 1)


def cube(symbol: str, *, drift: float = 0.0, vol: float = 0.2, seed: int = 0) -> ChainCube:
    """Closes with one quote each: enough to say what the market was like."""
    moves = np.random.default_rng(seed).standard_normal(len(SESSIONS)) * vol / 252**0.5 + drift
    spot = 100 * np.exp(np.cumsum(moves))
    close = SESSIONS.tz_localize("America/New_York") + pd.Timedelta(hours=16)
    chain = pd.DataFrame({
        "ts": close.tz_convert("UTC"), "expiry": np.datetime64("2023-12-15", "s"), "strike": 100.0, "right": "C",
        "bid": 4.9, "ask": 5.1, "delta": 0.5, "spot": spot,
    })  # fmt: skip
    before = SESSIONS - pd.Timedelta(hours=1)
    rank = np.where(np.arange(len(SESSIONS)) % 2, 0.9, 0.1)
    conditions = pd.DataFrame({"ts": before.tz_localize("UTC"), "iv_rank": rank, "iv": vol})
    return ChainCube.from_frame(chain, symbol=symbol, conditions=conditions)


def simulated(document: StrategyDocument, history: ChainCube, **options: Any) -> Any:
    """Trades opened on each ninth session: short puts win where the IV rank is high, calls never do."""
    rng = np.random.default_rng(int(document.sha256[:6], 16))
    opened = pd.Series(pd.to_datetime(history.moment_us[::9], unit="us", utc=True).as_unit("us"))
    rank = history.conditions["iv_rank"][::9]
    gain = np.where(rank > 0.5, 60.0, -20.0) if document.name == "short_put" else np.full(len(rank), -30.0)
    pnl = gain + 40 * rng.standard_normal(len(rank))
    trades = pd.DataFrame({
        "opened": opened, "closed": opened + pd.Timedelta(days=12), "reason": "expired", "pnl": pnl, "margin": 1000.0,
        "max_loss": 500.0, "commission": 1.3,
    })  # fmt: skip
    trades.loc[3, "reason"] = "unpriceable: quotes"
    trades.loc[3, "pnl"] = math.nan
    gains = np.zeros(history.sessions)
    gains[::9] = np.nan_to_num(trades["pnl"])
    equity = pd.DataFrame({"equity": options["capital"] + np.cumsum(gains)})
    return SimpleNamespace(trades=trades, equity=equity)


HISTORIES = {
    name: cube(name, vol=vol, seed=seed) for seed, (name, vol) in enumerate({"AA": 0.2, "BB": 0.21, "CC": 0.6}.items())
}


@pytest.fixture(scope="module")
def desk(database_settings: Settings, store: Store) -> Desk:
    return Desk(settings=database_settings, clock=SteppedClock(datetime(2024, 5, 1, tzinfo=UTC)), store=store)


def build(desk: Desk, **changes: Any) -> Any:
    given = {"split": SPLIT, "cube_of": HISTORIES.__getitem__, "run": simulated, **changes}
    return build_library(desk, "first", given.pop("shelves", SHELVES), ["AA", "BB", "CC"], **given)


def test_a_library_is_built_once_and_answers(desk):
    asked: list[tuple[int, int, str]] = []
    built = build(desk, tell=lambda done, of, symbol: asked.append((done, of, symbol)))
    assert (built.computed, built.current, built.skipped, built.stopped) == (("AA", "BB", "CC"), (), {}, False)
    assert built.documents == 3
    assert asked[-1] == (9, 9, "CC")
    again = build(desk)
    assert (again.computed, again.current) == ((), ("AA", "BB", "CC"))

    answer = what_worked(desk, "first", iv_rank="any", least_trades=20)
    assert answer.sample == "out"
    assert list(answer.table["strategy"]) == ["short_put", "short_put", "long_call"]
    best = answer.table.iloc[0]
    assert set(best["parameters"]) == {"legs.put.rule.target"}
    assert best["symbols"] == 3
    assert (best["win_rate_low"], best["win_rate_high"]) == pytest.approx(wilson_interval(best["wins"], best["priced"]))
    assert best["return_low"] < best["return_mean"] < best["return_high"]
    assert best["trials"] == 3
    assert best["deflated_sharpe"] <= best["probabilistic_sharpe"]
    assert best["priced_in"] > 0
    rank = {name: what_worked(desk, "first", iv_rank=name, least_trades=1).table for name in ("any", "low", "high")}
    assert rank["low"]["trades"].sum() + rank["high"]["trades"].sum() == rank["any"]["trades"].sum()
    wins = {name: table[table["strategy"] == "short_put"]["win_rate"].min() for name, table in rank.items()}
    assert wins["high"] > 0.7 > wins["any"] > wins["low"]
    with pytest.raises(NoDataError):
        what_worked(desk, "first", iv_rank="unknown")


def test_symbols_like_this_one_answer(desk):
    build(desk)
    answer = what_worked(desk, "first", like="AA", neighbours=2, least_trades=1)
    assert list(answer.symbols["symbol"]) == ["AA", "BB"]
    assert answer.symbols["distance"].iloc[0] == 0
    assert answer.table["symbols"].max() == 2
    assert (
        what_worked(desk, "first", like={"realized_vol": 0.7}, neighbours=1, least_trades=1).symbols["symbol"][0]
        == "CC"
    )
    assert what_worked(desk, "first", symbols=["BB"], least_trades=1).table["symbols"].max() == 1
    assert what_worked(desk, "first", least_trades=10_000).thin == 3
    assert what_worked(desk, "first", strategy="long_call", least_trades=1).table["strategy"].unique() == ["long_call"]
    for facts in ({"like": "ZZ"}, {"symbols": ["ZZ"]}, {"iv_rank": "hihg"}, {"order": "luck"}):
        with pytest.raises(UnknownNameError) as caught:
            what_worked(desk, "first", **facts)
        assert caught.value.name == next(iter(facts))
    with pytest.raises(UnknownNameError):
        what_worked(desk, "frist")


def test_another_library_of_the_name_leaves_nothing_behind(desk):
    build(desk)
    desk.clock.advance(timedelta(hours=1))
    # Stopped before the second symbol: the first is stored whole, and what was there before is gone.
    stop, shelves = threading.Event(), [Shelf(PUT), Shelf(CALL), Shelf(CALL.with_(name="at_50", cash="debit"))]
    stopped = build(desk, shelves=shelves, stop=stop, tell=lambda done, of, symbol: done >= 3 and stop.set())
    assert (stopped.computed, stopped.stopped) == (("AA",), True)
    answer = what_worked(desk, "first", least_trades=1)
    assert list(answer.symbols["symbol"]) == ["AA"]
    assert set(answer.table["strategy"]) == {"short_put", "long_call", "at_50"}
    with pytest.raises(UnknownNameError):
        what_worked(desk, "first", at=desk.clock.now() - timedelta(minutes=30))


def test_a_library_is_counted_before_it_is_run(desk):
    with pytest.raises(InputError) as caught:
        build(desk, most=8)
    assert (caught.value.name, caught.value.value) == ("shelves", "9 backtests")
    with pytest.raises(InputError, match="differ"):
        build(desk, shelves=[Shelf(PUT), Shelf(PUT.with_(name="same"))])

    def absent(symbol: str) -> ChainCube:
        raise NoDataError("option chain", symbol=symbol)

    skipped = build(desk, cube_of=absent)
    assert set(skipped.skipped) == {"AA", "BB", "CC"}
    assert "no option chain" in skipped.skipped["AA"]


def rows_of(trades: pd.DataFrame) -> pd.DataFrame:
    days = (
        trades["opened"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize().astype("datetime64[s]")
    )
    daily = np.zeros((1, 100))
    daily[0, ::5] = np.random.default_rng(len(trades)).standard_normal(20)
    cells = cells_of(trades.assign(day=days, iv_rank="low", trend="up"), split=SPLIT)
    rows = rows_of_symbol([("hash", "name", {})], cells[None], daily)
    assert set(rows["iv_rank"]) == {"any", "low"} and set(rows["trend"]) == {"any", "up"}
    return rows[(rows["iv_rank"] == "any") & (rows["trend"] == "any")]


def test_a_trade_over_the_split_is_in_neither_sample():
    trades = simulated(PUT, HISTORIES["AA"], capital=0.0).trades
    rows = rows_of(trades).set_index("sample")
    opened, closed = (trades[name].dt.tz_convert("America/New_York").dt.date for name in ("opened", "closed"))
    over = ((opened < SPLIT) & (closed >= SPLIT)).sum()
    assert over > 0
    assert rows["trades"].sum() == len(trades) - over
    assert rows.loc["out", "trades"] == (opened >= SPLIT).sum()
    assert rows.loc["in", "unpriceable"] == 1


def test_a_library_that_was_killed_goes_on_where_it_was(desk):
    """What is found of a symbol is kept as it comes: the next call replays only what is missing."""
    shares = [round(0.11 + 0.02 * k, 2) for k in range(20)]
    shelves = [Shelf(PUT, {"legs.put.rule.target": [-share for share in shares]})]
    replayed: list[str] = []

    def counted(document: StrategyDocument, history: ChainCube, **options: Any) -> Any:
        replayed.append(document.sha256)
        if len(replayed) == 17:
            raise KeyboardInterrupt
        return simulated(document, history, **options)

    facts = {"split": SPLIT, "cube_of": HISTORIES.__getitem__, "run": counted}
    stopped = build_library(desk, "killed", shelves, ["CC"], **facts)
    assert stopped.stopped and not stopped.computed
    finished = set(replayed[:16])
    again = build_library(desk, "killed", shelves, ["CC"], **facts)
    assert again.computed == ("CC",) and not again.stopped
    assert len(replayed) == 17 + 4 and not finished & set(replayed[17:])
    assert what_worked(desk, "killed", least_trades=1).table["document_sha256"].nunique() == 20


def test_pooled_figures_are_those_of_all_trades_together():
    rng = np.random.default_rng(3)
    parts = [rng.gamma(2.0, 50.0, size) * sign for size, sign in ((40, 1), (25, -0.5), (60, 0.2))]
    frames = []
    for number, pnl in enumerate(parts):
        opened = pd.Series(pd.date_range("2022-07-04", periods=len(pnl), freq="D", tz="UTC").as_unit("us"))
        trades = pd.DataFrame({
            "opened": opened, "closed": opened + pd.Timedelta(days=1), "reason": "expired", "pnl": pnl,
            "margin": 1000.0, "max_loss": 1.0, "commission": 1.0,
        })  # fmt: skip
        frames.append(rows_of(trades).assign(symbol=f"S{number}"))
    found = pooled(pd.concat(frames)).iloc[0]
    together = np.concatenate(parts) / 1000
    assert found["priced"] == len(together)
    assert found["return_mean"] == pytest.approx(together.mean())
    assert found["return_sd"] == pytest.approx(together.std(ddof=1))
    skew, kurtosis = moments(together)
    assert (found["return_skew"], found["return_kurtosis"]) == pytest.approx((skew, kurtosis))
    assert found["pnl_mean"] == pytest.approx(1000 * together.mean())
    assert found["independent"] <= found["priced"]


def test_regimes_are_known_before_the_session():
    history = cube("AA", drift=0.002, vol=0.05)
    regimes = session_regimes(history)
    assert set(regimes["trend"][:50]) == {"unknown"}
    assert set(regimes["trend"][100:]) == {"up"}
    assert list(regimes["iv_rank"][:2]) == ["low", "high"]
    # What happens on a session and later changes nothing that was said of it.
    spot = np.array(history.close_spot)
    changed = ChainCube(**{**vars(history), "close_spot": np.where(np.arange(len(spot)) >= 200, 1.0, spot)})
    assert session_regimes(changed)["trend"][:201].equals(regimes["trend"][:201])
    assert session_regimes(changed)["trend"][210] == "down"
    profile = symbol_profile(history)
    assert profile["realized_vol"] == pytest.approx(0.05, rel=0.15)
    assert profile["spread"] == pytest.approx(0.04, rel=1e-3)
    assert math.isnan(profile["skew"])


def test_the_nearest_are_measured_in_what_is_known_of_both():
    profiles = pd.DataFrame({
        "symbol": ["A", "B", "C", "D"], "iv": [0.2, 0.3, 0.9, math.nan], "realized_vol": [0.2, 0.25, 0.8, math.nan],
        "skew": [0.1, math.nan, 0.3, math.nan], **dict.fromkeys(("term_slope", "vol_of_iv", "spread"), math.nan),
    })  # fmt: skip
    found = nearest(profiles, {"iv": 0.31, "realized_vol": 0.25}, 3)
    assert list(found["symbol"]) == ["B", "A", "C"]
    assert "D" not in set(found["symbol"])
