"""Real files: everything is read or refused, and rows known by hand come out right."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import discover, open_feed

pytestmark = pytest.mark.samples


def row_of(quotes: pd.DataFrame, ts: str, expiry: str, strike: float, right: str) -> pd.Series:
    found = quotes[
        (quotes.ts == pd.Timestamp(ts, tz="America/New_York"))
        & (quotes.expiry == pd.Timestamp(expiry))
        & (np.abs(quotes.strike - strike) < 1e-9)
        & (quotes.right == right)
    ]
    assert len(found) == 1
    row: pd.Series = found.iloc[0]
    return row


def test_every_option_file_is_read_or_says_why_not(files: SimpleNamespace, samples: Path) -> None:
    feeds = discover([samples / "options"])
    rows, reasons = 0, Counter[str]()
    unreadable = []
    for feed in feeds:
        try:
            got = files.collect(feed)
        except FileFormatError:
            unreadable.append(feed.path.name)
            continue
        rows += got.rows_read
        reasons.update(got.reasons)
    assert sorted(unreadable) == ["SP500-18-oct-2024-5781.88.csv", "amd.csv", "nvda.csv"], "these say no quote time"
    assert rows > 200_000
    # Of Apple's contracts from before its split, open interest was reported for weeks after they had ended.
    assert reasons == {"expired": 355, "unmatched_open_interest": 5679}


def test_the_rows_of_a_quote_archive_are_all_there(files: SimpleNamespace, samples: Path) -> None:
    path = samples / "options/lean/option/usa/daily/aapl_2014_quote_american.zip"
    with zipfile.ZipFile(path) as archive:
        lines = sum(len(archive.read(name).splitlines()) for name in archive.namelist())
    got = files.collect(open_feed(path))
    assert len(got.quotes) == lines
    assert set(got.quotes.ts) == {
        pd.Timestamp("2014-06-06 16:00", tz="America/New_York"),
        pd.Timestamp("2014-06-09 16:00", tz="America/New_York"),
    }


def test_known_rows_of_apple_around_its_split(files: SimpleNamespace, samples: Path) -> None:
    got = files.collect(open_feed(samples / "options/lean/option/usa/daily/aapl_2014_quote_american.zip"))
    before = row_of(got.quotes, "2014-06-06 16:00", "2015-01-17", 1000.0, "C")
    assert (before.bid, before.ask, before.bid_size, before.ask_size) == (1.21, 1.33, 30, 6)
    assert (before["last"], before.volume, before.open_interest, before.spot) == (1.35, 257, 9325, 645.57)
    after = row_of(got.quotes, "2014-06-09 16:00", "2014-06-13", 92.86, "C")
    assert (after.bid, after.ask, after.spot) == (1.33, 1.34, 93.7)


def test_known_rows_of_time_warner_by_the_minute(files: SimpleNamespace, samples: Path) -> None:
    got = files.collect(open_feed(samples / "options/lean/option/usa/minute/twx/20140605_quote_american.zip"))
    first = row_of(got.quotes, "2014-06-05 09:31", "2016-01-15", 100.0, "C")
    assert (first.bid, first.ask, first.bid_size, first.ask_size, first.open_interest) == (0.49, 0.94, 44, 49, 21)
    assert first.spot == 70.56, "the close of the bar of 09:30"


def test_known_rows_of_the_spx_with_a_bid_that_never_was(files: SimpleNamespace, samples: Path) -> None:
    got = files.collect(open_feed(samples / "options/lean/indexoption/usa/minute/spx/20210114_quote_european.zip"))
    put = row_of(got.quotes, "2021-01-14 09:31", "2021-01-15", 3200.0, "P")
    assert np.isnan(put.bid)
    assert put.ask == 0.10
    assert (put["style"], put.settlement, put.open_interest, put.spot) == ("european", "AM", 32508, 3818.33)


def test_known_rows_of_yahoo_and_barchart(files: SimpleNamespace, samples: Path) -> None:
    yahoo = files.collect(open_feed(samples / "options/yahoo_eod_mit/2026-08-12/SPY.csv.gz"))
    row = row_of(yahoo.quotes, "2026-08-12 16:00", "2026-08-13", 690.0, "C")
    assert (row.bid, row.ask, row["last"], row.open_interest, row.spot) == (85.77, 87.1, 87.89, 12, 772.489990234375)
    name = "nvda-options-exp-2026-01-16-monthly-show-all-stacked-10-29-2025.csv"
    barchart = files.collect(open_feed(samples / "options/barchart_side_by_side_mit" / name))
    row = row_of(barchart.quotes, "2025-10-29 18:36", "2026-01-16", 1.0, "C")
    assert (row.symbol, row.bid, row.ask, row.volume, row.open_interest) == ("NVDA", 205.6, 208.1, 1356, 13384)
    assert row.spot == pytest.approx(207.04, abs=0.02), "NVIDIA's close of 2025-10-29"


def test_known_rows_of_the_historical_spx_samples(files: SimpleNamespace, samples: Path) -> None:
    got = files.collect(open_feed(samples / "options/spx_samples_mit/test_data_options.csv"))
    row = row_of(got.quotes, "2017-01-03 16:00", "2017-03-17", 300.0, "C")
    assert (row.symbol, row.settlement, row.bid, row.ask, row.spot) == ("SPX", "AM", 1945.3, 1950.1, 2257.83)
