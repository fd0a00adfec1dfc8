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
MOST_MB = 1.0
PATIENCE_S = 120
PAGES = ("chain", "history", "backtests", "calibration", "operations")


@dataclass
class Server:
    """Live pages without a hub."""

    url: str

    async def kept(self) -> dict[str, Any]:
        """Return its sessions, its documents, and its memory in MB, after what is free was given back."""
        found: dict[str, Any] = json.loads(await self._ask("kept"))
        return found

    async def visit(self, page: str) -> Any:
        """Come to a page as a browser does, and return the socket that the viewer stays with."""
        token = re.search(r'"token": "([^"]+)"', await self._ask(page))
        assert token is not None
        address = f"ws://{urlsplit(self.url).netloc}/{page}/ws"
        viewer = await websocket_connect(address, subprotocols=["bokeh", token[1]], max_message_size=2**28)
        for _ in range(3):  # the session is there
            await viewer.read_message()
        for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
            await viewer.write_message(json.dumps(part))
        while "PULL-DOC-REPLY" not in str(said := await viewer.read_message()):
            assert said is not None, "the server has closed the socket"
        return viewer

    async def visit_in_turn(self, page: str, times: int) -> dict[str, Any]:
        """Come and leave; return what is kept once all have left."""
        for _ in range(times):
            (await self.visit(page)).close()
        return await self.alone()

    async def alone(self) -> dict[str, Any]:
        """Return what is kept once nobody is there."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.kept())["sessions"]:
                await asyncio.sleep(0.25)
        return found

    async def _ask(self, path: str) -> str:
        patience: Any = {"connect_timeout": PATIENCE_S, "request_timeout": PATIENCE_S}
        answer = await AsyncHTTPClient().fetch(f"{self.url}/{path}", **patience)
        return answer.body.decode()


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
    yield Server(line.removeprefix("ready: ").strip().rpartition("/")[0])
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    process.stdout.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_viewer_keeps_less_than_a_megabyte(server: Server, page: str) -> None:
    async def watched() -> tuple[dict[str, Any], ...]:
        before = await server.visit_in_turn(page, 5)
        viewers = [await server.visit(page) for _ in range(VIEWERS)]
        there = await server.kept()
        for viewer in viewers:
            viewer.close()
        return before, there

    before, there = asyncio.run(watched())
    assert there["sessions"] >= VIEWERS
    each_mb = (there["memory_mb"] - before["memory_mb"]) / VIEWERS
    print(f"{page}: {each_mb:.2f} MB for each of {VIEWERS} viewers")
    assert each_mb < MOST_MB


def test_viewers_who_have_left_keep_nothing(server: Server) -> None:
    async def soaked() -> list[float]:
        taken = [(await server.visit_in_turn(page, 15))["memory_mb"] for page in ("chain", "operations") * 3]
        async with asyncio.timeout(PATIENCE_S):  # a timer of a page holds its document until it is due, for a minute
            while (await server.kept())["documents"] >= 15:
                await asyncio.sleep(1)
        return taken

    taken = asyncio.run(soaked())
    print(f"{', '.join(f'{one:.0f}' for one in taken)} MB after 15 viewers each")
    assert taken[-1] < 1.05 * taken[1]
