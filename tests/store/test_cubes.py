"""Stored cubes: what they hold, how they grow, and what happens when something goes wrong."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.backtest import BELIEVABLE, FIT, ChainCube
from bifrost_lib.core.errors import InputError, NoDataError, StoreError
from bifrost_lib.core.settings import Settings
from bifrost_lib.store import (
    Store,
    append_market_conditions,
    chain_cube,
    cube_table,
    option_chain,
    save_corporate_actions,
    save_cube,
    save_earnings,
    update_cube,
)

MONDAY = datetime(2024, 3, 11, 20, 0, tzinfo=UTC)  # 16:00 in New York
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def _session(made: SimpleNamespace, symbol: str, close: datetime, seed: int, moments: int = 1) -> pd.DataFrame:
    """Return a session with everything that can happen: missing sides, rows that are not renewed, two classes."""
    random, rows = np.random.default_rng(seed), []
    for step in range(moments):
        ts = close - (moments - 1 - step) * 20 * MINUTE
        spot = 100 + seed + step / 10
        for expiry, name in (("2024-03-13", symbol), ("2024-03-22", symbol), ("2024-03-22", f"{symbol}W")):
            for row in made.chain_rows([90, 95, 100 + seed], ts=ts, spot=spot, expiry=expiry, trading_class=name):
                drawn = random.random()
                if drawn < 0.2 and step:
                    continue
                one = row | {"forward": 100.5 + seed, "delta": random.normal() / 4, "iv": 0.2, "open_interest": 7.0}
                if drawn > 0.9:
                    one |= {"bid": np.nan, "ask": np.nan, "quality": "no_quote"}
                elif drawn > 0.8:
                    one |= {"bid": np.nan, "quality": "one_sided"}
                rows.append(one)
    frame: pd.DataFrame = made.snapshots(rows, symbol=symbol)
    return frame


def _reference(store: Store, symbol: str, cube: ChainCube) -> dict[str, Any]:
    """Return the arrays of the same chains, read one by one and laid out by the engine's own code."""
    chains = []
    for us in cube.moment_us.tolist():
        at = datetime.fromtimestamp(us / 1e6, UTC)
        chains.append(option_chain(store.engine, symbol, at=at).assign(moment=pd.Timestamp(at).as_unit("us")))
    return dict(ChainCube.from_frame(pd.concat(chains, ignore_index=True), symbol=symbol).arrays())


@pytest.mark.parametrize("cadence", ["daily", 20, 60])
def test_a_cube_has_the_chains_as_they_were_known_at_its_moments(
    store: Store, made: SimpleNamespace, symbol: str, cadence: str | int
) -> None:
    for day in range(4):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day, moments=8))
    cube = chain_cube(store, symbol, cadence=cadence)
    assert cube.sessions == 4
    assert len(cube.moment_us) == {"daily": 4, 20: 32, 60: 12}[cadence]
    expected = _reference(store, symbol, cube)
    for name, array in cube.arrays():
        if name != "open_spot":
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
    assert cube.open_spot.tolist() == [100.0, 101.0, 102.0, 103.0]
    assert cube.classes == (symbol, f"{symbol}W")
    assert (cube.flags & FIT > 0).any() and (cube.flags & BELIEVABLE == 0).any()


def test_new_sessions_are_appended_and_late_rows_change_their_session_alone(
    store: Store, made: SimpleNamespace, symbol: str, caplog: pytest.LogCaptureFixture
) -> None:
    for day in (0, 1, 3):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day))
    first = chain_cube(store, symbol)
    held = first.bid.copy()
    assert (update_cube(store, symbol).exported, first.sessions) == (0, 3)

    made.ingest(store, f"{symbol} 4", _session(made, symbol, MONDAY + 4 * DAY, 4))
    assert update_cube(store, symbol).exported == 1
    made.ingest(store, f"{symbol} 2", _session(made, symbol, MONDAY + 2 * DAY, 2))
    made.ingest(store, f"{symbol} late", made.snapshots([{"ts": MONDAY, "strike": 120.0, "bid": 1.0}], symbol=symbol))
    with caplog.at_level(logging.WARNING):
        update = update_cube(store, symbol)
    assert (update.sessions, update.exported) == (5, 2)
    assert update.rebuilt == ((date(2024, 3, 11), "its rows in the store have changed"),)
    assert "2024-03-11 is made anew" in caplog.text

    cube = chain_cube(store, symbol)
    assert cube.session_row[1] == first.session_row[1] + 1
    assert [one.name for one in update.folder.iterdir() if one.is_dir()] == ["2"]
    np.testing.assert_array_equal(first.bid, held)  # who has the former cube keeps it
    expected = _reference(store, symbol, cube)
    for name, array in cube.arrays():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_nothing_after_at_or_the_end_is_in_a_cube(store: Store, made: SimpleNamespace, symbol: str) -> None:
    for day in range(3):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day))
    before = chain_cube(store, symbol)
    assert chain_cube(store, symbol, at=MONDAY + DAY).sessions == 2
    assert chain_cube(store, symbol, at=MONDAY + 2 * DAY - MINUTE).sessions == 2

    made.ingest(store, f"{symbol} future", _session(made, symbol, MONDAY + 3 * DAY, 9))
    future = pd.DataFrame({"ts": [MONDAY + 3 * DAY], "symbol": symbol, "iv_rank": 1.0}).astype(
        {"ts": "datetime64[us, UTC]"}
    )
    append_market_conditions(store, future, source="test")
    save_corporate_actions(
        store.engine,
        pd.DataFrame({"symbol": symbol, "ex_date": [date(2024, 3, 14)], "kind": "split", "value": 2.0, "source": "t"}),
    )
    save_earnings(store.engine, _learnt(symbol, MONDAY + 2 * DAY + MINUTE, MONDAY + 3 * DAY))
    assert chain_cube(store, symbol, at=MONDAY + 2 * DAY).sha256 == before.sha256
    assert chain_cube(store, symbol, end=date(2024, 3, 13)).sha256 == before.sha256
    whole = chain_cube(store, symbol)
    assert whole.split_ratio.tolist() == [2.0]
    assert whole.conditions["iv_rank"].tolist() == pytest.approx([np.nan] * 3 + [1.0], nan_ok=True)
    assert whole.between(end=date(2024, 3, 13)).split_ratio.tolist() == []
    assert whole.earnings_day.astype("datetime64[D]").astype(str).tolist() == ["2024-04-24", "2024-04-25"]
    assert whole.earnings_event.tolist() == [0, 0]
    part = chain_cube(store, symbol, start=date(2024, 3, 12), end=date(2024, 3, 13))
    assert part.sha256 == before.between(date(2024, 3, 12)).sha256


def _learnt(symbol: str, *moments: datetime) -> pd.DataFrame:
    rows = [
        {
            "symbol": symbol, "fiscal_period": "2024Q1", "report_date": pd.Timestamp(2024, 4, 24 + place),
            "time_of_day": "during", "known_at": moment, "known_assumed": False, "confirmed": True, "source": "t",
            "simulated": False,
        }
        for place, moment in enumerate(moments)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_session_counts_once_it_is_over(database_settings: Settings, made: SimpleNamespace, symbol: str) -> None:
    from bifrost_lib.core.clock import SteppedClock
    from bifrost_lib.store import open_store

    clock = SteppedClock(MONDAY + DAY - MINUTE)
    with open_store(database_settings, clock) as store:
        for day in range(2):
            made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY - 2 * MINUTE, day))
        made.ingest(store, f"{symbol} weekend", _session(made, symbol, MONDAY - DAY, 5))
        assert chain_cube(store, symbol).end == date(2024, 3, 11)
        clock.advance(MINUTE)
        assert chain_cube(store, symbol).end == date(2024, 3, 12)
        assert chain_cube(store, symbol).sessions == 2


@pytest.mark.parametrize("damage", ["changed", "cut", "contracts", "manifest"])
def test_damage_is_noticed_said_and_repaired(store: Store, made: SimpleNamespace, symbol: str, damage: str) -> None:
    for day in range(3):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day))
    whole, folder = chain_cube(store, symbol).sha256, update_cube(store, symbol).folder
    column = folder / "1" / {"contracts": "strike"}.get(damage, "bid")
    if damage == "manifest":
        (folder / "manifest.json").write_text('{"layout": 1, "generation"')
    elif damage == "cut":
        os.truncate(column, 16)
    else:
        with column.open("r+b") as file:
            file.write(b"\x07")
    update = update_cube(store, symbol)
    expected = {"changed": 1, "cut": 3, "contracts": 3, "manifest": 0}[damage]
    assert len(update.rebuilt) == expected
    assert update.exported == (expected or 3)
    assert chain_cube(store, symbol).sha256 == whole


def test_rows_that_are_gone_from_the_store_are_found_by_counting(
    store: Store, made: SimpleNamespace, symbol: str
) -> None:
    made.ingest(store, symbol, _session(made, symbol, MONDAY, 0))
    made.ingest(store, f"{symbol} 1", _session(made, symbol, MONDAY + DAY, 0))
    before = chain_cube(store, symbol)
    with store.engine.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM option_snapshots USING option_contracts WHERE option_snapshots.contract_id = "
                "option_contracts.contract_id AND trading_class = :name AND strike = 90 AND ts = :ts"
            ),
            {"name": f"{symbol}W", "ts": MONDAY},
        )
    assert update_cube(store, symbol).exported == 0
    update = update_cube(store, symbol, verify=True)
    assert update.rebuilt == ((date(2024, 3, 11), "the store has 16 rows of it and had 18"),)
    assert update_cube(store, symbol, verify=True).rebuilt == ()
    assert len(chain_cube(store, symbol).row_contract) == len(before.row_contract) - 2


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("late", [False, True])
def test_a_disk_that_is_full_costs_one_error_and_nothing_else(
    store: Store, made: SimpleNamespace, symbol: str, late: bool
) -> None:
    made.ingest(store, symbol, _session(made, symbol, MONDAY + DAY, 0))
    before = chain_cube(store, symbol)
    folder = update_cube(store, symbol).folder
    made.ingest(store, f"{symbol} new", _session(made, symbol, MONDAY + (0 if late else 2) * DAY, 1))
    used = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    with _full_disk(used[folder / "1" / "strike"] + 8), pytest.raises(StoreError, match="is intact"):
        chain_cube(store, symbol)
    assert {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()} == used
    assert chain_cube(store, symbol, start=date(2024, 3, 12), end=date(2024, 3, 12)).sha256 == before.sha256
    assert chain_cube(store, symbol).sessions == 2


_DIES = """
import os, sys
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import chain_cube, open_store
from bifrost_lib.store.cubes import updating
updating.write_manifest = lambda *_: os._exit(9)
with open_store(load_settings()) as store:
    chain_cube(store, sys.argv[1])
"""


def test_a_process_that_dies_before_the_manifest_leaves_the_former_state(
    store: Store, database_settings: Settings, made: SimpleNamespace, symbol: str
) -> None:
    made.ingest(store, symbol, _session(made, symbol, MONDAY, 0))
    before = chain_cube(store, symbol)
    folder = update_cube(store, symbol).folder
    manifest = (folder / "manifest.json").read_bytes()
    made.ingest(store, f"{symbol} new", _session(made, symbol, MONDAY + DAY, 1))
    url = str(database_settings.database_url)
    environment = os.environ | {"BIFROST_HOME": str(database_settings.home), "BIFROST_DATABASE_URL": url}
    died = subprocess.run([sys.executable, "-c", _DIES, symbol], env=environment, check=False)
    assert died.returncode == 9
    assert (folder / "manifest.json").read_bytes() == manifest
    assert (folder / "1" / "bid").stat().st_size > before.bid.nbytes
    cube = chain_cube(store, symbol)
    assert (folder / "1" / "bid").stat().st_size == cube.bid.nbytes
    assert cube.between(end=date(2024, 3, 11)).sha256 == before.sha256


def test_processes_at_once_make_one_cube(store: Store, made: SimpleNamespace, symbol: str) -> None:
    for day in range(4):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day))
    with ThreadPoolExecutor(3) as pool:
        updates = list(pool.map(lambda _: update_cube(store, symbol), range(3)))
    assert sorted(update.exported for update in updates) == [0, 0, 4]
    sessions = json.loads((updates[0].folder / "manifest.json").read_text())["sessions"]
    assert len(sessions) == 4


def test_other_tools_read_a_cube_as_a_table(store: Store, made: SimpleNamespace, symbol: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for day in range(2):
        made.ingest(store, f"{symbol} {day}", _session(made, symbol, MONDAY + day * DAY, day, moments=4))
    cube = chain_cube(store, symbol, cadence=20)
    table = cube_table(cube)
    assert table["bid"].chunk(0).buffers()[1].address == cube.bid.__array_interface__["data"][0]
    assert save_cube(cube, tmp_path / "cube.parquet") == len(cube.bid)
    frame = pq.read_table(tmp_path / "cube.parquet").to_pandas()
    at = pd.Timestamp(int(cube.moment_us[-1]), unit="us", tz="UTC")
    last = frame[frame["ts"] == at].set_index(["trading_class", "expiry", "right", "strike"])
    chain = option_chain(store.engine, symbol, at=at.to_pydatetime())
    assert len(chain) == 18 and len(last) >= len(chain)
    for row in chain.to_dict("records"):
        found = last.loc[(row["trading_class"], row["expiry"].date(), row["right"], row["strike"])]
        assert (found["bid"], found["ask"]) == pytest.approx((row["bid"], row["ask"]), nan_ok=True)


def test_what_is_not_there_is_said(store: Store, made: SimpleNamespace, symbol: str) -> None:
    made.ingest(store, symbol, _session(made, symbol, MONDAY, 0))
    with pytest.raises(NoDataError, match="its sessions are those of 2024-03-11 to 2024-03-11"):
        chain_cube(store, symbol, start=date(2024, 3, 12))
    with pytest.raises(NoDataError, match="did you mean"):
        chain_cube(store, symbol + "X")
    for wrong in ("weekly", 0, 391):
        with pytest.raises(InputError) as raised:
            chain_cube(store, symbol, cadence=wrong)
        assert raised.value.name == "cadence"
    with pytest.raises(InputError) as raised:
        chain_cube(store, symbol, start=date(2024, 3, 12), end=date(2024, 3, 11))
    assert raised.value.name == "end"


def test_a_symbol_never_leads_out_of_the_cubes_folder(store: Store, made: SimpleNamespace) -> None:
    for symbol in ("../../X", "BRK/B"):
        made.ingest(store, symbol, _session(made, symbol, MONDAY, 0))
        folder = update_cube(store, symbol).folder
        assert folder.parent.parent == store.home / "cubes"
