"""The spool delivers in order and once, refuses what it has no room for, and drops nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, StoreError
from bifrost_lib.core.vocabulary import VENDOR_COLUMNS, VOCABULARY
from bifrost_lib.store import (
    Gap,
    RunOutcome,
    Spool,
    SpoolFull,
    begin_run,
    chain_moments,
    list_runs,
    list_symbols,
    market_conditions,
    open_gaps,
    option_chain,
    option_changes,
    store_batch,
)
from bifrost_lib.store.spool_files import DamagedBatch, packed, unpacked

MINUTE = timedelta(minutes=1)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def moments_of(store, symbol):
    start = pd.Timestamp("2024-03-01", tz="UTC").to_pydatetime()
    return chain_moments(store.engine, symbol, start, start + timedelta(days=60)).tolist()


def test_a_batch_comes_back_as_it_was(made, symbol):
    vendor = made.snapshots([{"bid": 1.0}], symbol=symbol).assign(
        **{name: np.nan if VOCABULARY[name].dtype == "float64" else pd.Categorical(["live"]) for name in VENDOR_COLUMNS}
    )
    conditions = pd.DataFrame({"ts": vendor["ts"], "symbol": vendor["symbol"], "iv": 0.2})
    gap = Gap(made.noon, made.noon, "no connection", 3, None, made.noon + MINUTE, {"con_ids": [5]})
    batch = made.batch(
        symbol, frames=(vendor, made.batch(symbol).frames[0]), conditions=conditions, gaps=(gap,), run_id=np.int64(7)
    )
    found = unpacked(packed(batch))
    assert replace(found, frames=(), conditions=None) == replace(batch, frames=(), conditions=None)
    for back, there in zip(found.frames, batch.frames, strict=True):
        pd.testing.assert_frame_equal(back, there)
    assert found.conditions is not None
    pd.testing.assert_frame_equal(found.conditions, conditions)


def test_any_byte_that_changed_and_any_that_is_missing_is_noticed(made, symbol):
    data = packed(made.batch(symbol))
    for place in np.linspace(0, len(data) - 1, 40).astype(int).tolist():
        with pytest.raises(DamagedBatch):
            unpacked(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DamagedBatch):
            unpacked(data[:place])


def test_batches_are_delivered_in_order_with_everything_that_belongs_to_them(store, made, symbol, spool):
    frame = made.snapshots([{"ts": made.noon, "strike": 90.0}], symbol=symbol)
    changes = frame.assign(since_ts=frame["ts"] - MINUTE, what="iv", old=0.2, new=0.3)
    conditions = pd.DataFrame({"ts": frame["ts"], "symbol": frame["symbol"], "vol_index": 21.0})
    gap = Gap(made.noon, made.noon, "timeout", 4, 3)
    paths = [spool.put(made.batch(symbol, changes=changes, conditions=conditions, gaps=(gap,)))]
    paths += [spool.put(made.batch(symbol, number)) for number in (1, 2)]
    assert spool.pending() == paths and len(spool) == 3
    done = spool.deliver(store)
    assert (done.stored, done.known, done.rows, done.set_aside) == (3, 0, 9, [])
    assert len(spool) == 0 and spool.bytes == 0
    assert moments_of(store, symbol) == [made.noon + k * MINUTE for k in range(3)]
    runs = list_runs(store, symbol=symbol)
    assert runs["batch"].tolist() == [f"{symbol} {k}" for k in (2, 1, 0)]
    assert (runs["status"] == "done").all() and (runs["rows_stored"] == 3).all()
    assert (runs["received"] + runs["missing"].map(lambda told: sum(told.values())) == runs["expected"]).all()
    assert market_conditions(store.engine, symbol, at=made.noon)["vol_index"].item() == 21.0
    assert len(option_changes(store.engine, symbol, at=made.noon, start=made.noon)) == 1
    assert open_gaps(store, at=made.noon, symbol=symbol)["reason"].tolist() == ["timeout"]


def test_what_comes_twice_is_stored_once(store, made, symbol, spool):
    batch = made.batch(symbol)
    assert store_batch(store, batch) == 3
    spool.put(batch)
    spool.put(batch)
    done = spool.deliver(store)
    assert (done.stored, done.known, done.rows) == (0, 2, 0) and len(spool) == 0
    assert len(list_runs(store, symbol=symbol)) == 1
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "rows"] == 3


def test_a_run_that_began_before_the_database_went_away_is_the_one_that_ends(store, made, symbol, spool):
    run_id = begin_run(
        store, collector="option_chain", source="test", symbol=symbol, started=made.noon, batch=f"{symbol} 0"
    )
    spool.put(made.batch(symbol, run_id=run_id))
    spool.put(made.batch(symbol, 1, run_id=10**9))  # of a ledger that was lost
    spool.deliver(store)
    runs = list_runs(store, symbol=symbol).set_index("run_id")
    assert runs.loc[run_id, "status"] == "done" and len(runs) == 2


def test_a_batch_of_which_nothing_came_is_in_the_ledger(store, made, symbol, spool):
    spool.put(made.batch(symbol, frames=(), outcome=RunOutcome(9, 0, {"no connection": 9})))
    assert spool.deliver(store).stored == 1
    run = list_runs(store, symbol=symbol).iloc[0]
    assert (run["status"], run["rows_stored"], run["missing"]) == ("done", 0, {"no connection": 9})


def test_a_few_at_a_time(store, made, symbol, spool):
    for number in range(3):
        spool.put(made.batch(symbol, number))
    assert spool.deliver(store, most=2).stored == 2
    assert moments_of(store, symbol) == [made.noon, made.noon + MINUTE] and len(spool) == 1


def test_a_full_spool_says_so_and_drops_nothing(made, symbol, tmp_path):
    size = len(packed(made.batch(symbol)))
    spool = Spool(tmp_path / "spool", max_bytes=2 * size + size // 2)
    kept = [spool.put(made.batch(symbol, number)) for number in range(2)]
    with pytest.raises(SpoolFull) as caught:
        spool.put(made.batch(symbol, 2))
    assert spool.pending() == kept and list(spool.folder.glob("*.part")) == []
    assert (caught.value.allowed, caught.value.taken) == (spool.max_bytes, spool.bytes)


def test_the_files_are_their_owners_alone(made, symbol, spool):
    path = spool.put(made.batch(symbol))
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"outcome": RunOutcome(4, 4, {"timeout": 1})}, "outcome.missing"), ({"batch_id": " "}, "batch.batch_id"),
        ({"source": ""}, "batch.source"), ({"frames": (pd.DataFrame({"bid": [1.0]}),)}, "frame.ts"),
    ],
)  # fmt: skip
def test_a_batch_that_could_not_be_stored_later_is_refused_at_once(made, symbol, spool, change, name):
    with pytest.raises(InputError) as caught:
        spool.put(made.batch(symbol, **change))
    assert caught.value.name == name and len(spool) == 0


def test_a_damaged_file_is_set_aside_and_the_others_are_delivered(store, made, symbol, spool, caplog):
    first, second = (spool.put(made.batch(symbol, number)) for number in range(2))
    data = first.read_bytes()
    first.write_bytes(data[:-7])
    done = spool.deliver(store)
    assert done.stored == 1 and [path.name for path in done.set_aside] == [first.name]
    assert done.set_aside[0].read_bytes() == data[:-7]
    assert "digest" in done.set_aside[0].with_suffix(".reason").read_text()
    assert not second.exists() and "set aside" in caplog.text
    assert moments_of(store, symbol) == [made.noon + MINUTE]


def test_a_batch_that_the_store_refuses_is_set_aside_and_the_ledger_says_so(store, made, symbol, spool, caplog):
    frame = made.snapshots([{"bid": np.inf}], symbol=symbol)
    spool.put(made.batch(symbol, frames=(frame,)))
    spool.put(made.batch(symbol, 1))
    done = spool.deliver(store)
    assert done.stored == 1 and len(done.set_aside) == 1
    assert "frame.bid" in done.set_aside[0].with_suffix(".reason").read_text()
    refused = list_runs(store, symbol=symbol).set_index("batch").loc[f"{symbol} 0"]
    assert refused["status"] == "failed" and refused["missing"] == {"refused": 4} and "frame.bid" in refused["problem"]


def test_two_processes_may_share_a_spool(made, symbol, tmp_path):
    one, other = Spool(tmp_path / "spool"), Spool(tmp_path / "spool")
    paths = [spool.put(made.batch(symbol, k)) for k, spool in enumerate((one, other, one))]
    assert one.pending() == other.pending() == paths


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Spool(tmp_path / "file" / "spool")


@pytest.mark.slow
def test_chains_of_a_session_of_many_small_batches_are_read_quickly(store, made, symbol):
    """A collector's day in small: every batch is an entry of the directory, and a read must not look at each."""
    whole = made.snapshots(made.chain_rows(range(100, 120)), symbol=symbol)
    for number in range(200):
        part = whole.iloc[number % 10 * 4 : number % 10 * 4 + 4]
        frame = part.assign(ts=part["ts"] + number * timedelta(seconds=10))
        store_batch(store, made.batch(symbol, number, frames=(frame,)))
    took = []
    for seconds in (95, 555, 1111, 1999):
        at = made.noon + timedelta(seconds=seconds)
        chain = option_chain(store.engine, symbol, at=at)
        began = time.perf_counter()
        again = option_chain(store.engine, symbol, at=at)
        took.append(time.perf_counter() - began)
        pd.testing.assert_frame_equal(again, chain)
        assert len(chain) == 40 and chain["ts"].max() == at.replace(second=at.second // 10 * 10)
        assert (chain["ts"] > at - timedelta(seconds=100)).all()
    assert min(took) < 0.05
