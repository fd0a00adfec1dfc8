"""Opening the store: the embedded server, or the one that the settings name."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError

from bifrost_lib.core.clock import Clock, SystemClock
from bifrost_lib.core.errors import SettingsError
from bifrost_lib.core.settings import Settings
from bifrost_lib.store.embedded import EmbeddedServer
from bifrost_lib.store.migrate import migrate
from bifrost_lib.store.time_tables import level_of
from bifrost_lib.store.trouble import translated

_CONNECT_TIMEOUT_S = 10
#: Just-in-time compilation costs more than our short queries take.
_SESSION = "-c timezone=UTC -c jit=off -c application_name=bifrost"


class Store:
    """An open database with up-to-date tables; close it, or use it in a ``with`` block.

    Attributes
    ----------
    engine : sqlalchemy.Engine
        What the reading functions take.
    level : {"plain", "apache", "community"}
        What kind of time tables the server offers.
    place : str
        The database in words, without a password.
    address : sqlalchemy.URL
        The database's address; its password is hidden when it is printed.
    home : Path
        The folder where secrets of this store are kept.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock, place: str, address: URL, home: Path, server: EmbeddedServer | None
    ) -> None:
        self.engine, self.clock, self.place = engine, clock, place
        self.address, self.home = address, home
        self._server = server
        with translated(place):
            migrate(engine)
            with engine.connect() as connection:
                self.level = level_of(connection)
                self.version = str(connection.scalar(text("SHOW server_version"))).split()[0]

    @property
    def description(self) -> str:
        """Where the data are and on what, in one line."""
        return f"{self.place} ({self.version}, {self.level})"

    def close(self) -> None:
        """Close all connections; the last process to close the embedded server stops it."""
        self.engine.dispose()
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.description})"


def open_store(settings: Settings, clock: Clock | None = None) -> Store:
    """Open the store that `settings` describe, starting the embedded server if need be, with tables up to date.

    Raises
    ------
    SourceUnavailable
        If the server that ``database_url`` names does not answer.
    StoreError
        If the database cannot be started or used as it is; the message says what to do.
    """
    clock = clock or SystemClock()
    if settings.database_url:
        engine, place = _given(settings)
        return _opened(engine, clock, place, engine.url, settings.home, None)
    server = EmbeddedServer(settings.home)
    engine = create_engine(
        "postgresql+psycopg2://", creator=lambda: server.connect(options=_SESSION), pool_pre_ping=True
    )
    return _opened(engine, clock, server.description, server.url(), settings.home, server)


def _opened(engine: Engine, clock: Clock, place: str, address: URL, home: Path, server: EmbeddedServer | None) -> Store:
    try:
        return Store(engine, clock=clock, place=place, address=address, home=home, server=server)
    except BaseException:
        engine.dispose()
        if server is not None:
            server.close()
        raise


def _given(settings: Settings) -> tuple[Engine, str]:
    try:
        parsed = make_url(settings.database_url)
    except (ArgumentError, ValueError):  # the messages of both would repeat the address, password and all
        origin = next(value.origin for value in settings.rows() if value.setting.name == "database_url")
        raise SettingsError("database_url", origin, "expected postgresql://user:password@host:port/database") from None
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT_S, "options": _SESSION}
    if "options" in parsed.query:
        arguments["options"] = f"{parsed.query['options']} {_SESSION}"
    return create_engine(parsed, connect_args=arguments, pool_pre_ping=True), _name(parsed)


def _name(url: URL) -> str:
    host = url.host or url.query.get("host", "localhost")
    return f"database {url.database or ''} at {host}" + (f":{url.port}" if url.port else "")
