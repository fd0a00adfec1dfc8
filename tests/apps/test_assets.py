"""What a page's browser gets once and keeps: all scripts in one file, whose name says what is in it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import FileFindHandler
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application

from apps.assets import (
    BOKEH,
    BOKEH_FOLDER,
    IMPATIENT,
    JUPYTER,
    KEPT_FOR_YEARS,
    PATIENT,
    PIECES,
    bundle,
    page_script,
    with_assets,
)

Ask = Callable[..., Any]
REMOTE = "@bokeh/jupyter_bokeh/static/"


class Anybody(IdentityProvider):
    """Knows everybody who asks."""

    async def get_user(self, handler: Any) -> User:
        return User("ann")


@pytest.fixture
def ask() -> Ask:
    """Return what asks a server of the assets for an address, and gives its answer."""
    import asyncio

    plain = [("/f/voila/labextensions/(.*)", FileFindHandler, {"path": [str(JUPYTER / "labextensions")]})]

    async def answer(path: str, **headers: str) -> Any:
        application = Application(with_assets(plain, base_url="/f/"), identity_provider=Anybody())
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(application)
        server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/f/{path}"
        client = SimpleAsyncHTTPClient(force_instance=True)
        patience: Any = {"connect_timeout": 120, "request_timeout": 120}
        got = await client.fetch(url, headers=headers, raise_error=False, decompress_response=False, **patience)
        client.close()
        server.stop()
        await server.close_all_connections()
        return got

    return lambda path, **headers: asyncio.run(answer(path, **headers))


def test_the_bundle_holds_every_script_that_a_page_uses() -> None:
    found = bundle()
    pieces = [JUPYTER / line for line in PIECES.read_text(encoding="utf-8").split()]
    assert [path.name for path in pieces if not path.is_file()] == []
    for path in [*pieces, *(BOKEH_FOLDER / f"{name}.min.js" for name in BOKEH)]:
        assert path.read_bytes().replace(IMPATIENT, PATIENT) in found.text, path.name
    assert found.text.count(PATIENT) == 1, "the manager of the widgets gives up as early as before"
    assert page_script() == f"voila/bundle/{hashlib.sha256(found.text).hexdigest()[:32]}.js"


def test_it_is_sent_packed_and_kept_for_years(ask: Ask) -> None:
    got = ask(page_script(), **{"Accept-Encoding": "gzip"})
    assert (got.code, got.headers["Content-Encoding"]) == (200, "gzip")
    assert got.headers["Cache-Control"] == KEPT_FOR_YEARS
    assert gzip.decompress(got.body) == bundle().text
    assert len(got.body) < len(bundle().text) / 3
    assert ask(page_script()).body == bundle().text


def test_another_name_is_not_found(ask: Ask) -> None:
    assert ask(f"voila/bundle/{'0' * 32}.js").code == 404


def test_scripts_whose_names_change_with_them_are_kept_and_others_asked_for_again(ask: Ask) -> None:
    folder = JUPYTER / "labextensions" / REMOTE
    (entry,) = (path.name for path in folder.glob("remoteEntry.*.js"))
    assert ask(f"voila/labextensions/{REMOTE}{entry}").headers["Cache-Control"] == KEPT_FOR_YEARS
    assert "no-cache" in ask(f"voila/labextensions/{REMOTE}style.js").headers["Cache-Control"]
