"""Notebooks connect to the database as their owner: who is logged in at the hub gets the login of the same role."""

from __future__ import annotations

from bifrost_lib.core.settings import Settings
from bifrost_lib.store import drop_user, ensure_user, open_store, url_for

VARIABLE = "BIFROST_DATABASE_URL"


def database_environment(settings: Settings, name: str, role: str) -> dict[str, str]:
    """Return what the processes of a person find in their environment, so that they connect as that person.

    It takes a moment, for it asks the database; the hub calls it in a thread before it starts somebody's server. It
    is for that server alone: the address holds the person's password.

    Parameters
    ----------
    settings : Settings
        Of the platform, as whose owner the login is made.
    name : str
        The person's name at the hub.
    role : {"quant", "trader", "operator", "admin"}

    Raises
    ------
    InputError
        If the name cannot be that of a login.
    EnvironmentProblem
        If the platform's account may not make logins; the message says what to do.
    SourceUnavailable, StoreError
        If the database does not answer or cannot be used.
    """
    with open_store(settings) as store:
        ensure_user(store, name, role)
        address = url_for(store, name)
    return {VARIABLE: address.replace("+psycopg2", "", 1)}


def forget_person(settings: Settings, name: str) -> bool:
    """Remove the login of somebody who has left, ending open connections; tell whether there was one."""
    with open_store(settings) as store:
        return drop_user(store, name)
