"""Snapshots go in once, whole, and come out as they went in."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy import table as table_named

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS, VOCABULARY
from bifrost_lib.store import AlreadyIngested, ingestion, list_symbols, option_chain

FLOATS = [
    name for name in SNAPSHOT_COLUMNS if VOCABULARY[name].dtype == "float64" and name not in ("strike", "multiplier")
]


FRESH = itertools.count()  # a symbol for each example, since all share the database


def count(store, table="option_snapshots"):
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table_named(table)))


def test_a_snapshot_comes_back_bit_by_bit(store, made, symbol):
    numbers = dict(zip(FLOATS, np.random.default_rng(7).normal(size=len(FLOATS)), strict=True))
    made.ingest(store, symbol, made.snapshots([numbers | {"quality": "crossed"}], symbol=symbol))
    chain = option_chain(store.engine, symbol)
    assert {name: chain[name].item() for name in FLOATS} == numbers
    assert chain["quality"].item() == "crossed"
    assert chain["ts"].item() == made.noon


@given(
    values=st.lists(st.floats(allow_infinity=False), min_size=len(FLOATS), max_size=len(FLOATS)),
    moment=st.datetimes(*(datetime(year, 2, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1990, 2060))),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_finite_number_and_moment_survives_storage(store, made, symbol, values, moment):
    name = f"{symbol}{next(FRESH)}"
    row = dict(zip(FLOATS, values, strict=True)) | {"ts": moment.replace(tzinfo=UTC), "expiry": "2060-06-18"}
    made.ingest(store, name, made.snapshots([row], symbol=name))
    chain = option_chain(store.engine, name)
    np.testing.assert_array_equal(chain[FLOATS].to_numpy()[0], values)
    assert chain["ts"].item() == row["ts"]


def test_missing_numbers_are_null_in_the_table_and_nan_in_the_frame(store, made, symbol):
    made.ingest(store, symbol, made.snapshots([{"bid": 1.0}], symbol=symbol))
    with store.engine.connect() as connection:
        row = connection.execute(
            text("SELECT ask, iv, quality FROM option_snapshots JOIN stocks USING (stock_id) WHERE symbol = :symbol"),
            {"symbol": symbol},
        ).one()
    assert tuple(row) == (None, None, None)
    chain = option_chain(store.engine, symbol)
    assert chain[["ask", "iv", "mid"]].isna().all(axis=None)
    assert pd.isna(chain["quality"].item())


def test_storing_the_same_rows_twice_changes_nothing(store, made, symbol):
    frame = made.snapshots(made.chain_rows([90, 100, 110]), symbol=symbol)
    assert made.ingest(store, f"{symbol}/1", frame) == 6
    before = option_chain(store.engine, symbol)
    assert made.ingest(store, f"{symbol}/2", frame) == 0
    pd.testing.assert_frame_equal(option_chain(store.engine, symbol), before)


def test_files_of_quotes_trades_and_open_interest_meet_in_one_row(store, made, symbol):
    quote = made.snapshots([{"bid": 1.0, "ask": 1.2, "spot": 99.0, "iv": 0.3, "quality": "ok"}], symbol=symbol)
    trade = made.snapshots([{"last": 1.1, "volume": 7.0, "spot": 98.0, "quality": "no_quote"}], symbol=symbol)
    interest = made.snapshots([{"open_interest": 50.0, "quality": "no_quote"}], symbol=symbol)
    for order in ([quote, trade, interest], [interest, trade, quote], [trade, quote, interest]):
        name = f"{symbol}{id(order)}"
        frames = [frame.assign(symbol=pd.Categorical([name])) for frame in order]
        assert [made.ingest(store, f"{name}/{i}", frame) for i, frame in enumerate(frames)] == [1, 1, 1]
        row = option_chain(store.engine, name).iloc[0]
        assert (row["bid"], row["ask"], row["last"], row["volume"], row["open_interest"]) == (1.0, 1.2, 1.1, 7.0, 50.0)
        assert (row["iv"], row["spot"], row["quality"]) == (0.3, 99.0, "ok")


def test_a_stored_quote_is_never_mixed_with_another(store, made, symbol):
    made.ingest(
        store, f"{symbol}/1", made.snapshots([{"bid": 1.0, "iv": np.nan, "quality": "one_sided"}], symbol=symbol)
    )
    other = made.snapshots([{"bid": 2.0, "ask": 2.2, "iv": 0.5, "quality": "ok", "volume": 3.0}], symbol=symbol)
    assert made.ingest(store, f"{symbol}/2", other) == 1
    row = option_chain(store.engine, symbol).iloc[0]
    assert row["bid"] == 1.0 and np.isnan(row["ask"]) and np.isnan(row["iv"]) and row["quality"] == "one_sided"
    assert row["volume"] == 3.0


def test_analytics_that_lacked_a_spot_are_completed_by_the_same_quote(store, made, symbol):
    quote = {"bid": 1.0, "ask": 1.2}
    made.ingest(store, f"{symbol}/1", made.snapshots([quote | {"quality": "no_spot"}], symbol=symbol))
    known = made.snapshots([quote | {"spot": 99.0, "iv": 0.3, "quality": "ok"}], symbol=symbol)
    assert made.ingest(store, f"{symbol}/2", known) == 1
    row = option_chain(store.engine, symbol).iloc[0]
    assert (row["spot"], row["iv"], row["quality"]) == (99.0, 0.3, "ok")
    assert made.ingest(store, f"{symbol}/3", known) == 0


def test_rows_that_come_twice_in_one_batch_are_merged_the_first_wins(store, made, symbol):
    rows = [{"bid": 1.0, "ask": 1.1}, {"bid": 9.0, "ask": 9.1, "volume": 4.0}, {"volume": 5.0, "open_interest": 6.0}]
    assert made.ingest(store, symbol, made.snapshots(rows, symbol=symbol)) == 1
    row = option_chain(store.engine, symbol).iloc[0]
    assert (row["bid"], row["ask"], row["volume"], row["open_interest"]) == (1.0, 1.1, 4.0, 6.0)


def test_batches_of_one_file_may_overlap(store, made, symbol):
    rows = made.chain_rows([100, 105])
    first, second = made.snapshots(rows, symbol=symbol), made.snapshots([*rows, *made.chain_rows([110])], symbol=symbol)
    assert made.ingest(store, symbol, first, second, first) == 6
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "rows"] == 6


def test_rows_in_any_order_and_with_any_index_are_taken(store, made, symbol):
    moments = [made.noon + timedelta(minutes=step) for step in (3, 1, 2, 0)]
    rows = [row for ts in moments for row in made.chain_rows([100, 90], ts=ts)]
    frame = made.snapshots(rows, symbol=symbol).sample(frac=1.0, random_state=3)
    assert made.ingest(store, symbol, frame) == 16
    assert option_chain(store.engine, symbol)["strike"].tolist() == [90, 90, 100, 100]


def test_months_of_many_years_are_stored_in_one_batch(store, made, symbol):
    moments = pd.date_range("2014-01-30 21:00", "2016-03-01", freq="ME", tz="UTC")
    rows = [{"ts": ts, "bid": float(place), "expiry": "2030-01-18"} for place, ts in enumerate(moments)]
    assert made.ingest(store, symbol, made.snapshots(rows, symbol=symbol)) == len(moments)
    for place in (0, 11, len(moments) - 1):
        assert option_chain(store.engine, symbol, at=moments[place].to_pydatetime())["bid"].item() == place


def test_contracts_that_differ_only_by_class_or_multiplier_are_different(store, made, symbol):
    rows = [{}, {"trading_class": f"{symbol}7"}, {"trading_class": f"{symbol}7", "multiplier": 107.0}]
    assert made.ingest(store, symbol, made.snapshots([{"bid": 1.0, **row} for row in rows], symbol=symbol)) == 3
    chain = option_chain(store.engine, symbol)
    assert chain["trading_class"].tolist() == [symbol, f"{symbol}7", f"{symbol}7"]
    assert sorted(chain["multiplier"]) == [100.0, 100.0, 107.0]


def test_strikes_that_differ_in_a_floats_last_digits_are_one_contract(store, made, symbol):
    rows = [{"strike": 0.1 + 0.2, "bid": 1.0, "ask": 1.1}, {"strike": 0.3, "last": 1.0}]
    assert made.ingest(store, symbol, made.snapshots(rows, symbol=symbol)) == 1
    assert option_chain(store.engine, symbol)["strike"].item() == 0.3


def test_a_file_is_ingested_once(store, made, symbol):
    frame = made.snapshots([{"bid": 1.0}], symbol=symbol)
    with ingestion(store, made.key(symbol), source="test") as writer:
        writer.append(frame)
        writer.note(rows_read=3, rejected={"no price": 2})
    with pytest.raises(AlreadyIngested) as caught, ingestion(store, made.key(symbol), source="test"):
        pytest.fail("entered")
    assert (caught.value.path, caught.value.rows_read, caught.value.rows_stored) == (symbol, 3, 1)
    assert caught.value.rejected == {"no price": 2}
    made.ingest(store, symbol + "/changed", frame)  # another path or digest is another file


def test_an_error_leaves_nothing_of_the_file(store, made, symbol):
    before = {
        table: count(store, table) for table in ("stocks", "option_contracts", "option_snapshots", "ingested_files")
    }
    with pytest.raises(RuntimeError), ingestion(store, made.key(symbol), source="test") as writer:
        writer.append(made.snapshots(made.chain_rows([100]), symbol=symbol))
        raise RuntimeError("the file breaks here")
    assert {table: count(store, table) for table in before} == before
    assert made.ingest(store, symbol, made.snapshots([{"bid": 1.0}], symbol=symbol)) == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda f: f.drop(columns="bid"), "frame.bid"),
        (lambda f: f.assign(bid=f["bid"].astype("float32")), "frame.bid"),
        (lambda f: f.assign(bid=np.inf), "frame.bid"),
        (lambda f: f.assign(iv=-np.inf), "frame.iv"),
        (lambda f: f.assign(strike=0.0), "frame.strike"),
        (lambda f: f.assign(strike=np.nan), "frame.strike"),
        (lambda f: f.assign(multiplier=-1.0), "frame.multiplier"),
        (lambda f: f.assign(ts=f["ts"] - pd.Timedelta(days=20_000)), "frame.ts"),
        (lambda f: f.assign(ts=pd.Series(pd.NaT, index=f.index, dtype="datetime64[us, UTC]")), "frame.ts"),
        (lambda f: f.assign(expiry=pd.Series(pd.NaT, index=f.index, dtype="datetime64[s]")), "frame.expiry"),
        (lambda f: f.assign(right=pd.Categorical(["X"] * len(f))), "frame.right"),
        (lambda f: f.assign(right=pd.Categorical([None] * len(f))), "frame.right"),
        (lambda f: f.assign(symbol=pd.Categorical([None] * len(f))), "frame.symbol"),
        (lambda f: f.assign(style=pd.Categorical(["bermudan"] * len(f))), "frame.style"),
        (lambda f: f.assign(quality=pd.Categorical(["splendid"] * len(f))), "frame.quality"),
    ],
)  # fmt: skip
def test_a_bad_frame_is_refused_by_column_and_nothing_is_stored(store, made, symbol, change, name):
    before = count(store)
    good = made.snapshots(made.chain_rows([100]), symbol=symbol)
    with pytest.raises(InputError) as caught, ingestion(store, made.key(symbol), source="test") as writer:
        writer.append(good)
        writer.append(change(good))
    assert caught.value.name == name
    assert count(store) == before


def test_exercise_terms_of_a_contract_cannot_change(store, made, symbol):
    made.ingest(store, f"{symbol}/1", made.snapshots([{"bid": 1.0}], symbol=symbol))
    for rows in ([{"style": "european"}], [{"strike": 7.0}, {"strike": 7.0, "settlement": "AM"}]):
        with pytest.raises(InputError) as caught:
            made.ingest(store, f"{symbol}/2", made.snapshots(rows, symbol=symbol))
        assert caught.value.name == "frame.style/settlement"


def test_simulated_and_real_data_never_share_a_symbol(store, made, symbol):
    frame = made.snapshots([{"bid": 1.0}], symbol=symbol)
    made.ingest(store, f"{symbol}/1", frame, source="simulated")
    assert option_chain(store.engine, symbol).attrs["source"] == "simulated"
    with pytest.raises(InputError) as caught:
        made.ingest(store, f"{symbol}/2", frame, source="lean")
    assert caught.value.name == "source"


def test_every_source_of_a_chain_is_named(store, made, symbol):
    made.ingest(store, f"{symbol}/1", made.snapshots([{"bid": 1.0}], symbol=symbol), source="yahoo")
    made.ingest(store, f"{symbol}/2", made.snapshots([{"strike": 110.0, "bid": 1.0}], symbol=symbol), source="cboe")
    assert option_chain(store.engine, symbol).attrs["source"] == "cboe, yahoo"
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "source"] == "cboe, yahoo"


def test_many_contracts_keep_their_keys_apart(store, made, symbol):
    strikes = np.arange(1.0, 3001.0)
    frame = made.snapshots([{"strike": strike, "bid": strike} for strike in strikes], symbol=symbol)
    made.ingest(store, symbol, frame.iloc[:1500], frame)
    chain = option_chain(store.engine, symbol)
    np.testing.assert_array_equal(chain["bid"], strikes)
    np.testing.assert_array_equal(chain["strike"], strikes)
