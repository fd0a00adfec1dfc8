"""Many viewers on one server of live pages: what each keeps there, and that those who have left keep nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

from bifrost_lib.core.kernels import cache_folder

if TYPE_CHECKING:
    from bifrost_lib.workflows import Desk

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
VIEWERS = 20
#: More than the megabyte that a viewer may keep, since an allocator asks the system for memory in large pieces.
MOST_MB = 1.5
LEFT_S = 4.0  # the server of the tests looks every second for viewers who have left


@dataclass
class Server:
    """Live pages without a hub."""

    url: str
    pid: int

    def memory_mb(self) -> float:
        """Return what it keeps in memory."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8"))
        assert found is not None
        return int(found[1]) / 1000

    async def visit(self, page: str) -> Any:
        """Come to a page as a browser does, and return the socket that the viewer stays with."""
        answer = await AsyncHTTPClient().fetch(f"{self.url}/{page}", request_timeout=120)
        token = re.search(r'"token": "([^"]+)"', answer.body.decode())
        assert token is not None
        address = f"ws://{urlsplit(self.url).netloc}/{page}/ws"
        viewer = await websocket_connect(address, subprotocols=["bokeh", token[1]], max_message_size=2**28)
        for _ in range(3):  # the session is there
            await viewer.read_message()
        for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            await viewer.write_message(json.dumps(part))
        while "PULL-DOC-REPLY" not in str(await viewer.read_message()):
            pass
        return viewer

    async def visit_in_turn(self, page: str, times: int) -> None:
        """Come and leave."""
        for _ in range(times):
            (await self.visit(page)).close()
        await asyncio.sleep(LEFT_S)


@pytest.fixture(scope="module")
def server(desk: Desk) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "BIFROST_HOME": str(desk.settings.home),
        "BIFROST_DATABASE_URL": desk.settings.database_url.replace("+psycopg2", ""),
        "NUMBA_CACHE_DIR": str(cache_folder()),
    }
    command = [sys.executable, str(CHECKOUT / "tests" / "browser" / "pages_alone.py"), "live", str(port)]
    process = subprocess.Popen(command, env=environ, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready: "), line
    yield Server(line.removeprefix("ready: ").strip().rpartition("/")[0], process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


@pytest.mark.parametrize("page", ["chain", "history", "operations"])
def test_a_viewer_keeps_about_a_megabyte(server: Server, page: str) -> None:
    async def watched() -> float:
        await server.visit_in_turn(page, 5)
        before = server.memory_mb()
        viewers = [await server.visit(page) for _ in range(VIEWERS)]
        after = server.memory_mb()
        for viewer in viewers:
            viewer.close()
        await asyncio.sleep(LEFT_S)
        return (after - before) / VIEWERS

    kept_mb = asyncio.run(watched())
    print(f"{page}: {kept_mb:.2f} MB for each of {VIEWERS} viewers")
    assert kept_mb < MOST_MB


def test_viewers_who_have_left_keep_nothing(server: Server) -> None:
    async def soaked() -> tuple[float, float]:
        for page in ("chain", "operations"):
            await server.visit_in_turn(page, 15)
        before = server.memory_mb()
        for page in ("chain", "operations"):
            await server.visit_in_turn(page, 30)
        return before, server.memory_mb()

    before, after = asyncio.run(soaked())
    print(f"{before:.0f} MB after 30 viewers, {after:.0f} MB after 90")
    assert after < 1.05 * before
