"""Who somebody is: accounts of this platform, of the system, or of an identity provider, by setting ``hub_auth``."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator, PAMAuthenticator  # type: ignore[import-untyped]
from traitlets import Unicode

from bifrost_lib.core.errors import EnvironmentProblem, SettingsError
from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.hub import ROLES, account_for, read_accounts
from hub_config.roles import ADMIN, GROUP_PREFIX, role_of_groups

#: A wrong password costs this long: guessing is slow, a typing mistake bearable.
WRONG_COSTS_S = 1.0
#: Roles that were changed and accounts that were removed count after this long at the latest.
REFRESH_S = 30
OAUTH_KEYS = ("client_id", "client_secret", "authorize_url", "token_url", "userdata_url")
OAUTH_CHOICES = {"username_claim": "preferred_username", "groups_claim": "groups", "scope": ["openid", "profile"]}


class DeskAuthenticator(Authenticator):  # type: ignore[misc]
    """Local accounts of the home folder."""

    home = Unicode(help="folder with the accounts").tag(config=True)

    async def authenticate(self, handler: Any, data: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Return who name and password belong to, or None."""
        given = data or {}
        name, word = str(given.get("username", "")), str(given.get("password", ""))
        account = await asyncio.to_thread(account_for, Path(self.home), name, word)
        if account is None:
            await asyncio.sleep(WRONG_COSTS_S)
            return None
        return person(account.name, account.role)

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> dict[str, Any] | bool:
        """Return what somebody is by now; False sends them to the login."""
        account = read_accounts(Path(self.home)).get(user.name)
        return person(account.name, account.role) if account else False


class SystemAuthenticator(PAMAuthenticator):  # type: ignore[misc]
    """Accounts of the system; a role is membership of the group ``bifrost-ROLE``."""

    async def authenticate(self, handler: Any, data: dict[str, str] | None = None) -> dict[str, Any] | None:
        """Return who name and password belong to; None for those without a role, too."""
        found = await super().authenticate(handler, data)
        name = found["name"] if isinstance(found, dict) else found
        role = role_of_groups(system_groups(name)) if name else None
        return person(name, role) if role else None

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> dict[str, Any] | bool:
        """Return what somebody is by now; False sends them to the login."""
        role = role_of_groups(system_groups(user.name))
        return person(user.name, role) if role else False


def person(name: str, role: str) -> dict[str, Any]:
    """Return what an authenticator tells the hub about somebody."""
    return {"name": name, "admin": role == ADMIN, "groups": [role]}


def system_groups(name: str) -> list[str]:
    """Return the system's groups that begin with ``bifrost-`` and have `name` as a member."""
    try:
        numbers = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except KeyError:
        return []
    return [found for found in _names(numbers) if found.startswith(GROUP_PREFIX)]


def _names(numbers: Iterable[int]) -> list[str]:
    found = []
    for number in numbers:
        try:
            found.append(grp.getgrgid(number).gr_name)
        except KeyError:  # a number that no group has any more
            continue
    return found


def authenticator(settings: Settings) -> tuple[type[Authenticator], dict[str, dict[str, Any]]]:
    """Return the authenticator that the settings ask for, and its configuration by class name.

    Raises
    ------
    EnvironmentProblem
        If ``oauth`` is asked for and the package for it is not installed.
    SettingsError
        If its file is missing, open to others, or incomplete.
    """
    everywhere = {
        "Authenticator": {"allow_all": True, "manage_groups": True, "auth_refresh_age": REFRESH_S,
                          "refresh_pre_spawn": True, "enable_auth_state": False},
    }  # fmt: skip
    if settings.hub_auth == "local":
        return DeskAuthenticator, everywhere | {"DeskAuthenticator": {"home": str(settings.home)}}
    if settings.hub_auth == "pam":
        return SystemAuthenticator, everywhere | {"PAMAuthenticator": {"open_sessions": False}}
    try:
        from oauthenticator.generic import GenericOAuthenticator
    except ImportError:
        remedy = "install oauthenticator into .venv, or choose local or pam"
        raise EnvironmentProblem("hub_auth = oauth needs the package oauthenticator", remedy) from None
    everywhere["Authenticator"] |= {"allow_all": False}  # only those in one of our groups
    return GenericOAuthenticator, everywhere | {"GenericOAuthenticator": oauth_options(settings)}


def oauth_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the generic OAuth authenticator from the file that the settings name.

    Raises
    ------
    SettingsError
        If the file is missing, readable by others, no TOML, or lacks a key.
    """
    path = settings.hub_oauth
    if path is None:
        raise SettingsError("hub_oauth", "the settings", "is not set; name a TOML file with " + ", ".join(OAUTH_KEYS))
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError("hub_oauth", str(path), "can be read by others; run: chmod 600 on it")
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("hub_oauth", str(path), f"cannot be read: {error}") from None
    wrong = sorted({*OAUTH_KEYS} - {*given}) or sorted({*given} - {*OAUTH_KEYS, *OAUTH_CHOICES})
    if wrong:
        raise SettingsError("hub_oauth", str(path), f"lacks or does not know {', '.join(wrong)}")
    chosen = OAUTH_CHOICES | given
    groups = {GROUP_PREFIX + role for role in ROLES}
    host = settings.hub_host
    place = f"https://{host}" if host else f"http://127.0.0.1:{settings.hub_port}"
    return {name: chosen[name] for name in (*OAUTH_KEYS, "username_claim", "scope")} | {
        "auth_state_groups_key": f"oauth_user.{chosen['groups_claim']}",
        "allowed_groups": groups,
        "admin_groups": {GROUP_PREFIX + ADMIN},
        "oauth_callback_url": f"{place}/hub/oauth_callback",
    }
