"""Settings: who wins, what is refused, and that passwords stay hidden."""

import os
from pathlib import Path

import pytest

from bifrost_lib.core.errors import SettingsError, UnknownNameError
from bifrost_lib.core.settings import SETTINGS, default_home, load_settings


def home_with(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "bifrost.toml").write_text(text, encoding="utf-8")
    return {"BIFROST_HOME": str(tmp_path)}


def test_defaults_say_that_they_are(tmp_path):
    settings = load_settings({"BIFROST_HOME": str(tmp_path)})
    assert {row.origin for row in settings.rows()} == {"default"}
    assert settings.database_url is None
    assert settings.home == tmp_path


def test_environment_wins_over_file_wins_over_default(tmp_path):
    environ = home_with(tmp_path, 'hub_port = 9000\nlog_level = "info"\n')
    settings = load_settings(environ | {"BIFROST_HUB_PORT": "9001"})
    origins = {row.setting.name: row.origin for row in settings.rows()}
    assert (settings.hub_port, settings.log_level) == (9001, "INFO")
    assert origins["hub_port"] == "BIFROST_HUB_PORT"
    assert origins["log_level"] == str(tmp_path / "bifrost.toml")


def test_an_unknown_variable_names_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError) as caught:
        load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URI": "x"})
    assert caught.value.nearest == "BIFROST_DATABASE_URL"


def test_an_unknown_key_of_the_file_names_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError) as caught:
        load_settings(home_with(tmp_path, "hub_prot = 1"))
    assert caught.value.nearest == "hub_port"
    assert str(tmp_path / "bifrost.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BIFROST_HUB_PORT", "0"), ("BIFROST_HUB_PORT", "many"), ("BIFROST_LOG_LEVEL", "loud"),
     ("BIFROST_HUB_AUTH", "ldap"), ("BIFROST_IB_LINES", "0"), ("BIFROST_IB_LINES", "many"),
     ("BIFROST_IB_GATEWAYS", "gateway"), ("BIFROST_IB_GATEWAYS", "gateway:port"), ("BIFROST_IB_GATEWAYS", "gw:4001,"),
     ("BIFROST_IB_GATEWAYS", ":4001"), ("BIFROST_IB_GATEWAYS", "gw:4001, gw:4001"),
     ("BIFROST_IB_MESSAGES_PER_S", "0"), ("BIFROST_IB_MESSAGES_PER_S", "inf"), ("BIFROST_MAX_AGE_S", "-1"),
     ("BIFROST_MAX_AGE_S", "nan"), ("BIFROST_DATABASE_URL", "mysql://u@h/d"),
     ("BIFROST_DATABASE_URL", "postgresql://u:p@h:port/d")],
)  # fmt: skip
def test_values_outside_the_domain(variable, value, tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_settings({"BIFROST_HOME": str(tmp_path), variable: value})
    assert caught.value.origin == variable


def test_one_gateway_or_several(tmp_path):
    home = {"BIFROST_HOME": str(tmp_path)}
    assert load_settings(home).ib_addresses == ()
    one = load_settings(home | {"BIFROST_IB_PORT": "4001"})
    assert one.ib_addresses == (("127.0.0.1", 4001),)
    several = load_settings(home | {"BIFROST_IB_PORT": "4001", "BIFROST_IB_GATEWAYS": "gw-a:4001, [::1]:4002"})
    assert several.ib_addresses == (("gw-a", 4001), ("::1", 4002))
    assert next(row.shown for row in several.rows() if row.setting.name == "ib_gateways") == "gw-a:4001, [::1]:4002"
    written = load_settings(home_with(tmp_path, 'ib_gateways = ["gw-a:4001", "gw-b:4001"]'))
    assert [str(address) for address in written.ib_addresses] == ["gw-a:4001", "gw-b:4001"]


def test_a_file_that_is_no_toml(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_settings(home_with(tmp_path, "hub_port = = 1"))
    assert "cannot be read" in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://desk:hunter2@db:5432/bifrost", "postgres://desk:hunter2@db/bifrost"])
def test_a_password_is_never_shown(url, tmp_path):
    settings = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url})
    assert settings.database_url.startswith("postgresql+psycopg2://")
    shown = repr(settings) + str(settings) + "".join(row.shown for row in settings.rows()) + repr(settings.rows())
    assert "hunter2" not in shown
    assert "desk:***@db" in shown


def test_a_wrong_secret_is_not_shown_either(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": "mysql://desk:hunter2@db/x"})
    assert "hunter2" not in str(caught.value)


def test_roots_home_can_be_reached_by_an_unprivileged_postgres(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/bifrost")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_home() == Path.home() / ".bifrost"


def test_every_setting_is_documented():
    assert all(setting.help and setting.variable.startswith("BIFROST_") for setting in SETTINGS)
