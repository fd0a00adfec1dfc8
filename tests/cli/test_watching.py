"""``bifrost strategy save, saved, forget, hits``: documents that are kept, and what they found."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bifrost_lib.cli import run
from bifrost_lib.store import open_store, record_hits, saved_documents


@pytest.fixture
def bifrost(database_settings, monkeypatch, capsys):
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))

    def command(*words, status=0):
        assert run(["strategy", *words]) == status
        return capsys.readouterr()

    return command


def test_a_document_is_kept_watched_listed_and_forgotten(bifrost, database_settings):
    assert "No document is kept" in bifrost("saved").out
    told = bifrost("save", "iron_condor", "--as", "calm", "--symbol", "sim", "--least-score", "70").out
    assert told == "calm is kept, watched on SIM\n"
    bifrost("save", "Jade Lizard", "--no-watch")
    listed = json.loads(bifrost("saved", "--json").out)["documents"]
    assert [(one["name"], one["watched"], one["symbols"], one["least_score"]) for one in listed] == [
        ("calm", True, ["SIM"], 70.0), ("jade_lizard", False, [], 0.0),
    ]  # fmt: skip
    assert "watchlist" in bifrost("saved").out
    assert "Nothing was found yet" in bifrost("hits").out

    candidate = {"score": 81.5, "legs": [{"right": "P", "qty": -1, "strike": 480.0}, {"right": "S", "qty": 1}]}
    with open_store(database_settings) as store:
        (calm,) = saved_documents(store, name="calm")
        record_hits(
            store, calm, "SIM", [candidate | {"candidate_hash": "a"}], ts=datetime(2026, 11, 20, 18, tzinfo=UTC)
        )
    (hit,) = json.loads(bifrost("hits", "--json").out)["hits"]
    assert (hit["name"], hit["symbol"], hit["score"]) == ("calm", "SIM", 81.5)
    assert "-1 P 480.0  +1 S" in bifrost("hits").out

    assert bifrost("forget", "calm").out == "calm is forgotten\n"
    assert "calm" in bifrost("forget", "calm", status=1).err
    assert [one["name"] for one in json.loads(bifrost("saved", "--json").out)["documents"]] == ["jade_lizard"]


def test_mistakes_name_what_was_expected(bifrost):
    assert "iron_condor" in bifrost("save", "iron_kondor", status=1).err
    assert "a score from 0 to 100" in bifrost("save", "iron_condor", "--least-score", "700", status=1).err
