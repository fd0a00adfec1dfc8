"""Merging in memory and merging in the database follow the same rules."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.store import option_chain

FRESH = itertools.count()
MAYBE = st.sampled_from([np.nan, 1.0, 2.0])
COLUMNS = ("bid", "ask", "bid_size", "last", "volume", "open_interest", "spot", "iv", "delta")
ROWS = st.lists(
    st.fixed_dictionaries(
        dict.fromkeys(COLUMNS, MAYBE) | {"quality": st.sampled_from(["ok", "no_quote", "no_spot", None])}
    ),
    min_size=2,
    max_size=5,
)


@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_of_one_key_give_the_same_whether_they_come_in_one_batch_or_in_files(store, made, symbol, rows):
    together, apart = (f"{symbol}{next(FRESH)}" for _ in range(2))
    made.ingest(store, together, made.snapshots(rows, symbol=together))
    for place, row in enumerate(rows):
        made.ingest(store, f"{apart}/{place}", made.snapshots([row], symbol=apart))
    first, second = (
        option_chain(store.engine, name)[[c for c in CHAIN_COLUMNS if c not in ("symbol", "trading_class")]]
        for name in (together, apart)
    )
    pd.testing.assert_frame_equal(first, second)


def test_a_key_that_comes_very_often_is_one_row(store, made, symbol):
    rows = [{"volume": float(place)} for place in range(500)] + [{"bid": 1.0, "ask": 1.5}]
    assert made.ingest(store, symbol, made.snapshots(rows, symbol=symbol)) == 1
    row = option_chain(store.engine, symbol).iloc[0]
    assert (row["volume"], row["bid"], row["ask"]) == (0.0, 1.0, 1.5)
