"""Strangers, the wrong role, forged names and stolen words meet the real hub: nothing opens, nothing leaks."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest
import requests
import websocket

from bifrost_lib.workflows.hub import page_token, read_registry, shared_secret

if TYPE_CHECKING:
    from tests.started_platform import Platform

pytestmark = pytest.mark.slow

PAGES = read_registry()
NAMES = [page.name for page in PAGES]
PANEL = [page.name for page in PAGES if page.kind == "panel"]
VOILA = [page.name for page in PAGES if page.kind == "voila"]
FOR_OPERATORS = [page.name for page in PAGES if "trader" not in page.roles]
FORGED = dict.fromkeys(
    ("X-Remote-User", "X-Forwarded-User", "X-Bifrost-User", "X-Bifrost-Role", "Remote-User"), "admin"
)
WITHIN: dict[str, Any] = {"timeout": 60}
ADDRESSES = ["", "hub/home", "hub/admin", "hub/token", "hub/spawn", "user/quant/lab"]
ADDRESSES += [f"services/{name}{end}" for name in NAMES for end in ("/", "")]
BEHIND = ["hub/api/users", "hub/api/services", "hub/api/proxy", "services/chain/components/os/path/_css/x"]
BEHIND += [f"services/{name}/ws" for name in PANEL]
WAITS = "voila/query/00000000-0000-0000-0000-000000000000"  # where a kernel hears who its viewer is
BEHIND += [
    f"services/{name}/{path}"
    for name in VOILA
    for path in ("api/kernels/0/channels", f"voila/files/{name}.ipynb", WAITS)
]


def ask(url: str, **options: Any) -> requests.Response:
    """Ask as nobody."""
    return requests.get(url, timeout=60, **options)


def socket_of(platform: Platform, path: str, *, cookies: str = "", origin: str | None = None) -> int:
    """Return the status with which a websocket is answered; 101 is open."""
    address = platform.url.replace("http", "ws", 1) + path
    try:
        opened = websocket.create_connection(
            address, cookie=cookies, origin=origin or platform.url.rstrip("/"), timeout=30, subprotocols=["bokeh", "x"]
        )
    except websocket.WebSocketBadStatusException as refusal:
        return int(refusal.status_code)
    except websocket.WebSocketException as sent_away:
        if "redirect" not in str(sent_away).lower():
            raise
        return 302  # to the login
    opened.close()
    return 101


@pytest.fixture(scope="module")
def trader(platform: Platform) -> requests.Session:
    return platform.visitor("trader")


@pytest.fixture(scope="module")
def chain_of_trader(platform: Platform, trader: requests.Session) -> str:
    answer = trader.get(f"{platform.url}services/chain/", **WITHIN)
    assert answer.status_code == 200
    return str(answer.text)


def cookies_for(session: requests.Session, path: str) -> str:
    """Return the cookies that a browser would send there."""
    return "; ".join(f"{one.name}={one.value}" for one in session.cookies if path.startswith(one.path))


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_stranger_is_sent_to_the_login_whatever_he_calls_himself(platform, path):
    for headers in ({}, FORGED, {"Authorization": "token 0"}, {"Cookie": "service-chain=x; jupyterhub-session-id=1"}):
        answer = ask(platform.url + path, headers=headers)
        assert answer.url.startswith(f"{platform.url}hub/login"), (headers, answer.status_code, answer.url)


@pytest.mark.parametrize("path", BEHIND)
def test_a_stranger_gets_nothing_from_what_is_behind_a_page(platform, path):
    answer = ask(platform.url + path, headers=FORGED, allow_redirects=False)
    assert answer.status_code in (302, 403, 404), answer.text
    assert "/hub/" in answer.headers.get("Location", "/hub/")


@pytest.mark.parametrize("name", PANEL)
def test_a_stranger_opens_no_websocket(platform, name):
    assert socket_of(platform, f"services/{name}/ws") == 403


def test_a_websocket_opens_for_a_viewer_and_from_this_site_alone(platform, trader, chain_of_trader):
    cookies = cookies_for(trader, "/services/chain/ws")
    assert socket_of(platform, "services/chain/ws", cookies=cookies, origin="http://evil.example") == 403
    assert socket_of(platform, "services/chain/ws", cookies=cookies) == 101


@pytest.mark.parametrize("name", VOILA)
def test_nobody_listens_where_a_kernel_hears_who_its_viewer_is(platform, trader, name):
    trader.get(f"{platform.url}services/{name}/voila/templates/none", **WITHIN)
    for cookies in ("", cookies_for(trader, f"/services/{name}/")):
        assert socket_of(platform, f"services/{name}/{WAITS}", cookies=cookies) == 403
        assert socket_of(platform, f"services/{name}/guessed/{WAITS}", cookies=cookies) != 101


def test_each_role_is_shown_what_it_may_open_and_gets_it(platform):
    for name in ("trader", "operator", "quant"):
        session = platform.visitor(name)
        listed = set(re.findall(r'href="/services/(\w+)/"', session.get(f"{platform.url}hub/home", **WITHIN).text))
        assert listed == {page.name for page in PAGES if name in page.roles or name == "quant"}
        for page in PANEL:
            answer = session.get(f"{platform.url}services/{page}/", headers=FORGED, **WITHIN)
            assert answer.status_code == (200 if page in listed else 403), (name, page)


@pytest.mark.parametrize("path", ["hub/admin", "hub/spawn", "hub/spawn/quant", "hub/api/users", "hub/api/groups"])
def test_a_trader_has_no_lab_and_no_administration(platform, trader, path):
    assert trader.get(platform.url + path, headers=FORGED, **WITHIN).status_code == 403


def test_a_trader_starts_no_server_and_makes_no_token(platform, trader):
    xsrf = next(one.value for one in trader.cookies if one.name == "_xsrf" and one.path == "/hub/")
    for path in ("users/trader/server", "users/quant/server", "users/trader/tokens", "users/quant/tokens", "shutdown"):
        for headers in ({"X-XSRFToken": xsrf, "Referer": f"{platform.url}hub/home"}, {}):
            assert trader.post(f"{platform.url}hub/api/{path}", headers=headers, json={}, **WITHIN).status_code == 403
    assert trader.get(f"{platform.url}user/quant/lab", **WITHIN).status_code in (403, 404)


def test_what_opens_one_page_opens_no_other(platform, trader, chain_of_trader):
    word = next(one.value for one in trader.cookies if one.name == "service-chain")
    for page in FOR_OPERATORS:
        for cookie in (f"service-{page}={word}", f"service-chain={word}"):
            answer = ask(f"{platform.url}services/{page}/", headers={"Cookie": cookie})
            assert "/hub/login" in answer.url
            assert socket_of(platform, f"services/{page}/ws", cookies=cookie) == 403


@pytest.mark.parametrize("name", NAMES)
def test_a_pages_own_word_is_nobodys(platform, name):
    for word in (page_token(platform.home, name), shared_secret(platform.home, "proxy")):
        bearer = {"Authorization": f"token {word}"}
        answer = ask(f"{platform.url}services/{name}/", headers=bearer)
        assert answer.status_code == 403 or "/hub/login" in answer.url
        assert ask(f"{platform.url}hub/api/users", headers=bearer).status_code == 403


def test_a_page_knows_its_viewer_from_the_hub_and_tells_no_cookie(platform, trader):
    text = trader.get(f"{platform.url}services/chain/", headers=FORGED, **WITHIN).text
    token = re.search(r'"token": "([^"]+)"', text)
    assert token is not None
    payload = token.group(1).split(".")[0]
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert "session_id" in told and "service-chain" not in json.dumps(told)
    assert "admin" not in text


@pytest.mark.parametrize("path", ["services/chain/../../etc/passwd", "services/chain/%2e%2e/%2e%2e/etc/passwd",
                                  "services/strategy_finder/voila/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
                                  "services/strategy_finder/voila/files/../../../credentials",
                                  "services/chain/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
                                  "hub/static/..%2f..%2f..%2f..%2fetc%2fpasswd", "hub//etc/passwd"])  # fmt: skip
def test_no_path_leads_out(platform, trader, chain_of_trader, path):
    prepared = requests.Request("GET", platform.url).prepare()
    prepared.url = platform.url + path  # as it is: the library would straighten it
    prepared.headers["Cookie"] = cookies_for(trader, "/" + path)
    answer = trader.send(prepared, allow_redirects=False, **WITHIN)
    assert "root:" not in answer.text and not any(word in answer.text for word in platform.passwords.values())
    assert answer.status_code != 200


def test_neither_an_address_nor_a_cookie_chooses_a_template_or_writes_into_a_page(platform, trader, chain_of_trader):
    hostile = '"><script>alert(1)</script>'
    trader.get(f"{platform.url}services/strategy_finder/voila/templates/none", **WITHIN)
    for name, asked in (("strategy_finder", {"template": "lab", "theme": hostile}), ("chain", {"symbol": hostile})):
        words = f"{cookies_for(trader, f'/services/{name}/')}; bf-theme={hostile}"
        headers = FORGED | {"X-Bifrost-Theme": hostile, "Cookie": words}
        page = trader.get(f"{platform.url}services/{name}/", params=asked, headers=headers, **WITHIN)
        assert page.status_code == 200 and 'data-theme="light"' in page.text
        assert "<script>alert(1)" not in page.text and "https://cdn" not in page.text


@pytest.mark.parametrize("target", ["//evil.example/", "http://evil.example/", "/\\evil.example", "https:evil.example"])
def test_the_login_leads_to_no_other_site(platform, target):
    session = platform.visitor("operator")
    answer = session.get(f"{platform.url}hub/login", params={"next": target}, allow_redirects=False, **WITHIN)
    assert urljoin(platform.url, answer.headers.get("Location", "")).startswith(platform.url)
    page = session.get(f"{platform.url}services/chain/login", params={"next": target}, **WITHIN)
    assert page.url.startswith(platform.url)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "' OR '1'='1", "admin'--", "../admin", "\0"])
def test_what_is_typed_into_the_login_is_only_text(platform, name):
    session = requests.Session()
    form = session.get(f"{platform.url}hub/login", **WITHIN).text
    xsrf = re.search(r'name="_xsrf" value="([^"]*)"', form)
    assert xsrf is not None
    data = {"username": name, "password": name, "_xsrf": xsrf.group(1)}
    answer = session.post(f"{platform.url}hub/login", data=data, **WITHIN)
    assert answer.status_code in (400, 403)
    assert "<script>alert(1)" not in answer.text and ">49<" not in answer.text and 'value="49"' not in answer.text


def test_whoever_logs_out_is_out_everywhere(platform):
    session = platform.visitor("operator")
    assert session.get(f"{platform.url}services/operations/", **WITHIN).status_code == 200
    session.get(f"{platform.url}hub/logout", **WITHIN)
    assert "/hub/login" in session.get(f"{platform.url}services/operations/", **WITHIN).url


def test_the_hubs_interface_tells_an_administrator_no_secret(platform):
    admin = platform.visitor("admin")
    told = "".join(admin.get(f"{platform.url}hub/api/{path}", **WITHIN).text for path in ("users", "services", "info"))
    assert "operator" in told
    secrets = [*(page_token(platform.home, name) for name in NAMES), *platform.passwords.values()]
    secrets += [shared_secret(platform.home, purpose) for purpose in ("proxy", "hub cookies")]
    assert not any(secret in told for secret in secrets)


def test_a_kernel_sees_its_owners_words_alone(platform):
    quant = platform.visitor("quant")
    quant.get(f"{platform.url}hub/spawn", **WITHIN)
    deadline = time.monotonic() + 150
    address = f"{platform.url}user/quant/"
    while quant.get(f"{address}lab", **WITHIN).url.partition("?")[0] != f"{address}lab":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    specs = quant.get(f"{address}api/kernelspecs", **WITHIN).json()["kernelspecs"]
    assert specs["python3"]["spec"]["display_name"] == "Bifrost (CPU)"
    xsrf = next(one.value for one in quant.cookies if one.name == "_xsrf" and one.path == "/user/quant/")
    started = quant.post(f"{address}api/kernels", headers={"X-XSRFToken": xsrf}, json={"name": "python3"}, **WITHIN)
    assert started.status_code == 201, started.text
    environ = _environment_of(started.json()["id"])
    assert "desk_quant" in environ and str(platform.home / "labs" / "quant" / ".bifrost") in environ
    secrets = [*(page_token(platform.home, name) for name in NAMES), *platform.passwords.values()]
    secrets += [(platform.home / "postgres.password").read_text().strip(), shared_secret(platform.home, "proxy")]
    assert not any(secret in environ for secret in secrets)


def _environment_of(kernel: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_text()
                if f"kernel-{kernel}.json" in words:
                    record = Path(next(word for word in words.split("\0") if word.endswith(f"kernel-{kernel}.json")))
                    assert json.loads(record.read_text())["transport"] == "ipc"
                    return (process / "environ").read_text()
            except (OSError, UnicodeDecodeError):
                continue
        time.sleep(0.2)
    pytest.fail("the kernel did not start")
