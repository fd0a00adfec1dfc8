"""What each role may do in the database: all read, few write, and where rows have an owner only he changes them.

The rights follow from `WRITERS` and from the tables that exist, so they can be given again at any time: they are after
every upgrade of the tables, and once an administrator has made the roles on a server where we may not.
"""

from __future__ import annotations

import logging

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

PREFIX = "bifrost_"
ROLES = ("quant", "trader", "operator", "admin")
GROUPS = tuple(PREFIX + role for role in ROLES)
#: The login of a person is this and the name, so that nobody is called as an account of the server.
LOGIN_PREFIX = "desk_"
#: A table with this column, which holds a person's name, is read by everybody; a quant changes his own rows alone.
OWNER = "owner"
#: The name of who is connected; other accounts of the server keep theirs.
CURRENT_PERSON = f"regexp_replace(CURRENT_USER, '^{LOGIN_PREFIX}', '')"
_IS_OWN = f"CURRENT_USER = '{LOGIN_PREFIX}' || {OWNER}"

#: What roles may do to a table beside reading it; an administrator may do everything to the data everywhere. A table
#: that is not listed is for reading. Traders write nothing here: what they ask for, the pages write for them.
WRITERS: dict[str, dict[str, tuple[str, ...]]] = {
    "collection_watchlist": {
        "quant": ("INSERT", "UPDATE", "DELETE"),
        "operator": ("INSERT", "UPDATE", "DELETE"),
    },
    "collection_requests": {"quant": ("INSERT", "UPDATE"), "operator": ("INSERT", "UPDATE", "DELETE")},
    "collection_gaps": {"operator": ("INSERT", "UPDATE")},
    "report_runs": {"quant": ("INSERT", "UPDATE"), "operator": ("INSERT", "UPDATE")},
    # A recommendation is entered once; how it ended is for the job alone to say.
    "strategy_history": {"quant": ("INSERT",), "operator": ("INSERT", "UPDATE")},
    "strategy_marks": {"operator": ("INSERT", "UPDATE")},
    "saved_documents": dict.fromkeys(("quant", "operator"), ("INSERT", "UPDATE", "DELETE")),
    "document_hits": {"operator": ("INSERT",)},
    "document_outcomes": dict.fromkeys(("quant", "operator"), ("INSERT", "UPDATE")),
    "backtest_runs": dict.fromkeys(("quant", "operator"), ("INSERT", "DELETE")),
    # Neither a study nor a look at its hold-out can be taken back: the tables themselves refuse it.
    **dict.fromkeys(("backtest_studies", "study_looks"), dict.fromkeys(("quant", "operator"), ("INSERT", "UPDATE"))),
    "study_runs": dict.fromkeys(("quant", "operator"), ("INSERT",)),
    **dict.fromkeys(
        ("library_studies", "library_symbols", "library_results"),
        dict.fromkeys(("quant", "operator"), ("INSERT", "UPDATE", "DELETE")),
    ),
}
_EVERYTHING = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
_REVISION = "alembic_version"  # who could write it would stop every start
_log = logging.getLogger(__name__)


def may_enter(role: str, table: str) -> bool:
    """Tell whether a person of `role` may put new rows into `table`."""
    return role == "admin" or "INSERT" in WRITERS.get(table, {}).get(role, ())


def apply_rights(connection: Connection) -> bool:
    """Give every role its rights to the tables that exist, and to those that come later the right to be read.

    Parameters
    ----------
    connection : Connection
        As the owner of the tables, inside a transaction.

    Returns
    -------
    bool
        False where the roles do not exist and we may not make them: the store then works for its owner alone.
    """
    if not make_groups(connection):
        _log.warning("the roles %s do not exist and cannot be made; only the owner can use the tables", GROUPS)
        return False
    _open_schema(connection)
    for table in _tables(connection):
        _give(connection, table)
    for table in _owned_tables(connection):
        _protect_rows(connection, table)
    return True


def withdraw_rights(connection: Connection) -> None:
    """Take back what `apply_rights` gave; the roles stay, for other databases of the server may use them."""
    known = _known_groups(connection)
    for table in _owned_tables(connection):
        _drop_policies(connection, table)
        _run(connection, f"ALTER TABLE {_quoted(table)} DISABLE ROW LEVEL SECURITY")
    if known:
        schema, groups = _schema(connection), ", ".join(known)
        _run(connection, f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON TABLES FROM {groups}")
        _run(connection, f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {groups}")
        _run(connection, f"REVOKE ALL ON SCHEMA {schema} FROM {groups}")


def make_groups(connection: Connection) -> bool:
    """Make the roles that are missing; tell whether all of them exist now."""
    for group in sorted(set(GROUPS) - set(_known_groups(connection))):
        try:
            with connection.begin_nested():
                _run(connection, f"CREATE ROLE {group} NOLOGIN NOINHERIT")
        except DBAPIError as error:
            # Roles belong to the whole server: another database may be making the same at this moment.
            if getattr(error.orig, "pgcode", "") not in ("42501", "42710", "23505"):
                raise
    return len(_known_groups(connection)) == len(GROUPS)


def missing_groups(connection: Connection) -> list[str]:
    """Return the roles that do not exist on the server."""
    return sorted(set(GROUPS) - set(_known_groups(connection)))


def _open_schema(connection: Connection) -> None:
    schema, groups = _schema(connection), ", ".join(GROUPS)
    everything = ", ".join(_EVERYTHING)
    readers = ", ".join(group for group in GROUPS if group != f"{PREFIX}admin")
    _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {groups}")
    _run(connection, f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {readers}")
    _run(
        connection,
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {everything} ON TABLES TO {PREFIX}admin",
    )
    # Everybody may make temporary tables, and before PostgreSQL 15 others too: that fills disks.
    database = _quoted(str(connection.scalar(text("SELECT current_database()"))))
    _attempt(connection, f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    _attempt(connection, f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    _attempt(connection, f"GRANT CONNECT ON DATABASE {database} TO {groups}")
    makers = ", ".join(group for group in GROUPS if group != f"{PREFIX}trader")
    _attempt(connection, f"GRANT TEMPORARY ON DATABASE {database} TO {makers}")


def _give(connection: Connection, table: str) -> None:
    name, writers = _quoted(table), WRITERS.get(table, {})
    _run(connection, f"REVOKE ALL ON TABLE {name} FROM {', '.join(GROUPS)}")
    for role in ROLES:
        words = ("SELECT", *writers.get(role, ()))
        if role == "admin" and table != _REVISION:
            words = _EVERYTHING
        _run(connection, f"GRANT {', '.join(words)} ON TABLE {name} TO {PREFIX}{role}")


def _protect_rows(connection: Connection, table: str) -> None:
    """Let everybody see the rows, quants and traders change their own, operators and administrators all.

    The table's owner, as whom collectors and the hub work, passes by all of this.
    """
    name = _quoted(table)
    _drop_policies(connection, table)
    _run(connection, f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    _run(connection, f"CREATE POLICY {PREFIX}read ON {name} FOR SELECT TO {', '.join(GROUPS)} USING (true)")
    _run(
        connection,
        f"CREATE POLICY {PREFIX}own ON {name} TO {PREFIX}quant, {PREFIX}trader "
        f"USING ({_IS_OWN}) WITH CHECK ({_IS_OWN})",
    )
    _run(
        connection,
        f"CREATE POLICY {PREFIX}all ON {name} TO {PREFIX}operator, {PREFIX}admin USING (true) WITH CHECK (true)",
    )


def _drop_policies(connection: Connection, table: str) -> None:
    for policy in ("read", "own", "all"):
        _run(connection, f"DROP POLICY IF EXISTS {PREFIX}{policy} ON {_quoted(table)}")


def _known_groups(connection: Connection) -> list[str]:
    found = connection.scalars(
        text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names) ORDER BY rolname"), {"names": list(GROUPS)}
    )
    return [str(name) for name in found]


def _tables(connection: Connection) -> list[str]:
    """Return our tables and views; partitions are read by way of their tables, and an extension's are not ours."""
    return _names(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition AND pg_has_role(relowner, 'USAGE') "
        "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') ORDER BY relname",
    )


def _owned_tables(connection: Connection) -> list[str]:
    return _names(
        connection,
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "  # noqa: S608
        f"WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND attname = '{OWNER}' "
        "AND NOT attisdropped AND pg_has_role(relowner, 'USAGE') ORDER BY relname",
    )


def _names(connection: Connection, query: str) -> list[str]:
    return [str(name) for name in connection.scalars(text(query))]


def _schema(connection: Connection) -> str:
    return _quoted(str(connection.scalar(text("SELECT current_schema()"))))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _attempt(connection: Connection, statement: str) -> None:
    """Run what only the owner of schema or database may; what is missing then, an administrator has to give."""
    try:
        with connection.begin_nested():
            _run(connection, statement)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", "") != "42501":
            raise
        _log.warning("not done, for lack of rights: %s", statement)


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement.replace("%", "%%"))
