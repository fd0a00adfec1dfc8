"""The hub's configuration as values: each function takes what it needs and returns options by class name."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bifrost_lib.core.cuda import has_gpu
from bifrost_lib.core.settings import Settings
from bifrost_lib.views import LOGO, page_colours, theme_script
from bifrost_lib.workflows.hub import LOOPBACK, Page, Places, page_token, shared_secret
from hub_config.authentication import authenticator
from hub_config.database import HubDatabase
from hub_config.labs import (
    PASSED_ON,
    clear_lab,
    lab_arguments,
    lab_environment,
    prepare_lab,
    write_kernels,
    write_lab_settings,
)
from hub_config.roles import hub_roles

Options = dict[str, dict[str, Any]]
TEMPLATES = Path(__file__).resolve().parent / "templates"
LOGIN_LASTS_DAYS = 7
#: The hub asks the proxy this often whether it still knows all routes: one that was started again knows none.
ROUTES_EVERY_S = 5


def hub_options(settings: Settings, places: Places, pages: Sequence[Page]) -> Options:
    """Return the whole configuration.

    Raises
    ------
    EnvironmentProblem, SettingsError
        If the way to log in that the settings ask for cannot be had.
    """
    kind, login = authenticator(settings)
    found = [
        server(settings, places),
        proxy(settings, places),
        people(pages),
        looks(pages),
        labs(settings, places),
        login,
    ]
    found += [login, {"JupyterHub": {"services": services(settings, places, pages), "authenticator_class": kind}}]
    merged: Options = {}
    for options in found:
        for name, values in options.items():
            merged.setdefault(name, {}).update(values)
    return merged


def server(settings: Settings, places: Places) -> Options:
    """Return where the hub listens and what it keeps where."""
    folder = settings.home / "hub"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"JupyterHub": {
        "ip": LOOPBACK, "port": places.public, "hub_ip": LOOPBACK, "hub_port": places.hub,
        "db_url": f"sqlite:///{folder / 'hub.sqlite'}",
        "db_kwargs": {"connect_args": {"factory": HubDatabase, "check_same_thread": False}},
        "cookie_secret": bytes.fromhex(shared_secret(settings.home, "hub cookies")),
        "cookie_max_age_days": LOGIN_LASTS_DAYS,
        "cleanup_servers": True, "cleanup_proxy": False, "allow_named_servers": False,
        "service_check_interval": 300, "log_level": getattr(logging, settings.log_level),
        "tornado_settings": {"headers": security_headers(), "slow_spawn_timeout": 0},
    }}  # fmt: skip


def security_headers() -> dict[str, str]:
    """Return headers by which a browser refuses to show our pages inside of others, and to guess types."""
    return {
        "Content-Security-Policy": "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def proxy(settings: Settings, places: Places) -> Options:
    """Return how the hub reaches the proxy, a process beside it that outlives it."""
    return {
        "JupyterHub": {"proxy_class": "jupyterhub.proxy.ConfigurableHTTPProxy", "proxy_check_interval": ROUTES_EVERY_S},
        "ConfigurableHTTPProxy": {
            "should_start": False, "api_url": f"http://{LOOPBACK}:{places.proxy}",
            "auth_token": shared_secret(settings.home, "proxy"),
        },
    }  # fmt: skip


def people(pages: Sequence[Page]) -> Options:
    """Return who may do what."""
    return {"JupyterHub": {"load_roles": hub_roles(pages)}}


def services(settings: Settings, places: Places, pages: Sequence[Page]) -> list[dict[str, Any]]:
    """Return the pages as services: processes of their own that the hub knows by their address and token."""
    return [
        {
            "name": page.name,
            "url": f"http://{LOOPBACK}:{places.pages[page.name]}",
            "api_token": page_token(settings.home, page.name),
            "oauth_client_id": f"service-{page.name}",
            "oauth_redirect_uri": f"/services/{page.name}/oauth_callback",
            "oauth_no_confirm": True,  # they are ours
            "oauth_client_allowed_scopes": ["read:users:groups!user"],
            "timeout": 1,  # seconds that the hub's own start waits for each: a page that is away must not hold it up
        }
        for page in pages
    ]


def looks(pages: Sequence[Page]) -> Options:
    """Return the templates and what they show."""
    return {"JupyterHub": {
        "template_paths": [str(TEMPLATES)],
        "template_vars": {
            "bifrost_groups": page_groups(pages), "bifrost_colours": page_colours(),
            "bifrost_theme_script": theme_script(),
        },
        "default_url": "/hub/home",
        "logo_file": str(LOGO),
    }}  # fmt: skip


def page_groups(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """Return what the home page lists: pages by group, in the registry's order."""
    groups: dict[str, list[dict[str, str]]] = {}
    for page in pages:
        entry = {"name": page.name, "title": page.title, "about": page.about, "href": f"/services/{page.name}/"}
        groups.setdefault(page.group, []).append(entry)
    return [{"title": title, "pages": entries} for title, entries in groups.items()]


def labs(settings: Settings, places: Places) -> Options:
    """Return how a quant's JupyterLab is started: as the hub's own user, or with accounts of the system as theirs."""
    kernels = write_kernels(settings.home / "hub" / "jupyter", gpu=has_gpu())
    begins_with = write_lab_settings(settings.home / "hub" / "lab-settings")
    system = settings.hub_auth == "pam"
    url = f"https://{settings.hub_host}/" if settings.hub_host else places.url
    options: Options = {
        "JupyterHub": {"spawner_class": "local" if system else "simple"},
        "Spawner": {
            "cmd": [sys.executable, "-P", "-m", "jupyterhub.singleuser"],
            "args": lab_arguments(begins_with, as_root=os.geteuid() == 0),
            "default_url": "/lab", "env_keep": list(PASSED_ON), "disable_user_config": True, "ip": LOOPBACK,
            "environment": lab_environment(settings, kernels, url=url), "start_timeout": 120, "http_timeout": 120,
            "pre_spawn_hook": partial(prepare_lab, settings=settings), "post_stop_hook": clear_lab,
        },
    }  # fmt: skip
    if not system:
        (settings.home / "labs").mkdir(mode=0o700, exist_ok=True)
        options["SimpleLocalProcessSpawner"] = {"home_dir_template": str(settings.home / "labs" / "{username}")}
    return options
