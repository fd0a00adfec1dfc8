"""``bifrost earnings``: a file is stored whole or not at all, and the days are shown as they were known."""

from __future__ import annotations

import json

import pytest

from bifrost_lib.cli import run


@pytest.fixture
def bifrost(database_settings, monkeypatch, capsys):
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))

    def command(*words, status=0):
        assert run(["earnings", *map(str, words)]) == status
        return capsys.readouterr()

    return command


def test_a_file_is_stored_and_listed_as_it_was_known(bifrost, tmp_path):
    assert "no earnings days are known" in bifrost("list").out
    file = tmp_path / "days.csv"
    file.write_text(
        "symbol,report_date,time_of_day,fiscal_period,known_at\n"
        "ACME,2024-05-02,amc,2024Q1,2024-03-01\n"
        "ACME,2024-05-09,amc,2024Q1,2024-04-20\n"
        "FUND,none,,,2020-01-01\n"
    )
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(file.read_text() + "ACME,2024-08-32,,2024Q2,2024-06-01\n")
    refused = bifrost("ingest", wrong, status=1).err
    assert refused.startswith("bifrost: ") and "line 5: report_date: got '2024-08-32'" in refused
    assert "no earnings days are known" in bifrost("list").out

    assert "3 rows of 2 symbols, 3 of them new" in bifrost("ingest", file).out
    assert json.loads(bifrost("ingest", file, "--json").out)["stored"] == 0
    (then,) = json.loads(bifrost("list", "acme", "--at", "2024-04-01", "--json").out)["earnings"]
    assert (then["report_date"], then["days"], then["confirmed"]) == ("2024-05-02", 31.0, False)
    moved, fund = json.loads(bifrost("list", "--json").out)["earnings"]
    assert (moved["report_date"], fund["report_date"], fund["days"]) == ("2024-05-09", None, None)
    assert "none expected" in bifrost("list").out
    assert bifrost("list", "FUND", "--csv").out.splitlines()[1].startswith("FUND,none,,unknown,,False,2020-01-02T")

    file.write_text("symbol,report_date\nACME,2023-05-04\n")
    assert "--known-days-before" in bifrost("ingest", file, status=1).err
    told = bifrost("ingest", file, "--known-days-before", "10").out
    assert "! without known_at, assumed to be known from the end of the 10th day before: 1 rows" in told
    file.write_text("symbol,report_date,known_at,fiscal_period\nACME,2059-05-05,2058-05-06,2059Q1\n")
    assert "nobody can know yet" in bifrost("ingest", file, status=1).err
