"""Brings a database to the tables that this version of Bifrost uses, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store import time_tables

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0008"
_LOCK = 0x42_49_46_52  # any number, the same in every process that migrates


def migrate(engine: Engine) -> None:
    """Upgrade to the newest tables; quick when there is nothing to do.

    Raises
    ------
    StoreError
        If a newer Bifrost made the tables, or the role may not make or change them.
    """
    with engine.connect() as connection:
        found = _revision(connection)
        if found == HEAD:
            return
        _check_known(found)
        _check_owner(connection, found)
    with _alone(engine), engine.connect() as connection:
        found = _revision(connection)
        _check_known(found)
        if found is None:
            connection.rollback()
            _offer_timescale(engine)
        if found != HEAD:
            _run(connection, "upgrade", "head")


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take migrations back; ``base`` removes every table and all data with them."""
    with _alone(engine), engine.connect() as connection:
        _run(connection, "downgrade", revision)
        if revision == "base":
            connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
            connection.commit()


def known_revisions() -> list[str]:
    """Return the revisions of this version, newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keep other processes from migrating meanwhile."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()


def _run(connection: Connection, direction: str, revision: str) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    config.attributes["direction"] = direction
    config.attributes["level"] = time_tables.offered_level(connection)
    try:
        getattr(command, direction)(config, revision)
        connection.commit()
    except ProgrammingError as error:
        raise StoreError(
            f"the tables cannot be made: {str(error.orig).splitlines()[0]}; give the database's role the right to "
            f"create in its schema"
        ) from None


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    """Return the revision of the database without loading Alembic, which takes longer than the answer."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: Any = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found if found is None else str(found)


def _check_known(revision: str | None) -> None:
    if revision is not None and revision not in known_revisions():
        raise StoreError(f"the tables are of revision {revision}, newer than this Bifrost's {HEAD}; update Bifrost")


def _check_owner(connection: Connection, revision: str | None) -> None:
    """Refuse to begin what a user who does not own the tables could not end."""
    if revision is None:
        return
    user, is_owner = connection.execute(
        text(
            "SELECT current_user, pg_has_role(relowner, 'USAGE') FROM pg_class "
            "WHERE oid = to_regclass('alembic_version')"
        )
    ).one()
    if not is_owner:
        raise StoreError(
            f"the tables are of revision {revision}, older than this Bifrost's {HEAD}, and {user} may not change them; "
            f"upgrade them as their owner: ./bifrost up, or any command, on the application server"
        )


def _offer_timescale(engine: Engine) -> None:
    """Install TimescaleDB into a fresh database where the server has it and we may; plain PostgreSQL is fine too."""
    with engine.connect() as connection:
        offered = connection.scalar(
            text(
                "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL "
                "AND to_regclass('alembic_version') IS NULL"
            )
        )
    if offered is None:
        return
    try:
        # Without preloading the server ends the connection, hence one of its own.
        with engine.connect() as connection:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS timescaledb"))
            connection.commit()
    except DBAPIError:
        return
    finally:
        engine.dispose()  # connections made before do not know the extension
