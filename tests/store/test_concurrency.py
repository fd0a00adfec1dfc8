"""Several writers and readers at once: nobody waits for ever, nothing is stored twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bifrost_lib.core.errors import NoDataError
from bifrost_lib.store import AlreadyIngested, chain_moments, ingestion, list_symbols, option_chain
from bifrost_lib.store import writing as writing_module


def test_files_of_one_new_symbol_are_stored_side_by_side(store, made, symbol):
    months = [made.noon + timedelta(days=32 * place) for place in range(4)]
    rows = [made.chain_rows(range(90, 110), ts=ts, expiry="2025-01-17") for ts in months]
    frames = [made.snapshots(part, symbol=symbol) for part in rows]
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(lambda place: made.ingest(store, f"{symbol}/{place}", frames[place]), range(4)))
    assert stored == [40] * 4
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "rows"] == 160
    assert len(option_chain(store.engine, symbol)) == 40


def test_the_same_file_in_two_processes_is_stored_once(store, made, symbol):
    frame = made.snapshots(made.chain_rows([100]), symbol=symbol)

    def attempt(_):
        try:
            return made.ingest(store, symbol, frame)
        except AlreadyIngested as known:
            return -known.rows_stored

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == [-2, 2]


def test_the_same_rows_in_two_files_at_once_are_stored_once(store, made, symbol):
    frame = made.snapshots(made.chain_rows(range(50, 150)), symbol=symbol)
    with ThreadPoolExecutor(3) as pool:
        stored = list(pool.map(lambda place: made.ingest(store, f"{symbol}/{place}", frame), range(3)))
    assert sorted(stored) == [0, 0, 200]
    assert len(option_chain(store.engine, symbol)) == 200


def test_readers_do_not_see_a_file_before_it_is_whole(store, made, symbol):
    with ingestion(store, made.key(symbol), source="test") as writer:
        for months in range(3):  # new partitions while rows of earlier months are not committed yet
            ts = made.noon + timedelta(days=31 * months)
            rows = made.chain_rows([100], ts=ts, expiry="2025-01-17")
            writer.append(made.snapshots(rows, symbol=symbol))
            with pytest.raises(NoDataError):
                option_chain(store.engine, symbol)
    assert len(option_chain(store.engine, symbol)) == 2


def test_a_file_too_long_to_keep_in_mind_is_one_file_all_the_same(store, made, symbol, monkeypatch):
    monkeypatch.setattr(writing_module, "_REMEMBERED", 3)
    frames = [
        made.snapshots(made.chain_rows([100, 110 + step], ts=made.noon + timedelta(minutes=step)), symbol=symbol)
        for step in range(3)
    ]
    made.ingest(store, symbol, *frames)
    known = list_symbols(store.engine).set_index("symbol").loc[symbol]
    assert (known["rows"], known["sessions"]) == (12, 1)
    assert option_chain(store.engine, symbol)["strike"].unique().tolist() == [100.0, 110.0, 111.0, 112.0]
    found = chain_moments(store.engine, symbol, made.noon, made.noon + timedelta(hours=1))
    assert found.tolist() == [made.noon + timedelta(minutes=step) for step in range(3)]
