"""What streamed contracts show is what a sweep of them would store, tick by tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.ib import ListedOption, Observation
from bifrost_lib.pricing import price
from bifrost_lib.store import live_quotes
from bifrost_lib.workflows.collection.rows import Observed, to_batch
from bifrost_lib.workflows.collection.tape import Tape

TS = datetime(2026, 11, 18, 15, 0, 0, 123456, tzinfo=UTC)
EXPIRIES = (date(2026, 12, 18), date(2027, 1, 15))
STRIKES = (580.0, 590.0, 600.0, 610.0, 620.0)
SPOT = 601.0


def listed() -> list[ListedOption]:
    """Contracts of two expiries, in no order that anything wants."""
    named = [
        OptionContract("SPY", expiry, strike, right, "SPY", "american", "PM")
        for strike in STRIKES[::-1] for right in "CP" for expiry in EXPIRIES
    ]  # fmt: skip
    return [ListedOption(100 + number, contract) for number, contract in enumerate(named)]


def quoted(option: ListedOption, *, ts: datetime) -> Observation:
    contract = option.contract
    tau = (contract.expiry - TS.date()).days / 365
    value = float(price(spot=SPOT, strike=contract.strike, tau=tau, vol=0.2, right=contract.right, rate=0.04))
    return Observation(
        option.con_id, ts, bid=value - 0.05, ask=value + 0.05, last=value, bid_size=10.0, volume=100.0, ib_iv=0.21,
        market_data_type="delayed",
    )  # fmt: skip


@pytest.fixture
def desk(new_desk: Any) -> Any:
    return new_desk(SteppedClock(TS))


def test_a_tick_shows_what_a_sweep_would_store(desk: Any) -> None:
    options = listed()
    newest = {option.con_id: quoted(option, ts=TS - timedelta(seconds=place)) for place, option in enumerate(options)}
    newest[101].ask, newest[102].bid, newest[103].open_interest = 0.0, inf, 7.0
    del newest[104]
    tape = Tape(desk.store, options, symbol="SPY", source="test", at=TS)
    assert tape.show(newest, set(newest), spot=SPOT, at=TS) == len(options) - 1

    seen = [Observed(option, newest[option.con_id], SPOT) for option in options if option.con_id in newest]
    batch = to_batch(seen, symbol="SPY", ts=TS)
    moments = pd.DatetimeIndex([one.observation.ts for one in batch.observed])
    wanted = batch.frame.assign(ts=moments).sort_values(["expiry", "strike", "right"])
    shown = live_quotes(desk.store.engine, "SPY", at=TS).sort_values(["expiry", "strike", "right"])
    assert shown["ts"].tolist() == wanted["ts"].tolist()
    for name in set(shown.columns) & set(wanted.columns) - {"ts"}:
        found, expected = shown[name].to_numpy(), wanted[name].to_numpy()
        if found.dtype == np.float64:
            assert np.array_equal(found, expected, equal_nan=True), name
        else:
            assert found.astype(str).tolist() == expected.astype(str).tolist(), name


def test_only_what_ticked_and_says_something_is_shown(desk: Any) -> None:
    options = listed()
    newest = {option.con_id: quoted(option, ts=TS) for option in options}
    newest[105] = Observation(105, TS, missing="pending")
    tape = Tape(desk.store, options, symbol="SPY", source="test", at=TS)
    assert tape.show(newest, {105, 999}, spot=SPOT, at=TS) == 0
    with pytest.raises(NoDataError):
        live_quotes(desk.store.engine, "SPY", at=TS)
    assert tape.show(newest, {100, 105, 110}, spot=SPOT, at=TS) == 2
    shown = live_quotes(desk.store.engine, "SPY", at=TS)
    assert len(shown) == 2
    assert np.allclose(shown["iv"], 0.2, atol=0.01)  # the other side of each expiry was there, though it did not tick


def test_a_quote_without_a_moment_of_its_own_takes_that_of_now(desk: Any) -> None:
    options = listed()
    tape = Tape(desk.store, options, symbol="SPY", source="test", at=TS)
    now = TS + timedelta(seconds=1)
    assert tape.show({100: Observation(100, bid=1.0, ask=1.1)}, {100}, spot=float("nan"), at=now) == 1
    (row,) = live_quotes(desk.store.engine, "SPY", at=now).to_dict("records")
    assert row["ts"] == now
    assert np.isnan(row["spot"])
