"""Who may see the live pages while no hub stands before them: whoever holds the token of this home."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

YEAR_DAYS = 365


def guard(server: Any, token: str, *, cookie: str, start: str) -> None:
    """Let only requests through that carry the token, or the cookie that a request with the token got.

    Parameters
    ----------
    server : panel or bokeh server
        Every page, script and websocket of it is guarded.
    token : str
    cookie : str
        Name of the cookie; it holds a word derived from the token, never the token itself.
    start : str
        Where ``/`` leads.
    """
    word = hmac.new(token.encode(), b"live pages", hashlib.sha256).hexdigest()
    options = {"token": token, "word": word, "cookie": cookie, "start": start}
    rules: list[Any] = [
        Rule(_Carries(token), _Entry, options),
        Rule(_Lacks(cookie, word), _Refusal),
        Rule(_Root(), _Entry, options),
    ]
    server._tornado.add_handlers(r".*", rules)


class _Carries(Matcher):
    """Requests with the token in their address."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        given = request.query_arguments.get("token", [])
        fits = request.method == "GET" and any(hmac.compare_digest(one, self._token) for one in given)
        return {} if fits else None


class _Lacks(Matcher):
    """Requests without the cookie, or with a wrong one."""

    def __init__(self, cookie: str, word: str) -> None:
        self._cookie, self._word = cookie, word

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        given = request.cookies.get(self._cookie)
        fits = given is not None and hmac.compare_digest(given.value.encode(), self._word.encode())
        return None if fits else {}


class _Root(Matcher):
    """The address without a page."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {} if request.path == "/" else None


class _Entry(RequestHandler):
    """Exchanges the token for the cookie, so that it does not stay in the address."""

    def initialize(self, token: str, word: str, cookie: str, start: str) -> None:
        self._word, self._cookie, self._start = word, cookie, start

    def get(self) -> None:
        rest = [(name, value) for name, value in parse_qsl(self.request.query) if name != "token"]
        self.set_cookie(self._cookie, self._word, expires_days=YEAR_DAYS, httponly=True, samesite="Lax")
        path = self._start if self.request.path == "/" else "/" + self.request.path.lstrip("/")
        self.redirect(path + (f"?{urlencode(rest)}" if rest else ""))


class _Refusal(RequestHandler):
    """Says how to get in, and nothing else."""

    def _request_summary(self) -> str:
        return f"{self.request.method} {self.request.path}"  # what follows the path may hold a token: never logged

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("403: open the address that `bifrost up` prints; it carries the token of these pages.\n")
