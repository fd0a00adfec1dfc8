"""What the vendor computed of a quote travels with that quote, and reads without it are as before."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS, VENDOR_COLUMNS, VOCABULARY
from bifrost_lib.store import option_chain

FRESH = itertools.count()
NUMBERS = [name for name in VENDOR_COLUMNS if VOCABULARY[name].dtype == "float64"]


def with_vendor(frame, rows):
    """Add the vendor's columns; each of `rows` is a dict of what is known."""
    kinds = {name: VOCABULARY[name].dtype for name in VENDOR_COLUMNS}
    told = pd.DataFrame(rows, columns=list(VENDOR_COLUMNS), index=frame.index).astype(kinds)
    return pd.concat([frame, told], axis=1)


def test_the_vendors_numbers_come_back_beside_ours(store, made, symbol):
    told = {"ib_iv": 0.21, "ib_delta": -0.4, "ib_gamma": 0.01, "ib_vega": 33.5, "ib_theta": -7.25}
    rows = [{"bid": 1.0, "iv": 0.2}, {"bid": 2.0, "strike": 110.0}, {"bid": 3.0, "strike": 120.0}]
    vendor = [told | {"market_data_type": "delayed_frozen"}, {"market_data_type": "live"}, {}]
    made.ingest(store, symbol, with_vendor(made.snapshots(rows, symbol=symbol), vendor))
    chain = option_chain(store.engine, symbol, vendor=True)
    assert tuple(chain.columns) == (*CHAIN_COLUMNS, *VENDOR_COLUMNS)
    check_frame(chain, (*CHAIN_COLUMNS, *VENDOR_COLUMNS))
    assert chain.loc[0, NUMBERS].to_dict() == told and chain.loc[0, "iv"] == 0.2
    assert chain.loc[1:, NUMBERS].isna().all(axis=None)
    assert chain["market_data_type"].astype(object).where(chain["market_data_type"].notna(), None).tolist() == [
        "delayed_frozen", "live", None,
    ]  # fmt: skip


def test_a_read_without_them_is_as_before(store, made, symbol):
    made.ingest(store, symbol, with_vendor(made.snapshots([{"bid": 1.0, "quality": "ok"}], symbol=symbol), [{}]))
    chain = option_chain(store.engine, symbol)
    assert tuple(chain.columns) == CHAIN_COLUMNS
    assert chain["quality"].tolist() == ["ok"]


def test_rows_of_a_file_have_none(store, made, symbol):
    made.ingest(store, symbol, made.snapshots([{"bid": 1.0, "quality": "crossed"}], symbol=symbol))
    chain = option_chain(store.engine, symbol, vendor=True)
    assert chain[list(VENDOR_COLUMNS)].isna().all(axis=None)
    assert (chain["bid"].item(), chain["quality"].item()) == (1.0, "crossed")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda frame: frame.drop(columns="ib_vega"), "frame.ib_vega"),
        (lambda frame: frame.assign(ib_theta=-np.inf), "frame.ib_theta"),
        (lambda frame: frame.assign(market_data_type=pd.Categorical(["guessed"])), "frame.market_data_type"),
    ],
)
def test_vendor_columns_that_cannot_be_are_refused_by_name(store, made, symbol, change, name):
    frame = with_vendor(made.snapshots([{"bid": 1.0}], symbol=symbol), [{}])
    with pytest.raises(InputError) as caught:
        made.ingest(store, symbol, change(frame))
    assert caught.value.name == name


def test_they_never_join_the_quote_of_another(store, made, symbol):
    made.ingest(store, f"{symbol}/1", made.snapshots([{"bid": 1.0, "ask": 1.1}], symbol=symbol))
    other = with_vendor(made.snapshots([{"bid": 2.0, "ask": 2.2, "volume": 5.0}], symbol=symbol), [{"ib_iv": 0.3}])
    assert made.ingest(store, f"{symbol}/2", other) == 1
    row = option_chain(store.engine, symbol, vendor=True).iloc[0]
    assert (row["bid"], row["volume"]) == (1.0, 5.0) and np.isnan(row["ib_iv"])


def test_they_complete_the_same_quote_and_leave_with_one_that_was_none(store, made, symbol):
    quote = made.snapshots([{"bid": 1.0, "ask": 1.1}], symbol=symbol)
    made.ingest(store, f"{symbol}/1", quote)
    completed = with_vendor(quote, [{"ib_iv": 0.3, "market_data_type": "live"}])
    assert made.ingest(store, f"{symbol}/2", completed) == 1
    assert made.ingest(store, f"{symbol}/3", with_vendor(quote, [{"ib_iv": 0.9}])) == 0
    row = option_chain(store.engine, symbol, vendor=True).iloc[0]
    assert (row["ib_iv"], row["market_data_type"]) == (0.3, "live")

    name = f"{symbol}B"
    model_only = made.snapshots([{"last": 1.0}], symbol=name)
    made.ingest(store, f"{symbol}/4", with_vendor(model_only, [{"ib_iv": 0.5, "market_data_type": "frozen"}]))
    made.ingest(store, f"{symbol}/5", made.snapshots([{"bid": 1.0, "ask": 1.1}], symbol=name))
    row = option_chain(store.engine, name, vendor=True).iloc[0]
    assert row["bid"] == 1.0 and np.isnan(row["ib_iv"]) and pd.isna(row["market_data_type"])


ROWS = st.lists(
    st.tuples(
        st.sampled_from([np.nan, 1.0, 2.0]),  # bid
        st.sampled_from([np.nan, 0.2, 0.3]),  # iv
        st.sampled_from([np.nan, 0.7, 0.8]),  # ib_iv
        st.sampled_from([None, "live", "frozen"]),
    ),
    min_size=2,
    max_size=4,
)


@given(rows=ROWS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_one_batch_meet_as_rows_of_several_batches_do(store, made, symbol, rows):
    """The same merge is written twice, for arrays and in SQL: both must come to the same row."""
    found = []
    for is_together in (True, False):
        name = f"{symbol}{next(FRESH)}"
        frame = made.snapshots([{"bid": bid, "iv": iv} for bid, iv, _, _ in rows], symbol=name)
        vendor = [{"ib_iv": ib_iv, "market_data_type": kind} for _, _, ib_iv, kind in rows]
        frame = with_vendor(frame, vendor)
        parts = [frame] if is_together else [frame.iloc[[place]] for place in range(len(frame))]
        for place, part in enumerate(parts):
            made.ingest(store, f"{name}/{place}", part)
        chain = option_chain(store.engine, name, vendor=True)
        found.append(chain[["bid", "iv", "ib_iv", "market_data_type"]])
    pd.testing.assert_frame_equal(*found)
