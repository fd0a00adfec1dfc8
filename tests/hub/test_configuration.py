"""The hub's configuration as values: loopback only, secrets from the home, and a login that can be had."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bifrost_lib.core.errors import EnvironmentProblem, SettingsError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import Places, page_token, read_registry, remove_account, set_account, shared_secret
from hub_config.authentication import DeskAuthenticator, authenticator, oauth_options, person
from hub_config.configuration import hub_options, page_groups
from hub_config.labs import (
    kernel_specs,
    lab_arguments,
    lab_environment,
    prepare_folder,
    write_kernels,
    write_lab_settings,
)
from hub_config.roles import role_of_groups

PAGES = read_registry()
PLACES = Places(8000, 8001, 8002, {page.name: 8010 + i for i, page in enumerate(PAGES)})
OAUTH = 'client_id = "b"\nclient_secret = "s"\nauthorize_url = "a"\ntoken_url = "t"\nuserdata_url = "u"\n'


@pytest.fixture
def settings(tmp_path):
    return load_settings({"BIFROST_HOME": str(tmp_path)})


def test_everything_listens_on_loopback_and_every_page_is_a_service(settings):
    hub = hub_options(settings, PLACES, PAGES)["JupyterHub"]
    assert (hub["ip"], hub["port"], hub["hub_ip"], hub["hub_port"]) == ("127.0.0.1", 8000, "127.0.0.1", 8002)
    assert [service["name"] for service in hub["services"]] == [page.name for page in PAGES]
    for service in hub["services"]:
        assert service["url"] == f"http://127.0.0.1:{PLACES.pages[service['name']]}"
        assert service["api_token"] == page_token(settings.home, service["name"])
        assert service["timeout"] <= 1  # with thirty seconds for each, one page that is away keeps all people out
        assert "command" not in service and not service.get("admin")  # ours to start; it may do nothing at the hub
    assert hub["db_url"].startswith(f"sqlite:///{settings.home}/hub/")
    assert (settings.home / "hub").stat().st_mode & 0o077 == 0


def test_the_proxy_outlives_the_hub_and_wants_a_word(settings):
    proxy = hub_options(settings, PLACES, PAGES)["ConfigurableHTTPProxy"]
    assert proxy["should_start"] is False
    assert proxy["auth_token"] == shared_secret(settings.home, "proxy")


def test_the_hubs_database_writes_ahead_and_forgets_nothing_that_was_committed(settings):
    from jupyterhub.orm import new_session_factory  # type: ignore[import-untyped]

    told = hub_options(settings, PLACES, PAGES)["JupyterHub"]
    with new_session_factory(told["db_url"], **told["db_kwargs"])() as session:
        ask = session.connection().exec_driver_sql
        read = [ask(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert read == ["wal", 2]  # 2 is FULL
        session.get_bind().dispose()


def test_pages_are_told_by_group_in_the_registrys_order():
    groups = page_groups(PAGES)
    named = [page["name"] for group in groups for page in group["pages"]]
    assert sorted(named) == sorted(page.name for page in PAGES)
    assert len({group["title"] for group in groups}) == len(groups)
    assert all(page["href"] == f"/services/{page['name']}/" for group in groups for page in group["pages"])


def test_local_accounts_log_in_by_name_and_password_and_are_looked_up_again(tmp_path):
    password = set_account(tmp_path, "ada", role="operator")
    desk, ada = DeskAuthenticator(home=str(tmp_path)), SimpleNamespace(name="ada")
    assert asyncio.run(desk.authenticate(None, {"username": "ada", "password": password})) == person("ada", "operator")
    assert asyncio.run(desk.refresh_user(ada)) == {"name": "ada", "admin": False, "groups": ["operator"]}
    set_account(tmp_path, "ada", role="admin")
    assert asyncio.run(desk.refresh_user(ada)) == {"name": "ada", "admin": True, "groups": ["admin"]}
    remove_account(tmp_path, "ada")
    assert asyncio.run(desk.refresh_user(ada)) is False


def test_a_wrong_password_is_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr("hub_config.authentication.WRONG_COSTS_S", 0.0)
    set_account(tmp_path, "ada", role="operator")
    desk = DeskAuthenticator(home=str(tmp_path))
    for data in ({"username": "ada", "password": "wrong"}, {"username": "ada"}, {}, None):
        assert asyncio.run(desk.authenticate(None, data)) is None


def test_groups_of_the_system_mean_roles_and_the_most_powerful_counts():
    assert role_of_groups(["staff", "bifrost-trader"]) == "trader"
    assert role_of_groups(["bifrost-trader", "bifrost-quant"]) == "quant"
    assert role_of_groups(["bifrost-users", "staff"]) is None


@pytest.mark.parametrize("way", ["local", "pam"])
def test_people_without_a_role_are_not_taken_from_anywhere(tmp_path, way):
    _, options = authenticator(load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_AUTH": way}))
    assert options["Authenticator"]["manage_groups"] is True


def test_oauth_without_its_package_says_what_to_install(tmp_path):
    try:
        import oauthenticator  # noqa: F401
    except ImportError:
        with pytest.raises(EnvironmentProblem, match="install oauthenticator"):
            authenticator(load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_AUTH": "oauth"}))


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [(OAUTH, 0o644, "chmod 600"), (OAUTH + 'clientid = "x"\n', 0o600, "clientid"),
     (OAUTH.replace("client_secret", "secret"), 0o600, "client_secret"), ("= 1", 0o600, "cannot be read"),
     (None, 0, "cannot be read")],
)  # fmt: skip
def test_an_oauth_file_that_is_open_or_incomplete_is_refused(tmp_path, text, mode, said):
    path = tmp_path / "oauth.toml"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    settings = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_OAUTH": str(path)})
    with pytest.raises(SettingsError) as caught:
        oauth_options(settings)
    assert said in str(caught.value) and caught.value.key == "hub_oauth"


def test_oauth_admits_members_of_our_groups_alone(tmp_path):
    path = tmp_path / "oauth.toml"
    path.write_text(OAUTH)
    path.chmod(0o600)
    environ = {"BIFROST_HOME": str(tmp_path), "BIFROST_HUB_OAUTH": str(path), "BIFROST_HUB_HOST": "desk.example"}
    options = oauth_options(load_settings(environ))
    assert options["allowed_groups"] == {"bifrost-quant", "bifrost-trader", "bifrost-operator", "bifrost-admin"}
    assert options["oauth_callback_url"] == "https://desk.example/hub/oauth_callback"


def test_kernels_are_named_by_where_they_compute(tmp_path):
    assert set(kernel_specs(gpu=False)) == {"python3"}
    assert [spec["display_name"] for spec in kernel_specs(gpu=True).values()] == ["Bifrost (CPU)", "Bifrost (GPU)"]
    write_kernels(tmp_path, gpu=True)
    write_kernels(tmp_path, gpu=False)
    assert [path.parent.name for path in tmp_path.rglob("kernel.json")] == ["python3"]
    assert json.loads((tmp_path / "kernels" / "python3" / "kernel.json").read_text())["env"] == {
        "CUDA_VISIBLE_DEVICES": ""
    }


def test_a_busy_kernel_is_spared_and_messages_go_over_sockets():
    arguments = lab_arguments(Path("lab-settings"), as_root=False)
    assert "--KernelManager.transport=ipc" in arguments
    assert "--MappingKernelManager.cull_busy=False" in arguments
    assert "--allow-root" not in arguments and "--allow-root" in lab_arguments(Path(), as_root=True)


def test_a_lab_asks_nobody_whether_to_fetch_news(tmp_path):
    from jupyterlab_server.settings_utils import _get_overrides

    folder = write_lab_settings(tmp_path / "lab-settings")
    begun, problem = _get_overrides(str(folder))
    assert begun["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false" and not problem
    assert begun["@jupyterlab/apputils-extension:themes"]["adaptive-theme"] is True
    assert f"--LabApp.app_settings_dir={folder}" in lab_arguments(folder, as_root=False)


def test_a_lab_does_not_see_the_platforms_home_or_its_database(tmp_path):
    environ = {"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": "postgresql://owner:secret@db/desk"}
    given = lab_environment(load_settings(environ), tmp_path / "kernels", url="http://127.0.0.1:8000/")
    assert not any(name.startswith("BIFROST_") for name in given)
    assert "secret" not in json.dumps(given)


def test_tutorials_are_copied_once_and_what_was_changed_stays(tmp_path):
    source, folder = tmp_path / "source", tmp_path / "lab"
    for name in ("tutorials/00.ipynb", "reports/daily.ipynb"):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_text("{}")
    prepare_folder(folder, notebooks=source)
    assert [str(path.relative_to(folder)) for path in folder.rglob("*.ipynb")] == ["tutorials/00.ipynb"]
    (folder / "tutorials" / "00.ipynb").write_text("mine")
    prepare_folder(folder, notebooks=source)
    assert (folder / "tutorials" / "00.ipynb").read_text() == "mine"
    assert Path(folder).stat().st_mode & 0o077 == 0
