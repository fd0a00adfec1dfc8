"""The one door: subprotocols and bytes pass, pages come piece by piece, forged names do not, other sites stay out."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from configurable_http_proxy.configproxy import PythonProxy
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from hub_config.proxy import FORGEABLE, Forwarder

PACKED = gzip.compress(b"a script" * 100)


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "bokeh" if "bokeh" in subprotocols else None

    def check_origin(self, origin):
        return True

    async def on_message(self, message):
        await self.write_message(message, binary=isinstance(message, bytes))


class Told(RequestHandler):
    def get(self):
        self.write(dict(self.request.headers.get_all()))

    def post(self):
        self.set_status(201)
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")
        self.write(self.request.body)


class Packed(RequestHandler):
    def get(self):
        self.set_header("Content-Encoding", "gzip")
        self.write(PACKED)


class Slow(RequestHandler):
    async def get(self):
        self.write("first")
        await self.flush()
        await self.settings["go_on"].wait()
        self.write("second")


@asynccontextmanager
async def door() -> AsyncIterator[tuple[str, asyncio.Event]]:
    go_on = asyncio.Event()
    behind = HTTPServer(
        Application([("/echo", Echo), ("/told", Told), ("/packed", Packed), ("/slow", Slow)], go_on=go_on)
    )
    proxy = PythonProxy({"auth_token": "word", "log": logging.getLogger("door")})
    front = HTTPServer(Application([(r"/(.*)", Forwarder, {"proxy": proxy})]))
    ports = []
    for server in (behind, front):
        server.listen(0, "127.0.0.1")
        ports.append(next(iter(server._sockets.values())).getsockname()[1])
    proxy.add_route("/", {"target": f"http://127.0.0.1:{ports[0]}"})
    proxy.add_route("/gone", {"target": "http://127.0.0.1:9"})
    try:
        yield f"127.0.0.1:{ports[1]}", go_on
    finally:
        for server in (front, behind):
            server.stop()
            await server.close_all_connections()


def test_a_websocket_keeps_its_protocol_and_the_kind_of_its_messages():
    async def talk():
        async with door() as (place, _):
            socket = await websocket_connect(f"ws://{place}/echo", subprotocols=["other", "bokeh", "a.token"])
            chosen = socket.selected_subprotocol
            answers = []
            for message in ("text", b"\x00\xff", "x" * 2_000_000):
                await socket.write_message(message, binary=isinstance(message, bytes))
                answers.append(await socket.read_message())
            socket.close()
            return chosen, answers

    chosen, (text, data, long) = asyncio.run(talk())
    assert (chosen, text, data, len(long)) == ("bokeh", "text", b"\x00\xff", 2_000_000)


def test_a_websocket_from_another_site_is_refused_and_from_this_one_is_not():
    async def talk(origin):
        async with door() as (place, _):
            request = HTTPRequest(f"ws://{place}/echo", headers={"Origin": origin.format(place=place)})
            socket = await websocket_connect(request)
            socket.close()

    asyncio.run(talk("http://{place}"))
    for origin in ("http://evil.example", "http://{place}.evil.example", "null"):
        with pytest.raises(HTTPClientError) as caught:
            asyncio.run(talk(origin))
        assert caught.value.code == 403


def test_a_browser_cannot_say_who_somebody_is():
    async def ask():
        async with door() as (place, _):
            headers = dict.fromkeys(FORGEABLE, "admin") | {"X-Other": "stays"}
            answer = await AsyncHTTPClient().fetch(f"http://{place}/told", headers=headers)
            return answer.body.decode()

    told = asyncio.run(ask())
    assert "admin" not in told and "stays" in told


def test_status_cookies_and_body_pass_and_a_silent_part_is_503():
    async def ask():
        async with door() as (place, _):
            client = AsyncHTTPClient()
            posted = await client.fetch(f"http://{place}/told", method="POST", body=b"\x00body")
            silent = await client.fetch(f"http://{place}/gone/x", raise_error=False)
            return posted, silent

    posted, silent = asyncio.run(ask())
    assert (posted.code, posted.body) == (201, b"\x00body")
    assert posted.headers.get_list("Set-Cookie") == ["a=1", "b=2"]
    assert silent.code == 503


def test_what_is_packed_stays_packed_and_says_so():
    async def ask():
        async with door() as (place, _):
            plain = HTTPRequest(f"http://{place}/packed", decompress_response=False)
            return await AsyncHTTPClient().fetch(plain)

    got = asyncio.run(ask())
    assert (got.headers["Content-Encoding"], got.body) == ("gzip", PACKED)


def test_a_page_comes_piece_by_piece():
    async def ask():
        pieces: list[bytes] = []
        async with door() as (place, go_on):

            def take(piece: bytes) -> None:
                pieces.append(piece)
                go_on.set()  # the second is sent only once the first has come

            request = HTTPRequest(f"http://{place}/slow", streaming_callback=take, request_timeout=10)
            await AsyncHTTPClient().fetch(request)
        return pieces

    assert asyncio.run(ask()) == [b"first", b"second"]
