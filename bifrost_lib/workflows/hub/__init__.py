"""What the hub, its pages and `bifrost up` agree on: the pages, who is who, the addresses, and the shared secrets."""

from __future__ import annotations

from bifrost_lib.workflows.hub.accounts import (
    Account,
    account_for,
    first_accounts,
    read_accounts,
    remove_account,
    set_account,
)
from bifrost_lib.workflows.hub.places import LOOPBACK, Places, platform_url
from bifrost_lib.workflows.hub.private_files import write_private
from bifrost_lib.workflows.hub.registry import ROLES, Page, read_registry
from bifrost_lib.workflows.hub.secrets import page_token, shared_secret

__all__ = [
    "LOOPBACK",
    "ROLES",
    "Account",
    "Page",
    "Places",
    "account_for",
    "first_accounts",
    "page_token",
    "platform_url",
    "read_accounts",
    "read_registry",
    "remove_account",
    "set_account",
    "shared_secret",
    "write_private",
]
