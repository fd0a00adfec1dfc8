"""Roles open what the registry says, and nobody gets more by default."""

from __future__ import annotations

import pytest

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.workflows.hub import ROLES, read_registry
from hub_config.roles import database_role, hub_roles, may_open, page_scope

PAGES = {page.name: page for page in read_registry()}


def scopes(role: str) -> set[str]:
    return {scope for entry in hub_roles(list(PAGES.values())) if entry["name"] == role for scope in entry["scopes"]}


def test_a_trader_opens_trading_pages_and_starts_no_server():
    assert page_scope("chain") in scopes("trader") and page_scope("strategy_finder") in scopes("trader")
    assert page_scope("operations") not in scopes("trader")
    assert all(scope.startswith("access:services!service=") for scope in scopes("trader") | scopes("operator"))
    assert page_scope("operations") in scopes("operator")


def test_a_quant_opens_everything_and_has_a_lab():
    assert {page_scope(name) for name in PAGES} <= scopes("quant")
    assert {"servers!user", "access:servers!user"} <= scopes("quant")
    assert all(may_open("admin", page) for page in PAGES.values())


def test_being_logged_in_alone_opens_nothing():
    assert not any(scope.startswith(("access:", "servers", "tokens", "self")) for scope in scopes("user"))
    assert all(not entry.get("users") for entry in hub_roles(list(PAGES.values())))


def test_every_role_has_its_group_and_its_database_role():
    groups = {entry["name"]: entry["groups"] for entry in hub_roles([]) if entry["name"] != "user"}
    assert groups == {role: [role, f"bifrost-{role}"] for role in ROLES if role != "admin"}
    assert [database_role(role) for role in ROLES] == [
        "bifrost_quant", "bifrost_trader", "bifrost_operator", "bifrost_admin"
    ]  # fmt: skip
    with pytest.raises(UnknownNameError) as caught:
        database_role("root")
    assert caught.value.value == "root"
