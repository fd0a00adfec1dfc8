"""Splits and dividends from factor files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import read_corporate_actions


def test_the_seven_for_one_split_of_apple_and_the_dividend_before_it(samples: Path) -> None:
    """7-for-1 on 2014-06-09 and 3.29 a share on 2014-05-08 (Apple's investor relations)."""
    actions = read_corporate_actions(samples / "equity/lean/equity/usa/factor_files/aapl.csv").set_index("ex_date")
    splits = actions[actions.kind == "split"].value
    assert splits.to_dict() == {
        date(2000, 6, 21): 2.0,
        date(2005, 2, 28): 2.0,
        date(2014, 6, 9): 7.0,
        date(2020, 8, 31): 4.0,
    }
    dividends = actions[actions.kind == "dividend"].value
    assert dividends[date(2014, 5, 8)] == pytest.approx(3.29, abs=1e-3)
    assert dividends[date(2012, 8, 9)] == pytest.approx(2.65, abs=1e-3)
    assert set(actions.symbol) == {"AAPL"}


def test_every_factor_file_of_the_samples_is_read(samples: Path) -> None:
    for path in (samples / "equity/lean/equity/usa/factor_files").glob("*.csv"):
        actions = read_corporate_actions(path)
        assert (actions.value > 0).all()
        assert set(actions.kind) <= {"split", "dividend"}


@pytest.mark.parametrize("line", ["2014060,1,1,1", "20140606,x,1,1", "20140606,0,1,1", "20140606"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "xyz.csv"
    path.write_text(f"19980102,1,1,1\n{line}\n")
    with pytest.raises(FileFormatError) as caught:
        read_corporate_actions(path)
    assert caught.value.line == 2


def test_a_file_without_changes_gives_no_rows(tmp_path: Path) -> None:
    (tmp_path / "xyz.csv").write_text("20120518,1,1,1\n20501231,1,1,0\n")
    assert read_corporate_actions(tmp_path / "xyz.csv").empty
