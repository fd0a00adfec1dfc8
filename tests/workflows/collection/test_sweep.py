"""Sweeps into a real database: every contract is a row or a reason."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from math import nan
from typing import Any

import pandas as pd
import pytest

from bifrost_lib import store
from bifrost_lib.core.clock import ScaledClock
from bifrost_lib.core.errors import NoDataError, SourceUnavailable
from bifrost_lib.ib import Limits, ListedOption, Observation
from bifrost_lib.store import Spool, list_runs, open_gaps, option_chain
from bifrost_lib.workflows import Desk
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.sweep import Sweeper, SweepReport
from bifrost_lib.workflows.collection.universe import Selection

BOTH = Selection(expiries=2)


def sweeper_of(desk: Desk, gateway: Any, *, chunk: int = 60) -> Sweeper:
    outbox = Outbox(desk.store, Spool(desk.settings.home / "spool"))
    return Sweeper(desk, gateway, outbox, limits=Limits(), chunk=chunk)


def sweep(desk: Desk, gateway: Any, selection: Selection = BOTH, **options: Any) -> SweepReport:
    async def scenario() -> SweepReport:
        return await sweeper_of(desk, gateway).sweep("SPY", selection, stop=asyncio.Event(), **options)

    return asyncio.run(scenario())


@pytest.fixture
def desk(new_desk: Any, moment: datetime) -> Desk:
    made: Desk = new_desk(ScaledClock(moment))
    return made


def ledger(desk: Desk) -> pd.DataFrame:
    runs = list_runs(desk.store)
    for run in runs.to_dict("records"):
        assert run["status"] != "running"
        assert run["expected"] == run["received"] + sum(run["missing"].values())
    return runs


def stored(desk: Desk) -> pd.DataFrame:
    return option_chain(desk.store.engine, "SPY", at=desk.clock.now())


def test_every_contract_is_stored_once(desk: Desk, memory_gateway: Any) -> None:
    report = sweep(desk, memory_gateway(desk.clock))
    assert (report.expected, report.received, report.missing) == (164, 164, {})
    assert report.rows_stored == 164
    chain = stored(desk)
    assert len(chain) == 164
    assert set(chain["quality"]) == {"ok"}
    assert chain.attrs["source"] == "simulated"
    assert abs(chain["iv"] - 0.2).max() < 0.01
    assert list(ledger(desk)["received"]) == [82, 82]
    assert sum(ledger(desk)["messages"]) == report.messages


def test_only_the_strikes_around_the_money_are_asked_for(desk: Desk, memory_gateway: Any) -> None:
    report = sweep(desk, memory_gateway(desk.clock), Selection(expiries=1, strikes=5))
    assert report.expected == 10
    assert sorted(set(stored(desk)["strike"])) == [598.0, 599.0, 600.0, 601.0, 602.0]


def test_what_does_not_come_is_counted_by_reason_and_leaves_a_gap(desk: Desk, memory_gateway: Any) -> None:
    gateway = memory_gateway(desk.clock)

    def spoil(option: ListedOption, observation: Observation) -> None:
        reason = {580.0: "timeout", 581.0: "", 582.0: "no_security"}.get(option.contract.strike)
        if reason is not None:
            observation.missing = reason
            observation.bid = observation.ask = observation.last = observation.open_interest = nan

    gateway.spoil = spoil
    until = desk.clock.now() + timedelta(minutes=5)
    report = sweep(desk, gateway, fillable_until=until)
    assert report.missing == {"timeout": 4, "empty_quote": 4, "no_security": 4}
    assert report.received == report.rows_stored == 164 - 12
    ledger(desk)
    gaps = open_gaps(desk.store, at=desk.clock.now())
    assert list(gaps["reason"]) == ["timeout", "timeout"]
    assert list(gaps["expected"]) == [2, 2]
    assert [word[2] for word in gaps["wanted"][0]] == [580.0, 580.0]
    assert len(open_gaps(desk.store, at=until)) == 0


def test_a_gap_is_filled_by_asking_for_exactly_what_is_missing(desk: Desk, memory_gateway: Any) -> None:
    gateway, asked = memory_gateway(desk.clock), list[float]()

    def spoil(option: ListedOption, observation: Observation) -> None:
        asked.append(option.contract.strike)
        if option.contract.strike == 580.0 and len(asked) <= 82:
            observation.missing, observation.bid, observation.ask, observation.open_interest = "timeout", nan, nan, nan

    async def scenario() -> SweepReport:
        sweeper, stop = sweeper_of(desk, gateway), asyncio.Event()
        until = desk.clock.now() + timedelta(minutes=5)
        await sweeper.sweep("SPY", Selection(expiries=1), stop=stop, fillable_until=until)
        asked.extend([0.0] * 82)
        gap = open_gaps(desk.store, at=desk.clock.now()).iloc[0]
        return await sweeper.fill("SPY", gap["wanted"], stop=stop)

    gateway.spoil = spoil
    report = asyncio.run(scenario())
    assert (report.expected, report.received) == (2, 2)
    assert len(ledger(desk)) == 2
    assert len(stored(desk)) == 82


def test_stop_stores_what_has_come_and_accounts_for_the_rest(desk: Desk, memory_gateway: Any) -> None:
    gateway = memory_gateway(desk.clock)

    async def scenario() -> SweepReport:
        stop = asyncio.Event()
        gateway.before_each = lambda number: stop.set() if number == 99 else None
        return await sweeper_of(desk, gateway).sweep("SPY", BOTH, stop=stop)

    report = asyncio.run(scenario())
    assert (report.received, report.missing) == (100, {"stopped": 64})
    assert len(stored(desk)) == 100
    ledger(desk)


def test_a_gateway_that_goes_away_leaves_reasons(desk: Desk, memory_gateway: Any) -> None:
    gateway = memory_gateway(desk.clock)

    def go_away(number: int) -> None:
        gateway.is_down = number >= 99

    gateway.before_each = go_away
    report = sweep(desk, gateway)
    assert (report.received, report.missing) == (99, {"disconnected": 65})
    ledger(desk)


def test_a_sweep_that_cannot_begin_is_a_failed_run_with_a_gap(desk: Desk, memory_gateway: Any) -> None:
    gateway = memory_gateway(desk.clock)
    gateway.is_down = True
    with pytest.raises(SourceUnavailable):
        sweep(desk, gateway, fillable_until=desk.clock.now() + timedelta(minutes=5))
    runs = ledger(desk)
    assert list(runs["status"]) == ["failed"]
    assert "it is down" in runs["problem"][0]
    assert list(open_gaps(desk.store, at=desk.clock.now())["reason"]) == ["disconnected"]


def test_an_unknown_underlying_is_told(desk: Desk, memory_gateway: Any) -> None:
    async def scenario() -> None:
        await sweeper_of(desk, memory_gateway(desk.clock)).sweep("NOSUCH", BOTH, stop=asyncio.Event())

    with pytest.raises(NoDataError):
        asyncio.run(scenario())
    assert list(ledger(desk)["status"]) == ["failed"]


def test_the_database_may_go_away_in_the_middle(
    desk: Desk, memory_gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, outbox_module = memory_gateway(desk.clock), "bifrost_lib.workflows.collection.outbox"
    is_down = True

    def away(*_: Any, **__: Any) -> int:
        if is_down:
            raise SourceUnavailable("the database", "it is down")
        return store.store_batch(*_, **__)

    monkeypatch.setattr(f"{outbox_module}.store_batch", away)
    monkeypatch.setattr("bifrost_lib.workflows.collection.sweep.begin_runs", away)
    monkeypatch.setattr(Spool, "deliver", away)
    report = sweep(desk, gateway)
    assert (report.received, report.rows_stored, report.run_ids) == (164, 0, ())
    monkeypatch.undo()
    done = Spool(desk.settings.home / "spool").deliver(desk.store)
    assert (done.stored, done.rows) == (2, 164)
    assert Spool(desk.settings.home / "spool").deliver(desk.store).stored == 0
    assert len(stored(desk)) == 164
    assert list(ledger(desk)["received"]) == [82, 82]


def test_changes_are_stored_with_the_sweep_that_saw_them(desk: Desk, memory_gateway: Any) -> None:
    gateway = memory_gateway(desk.clock)

    async def scenario() -> None:
        sweeper, stop = sweeper_of(desk, gateway), asyncio.Event()
        await sweeper.sweep("SPY", BOTH, stop=stop)

        def jump(option: ListedOption, observation: Observation) -> None:
            if option.contract.strike == 600.0:
                observation.open_interest = 5000.0

        gateway.spoil, gateway.strikes = jump, (*gateway.strikes, 621)
        await sweeper.sweep("SPY", BOTH, stop=stop)

    asyncio.run(scenario())
    found = store.option_changes(desk.store.engine, "SPY", at=desk.clock.now(), start=desk.clock.now() - timedelta(1))
    assert sorted(found["what"]) == ["listed"] * 4 + ["open_interest"] * 4
    assert set(found.loc[found["what"] == "listed", "strike"]) == {621.0}
    assert set(found.loc[found["what"] == "open_interest", "new"]) == {5000.0}
