"""Damaged files: each bad row is counted by its reason, and a broken file says where it broke."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import REASONS, open_feed

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"strike": ""}, "missing_strike"),
        ({"strike": "-665.0"}, "bad_strike"),
        ({"strike": "0"}, "bad_strike"),
        ({"strike": "inf"}, "bad_strike"),
        ({"strike": "sixty"}, "bad_strike"),
        ({"strike": "666.0"}, "contract_mismatch"),
        ({"right": ""}, "missing_right"),
        ({"right": "X"}, "bad_right"),
        ({"right": "P"}, "contract_mismatch"),
        ({"expiry": ""}, "missing_expiry"),
        ({"expiry": "2026-09-31"}, "bad_expiry"),
        ({"expiry": "09/18/2026"}, "bad_expiry"),
        ({"expiry": "2126-09-18"}, "bad_expiry"),
        ({"expiry": "2026-08-11", "occ": "SPY260811C00665000"}, "expired"),
        ({"session": ""}, "missing_date"),
        ({"session": "2026-02-30"}, "bad_date"),
        ({"session": "1926-08-12"}, "bad_date"),
        ({"session": "2026-08-15"}, "not_a_session"),
        ({"session": "2026-07-03"}, "not_a_session"),
        ({"bid": "abc"}, "bad_number"),
        ({"bid": "inf"}, "bad_number"),
        ({"bid": "1.2.3"}, "bad_number"),
        ({"ask": "12%"}, "bad_number"),
        ({"bid": "-0.05"}, "negative_price"),
        ({"spot": "-1"}, "negative_price"),
        ({"spot": "0"}, "bad_spot"),
        ({"occ": "SPY26091XC00665000"}, "bad_occ_symbol"),
        ({"bid": "1,250.00"}, "wrong_columns"),
        ({"bid": '"108.92'}, "wrong_columns"),
        ({"bid": '"108.92"x'}, "bad_quotes"),
        ({"bid": "10\x008.92"}, "embedded_nul"),
        ({"ask": "112.36,,"}, "wrong_columns"),
    ],
)
def test_each_kind_of_damage_has_its_reason(
    files: SimpleNamespace, write: Write, damage: dict[str, str], reason: str
) -> None:
    bad = files.yahoo_line(**damage)
    path = write("SPY.csv", files.YAHOO_HEADER, files.yahoo_line(), bad)
    got = files.collect(open_feed(path, symbol="SPY"))
    assert reason in REASONS
    refused = [reject for reject in got.rejects if reject.line == 3]
    assert [reject.reason for reject in refused] == [reason]
    assert refused[0].text == bad


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [
        ({"bid": "0"}, "bid", 0.0),
        ({"bid": '"1,250.00"'}, "bid", 1250.0),
        ({"bid": "$3.10"}, "bid", 3.1),
        ({"ask": "0.01"}, "ask", 0.01),
    ],
)
def test_odd_but_readable_quotes_are_kept_as_they_are(
    files: SimpleNamespace, write: Write, change: dict[str, str], column: str, value: float
) -> None:
    got = files.collect(open_feed(write("SPY.csv", files.YAHOO_HEADER, files.yahoo_line(**change))))
    assert got.reasons == {}
    assert got.quotes[column][0] == value


def test_a_blank_side_stays_missing_and_a_missing_quote_is_no_damage(files: SimpleNamespace, write: Write) -> None:
    got = files.collect(open_feed(write("SPY.csv", files.YAHOO_HEADER, files.yahoo_line(bid="", ask="N/A"))))
    assert got.reasons == {}
    assert got.quotes[["bid", "ask"]].isna().all(axis=None)


def test_of_two_rights_on_a_line_only_the_damaged_one_is_refused(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "spy_eod_1.txt",
        files.OPTIONSDX_HEADER,
        files.optionsdx_line(call=("x", "1")),
        files.optionsdx_line(strike="405", put=("-1", "1")),
        files.optionsdx_line(strike=""),
    )
    got = files.collect(open_feed(path, symbol="SPY"))
    assert got.rows_read == 6
    assert got.reasons == {"bad_number": 1, "negative_price": 1, "missing_strike": 2}
    assert list(zip(got.quotes.strike, got.quotes.right, strict=True)) == [(400, "P"), (405, "C")]


def test_identical_and_conflicting_repetitions_are_told_apart(files: SimpleNamespace, write: Write) -> None:
    line = files.yahoo_line()
    path = write("SPY.csv", files.YAHOO_HEADER, line, line, files.yahoo_line(bid="1.00"))
    got = files.collect(open_feed(path))
    assert got.reasons == {"duplicate": 1, "conflicting_duplicate": 1}
    assert [(reject.line, reject.reason) for reject in got.rejects] == [(3, "duplicate"), (4, "conflicting_duplicate")]
    assert "line 2" in got.rejects[0].text
    assert got.quotes.bid.tolist() == [108.92]


def test_the_header_in_the_middle_is_a_reason_of_its_own(files: SimpleNamespace, write: Write) -> None:
    header = files.OPTIONSDX_HEADER
    path = write("spy_eod_1.txt", header, files.optionsdx_line(), header, files.optionsdx_line(strike="405"))
    got = files.collect(open_feed(path, symbol="SPY"))
    assert got.reasons == {"repeated_header": 2}
    assert len(got.quotes) == 4


def test_blank_lines_are_no_rows_and_count_as_lines(files: SimpleNamespace, write: Write) -> None:
    path = write("SPY.csv", "", files.YAHOO_HEADER, "", files.yahoo_line(), "   ", files.yahoo_line(bid="x"), "")
    got = files.collect(open_feed(path))
    assert got.rows_read == 2
    assert got.rejects[0].line == 6


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(files: SimpleNamespace, write: Write, end: str) -> None:
    path = write("SPY.csv", files.YAHOO_HEADER, files.yahoo_line(), files.yahoo_line(bid="x"), end=end)
    got = files.collect(open_feed(path))
    assert (len(got.quotes), got.reasons, got.rejects[0].line) == (1, {"bad_number": 1}, 3)
    assert got.rejects[0].text == files.yahoo_line(bid="x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_unicode_encoding_is_read(files: SimpleNamespace, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "SPY.csv"
    path.write_bytes(f"{files.YAHOO_HEADER}\n{files.yahoo_line()}\n".encode(encoding))
    assert files.collect(open_feed(path)).quotes.bid.tolist() == [108.92]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress], ids=["gzip", "xz", "bzip2"])
def test_a_packed_file_reads_like_the_plain_one_and_one_cut_off_says_where(
    files: SimpleNamespace, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    lines = [
        files.YAHOO_HEADER,
        *(files.yahoo_line(strike=f"{k}.0", occ=f"SPY260918C{k:05d}000") for k in range(1, 3000)),
    ]
    packed = pack(("\n".join(lines) + "\n").encode())
    whole, cut = tmp_path / "SPY.csv.gz", tmp_path / "cut" / "SPY.csv.gz"
    whole.write_bytes(packed)
    assert len(files.collect(open_feed(whole)).quotes) == 2999
    cut.parent.mkdir()
    cut.write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(FileFormatError, match="broken after") as caught:
        files.collect(open_feed(cut))
    assert caught.value.line is not None


def test_a_zip_of_text_is_read_member_by_member(files: SimpleNamespace, tmp_path: Path) -> None:
    members = {
        "a.csv": f"{files.YAHOO_HEADER}\n{files.yahoo_line()}\n{files.yahoo_line(bid='x')}\n",
        "b.csv": f"{files.YAHOO_HEADER}\n{files.yahoo_line()}\n",
    }
    got = files.collect(open_feed(files.write_zip(tmp_path / "SPY.zip", members)))
    assert got.reasons == {"bad_number": 1, "duplicate": 1}
    assert {(reject.member, reject.line) for reject in got.rejects} == {("a.csv", 3), ("b.csv", 2)}
    data = (tmp_path / "SPY.zip").read_bytes()
    (tmp_path / "SPY.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError, match="cut off"):
        open_feed(tmp_path / "SPY.zip")


def test_parquet_is_read_by_the_same_rules(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "SPY.csv", files.YAHOO_HEADER, files.yahoo_line(), files.yahoo_line(strike="700", occ="SPY260918C00700000")
    )
    frame = pd.read_csv(path)
    frame["expiry"] = pd.to_datetime(frame["expiry"])
    frame["type"] = frame["type"].astype("category")
    frame.loc[1, "bid"] = -1.0
    frame.to_parquet(path.with_suffix(".parquet"))
    got = files.collect(open_feed(path.with_suffix(".parquet")))
    assert got.quotes.bid.tolist() == [108.92]
    assert got.quotes.spot.tolist() == [772.489990234375]
    assert got.reasons == {"negative_price": 1}
    data = path.with_suffix(".parquet").read_bytes()
    path.with_suffix(".parquet").write_bytes(data[:-50])
    with pytest.raises(FileFormatError, match="cut off"):
        open_feed(path.with_suffix(".parquet"))


def test_an_empty_file_is_an_error_and_a_lone_header_is_not(
    files: SimpleNamespace, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "none.csv").write_bytes(b"")
    with pytest.raises(FileFormatError, match="is empty"):
        open_feed(tmp_path / "none.csv")
    got = files.collect(open_feed(write("SPY.csv", files.YAHOO_HEADER)))
    assert (got.rows_read, got.reasons) == (0, {})


def test_a_plain_file_cut_off_in_the_middle_of_a_line_says_where(files: SimpleNamespace, write: Write) -> None:
    path = write("SPY.csv", files.YAHOO_HEADER, files.yahoo_line(), files.yahoo_line(bid="1"))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileFormatError, match="cut off") as caught:
        files.collect(open_feed(path))
    assert caught.value.line == 3
    whole = write("QQQ.csv", files.YAHOO_HEADER, files.yahoo_line())
    whole.write_bytes(whole.read_bytes().rstrip(b"\n"))
    assert len(files.collect(open_feed(whole)).quotes) == 1, "a last line without its end is whole all the same"


CELLS = st.one_of(
    st.sampled_from(["", "nan", "inf", "-1", "0", "1e9", '"', '","', "\x00", "x", "C", "2026-08-12"]),
    st.text(max_size=6),
)


@given(st.lists(st.tuples(st.integers(0, 13), CELLS, st.integers(1, 9)), max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_accepted_or_refused_whatever_the_damage(
    files: SimpleNamespace, tmp_path: Path, damage: list[tuple[int, str, int]]
) -> None:
    lines = [files.yahoo_line(occ=f"SPY260918C{100 * k:05d}000", strike=f"{100 * k}") for k in range(1, 10)]
    for column, text, row in damage:
        cells = lines[row - 1].split(",")
        cells[min(column, len(cells) - 1)] = text.replace("\n", " ").replace("\r", " ")
        lines[row - 1] = ",".join(cells)
    path = tmp_path / "SPY.csv"
    path.write_bytes("\n".join([files.YAHOO_HEADER, *lines, ""]).encode("utf-8", "replace"))
    got = files.collect(open_feed(path, symbol="SPY"))
    untouched = 9 - len({row for *_, row in damage})
    assert got.rows_read == sum(1 for line in lines if line.strip(" \t"))
    assert len(got.quotes) >= untouched - sum(1 for reject in got.rejects if "duplicate" in reject.reason)
    assert all(reject.reason in REASONS for reject in got.rejects)
