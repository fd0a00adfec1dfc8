"""Searches find what is there, repeat, keep what they have when they are stopped, and never look ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import figure_of, parameter
from bifrost_lib.core.errors import DocumentError, InputError, NoDataError, UnknownNameError
from bifrost_lib.strategies import ByDelta, Exits, Leg, StrategyDocument, Target
from bifrost_lib.workflows.backtests import search, search_walking_forward

PUT = StrategyDocument(
    name="put",
    view="up",
    legs=(Leg("put", "P", -1, ByDelta(-0.30, low=-0.9, high=-0.01)),),
    exits=Exits(take_profit=Target(0.5, "credit")),
)
SPACE = {
    "legs.put.rule.target": {"low": -0.8, "high": -0.05},
    "exits.take_profit.share": {"low": 0.1, "high": 0.9},
    "exits.dte": [None, 7, 21],
}
SESSIONS = np.datetime64("2022-01-03") + np.arange(400)
NOISE = np.random.default_rng(0).standard_normal(400) * 100.0


class Market:
    """Gains that are largest at one delta and one share, which may change on one session."""

    def __init__(self, *, change: int = 400, garbage: bool = False) -> None:
        self.change, self.garbage, self.simulated = change, garbage, 0

    def __call__(self, documents: Sequence[StrategyDocument]) -> Any:
        self.simulated += len(documents)
        daily = np.array([self.gains(one) for one in documents])
        summary = pd.DataFrame({"document_hash": [one.sha256 for one in documents], "pnl": daily.sum(axis=1)})
        return SimpleNamespace(summary=summary, daily=daily, sessions=SESSIONS)

    def gains(self, document: StrategyDocument) -> Any:
        delta, share = (parameter(document, path) for path in ("legs.put.rule.target", "exits.take_profit.share"))
        early, late = (20 - 60 * (abs(delta + best) + abs(share - 0.6)) for best in (0.20, 0.60))
        drift = np.where(np.arange(400) < self.change, early, late)
        gains = NOISE + drift
        if self.garbage:
            gains[self.change :] = -1e6 * delta
        return gains


def test_a_search_finds_the_optimum_and_repeats():
    found = search(PUT, SPACE, None, trials=60, sweep=Market())
    again = search(PUT, SPACE, None, trials=60, sweep=Market())
    assert found.trials.equals(again.trials)
    assert not found.trials.equals(search(PUT, SPACE, None, trials=60, seed=1, sweep=Market()).trials)
    best = found.trials.iloc[found.best]
    assert best["legs.put.rule.target"] == pytest.approx(-0.20, abs=0.08)
    assert best["exits.take_profit.share"] == pytest.approx(0.6, abs=0.12)
    assert found.document == found.documents[found.best]
    assert parameter(found.document, "legs.put.rule.target") == best["legs.put.rule.target"]
    assert len(found.trials) == len(found.daily) == 60
    assert found.daily.shape[1] == len(found.sessions) == 400
    assert 0 <= found.statistics["pbo"] <= 1
    assert found.statistics["luck"] >= 0
    assert list(found.summary["document_hash"]) == [one.sha256 for one in found.documents]
    assert not found.stopped
    # What was found so far helps: the later half is better than drawing at random.
    blind = search(PUT, SPACE, None, trials=60, method="random", sweep=Market())
    assert found.trials["value"].iloc[30:].mean() > blind.trials["value"].iloc[30:].mean()


def test_a_value_is_the_folds_mean_less_its_error():
    found = search(PUT, SPACE, None, trials=3, folds=4, embargo=10, sweep=Market())
    row, gains = found.trials.iloc[0], found.daily[0]
    folds = row[[f"fold_{k}" for k in range(1, 5)]].to_numpy(dtype=float)
    assert row["value"] == pytest.approx(folds.mean() - folds.std(ddof=1) / 2)
    assert folds[1] == pytest.approx(gains[110:200].mean() / gains[110:200].std(ddof=1) * 252**0.5)


def test_a_stop_keeps_what_was_found():
    told: list[tuple[int, int, float]] = []
    found = search(
        PUT, SPACE, None, trials=100, batch=5, sweep=Market(),
        tell=lambda done, of, best: told.append((done, of, best)), stop=lambda: len(told) == 3,
    )  # fmt: skip
    assert found.stopped
    assert len(found.trials) == 15
    assert [one[:2] for one in told] == [(5, 100), (10, 100), (15, 100)]
    assert told[-1][2] == found.trials["value"].max()

    def interrupted(documents: Sequence[StrategyDocument]) -> Any:
        if len(told) < 5:
            told.append((0, 0, 0.0))
            return Market()(documents)
        raise KeyboardInterrupt

    assert len(search(PUT, SPACE, None, trials=100, batch=4, sweep=interrupted).trials) == 8
    with pytest.raises(NoDataError):
        search(PUT, SPACE, None, sweep=Market(), stop=lambda: True)


def test_a_document_that_is_proposed_again_is_not_simulated_again():
    market = Market()
    found = search(PUT, {"exits.dte": [None, 7, 21]}, None, trials=20, method="random", sweep=market)
    assert market.simulated == len(found.trials) == len(found.summary) == 3
    assert found.asked == 20
    with pytest.raises(UnknownNameError) as caught:
        search(PUT, SPACE, None, method="bayes", sweep=market)
    assert caught.value.nearest == "bayesian"


def test_combinations_without_a_document_are_counted():
    crossing = {"dte.target": {"low": 10, "high": 50}, "exits.dte": [7]}
    found = search(PUT, crossing, None, trials=30, sweep=Market())
    refused = sum(found.refused.values())
    assert 0 < refused < 30
    assert len({one.sha256 for one in found.documents}) == len(found.trials) <= 30 - refused
    assert all(20 <= one.dte.target <= 50 for one in found.documents)
    with pytest.raises(DocumentError) as caught:
        search(PUT, {"dte.target": [500]}, None, trials=3, sweep=Market())
    assert caught.value.name == "dte.target"
    with pytest.raises(DocumentError) as caught:
        search(PUT, {"dte.traget": [30]}, None, sweep=Market())
    assert caught.value.nearest == "dte.target"


def test_walking_forward_follows_a_market_that_changes():
    market = Market(change=200)
    found = search_walking_forward(PUT, SPACE, None, train=100, test=50, trials=25, sweep=market)
    assert len(found.windows) == 6
    assert found.daily.shape == found.sessions.shape == (300,)
    chosen = found.windows["legs.put.rule.target"]
    assert chosen.iloc[:2].mean() == pytest.approx(-0.20, abs=0.15)
    assert chosen.iloc[-2:].mean() == pytest.approx(-0.60, abs=0.15)
    assert (found.windows["train_end"] < found.windows["test_start"]).all()
    assert found.figure == pytest.approx(figure_of(found.daily[None, :], "sharpe")[0])
    assert market.simulated <= 6 * 25 + 1


def test_what_is_chosen_does_not_depend_on_the_future():
    honest = search_walking_forward(PUT, SPACE, None, train=100, test=50, trials=12, sweep=Market(change=250))
    planted = search_walking_forward(
        PUT, SPACE, None, train=100, test=50, trials=12, sweep=Market(change=250, garbage=True)
    )
    # Windows whose past ends before session 250 choose alike, whatever comes then.
    early = honest.windows["train_end"] < SESSIONS[250]
    columns = [*SPACE, "in_sample", "train_start", "train_end"]
    assert early.sum() == 4
    assert honest.windows.loc[early, columns].equals(planted.windows.loc[early, columns])
    assert np.array_equal(honest.daily[:150], planted.daily[:150])
    assert not np.array_equal(honest.daily[150:], planted.daily[150:])


def test_figures_by_hand():
    daily = np.array([[10.0, -5.0, 10.0, -5.0], [0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 1.0, 2.0]])
    assert figure_of(daily, "pnl")[0] == 10.0
    assert figure_of(daily, "sharpe")[0] == pytest.approx(2.5 / daily[0].std(ddof=1) * 252**0.5)
    assert figure_of(daily, "sortino")[0] == pytest.approx(2.5 / math.sqrt(12.5) * 252**0.5)
    assert figure_of(daily, "calmar")[0] == pytest.approx(2.5 * 252 / 5.0)
    assert np.isnan(figure_of(daily, "pnl")[1])
    assert figure_of(daily, "calmar")[2] == math.inf
    with pytest.raises(InputError) as caught:
        figure_of(daily, "luck")
    assert caught.value.name == "figure"
