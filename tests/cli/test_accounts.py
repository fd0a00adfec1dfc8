"""``bifrost account``: people come, change and go; a password is told once and kept as a hash alone."""

from __future__ import annotations

import json

import pytest

from bifrost_lib.cli import run
from bifrost_lib.store import ensure_user, list_users, open_store
from bifrost_lib.workflows import hub


@pytest.fixture
def bifrost(database_settings, monkeypatch, capsys):
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))

    def command(*words, status=0):
        assert run(["account", *words]) == status
        return capsys.readouterr()

    return command


def test_people_come_change_and_go(bifrost, database_settings):
    home = database_settings.home
    assert "no accounts yet" in bifrost("list").out
    first = json.loads(bifrost("set", "ann", "--role", "trader", "--json").out)["password"]
    assert hub.account_for(home, "ann", first).role == "trader"
    assert first not in (home / "accounts.json").read_text()
    told = bifrost("set", "ann", "--role", "quant").out
    assert hub.account_for(home, "ann", first) is None, "the old password is void"
    assert hub.account_for(home, "ann", told.split()[-1]).role == "quant"
    assert json.loads(bifrost("list", "--json").out) == {"accounts": [{"name": "ann", "role": "quant"}]}

    with open_store(database_settings) as store:
        ensure_user(store, "ann", "quant")
    assert bifrost("remove", "ann").out == "ann may not log in any more\n"
    with open_store(database_settings) as store:
        assert "ann" not in list_users(store)
    assert "ann" in bifrost("remove", "ann", status=1).err


@pytest.mark.parametrize(
    ("words", "told"), [(("set", "Ann"), "lower-case letters"), (("set", "ann", "--role", "boss"), "trader")]
)
def test_mistakes_name_what_was_expected(bifrost, words, told):
    assert told in bifrost(*words, status=1).err
