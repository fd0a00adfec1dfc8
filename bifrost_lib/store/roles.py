"""The logins of people: each in one role, with a generated password that only the home's owner can read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bifrost_lib.core.errors import EnvironmentProblem, InputError, StoreError, UnknownNameError
from bifrost_lib.store.rights import GROUPS, LOGIN_PREFIX, PREFIX, ROLES, apply_rights, missing_groups
from bifrost_lib.store.trouble import as_bifrost_error

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

FOLDER = "database-logins"
#: With the prefix it must fit the 63 bytes of a name of PostgreSQL.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,56}")
_LOCK = 0x52_4F_4C_45
_MOST_CONNECTIONS = 40
#: One forgotten query or open transaction must not stop the others.
_PATIENCE = {"trader": "1min", "quant": "15min", "operator": "5min", "admin": "1h"}


def ensure_user(store: Store, name: str, role: str, *, renew: bool = False) -> str:
    """Give a person a login in one role, or change the role; return the login.

    The password is generated, reaches the server only as a verifier, and lies in
    ``database-logins/LOGIN`` of the home folder, for its owner's eyes. Rights of another role are taken back at once,
    also from connections that are open.

    Parameters
    ----------
    store : Store
        Opened as the owner of the tables.
    name : str
        The person's name at the desk: small letters, digits, and ``._@-`` after the first; 57 characters at most.
    role : {"quant", "trader", "operator", "admin"}
    renew : bool
        Generate a new password even if there is one.

    Raises
    ------
    InputError, UnknownNameError
        If the name or the role cannot be taken.
    EnvironmentProblem
        If the store's account may not make logins; nothing was changed, and the message says what to run.
    StoreError
        If a login of that name has rights that are not of our giving.
    """
    login = login_of(name)
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    path = _password_file(store, login)
    draft = path.with_suffix(path.suffix + ".new")
    try:
        with _managing(store) as connection:
            is_new = not _exists(connection, login)
            _check_harmless(connection, login)
            _see_to_rights(connection)
            if is_new:
                _run(connection, f'CREATE ROLE "{login}" LOGIN INHERIT CONNECTION LIMIT {_MOST_CONNECTIONS}')
            if is_new or renew or not path.exists():
                password = secrets.token_urlsafe(32)
                _write_private(draft, password)
                path.unlink(missing_ok=True)  # what is committed below makes it wrong
                _run(connection, f"ALTER ROLE \"{login}\" LOGIN PASSWORD '{_verifier(connection, login, password)}'")
            _set_role(connection, login, role)
        if draft.exists():
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return login


def drop_user(store: Store, name: str) -> bool:
    """Remove a person's login, ending its connections; tell whether there was one. What the person wrote stays.

    Raises
    ------
    EnvironmentProblem
        If the store's account may not do that.
    """
    login = login_of(name)
    with _managing(store) as connection:
        found = _exists(connection, login)
        if found:
            _check_harmless(connection, login)
            _run(connection, f'ALTER ROLE "{login}" NOLOGIN')
    if found:
        with _managing(store) as connection:
            with suppress(DBAPIError), connection.begin_nested():  # without the right to, they are left without rights
                connection.execute(
                    text("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = :login"),
                    {"login": login},
                )
            _run(connection, f'DROP ROLE IF EXISTS "{login}"')
    _password_file(store, login).unlink(missing_ok=True)
    return found


def list_users(store: Store) -> dict[str, str]:
    """Return the role of every person who has a login, by name."""
    with store.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT substr(login.rolname, :length), min(team.rolname) FROM pg_roles login "
                "JOIN pg_auth_members ON member = login.oid JOIN pg_roles team ON team.oid = roleid "
                "WHERE starts_with(login.rolname, :prefix) AND team.rolname = ANY(:groups) GROUP BY 1 ORDER BY 1"
            ),
            {"length": len(LOGIN_PREFIX) + 1, "prefix": LOGIN_PREFIX, "groups": list(GROUPS)},
        )
        return {str(name): str(group).removeprefix(PREFIX) for name, group in found}


def url_for(store: Store, name: str) -> str:
    """Return the address of the database as this person, password included: for the person's own processes only.

    Raises
    ------
    InputError
        If the person has no login in this home; `ensure_user` makes one.
    """
    login = login_of(name)
    try:
        password = _password_file(store, login).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise InputError("name", name, "a person with a login of this home: ensure_user makes one") from None
    return store.address.set(username=login, password=password).render_as_string(hide_password=False)


def login_of(name: str) -> str:
    """Return the login of a person.

    Raises
    ------
    InputError
        If the name has characters that logins do not have.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError("name", name, "small letters, digits and ._@- after the first, 57 characters at most")
    return LOGIN_PREFIX + name


@contextmanager
def _managing(store: Store) -> Iterator[Connection]:
    """Give a transaction, one of its kind at a time, whose lack of rights is told with what to do about it."""
    try:
        with store.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not _may_manage(connection):
                raise _no_rights(store)
            yield connection
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "42501":
            raise _no_rights(store) from None
        raise as_bifrost_error(error.orig, store.place) from None


def _may_manage(connection: Connection) -> bool:
    found = connection.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"))
    return bool(found)


def _no_rights(store: Store) -> EnvironmentProblem:
    account = str(store.address.username).replace('"', '""')
    with store.engine.connect() as connection:
        existing = [group for group in GROUPS if group not in missing_groups(connection)]
    words = [f'ALTER ROLE "{account}" CREATEROLE;']
    if existing:
        words.append(f'GRANT {", ".join(existing)} TO "{account}" WITH ADMIN OPTION;')
    return EnvironmentProblem(
        f"{store.place}: the account {account} may not make logins, and nothing was changed",
        f"as a superuser run: {' '.join(words)}",
    )


def _see_to_rights(connection: Connection) -> None:
    """Give the roles their rights where the migration could not, the roles having been missing then."""
    missing = bool(missing_groups(connection))
    if missing or not connection.scalar(
        text("SELECT has_table_privilege(:group, 'alembic_version', 'SELECT')"), {"group": GROUPS[0]}
    ):
        apply_rights(connection)
    if missing and missing_groups(connection):
        raise StoreError(f"the roles {', '.join(missing_groups(connection))} cannot be made")


def _check_harmless(connection: Connection, login: str) -> None:
    """Refuse a login that somebody gave more than we do: its password is not ours to set."""
    found = connection.scalar(
        text(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles "
            "WHERE rolname = :login"
        ),
        {"login": login},
    )
    if found:
        raise StoreError(f"the login {login} has rights that are not of Bifrost's giving; rename it on the server")


def _set_role(connection: Connection, login: str, role: str) -> None:
    held = connection.scalars(
        text(
            "SELECT team.rolname FROM pg_auth_members JOIN pg_roles team ON team.oid = roleid "
            "JOIN pg_roles login ON login.oid = member WHERE login.rolname = :login"
        ),
        {"login": login},
    )
    groups = {str(group) for group in held}
    for group in sorted(groups & set(GROUPS) - {PREFIX + role}):
        _run(connection, f'REVOKE {group} FROM "{login}"')
    if PREFIX + role not in groups:
        _run(connection, f'GRANT {PREFIX}{role} TO "{login}"')
    reads_only = "on" if role == "trader" else "off"
    for setting, value in (
        ("default_transaction_read_only", reads_only),
        ("statement_timeout", _PATIENCE[role]),
        ("idle_in_transaction_session_timeout", "10min"),
    ):
        _run(connection, f"ALTER ROLE \"{login}\" SET {setting} = '{value}'")


def _exists(connection: Connection, login: str) -> bool:
    found = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :login"), {"login": login})
    return found is not None


def _verifier(connection: Connection, login: str, password: str) -> str:
    """Return what the server may know of the password; so it cannot end in the server's log."""
    driver = connection.connection.driver_connection
    return str(encrypt_password(password, login, driver, "scram-sha-256"))


def _password_file(store: Store, login: str) -> Path:
    folder = store.home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / login


def _write_private(path: Path, words: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(words + "\n")


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
