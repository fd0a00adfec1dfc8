"""Stock strategies equal the accounts that vectorbt keeps of them, and books kept by hand."""

from __future__ import annotations

import itertools
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest.signals import indicators as ta
from bifrost_lib.backtest.signals import library_indicator, portfolio, run_averages, run_signals
from bifrost_lib.core.errors import EnvironmentProblem, InputError, UnknownNameError

CLOSE = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0002, 0.015, 500)))
INDEX = pd.date_range("2023-01-02", periods=len(CLOSE), freq="D")


@pytest.fixture(scope="module")
def peer() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("vectorbt")


def assert_accounts_equal(ours: pd.DataFrame, accounts: Any) -> None:
    figures = {
        "total_return": accounts.total_return(), "max_drawdown": accounts.max_drawdown(),
        "sharpe": accounts.sharpe_ratio(year_freq="252 days"), "trades": accounts.trades.count(),
    }  # fmt: skip
    traded = np.asarray(figures["trades"]) > 0
    assert traded.any()
    for name, theirs in figures.items():
        found, wanted = ours[name].to_numpy()[traded], np.asarray(theirs)[traded]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9, err_msg=name)
    assert ours["sharpe"][~traded].isna().all()
    assert (ours["total_return"][~traded] == 0).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("average", "ewm"), [("sma", False), ("ema", True)])
def test_a_grid_of_averages_has_the_figures_of_vectorbt(peer, average, ewm):
    """Prices in whole cents tie often: then both must decide alike."""
    windows = (2, 3, 4, 5, 8, 13, 21, 34, 55, 89)
    pairs = list(itertools.combinations(windows, 2))
    for close, fees, slippage, delay in ((CLOSE, 0.001, 0.0005, 0), (CLOSE.round(0), 0.0, 0.0, 0), (CLOSE, 0.01, 0, 1)):
        series = pd.Series(close, INDEX)
        fast, slow = peer.MA.run_combs(series, window=windows, r=2, ewm=ewm, short_names=["fast", "slow"])
        accounts = portfolio(
            pd.concat([series] * len(pairs), axis=1), fast.ma_crossed_above(slow), fast.ma_crossed_below(slow),
            fees=fees, slippage=slippage, delay=delay,
        )  # fmt: skip
        ours = run_averages(close, pairs, average=average, fees=fees, slippage=slippage, delay=delay)
        assert list(zip(ours["fast"], ours["slow"], strict=True)) == pairs
        assert_accounts_equal(ours, accounts)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_any_signals_have_the_figures_of_vectorbt(peer):
    """A buy on the first bar, a sale on the last, buys the day after a sale, and bars with both signals are in it."""
    random = np.random.default_rng(5)
    entries, exits = random.random((2, 60, len(CLOSE))) < random.choice([0.002, 0.05, 0.6], (2, 60, 1))
    entries[0] = exits[0] = False
    entries[1, 0], exits[1] = True, False
    entries[2, :], exits[2, ::2] = True, True
    exits[3, -1], entries[3, -2] = True, True
    columns = pd.concat([pd.Series(CLOSE, INDEX)] * len(entries), axis=1)
    for fees, slippage, delay in ((0.002, 0.001, 0), (0.0, 0.0, 3)):
        accounts = portfolio(columns, entries.T, exits.T, fees=fees, slippage=slippage, delay=delay)
        ours = run_signals(CLOSE, entries, exits, fees=fees, slippage=slippage, delay=delay)
        assert_accounts_equal(ours, accounts)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_indicators_are_those_of_the_library(peer):
    high, low = CLOSE * 1.01, CLOSE * 0.98
    bands = peer.BBANDS.run(CLOSE, window=20, alpha=2.0)
    moving = peer.MACD.run(CLOSE, macd_ewm=True, signal_ewm=True)
    for ours, theirs in (
        (ta.sma(CLOSE, 20), peer.MA.run(CLOSE, 20).ma),
        (ta.ema(CLOSE, 20), peer.MA.run(CLOSE, 20, ewm=True).ma),
        (ta.bollinger_upper(CLOSE), bands.upper),
        (ta.bollinger_lower(CLOSE), bands.lower),
        (ta.rsi_simple(CLOSE), peer.RSI.run(CLOSE, 14).rsi),
        (ta.macd(CLOSE), moving.macd),
        (ta.macd_signal(CLOSE), moving.signal),
        (ta.stochastic(high, low, CLOSE), peer.STOCH.run(high, low, CLOSE).percent_k),
        (ta.deviation(CLOSE, 7, 1), peer.MSTD.run(CLOSE, 7, ddof=1).mstd),
    ):
        np.testing.assert_allclose(ours, np.asarray(theirs).ravel(), rtol=1e-9, atol=1e-9)
    theirs = np.asarray(peer.ATR.run(high, low, CLOSE, 14, ewm=False).atr).ravel()
    np.testing.assert_allclose(ta.atr_simple(high, low, CLOSE)[20:], theirs[20:], rtol=1e-9)
    np.testing.assert_allclose(library_indicator("STOCH", high, low, CLOSE), ta.stochastic(high, low, CLOSE), rtol=1e-9)
    with pytest.raises(UnknownNameError) as raised:
        library_indicator("STOSH", CLOSE)
    assert raised.value.nearest == "STOCH"


def test_a_trade_by_hand():
    """Bought at 10 + 10 %, a fifth in fees: 1 / (11 x 1.2) shares; sold at 20 - 10 %, less a fifth: 14.4 each."""
    close = [10.0, 10.0, 15.0, 5.0, 20.0, 30.0]
    entries, exits = np.zeros((2, 6), dtype=bool)
    entries[1], exits[4] = True, True
    found = run_signals(close, entries, exits, fees=0.2, slippage=0.1).iloc[0]
    assert found["total_return"] == pytest.approx(14.4 / 13.2 - 1, abs=1e-12)
    assert found["max_drawdown"] == pytest.approx(5 / 15 - 1, abs=1e-12)
    assert found["trades"] == 1
    assert found["held"] == pytest.approx(3 / 6)
    returns = np.array([0, 10 / 13.2 - 1, 0.5, 5 / 15 - 1, 14.4 / 5 - 1, 0])
    assert found["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252), rel=1e-12)


def test_what_cannot_be_traded_is_refused():
    for argument, call in {
        "close[1]": lambda: run_averages([1.0, np.nan, 2.0], [(1, 2)]),
        "close": lambda: run_averages([1.0], [(1, 2)]),
        "fees": lambda: run_averages([1.0, 2.0], [(1, 2)], fees=1.0),
        "delay": lambda: run_averages([1.0, 2.0], [(1, 2)], delay=-1),
        "window": lambda: run_averages([1.0, 2.0], [(0, 2)]),
        "average": lambda: run_averages([1.0, 2.0], [(1, 2)], average="kaufman"),
        "entries": lambda: run_signals([1.0, 2.0], [True], [False]),
    }.items():
        with pytest.raises(InputError) as raised:
            call()
        assert raised.value.name == argument


def test_an_environment_without_the_library_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    with pytest.raises(EnvironmentProblem, match="notebooks extra"):
        portfolio(pd.Series([1.0, 2.0]), [True, False], [False, False])


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setitem(sys.modules, "vectorbt", SimpleNamespace(IndicatorFactory=SimpleNamespace(from_talib=missing)))
    with pytest.raises(EnvironmentProblem, match="talib is not installed"):
        library_indicator("talib:KAMA", CLOSE)
    with pytest.raises(UnknownNameError):
        library_indicator("tulip:KAMA", CLOSE)
