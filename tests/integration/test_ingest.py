"""Files go in whole or not at all; every row is accounted for; every mistake is one line."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

HEADER = "ts,symbol,expiry,strike,right,bid,ask,spot\n"
GOOD = [
    f"2024-03-15T20:00:00Z,ACME,2024-04-19,{strike},{right},{bid},{bid + 0.1:.2f},100\n"
    for strike, call, put in ((95, 6.4, 1.0), (100, 3.2, 2.8), (105, 1.2, 5.8))
    for right, bid in (("C", call), ("P", put))
]
BAD = [
    "2024-03-15T20:00:00Z,ACME,2024-04-19,not a strike,C,1,2,100\n",
    "2024-03-15T20:00:00Z,ACME,2024-02-16,100,C,1,2,100\n",
    "2024-03-15T20:00:00Z,ACME,2024-04-19,100,X,1,2,100\n",
    "2024-03-15T20:00:00Z,ACME,2024-04-19,110,C,-1,2,100\n",
]


def written(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def report(bifrost):
    def ingest(*words):
        (only,) = bifrost("ingest", *words, "--json")["files"]
        return only

    return ingest


def test_bad_rows_are_counted_and_kept(report, tmp_path):
    found = report(written(tmp_path / "quotes.csv", *GOOD, *BAD))
    assert (found["rows_read"], found["rows_stored"]) == (len(GOOD) + len(BAD), len(GOOD))
    assert found["rejected"] == {"bad_strike": 1, "expired": 1, "bad_right": 1, "negative_price": 1}
    with Path(found["reject_file"]).open(encoding="utf-8") as file:
        kept = list(csv.DictReader(file))
    assert {row["text"] + "\n" for row in kept} == set(BAD)
    assert {int(row["line"]) for row in kept} == {8, 9, 10, 11}


def test_the_same_file_again_changes_nothing(report, tmp_path):
    path = written(tmp_path / "twice.csv", *GOOD)
    report(path)
    again = report(path)
    assert (again["state"], again["rows_read"], again["rows_stored"]) == ("unchanged", len(GOOD), 0)


def test_a_copy_under_another_name_changes_nothing(report, tmp_path):
    report(written(tmp_path / "first.csv", *GOOD))
    copy = report(written(tmp_path / "second.csv", *GOOD))
    assert (copy["rows_stored"], copy["rows_unchanged"]) == (0, len(GOOD))


def test_a_file_that_breaks_in_the_middle_leaves_nothing(bifrost, tmp_path):
    lines = [line.replace("ACME", "BROKEN") for line in GOOD] * 2000
    whole = gzip.compress((HEADER + "".join(lines)).encode())
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(whole[: len(whole) // 2])
    line = bifrost("ingest", broken, "--json", fails=True)
    assert "broken.csv.gz" in line
    assert "BROKEN" not in {row["symbol"] for row in bifrost("status", "--json")["symbols"]}
    bifrost("chain", "BROKEN", fails=True)


def test_one_broken_file_does_not_stop_the_others(bifrost, tmp_path, capfd):
    (tmp_path / "a.csv").write_text("neither,fish\nnor,flesh\n", encoding="utf-8")
    written(tmp_path / "b.csv", *[line.replace("ACME", "FINE") for line in GOOD])
    bifrost("ingest", tmp_path, fails=True)
    assert bifrost("chain", "FINE", "--json")["spot"] == 100


def test_without_analytics_quotes_are_stored_bare(bifrost, tmp_path):
    path = written(tmp_path / "bare.csv", *[line.replace("ACME", "BARE") for line in GOOD])
    bifrost("ingest", path, "--no-analytics")
    rows = bifrost("chain", "BARE", "--json")["rows"]
    assert {(row["iv"], row["delta"], row["quality"]) for row in rows} == {(None, None, "ok")}


def test_a_vendor_never_seen_before(bifrost, tmp_path):
    mapping = tmp_path / "acme.toml"
    mapping.write_text(
        'name = "acme"\n[columns]\nts = "When"\nexpiry = "Ends"\nstrike = "K"\nright = "Kind"\nbid = "B"\nask = "A"\n'
        '[time]\nformats = ["%d.%m.%Y %H:%M"]\nzone = "Europe/Berlin"\n[expiry]\nformats = ["%d.%m.%Y"]\n',
        encoding="utf-8",
    )
    path = tmp_path / "feed.csv"
    path.write_text("When;Ends;K;Kind;B;A\n15.03.2024 21:00;19.04.2024;100;Call;3.2;3.3\n", encoding="utf-8")
    bifrost("ingest", path, "--format", mapping, "--symbol", "own")
    (row,) = bifrost("chain", "OWN", "--json")["rows"]
    assert (row["ts"], row["expiry"], row["right"], row["bid"]) == ("2024-03-15T20:00:00Z", "2024-04-19", "C", 3.2)


def test_real_chains_of_every_vendor(bifrost, samples):
    found = bifrost("ingest", samples / "options" / "yahoo_eod_mit" / "2026-08-12", "--json")["files"]
    assert [(file["rows_read"], file["rows_stored"]) for file in found] == [(5049, 5049), (5472, 5472)]
    chain = bifrost("chain", "SPY", "--at", "2026-08-12T20:00Z", "--expiry", "2026-09-18", "--json")
    near = [row for row in chain["rows"] if abs(row["strike"] / chain["spot"] - 1) < 0.02 and row["quality"] == "ok"]
    assert len(near) > 20
    assert all(0.05 < row["iv"] < 0.5 for row in near)
