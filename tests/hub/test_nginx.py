"""The site, tried on a running nginx: what the platform behind it sees, and what it never gets to see."""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from bifrost_lib.core.errors import InputError
from hub_config.nginx import STRIPPED, Site, render_site
from hub_config.proxy import FORGEABLE

NAME = "desk.example.org"
PACKAGES = ("nginx-light", "openssl")
#: What nginx must be told outside of the site; Debian's package has its own.
AROUND = (
    ("user root;" if os.geteuid() == 0 else "")
    + """
daemon off; pid {0}/nginx.pid; error_log {0}/error.log; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
    uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
    include {0}/site.conf;
}}
"""
)


def find_nginx():
    """The programs, installed when this machine lets us; the tests are skipped with the reason where they are not."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    if not all(shutil.which(name, path=path) for name in ("nginx", "openssl")):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip("no nginx here; install it (Debian: apt install nginx-light openssl) or run as root")
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
        with (Path(tempfile.gettempdir()) / "bifrost-nginx.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may be installing
            print("installing Debian's nginx", flush=True)
            if not (run(install) or (run(["apt-get", "update", "--quiet"]) and run(install))):
                pytest.skip("no nginx here, and apt-get could not install it; try: apt-get install nginx-light")
    return shutil.which("nginx", path=path)


def run(command):
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environ, capture_output=True, timeout=300, check=False).returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, *, within_s=20.0):
    """Return once something listens there."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens at {port}")


class Echo(RequestHandler):
    """Tells which request has arrived."""

    def get(self, *_: str) -> None:
        self.set_header("X-Powered-By", "tornado")
        self.write({"headers": list(self.request.headers.get_all()), "uri": self.request.uri})

    def post(self, *_: str) -> None:
        self.write({"size": len(self.request.body)})

    def check_xsrf_cookie(self) -> None:
        """It keeps nothing."""


class Socket(WebSocketHandler):
    """Says again what it is told."""

    def select_subprotocol(self, subprotocols):
        return subprotocols[0] if subprotocols else None

    async def on_message(self, message):
        await self.write_message(message, binary=isinstance(message, bytes))


@pytest.fixture(scope="module")
def backend():
    """The platform's place is taken by a small server that tells what it was asked; yields its port."""
    port, ready, running = free_port(), threading.Event(), {}

    def serve():
        async def start():
            server = Application([("/socket", Socket), ("/(.*)", Echo)]).listen(
                port, "127.0.0.1", max_buffer_size=2**24
            )
            running.update(loop=IOLoop.current(), stop=asyncio.Event())
            ready.set()
            await running["stop"].wait()
            server.stop()

        asyncio.run(start())

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(20)
    yield port
    running["loop"].add_callback(running["stop"].set)
    thread.join(20)


@pytest.fixture(scope="module")
def web(backend, tmp_path_factory):
    """A running nginx with the site, and a certificate that we signed ourselves."""
    nginx, folder = find_nginx(), tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certificate, key = folder / "desk.pem", folder / "desk.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    assert run([*made, "-keyout", str(key), "-out", str(certificate)])
    site = Site(
        NAME, certificate, key, upstream=f"127.0.0.1:{backend}", address="127.0.0.1", plain_port=free_port(),
        tls_port=free_port(), log_folder=folder, max_body_mb=1, logins_per_min=1, spawns_per_min=1,
    )  # fmt: skip
    (folder / "site.conf").write_text(render_site(site))
    (folder / "nginx.conf").write_text(AROUND.format(folder))
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command)
    wait_for(site.tls_port)
    yield SimpleNamespace(site=site, trusted=ssl.create_default_context(cafile=certificate), folder=folder)
    process.send_signal(signal.SIGQUIT)
    assert process.wait(20) == 0


def ask(web, path="/", *, method="GET", headers=None, body=None, port=None, trusted=None):
    """One request; status, headers, and the answer as the backend's JSON or as text."""
    connection = http.client.HTTPSConnection("127.0.0.1", port or web.site.tls_port, timeout=20)
    plain = socket.create_connection(("127.0.0.1", port or web.site.tls_port), timeout=20)
    connection.sock = (trusted or web.trusted).wrap_socket(plain, server_hostname=NAME)
    try:
        connection.request(method, path, body=body, headers={"Host": f"{NAME}:{web.site.tls_port}"} | (headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, answer.headers, json.loads(text) if kind.startswith("application/json") else text
    finally:
        connection.close()


def test_http_is_sent_to_https(web):
    connection = http.client.HTTPConnection("127.0.0.1", web.site.plain_port, timeout=20)
    connection.request("POST", "/hub/login?next=%2F", headers={"Host": "elsewhere.example.com"})
    answer = connection.getresponse()
    assert answer.status == 308  # which keeps the method, where 301 may not
    assert answer.headers["Location"] == f"https://{NAME}:{web.site.tls_port}/hub/login?next=%2F"
    connection.close()


def test_no_browser_says_who_somebody_is(web):
    lies = dict.fromkeys((*STRIPPED, *FORGEABLE, "X_Remote_User", "X-Real-IP", "X-Forwarded-For"), "admin")
    lies |= {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example.com", "X-Scheme": "http"}
    status, _, seen = ask(web, headers=lies | {"X-XSRFToken": "kept", "Cookie": "session=kept"})
    arrived = {name.lower(): value for name, value in seen["headers"]}
    assert status == 200
    assert len(arrived) == len(seen["headers"])
    assert "admin" not in arrived.values() and "evil.example.com" not in arrived.values()
    assert not {name.lower() for name in (*STRIPPED, *FORGEABLE)} & set(arrived)
    assert arrived["x-forwarded-for"] == arrived["x-real-ip"] == "127.0.0.1"
    assert arrived["x-forwarded-proto"] == arrived["x-scheme"] == "https"
    assert arrived["host"] == arrived["x-forwarded-host"] == f"{NAME}:{web.site.tls_port}"
    assert arrived["x-xsrftoken"] == "kept" and arrived["cookie"] == "session=kept"


def test_every_answer_carries_what_protects_the_browser(web):
    for path, expected in (("/hub/home", 200), ("/%", 400)):
        status, headers, _ = ask(web, path)
        assert status == expected
        if expected == 200:
            assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000; includeSubDomains"]
            assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
            assert headers["Referrer-Policy"] == "same-origin"
        assert "X-Powered-By" not in headers
        assert headers["Server"] == "nginx"


def test_another_name_is_turned_away(web):
    status, _, _ = ask(web, headers={"Host": "evil.example.com"})
    assert status == 421


@pytest.mark.parametrize(("newest", "works"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_versions_of_tls(web, newest, works):
    wanted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wanted.load_verify_locations(web.site.certificate)
    wanted.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning) if newest == "TLSv1_1" else nullcontext():
        wanted.minimum_version = wanted.maximum_version = getattr(ssl.TLSVersion, newest)
    if works:
        assert ask(web, trusted=wanted)[0] == 200
    else:
        with pytest.raises(ssl.SSLError):
            ask(web, trusted=wanted)


def test_websockets_pass_with_their_protocol(web):
    async def talk():
        request = HTTPRequest(
            f"wss://127.0.0.1:{web.site.tls_port}/socket", ssl_options=web.trusted,
            headers={"Host": f"{NAME}:{web.site.tls_port}", "Origin": f"https://{NAME}:{web.site.tls_port}"},
        )  # fmt: skip
        web.trusted.check_hostname = False  # tornado asks for the address that it dials
        client = await websocket_connect(request, subprotocols=["bokeh", "token"])
        said = []
        for message in ("a quote", b"\x00\xff" * 50_000):
            await client.write_message(message, binary=isinstance(message, bytes))
            said.append(await client.read_message() == message)
        chosen = client.selected_subprotocol
        client.close()
        assert await client.read_message() is None, "its end is waited for, or the socket stays open"
        return chosen, said

    try:
        assert asyncio.run(talk()) == ("bokeh", [True, True])
    finally:
        web.trusted.check_hostname = True


@pytest.mark.parametrize(
    ("spellings", "burst"),
    [
        ([("POST", "/hub/login"), ("POST", "/hub/login?next=%2Fhub%2F"), ("POST", "/hub//%6cogin")], 5),
        ([("GET", "/hub/spawn/ann"), ("POST", "/hub/spawn"), ("POST", "/hub/api/users/ann/server")], 10),
    ],
)
def test_trying_often_is_refused(web, spellings, burst):
    """Logins and spawns have a budget each, which all spellings of the path share; its burst is free."""
    asked = itertools.islice(itertools.cycle(spellings), burst + 3)
    answers = [ask(web, path, method=method)[0] for method, path in asked]
    assert answers == [200] * (burst + 1) + [429] * 2
    assert ask(web, "/hub/login")[0] == ask(web, "/hub/spawn-pending/ann")[0] == 200
    assert ask(web, "/hub/api/users/ann/server/progress")[0] == 200


def test_an_upload_has_a_limit(web):
    assert ask(web, "/files", method="POST", body=b"x" * 900_000)[2] == {"size": 900_000}
    assert ask(web, "/files", method="POST", body=b"x" * 1_100_000)[0] == 413


def test_no_token_is_logged(web):
    ask(web, "/hub/home?token=tell-tale", headers={"Referer": f"https://{NAME}/?token=tell-tale"})
    written = "".join(path.read_text() for path in web.folder.glob("*.log"))
    assert "/hub/home" in written and "tell-tale" not in written


def test_a_platform_that_is_away_is_said_in_words(web, tmp_path):
    gone = Site(**{**web.site.__dict__, "upstream": f"127.0.0.1:{free_port()}", "tls_port": free_port(),
                   "plain_port": free_port(), "log_folder": tmp_path})  # fmt: skip
    (tmp_path / "site.conf").write_text(render_site(gone))
    (tmp_path / "nginx.conf").write_text(AROUND.format(tmp_path))
    process = subprocess.Popen([find_nginx(), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")])
    try:
        wait_for(gone.tls_port)
        away = SimpleNamespace(site=gone, trusted=web.trusted)
        status, headers, text = ask(away)
        assert status == 503 and "try again in a minute" in text
        assert headers["Retry-After"] == "10"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_name", "desk.example.org; return 200"), ("server_name", "Desk"), ("server_name", ""),
        ("server_name", "*.example.org"), ("certificate", Path("desk.pem")), ("certificate", Path("/a b")),
        ("key", Path("/desk.key;")), ("upstream", "127.0.0.1"), ("upstream", "a:0"), ("upstream", "a;b:80"),
        ("address", "localhost"), ("tls_port", 0), ("plain_port", 70000), ("logins_per_min", 0), ("max_body_mb", "1m"),
        ("log_folder", Path("/var/log/$host")), ("silence_s", True),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_the_file_is_refused(name, value):
    usual = {"server_name": NAME, "certificate": Path("/etc/desk.pem"), "key": Path("/etc/desk.key")}
    with pytest.raises(InputError) as error:
        render_site(Site(**{**usual, name: value}))
    assert error.value.name == name


def test_what_the_proxy_takes_away_is_taken_away_here_too():
    assert set(FORGEABLE) <= set(STRIPPED)
