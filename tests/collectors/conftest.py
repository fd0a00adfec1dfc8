"""A simulated gateway and collectors as processes of their own, as they run on a desk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows import Desk, open_desk

if TYPE_CHECKING:
    from sqlalchemy import URL

REPOSITORY = Path(__file__).resolve().parents[2]
StartGateway = Callable[..., int]
StartCollector = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def start_gateway() -> Iterator[StartGateway]:
    """Starts simulated gateways and returns their ports."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-m", "bifrost_lib.sim", "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        return int(line.rpartition(":")[2])

    yield start
    for process in running:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def gateway(start_gateway: StartGateway) -> int:
    """The port of a gateway with IB's limits."""
    return start_gateway()


@pytest.fixture
def environment(database_server: URL, tmp_path: Path, gateway: int) -> Iterator[dict[str, str]]:
    """What a collector process finds: a home and a database of the test's own, and the gateway."""
    import secrets

    from sqlalchemy import create_engine, text

    name = f"bifrost_test_{secrets.token_hex(4)}"
    engine = create_engine(database_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = database_server.set(database=name).render_as_string(hide_password=False)
    yield {"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url, "BIFROST_IB_PORT": str(gateway)}
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def desk(environment: dict[str, str]) -> Iterator[Desk]:
    """A desk in the same home."""
    with open_desk(settings=load_settings(environment)) as opened:
        yield opened


@pytest.fixture
def start_collector(environment: dict[str, str]) -> Iterator[StartCollector]:
    """Starts ``python -m collectors`` in that home."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "collectors", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=os.environ | environment,
        )  # fmt: skip
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits for something to become true, and returns it."""

    def wait(condition: Callable[[], Any], *, timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.1)
        return found

    return wait
