"""The token opens the door once; the cookie it is exchanged for is not the token, and nothing of it is logged."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application, RequestHandler

from apps.access import guard

TOKEN = "a-word-that-nobody-guesses"  # noqa: S105
COOKIE = "bifrost-live-1"


class Page(RequestHandler):
    def get(self) -> None:
        self.write("a page")

    post = get


class TestTheDoor(AsyncHTTPTestCase):
    @pytest.fixture(autouse=True)
    def _logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        self.caplog = caplog

    def get_app(self) -> Application:
        application = Application([("/chain", Page)])
        guard(SimpleNamespace(_tornado=application), TOKEN, cookie=COOKIE, start="/chain")
        return application

    def ask(self, path: str, **options: Any) -> HTTPResponse:
        return self.fetch(path, follow_redirects=False, **options)

    def cookie(self) -> str:
        return self.ask(f"/chain?token={TOKEN}").headers["Set-Cookie"].split(";")[0]

    def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(self) -> None:
        answer = self.ask(f"/chain?token={TOKEN}&symbol=SIM")
        assert (answer.code, answer.headers["Location"]) == (302, "/chain?symbol=SIM")
        given = answer.headers["Set-Cookie"]
        assert "HttpOnly" in given and "SameSite=Lax" in given and TOKEN not in given
        assert self.ask("/chain", headers={"Cookie": given.split(";")[0]}).body == b"a page"

    def test_the_root_leads_to_the_first_page(self) -> None:
        assert self.ask("/", headers={"Cookie": self.cookie()}).headers["Location"] == "/chain"

    def test_a_redirect_never_leaves_the_server(self) -> None:
        assert self.ask(f"//evil.example/?token={TOKEN}").headers["Location"].startswith("/evil.example")

    def test_others_are_refused_whatever_they_ask_and_however(self) -> None:
        for path in ("/chain", "/", "/nowhere", "/chain?token=", f"/chain?token={TOKEN}x"):
            for method in ("GET", "POST"):
                body = "x" if method == "POST" else None
                assert self.ask(path, method=method, body=body).code == 403
        assert self.ask("/chain", headers={"Cookie": f"{COOKIE}={TOKEN}"}).code == 403
        assert self.ask(f"/chain?token={TOKEN}", method="POST", body="x").code == 403

    def test_no_log_holds_the_token(self) -> None:
        self.ask(f"/chain?token={TOKEN}", method="POST", body="x")
        assert "403 POST /chain" in self.caplog.text
        assert TOKEN not in self.caplog.text
