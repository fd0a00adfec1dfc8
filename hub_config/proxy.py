"""The platform's one door: a proxy without node that forwards pages as they come, websockets with their protocols.

The package `configurable-http-proxy` keeps the routes and speaks with the hub. Its forwarding is replaced: it drops
the subprotocols that Bokeh needs, and holds a page back until its last byte has come.

``python -m hub_config.proxy`` listens where `bifrost up` chose and serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from configurable_http_proxy.configproxy import PythonProxy
from configurable_http_proxy.handlers import ProxyHandler
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError
from tornado.websocket import WebSocketClosedError, websocket_connect

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import LOOPBACK, Places, shared_secret

#: A browser must not tell us who somebody is: pages hear that from the hub alone.
FORGEABLE = ("X-Remote-User", "X-Forwarded-User", "X-Bifrost-User", "X-Bifrost-Role", "Remote-User")
#: Belong to one connection, so they are not passed on.
OF_A_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}
OF_A_SOCKET = ("Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol")
LONGEST_REQUEST_S = 600.0  # a notebook's page may take this long
LARGEST_BODY = 256 * 2**20
STREAMS = 1000


class Forwarder(ProxyHandler):  # type: ignore[misc]
    """One request or one websocket on its way to the part that answers it."""

    def initialize(self, **given: Any) -> None:
        """Begin with nothing under way."""
        super().initialize(**given)
        self._under_way: set[asyncio.Future[None]] = set()

    def check_origin(self, origin: str) -> bool:
        """Let pages of this very host open websockets, and nobody else's."""
        host: str = self.request.headers.get("Host", "")
        return urlsplit(origin).netloc.lower() == host.lower()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak what the part behind has chosen."""
        return self.ws_client.selected_subprotocol if self.ws_client else None

    async def get(self, path: str | None = None) -> None:
        """Forward a page, or open a websocket to the same page behind."""
        asks = self.request.headers.get("Upgrade", "").lower() == "websocket"
        origin = self.request.headers.get("Origin")
        if asks and origin is not None and not self.check_origin(origin):
            raise HTTPError(403, "a websocket from another site")
        await super().get(path)

    async def start_ws_client(self, path: str | None = None) -> None:
        """Open the websocket behind before the one in front is accepted."""
        self.closed = False
        url = await self.get_target_url(path)
        if url is None:
            return
        request = self._get_proxy_request("ws" + url.removeprefix("http"))
        offered = [word.strip() for word in self.request.headers.get("Sec-Websocket-Protocol", "").split(",")]
        for name in OF_A_SOCKET:
            request.headers.pop(name, None)
        try:
            self.ws_client = await websocket_connect(
                request, on_message_callback=self._answer, subprotocols=[word for word in offered if word] or None,
                max_message_size=LARGEST_BODY,
            )  # fmt: skip
        except HTTPClientError as refusal:
            self.set_status(refusal.code)
            self.finish(refusal.message or "")
        except Exception as error:
            await self.handle_proxy_error(503, error)

    def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says."""
        if self.ws_client:
            self._is_alive()
            self._see_to(_settled(self.ws_client.write_message(message, binary=isinstance(message, bytes))))

    def _answer(self, message: str | bytes | None) -> None:
        if message is None:  # closed from behind
            self.close()
        elif self.ws_connection is not None:
            self._is_alive()
            self._see_to(_settled(self.write_message(message, binary=isinstance(message, bytes))))

    def on_ws_connection_close(self, *_: Any) -> None:
        """Hang up behind when the browser does."""
        self.on_close()

    def _see_to(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)  # the loop itself keeps no hold of it
        task.add_done_callback(self._under_way.discard)

    def _is_alive(self) -> None:
        if self.target:
            self.proxy.update_last_activity(self.target["prefix"])

    def _get_proxy_request(self, url: str) -> HTTPRequest:
        for name in FORGEABLE:
            self.request.headers.pop(name, None)
        request: HTTPRequest = super()._get_proxy_request(url)
        return request

    async def call_proxy(self, path: str | None = None) -> None:
        """Forward a request and its answer, each piece as it comes."""
        url = await self.get_target_url(path)
        if url is None:
            return
        request = self._get_proxy_request(url)
        request.header_callback, request.streaming_callback = self._take_header, self._take_body
        request.request_timeout = LONGEST_REQUEST_S
        request.decompress_response = False  # what is packed stays packed: it is for the browser
        self._begun = False
        try:
            response = await AsyncHTTPClient().fetch(request, raise_error=False)
        except Exception as error:
            await self.handle_proxy_error(503, error)
            return
        if response.code == 599:
            await self.handle_proxy_error(503, response.error)
        elif not self._finished:
            await self._flushed(last=True)

    def _take_header(self, line: str) -> None:
        name, colon, value = line.strip().partition(":")
        if line.startswith("HTTP/"):  # a status line: what an interim answer said is void
            self.clear()
            self.clear_header("Content-Type")
            self.clear_header("Server")
            self.set_status(int(line.split()[1]))
        elif colon and name.lower() not in OF_A_HOP:
            self.add_header(name, value.strip())

    def _take_body(self, piece: bytes) -> None:
        if not self._finished:
            self.write(piece)
            self._see_to(self._flushed())

    async def _flushed(self, *, last: bool = False) -> None:
        try:
            await (self.finish() if last else self.flush())
        except (StreamClosedError, RuntimeError):
            self.proxy.log.debug("the browser left before its page was complete")

    def compute_etag(self) -> None:
        """Leave that to the part that answers."""


async def _settled(sent: Any) -> None:
    try:
        await sent
    except (WebSocketClosedError, StreamClosedError):
        logging.getLogger(__name__).debug("a websocket closed while a message was on its way")


async def serve(places: Places, token: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    AsyncHTTPClient.configure(None, max_clients=STREAMS, max_body_size=LARGEST_BODY)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)  # addresses may hold what is nobody else's business
    log = logging.getLogger("proxy")
    log.setLevel(logging.WARNING)
    proxy = PythonProxy({
        "auth_token": token, "default_target": f"http://{LOOPBACK}:{places.hub}", "log": log,
        "error_target": f"http://{LOOPBACK}:{places.hub}/hub/error",
    })  # fmt: skip
    front = HTTPServer(Application([(r"/(.*)", Forwarder, {"proxy": proxy})]), max_buffer_size=LARGEST_BODY)
    front.listen(places.public, LOOPBACK)
    back = HTTPServer(proxy.api_app)
    back.listen(places.proxy, LOOPBACK)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    front.stop()
    back.stop()


def main() -> int:
    """Serve; problems are one line on standard error."""
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    try:
        home = load_settings().home
        asyncio.run(serve(Places.read(home), shared_secret(home, "proxy")))
    except OSError as error:
        sys.stderr.write(f"the port is taken: {error.strerror}\n")
        return 1
    except BifrostError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
