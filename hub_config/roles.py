"""What each role of the desk may do: pages by the registry, JupyterLab for those who research, the hub for admins.

========  ===========================  ==========  =================
role      pages                        JupyterLab  database role
========  ===========================  ==========  =================
quant     all                          their own   bifrost_quant
trader    those that name trader       none        bifrost_trader
operator  those that name operator     none        bifrost_operator
admin     all                          anyone's    bifrost_admin
========  ===========================  ==========  =================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.workflows.hub import ROLES, Page

#: The hub knows admins itself: whoever its authenticator calls one has its built-in role of that name.
ADMIN = "admin"
RESEARCHERS = ("quant", ADMIN)
#: Accounts of the system and of an identity provider have their role by a group of this name and the role's.
GROUP_PREFIX = "bifrost-"


def database_role(role: str) -> str:
    """Return the role that a person of `role` has in the database.

    Raises
    ------
    UnknownNameError
        If there is no such role.
    """
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    return f"bifrost_{role}"


def role_of_groups(groups: Iterable[str]) -> str | None:
    """Return the role that membership of `groups` means, the most powerful of several; None without any."""
    found = {group.removeprefix(GROUP_PREFIX) for group in groups}
    return next((role for role in (ADMIN, "quant", "operator", "trader") if role in found), None)


def may_open(role: str, page: Page) -> bool:
    """Return whether a person of `role` may open `page`."""
    return role in RESEARCHERS or role in page.roles


def may_research(role: str) -> bool:
    """Return whether a person of `role` has a JupyterLab of their own."""
    return role in RESEARCHERS


def page_scope(name: str) -> str:
    """Return the hub's scope that opens the page `name`."""
    return f"access:services!service={name}"


def role_scopes(role: str, pages: Sequence[Page]) -> list[str]:
    """Return the hub scopes of `role`, beyond those of everybody."""
    own = ["servers!user", "access:servers!user", "tokens!user"] if may_research(role) else []
    return own + [page_scope(page.name) for page in pages if may_open(role, page)]


def hub_roles(pages: Sequence[Page]) -> list[dict[str, Any]]:
    """Return the roles for ``JupyterHub.load_roles``; a person gets a role by being in the group of its name.

    Everybody may read who they are and nothing else: in a stock hub everybody may start a server and make tokens.
    """
    everybody = {
        "name": "user",
        "description": "Whoever is logged in",
        "scopes": ["read:users!user", "users:activity!user"],
    }
    ours = [
        {
            "name": role,
            "description": f"{role} of the desk",
            "scopes": role_scopes(role, pages),
            "groups": [role, GROUP_PREFIX + role],
        }
        for role in ROLES
        if role != ADMIN
    ]
    return [everybody, *ours]
