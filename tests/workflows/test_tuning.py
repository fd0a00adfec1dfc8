"""Searches over the store read its chains by the clock, and stay away from what a study keeps back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib import backtest
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.strategies import ByDelta, Leg, StrategyDocument
from bifrost_lib.workflows import studies
from bifrost_lib.workflows.backtests import Shelf, build_library, reading, tune, tune_walking_forward
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings
    from bifrost_lib.store import Store

NOW = datetime(2024, 5, 1, tzinfo=UTC)
PUT = StrategyDocument(name="put", view="up", legs=(Leg("put", "P", -1, ByDelta(-0.3)),))
SPACE = {"exits.dte": {"low": 0, "high": 15}}


@pytest.fixture(scope="module")
def desk(database_settings: Settings, store: Store) -> Desk:
    return Desk(settings=database_settings, clock=SteppedClock(NOW), store=store)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was read and simulated: gains are largest where trades are closed ten days before expiry."""
    calls: list[Any] = []

    def read(desk: Desk, symbol: str, at: datetime, *, tell: Any, **facts: Any) -> Any:
        calls.append((symbol, facts | {"at": at}))
        return SimpleNamespace(bid=np.zeros(1_000), between=lambda *_: SimpleNamespace(sha256="ab"))

    def sweep(documents: list[StrategyDocument], cubes: Any, **options: Any) -> Any:
        calls.append(options)
        noise = np.random.default_rng(0).standard_normal(200)
        daily = [noise + 1 - abs((one.exits.dte or 0) - 10) / 10 for one in documents]
        rows = {"document_hash": [one.sha256 for one in documents], "name": "put", "trades": 9, "sharpe": 0.1}
        sessions = np.datetime64("2023-01-02") + np.arange(200)
        return SimpleNamespace(summary=pd.DataFrame(rows), daily=np.array(daily), sessions=sessions)

    monkeypatch.setattr(reading, "_cube", read)
    monkeypatch.setattr(backtest, "sweep", sweep, raising=False)
    return calls


def test_a_search_reads_by_the_clock_and_finds(desk: Desk, asked: list[Any]) -> None:
    found = tune(desk, PUT, "sim", SPACE, end=date(2023, 9, 1), fills="worst", sets=16)
    assert asked[0] == ("SIM", {"cadence": "daily", "start": None, "end": date(2023, 9, 1), "at": NOW})
    assert (asked[1]["fills"], asked[1]["capital"]) == ("worst", 100_000.0)
    assert found.search.document.exits.dte in (9, 10, 11)
    # The table and what programs read have the best first, each set once, with what was maximised.
    told = found.as_dict()
    assert told["sets"][0]["parameters"] == {"exits.dte": found.search.document.exits.dte}
    values = [one["value"] for one in told["sets"]]
    assert values == sorted(values, reverse=True) and len(values) == told["search"]["tried"] <= 16
    assert told["search"]["method"] == "bayesian" and told["statistics"]["pbo"] >= 0
    walked = tune_walking_forward(desk, PUT, ["SIM"], SPACE, train=80, test=40, sets=10, end=date(2023, 9, 1))
    assert len(walked.windows) == 3


def test_days_that_a_study_keeps_back_are_not_searched(desk: Desk, asked: list[Any]) -> None:
    studies.begin_study(
        desk, "kept", PUT, ["SIM"], start=date(2022, 1, 3), end=date(2023, 12, 29), holdout_start=date(2023, 7, 3),
        grid={"exits.dte": [5, 10]},
    )  # fmt: skip
    with pytest.raises(studies.HoldOutClosed):
        tune(desk, PUT, "SIM", SPACE, sets=4)
    other = PUT.with_(exits=PUT.exits.with_(days_in_trade=40))
    with pytest.raises(BifrostError, match="kept"):  # it comes upon a document of the study
        tune(desk, other, "SIM", {"exits.days_in_trade": [None], "exits.dte": [5]}, sets=4)
    assert len(tune(desk, PUT, "SIM", SPACE, sets=4, end=date(2023, 6, 30)).documents) <= 4
    with pytest.raises(studies.HoldOutClosed):
        build_library(desk, "peek", [Shelf(PUT)], ["SIM"], split=date(2023, 1, 3))
