"""Health notebooks run as a quant runs them: from a lab's own folder, in a kernel behind the real hub."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
import websocket

if TYPE_CHECKING:
    from tests.started_platform import Platform

pytestmark = pytest.mark.slow

WITHIN_S = 120
#: What a busy machine that runs tests may differ in from a desk.
CHANGES = {"03_pages": "most_s = 60.0\nmost_mb = 4096.0"}


class Lab:
    """A quant's server, spoken to as a browser does: by REST, and by a kernel's websocket."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._session, self._url = platform.visitor(name), f"{platform.url}user/{name}/"
        self._origin, self._path = platform.url.rstrip("/"), f"/user/{name}/"
        self._session.get(f"{platform.url}hub/spawn", timeout=WITHIN_S)
        deadline = time.monotonic() + WITHIN_S
        while self._session.get(f"{self._url}lab", timeout=WITHIN_S).url.partition("?")[0] != f"{self._url}lab":
            assert time.monotonic() < deadline, "the lab did not start"
            time.sleep(0.5)

    def ask(self, verb: str, path: str) -> requests.Response:
        """Ask the lab as its pages do."""
        token = next(one.value for one in self._session.cookies if (one.name, one.path) == ("_xsrf", self._path))
        answer = self._session.request(verb, self._url + path, headers={"X-XSRFToken": str(token)}, timeout=WITHIN_S)
        assert answer.ok, (path, answer.status_code, answer.text[:300])
        return answer

    def notebook(self, path: str) -> Any:
        """Return a notebook of the lab's own folder."""
        return self.ask("GET", f"api/contents/{path}").json()["content"]

    def run(self, sources: list[str]) -> str:
        """Run cells in a kernel of their own; return what the last one shows."""
        kernel = self.ask("POST", "api/kernels").json()["id"]
        address = f"{self._url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
        cookies = "; ".join(f"{one.name}={one.value}" for one in self._session.cookies if one.path in ("/", self._path))
        channel = websocket.create_connection(address, cookie=cookies, origin=self._origin, timeout=WITHIN_S)
        try:
            return [_execute(channel, source) for source in sources][-1]
        finally:
            channel.close()
            self.ask("DELETE", f"api/kernels/{kernel}")


def _execute(channel: websocket.WebSocket, source: str) -> str:
    key, shown = uuid.uuid4().hex, ""
    header = {
        "msg_id": key,
        "msg_type": "execute_request",
        "username": "",
        "session": key,
        "version": "5.4",
        "date": "",
    }
    content = {"code": source, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
    channel.send(
        json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"})
    )
    while True:
        message = json.loads(channel.recv())
        if message["parent_header"].get("msg_id") != key:
            continue
        kind, said = message["msg_type"], message["content"]
        if kind == "execute_result":
            shown = str(said["data"]["text/plain"])
        elif kind == "error":
            raise AssertionError(f"{said['ename']}: {said['evalue']}")
        elif kind == "status" and said["execution_state"] == "idle":
            return shown


@pytest.fixture(scope="module")
def lab(platform: Platform) -> Lab:
    return Lab(platform, "quant")


@pytest.mark.parametrize("name", ["01_data", "02_collection", "03_pages"])
def test_the_desk_is_well_seen_from_a_lab(lab: Lab, name: str) -> None:
    sources = [cell["source"] for cell in lab.notebook(f"health/{name}.ipynb")["cells"] if cell["cell_type"] == "code"]
    told = lab.run([sources[0], CHANGES.get(name, ""), *sources[1:]])
    assert told.startswith("'healthy: ")
