"""What the parts share in a home: secrets, places and accounts, each private, made once, and refused when damaged."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from bifrost_lib.core.errors import EnvironmentProblem, InputError, SettingsError, UnknownNameError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import (
    ROLES,
    Places,
    account_for,
    first_accounts,
    page_token,
    platform_url,
    read_accounts,
    remove_account,
    set_account,
    shared_secret,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_differ_by_purpose_and_are_private(tmp_path):
    words = {shared_secret(tmp_path, "proxy"), page_token(tmp_path, "chain"), page_token(tmp_path, "finder")}
    assert len(words) == 3 and all(len(bytes.fromhex(word)) == 32 for word in words)
    assert page_token(tmp_path, "chain") in words
    assert mode(tmp_path / "run" / "hub-secret") == 0o600
    assert page_token(tmp_path / "other", "chain") not in words


def test_a_platforms_address_is_where_it_listens(tmp_path, monkeypatch):
    monkeypatch.delenv("PLATFORM_URL", raising=False)
    given = {"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_PORT": "8100"}
    assert platform_url(load_settings(given)) == "http://127.0.0.1:8100/"  # where the next one will be
    Places(8077, 1, 2, {}).write(tmp_path)
    assert platform_url(load_settings(given)) == "http://127.0.0.1:8077/"
    assert platform_url(load_settings(given | {"BIFROST_HUB_HOST": "desk.example"})) == "https://desk.example/"
    monkeypatch.setenv("PLATFORM_URL", "http://127.0.0.1:9/")
    assert platform_url(load_settings(given)) == "http://127.0.0.1:9/"


def test_places_are_free_and_found_again(tmp_path):
    with pytest.raises(EnvironmentProblem, match="bifrost up"):
        Places.read(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.listen()
        with pytest.raises(InputError) as caught:
            Places.choose(port, ["chain"])
        assert (caught.value.name, caught.value.value) == ("--port", port)
    chosen = Places.choose(port, ["chain", "finder"])
    assert len({chosen.public, chosen.proxy, chosen.hub, *chosen.pages.values()}) == 5
    chosen.write(tmp_path)
    assert Places.read(tmp_path) == chosen


def test_the_first_accounts_are_one_of_each_role_told_once(tmp_path):
    passwords = first_accounts(tmp_path)
    assert set(passwords) == set(ROLES)
    assert first_accounts(tmp_path) == {}
    kept = dict(line.split(": ") for line in (tmp_path / "credentials").read_text().splitlines())
    assert kept == passwords
    assert mode(tmp_path / "credentials") == mode(tmp_path / "accounts.json") == 0o600
    stored = (tmp_path / "accounts.json").read_text()
    assert not any(password in stored for password in passwords.values())
    found = account_for(tmp_path, "trader", passwords["trader"])
    assert found is not None and found.role == "trader"


@pytest.mark.parametrize("name", ["quant", "nobody", "", "' OR 1=1 --"])
def test_wrong_passwords_open_nothing(tmp_path, name):
    set_account(tmp_path, "quant", role="quant", password="correct horse battery")  # noqa: S106
    for word in ("", "correct horse", "correct horse battery ", "correct horse battery\0"):
        assert account_for(tmp_path, name, word) is None


def test_accounts_are_checked_changed_and_removed(tmp_path):
    first = set_account(tmp_path, "ada", role="quant")
    second = set_account(tmp_path, "ada", role="trader")
    assert account_for(tmp_path, "ada", first) is None
    account = account_for(tmp_path, "ada", second)
    assert account is not None and account.role == "trader"
    for name in ("Ada", "a", "../x", "ada lovelace", "x" * 33):
        with pytest.raises(InputError) as caught:
            set_account(tmp_path, name, role="quant")
        assert caught.value.name == "name"
    with pytest.raises(UnknownNameError):
        set_account(tmp_path, "bob", role="root")
    with pytest.raises(InputError) as caught:
        set_account(tmp_path, "bob", role="quant", password="short")  # noqa: S106
    assert caught.value.name == "password" and "short" not in str(caught.value)
    remove_account(tmp_path, "ada")
    assert read_accounts(tmp_path) == {}
    with pytest.raises(UnknownNameError):
        remove_account(tmp_path, "ada")


@pytest.mark.parametrize("text", ["", "[", '[{"name": "ada"}]', json.dumps({"ada": 1})])
def test_a_damaged_file_lets_nobody_in(tmp_path, text):
    (tmp_path / "accounts.json").write_text(text)
    with pytest.raises(SettingsError):
        account_for(tmp_path, "ada", "a password")
    with pytest.raises(SettingsError):
        first_accounts(tmp_path)
