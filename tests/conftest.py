"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

# Compiling costs more than any test: all homes of all test runs of this checkout share the machine code.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[1] / ".venv" / "kernels"))
# Tests run on every core already: threads of linear algebra would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from sqlalchemy import URL

    from bifrost_lib.core.settings import Settings
    from bifrost_lib.store import Store
    from tests.started_platform import Platform


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder with real sample data; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BIFROST_SAMPLE_DATA") or beside)
    if not (folder / "MANIFEST.csv").exists():
        pytest.skip(f"no sample data at {folder}; set BIFROST_SAMPLE_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="module", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Give Ctrl-C back what it does: a page that is served within a test leaves its own end to it."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes a worker many minutes, and beside it quick tests, so that a mistake shows early."""
    items.sort(key=lambda item: (not _has(item, "long"), _has(item, "browser"), _has(item, "slow")))


def _has(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None


@pytest.fixture(scope="session")
def database_server() -> Iterator[URL]:
    """The server that ``BIFROST_DATABASE_URL`` names, else an embedded one of this test run's own."""
    from sqlalchemy import make_url

    if given := os.environ.get("BIFROST_DATABASE_URL"):
        yield make_url("postgresql+psycopg2://" + given.split("://", 1)[1])
        return
    from bifrost_lib.store.embedded import EmbeddedServer

    home = Path(tempfile.mkdtemp(prefix="bifrost-tests-", dir="/tmp"))
    home.chmod(0o711)
    server = EmbeddedServer(home)
    yield server.url()
    server.close()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def database_settings(database_server: URL) -> Iterator[Settings]:
    """Settings of a home whose database is empty and belongs to the test module alone."""
    from sqlalchemy import create_engine, text

    from bifrost_lib.core.settings import load_settings

    name = f"bifrost_test_{secrets.token_hex(4)}"
    engine = create_engine(database_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = database_server.set(database=name).render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="bifrost-tests-") as home:
        yield load_settings({"BIFROST_HOME": home, "BIFROST_DATABASE_URL": url})
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def store(database_settings: Settings) -> Iterator[Store]:
    """An open store, empty at the module's start."""
    from bifrost_lib.store import open_store

    with open_store(database_settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A whole platform behind its hub, shared by all tests of a run: look at it, and leave it as it is."""
    with _started_platform().started_platform() as started:
        yield started


def _started_platform() -> ModuleType:
    # Test folders are no packages: a module beside this one is found by its place.
    spec = spec_from_file_location("started_platform", Path(__file__).with_name("started_platform.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class StoppableDatabase:
    """A server of its own that a test may stop and start; `settings` name it as one that Bifrost does not start."""

    def __init__(self, home: Path) -> None:
        from bifrost_lib.core.settings import load_settings
        from bifrost_lib.store.embedded import EmbeddedServer

        self._server = EmbeddedServer(home)
        url = self._server.url().render_as_string(hide_password=False)
        self.settings = load_settings({"BIFROST_HOME": str(home / "desk"), "BIFROST_DATABASE_URL": url})

    def stop(self) -> None:
        """Stop it at once, as a crash does."""
        self._server._control("stop", "--mode=immediate", "--wait", "--silent")

    def start(self) -> None:
        """Start it again."""
        self._server.connect().close()

    def close(self) -> None:
        """Stop it for good."""
        self.start()
        self._server.close()


@pytest.fixture
def stoppable_database() -> Iterator[StoppableDatabase]:
    """A database that goes away and comes back."""
    home = Path(tempfile.mkdtemp(prefix="bifrost-tests-", dir="/tmp"))
    home.chmod(0o711)
    database = StoppableDatabase(home)
    yield database
    database.close()
    shutil.rmtree(home)
