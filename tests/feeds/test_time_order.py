"""Large files: whole (symbol, ts) groups per batch, in time order or not, with flat memory."""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bifrost_lib.core.calendar import sessions
from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import delimited, lean, lines, open_feed, ordering, spool

Write = Callable[..., Path]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of about 40 rows, so that a file of some hundred rows counts as large."""
    for module in (delimited, lean, ordering, spool):
        monkeypatch.setattr(module, "BATCH_ROWS", 40)
    monkeypatch.setattr(lines, "_ROWS", 32)
    return 40


def chain_lines(files: SimpleNamespace, days: int = 12, strikes: int = 10) -> list[str]:
    """Lines of three symbols over some sessions, in time order; two quotes each."""
    return [
        files.cboe_line(
            symbol=symbol, root=symbol, day=str(day), expiry="2022-06-17", strike=f"{100 + 5 * k}", right=right
        )
        for day in sessions(date(2022, 3, 1), date(2022, 4, 29))[:days]
        for symbol in ("QQQ", "AAPL", "SPY")
        for k in range(strikes)
        for right in "CP"
    ]


def groups_of(got: SimpleNamespace) -> list[tuple[str, pd.Timestamp]]:
    return [
        pair
        for frame in got.frames
        for pair in frame[["symbol", "ts"]].astype({"symbol": str}).drop_duplicates().itertuples(index=False, name=None)
    ]


def comparable(quotes: pd.DataFrame) -> pd.DataFrame:
    keys = ["ts", "symbol", "expiry", "strike", "right"]
    return quotes.astype({"right": str}).sort_values(keys).reset_index(drop=True)


def test_a_file_in_time_order_streams_whole_groups(files: SimpleNamespace, write: Write, small_batches: int) -> None:
    rows = chain_lines(files)
    feed = open_feed(write("chain.csv", files.CBOE_HEADER, *rows))
    got = files.collect(feed)
    assert feed.in_time_order is True
    assert (got.rows_read, got.reasons) == (len(rows), {})
    assert len(got.frames) > 5
    assert max(map(len, got.frames)) <= 3 * small_batches
    assert len(groups_of(got)) == len(set(groups_of(got))) == 36
    assert got.batches[-1].fraction == 1.0
    fractions = [batch.fraction for batch in got.batches]
    assert fractions == sorted(fractions)


@pytest.mark.usefixtures("small_batches")
def test_a_file_out_of_time_order_gives_the_same_groups(files: SimpleNamespace, write: Write) -> None:
    rows = chain_lines(files)
    expected = files.collect(open_feed(write("chain.csv", files.CBOE_HEADER, *rows)))
    random.Random(7).shuffle(rows)
    feed = open_feed(write("shuffled.csv", files.CBOE_HEADER, *rows))
    got = files.collect(feed)
    assert feed.in_time_order is False
    assert len(groups_of(got)) == len(set(groups_of(got))) == 36
    pd.testing.assert_frame_equal(comparable(got.quotes), comparable(expected.quotes))


@pytest.mark.usefixtures("small_batches")
def test_repetitions_far_apart_are_found_in_either_order(files: SimpleNamespace, write: Write) -> None:
    rows = chain_lines(files)
    path = write("chain.csv", files.CBOE_HEADER, *rows, rows[0], rows[25].replace("101.5000", "7.0000"), "broken")
    feed = open_feed(path)
    got = files.collect(feed)
    assert feed.in_time_order is False
    assert got.reasons == {"duplicate": 1, "conflicting_duplicate": 1, "wrong_columns": 1}
    assert got.rows_read == len(rows) + 3
    assert set(got.quotes.bid) == {101.5}


@pytest.mark.usefixtures("small_batches")
def test_a_large_file_cut_off_fails_before_any_quote_is_handed_over(files: SimpleNamespace, write: Write) -> None:
    path = write("chain.csv", files.CBOE_HEADER, *chain_lines(files))
    path.write_bytes(path.read_bytes()[:-50])
    handed = 0
    with pytest.raises(FileFormatError, match="cut off"):
        for batch in open_feed(path).batches():
            handed += len(batch.quotes)
    assert handed == 0


@pytest.mark.slow
def test_memory_stays_flat_over_a_million_rows(files: SimpleNamespace, tmp_path: Path) -> None:
    days = sessions(date(2015, 1, 2), date(2023, 12, 29))
    line = files.cboe_line(day="{day}", strike="{strike}", right="{right}", expiry="2025-01-17")
    peaks = []
    for count in (100, 400):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as stream:
            stream.write(files.CBOE_HEADER + "\n")
            for day in days[:count]:
                for k in range(1250):
                    stream.write(line.format(day=day, strike=100 + k, right="C") + "\n")
                    stream.write(line.format(day=day, strike=100 + k, right="P") + "\n")
        rows = sum(batch.rows_read for batch in open_feed(path).batches())
        assert rows == count * 2500
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024))
    assert peaks[1] - peaks[0] < 100, f"megabytes after 0.25 and 1 million rows: {peaks}"
