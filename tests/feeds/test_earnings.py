"""A table of earnings days is read whole or not at all, and says what had to be assumed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bifrost_lib.core.errors import FileFormatError, InputError
from bifrost_lib.feeds import read_earnings


def written(folder: Path, *lines: str) -> Path:
    path = folder / "days.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_that_says_since_when_each_row_is_known(tmp_path):
    path = written(
        tmp_path,
        "symbol,report_date,time_of_day,fiscal_period,known_at,confirmed,source",
        "acme,2026-10-22,amc,2026Q3,2026-09-30T16:30-04:00,true,wire",
        "ACME,2027-01-21,,2026Q4,2026-10-23,,",
        "",
        "FUND,none,,,2020-01-01,yes,",
    )
    read = read_earnings(path)
    first, second, fund = read.announcements.to_dict("records")
    assert first == {
        "symbol": "ACME", "fiscal_period": "2026Q3", "report_date": pd.Timestamp("2026-10-22"),
        "time_of_day": "after_close", "known_at": pd.Timestamp("2026-09-30T20:30Z"), "known_assumed": False,
        "confirmed": True, "source": "wire", "simulated": False,
    }  # fmt: skip
    # A date is over at midnight in New York: nobody knew it during the session.
    assert second["known_at"] == pd.Timestamp("2026-10-24T04:00Z")
    assert (second["time_of_day"], second["confirmed"], second["source"]) == ("unknown", False, "days.csv")
    assert (fund["fiscal_period"], fund["report_date"]) == ("none", pd.NaT)
    assert read.notes == ()


def test_what_is_assumed_is_asked_for_and_told(tmp_path):
    path = written(tmp_path, "symbol,report_date", "ACME,2024-02-01", "ACME,2024-05-02")
    with pytest.raises(FileFormatError, match="--known-days-before DAYS") as caught:
        read_earnings(path)
    assert caught.value.line == 2
    read = read_earnings(path, known_days_before=14)
    # Winter and summer time: midnight in New York after the 14th day before.
    assert read.announcements["known_at"].tolist() == [
        pd.Timestamp("2024-01-19T05:00Z"), pd.Timestamp("2024-04-19T04:00Z"),
    ]  # fmt: skip
    assert read.announcements["known_assumed"].all()
    assert read.announcements["fiscal_period"].tolist() == ["on 2024-02-01", "on 2024-05-02"]
    assert read.notes == ("without known_at, assumed to be known from the end of the 14th day before: 2 rows",)
    with pytest.raises(InputError) as caught:
        read_earnings(path, known_days_before=0)
    assert caught.value.name == "known_days_before"


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (("symbol,report_date,known_ad", "A,2024-02-01,2024-01-01"), 1, "did you mean 'known_at'"),
        (("symbol,known_at", "A,2024-01-01"), 1, "report_date is missing"),
        (("symbol,report_date,report_date", "A,2024-02-01,2024-02-01"), 1, "twice"),
        (("symbol,report_date,known_at", "A,2024-02-30,2024-01-01"), 2, "a date such as"),
        (("symbol,report_date,known_at", "A,2024-02-01,2024-01-01"), 2, "fiscal_period"),
        (
            ("symbol,report_date,known_at,fiscal_period", "A,2024-02-01,2024-01-01,Q4", "B,2024-02-01,yesterday,Q4"),
            3,
            "known_at",
        ),
        (("symbol,report_date,known_at", "A,2024-02-01,2024-01-02T10:00:00"), 2, "an offset"),
        (
            ("symbol,report_date,fiscal_period,known_at,time_of_day", "A,2024-02-01,Q4,2024-01-01,noon"),
            2,
            "time_of_day",
        ),
        (("symbol,report_date,fiscal_period,known_at,confirmed", "A,2024-02-01,Q4,2024-01-01,maybe"), 2, "confirmed"),
        (("symbol,report_date,known_at", ",2024-02-01,2024-01-01", "B,x,2024-01-01"), 2, "1 more lines"),
        (("symbol,report_date,known_at", "A,2024-02-01"), 2, "2 cells, expected 3"),
        (("symbol,report_date,known_at", "FUND,none,"), 2, "known_at"),
        (("symbol,report_date",), None, "no row"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, lines, line, said):
    with pytest.raises(FileFormatError, match=said) as caught:
        read_earnings(written(tmp_path, *lines))
    assert caught.value.line == line
