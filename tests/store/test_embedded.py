"""The embedded server: there when needed, gone afterwards, and unimpressed by kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store.account import server_account
from bifrost_lib.store.embedded import EmbeddedServer

AS_ROOT = os.geteuid() == 0
CLIENT = """
import sys, time
from pathlib import Path
from bifrost_lib.store.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
connection = server.connect()
cursor = connection.cursor()
cursor.execute(sys.argv[2])
connection.commit()
print("ready", flush=True)
if "stay" in sys.argv:
    time.sleep(60)
connection.close()
server.close()
"""


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    """A home in which no database has been made yet."""
    folder = Path(tempfile.mkdtemp(prefix="bifrost-home-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bifrost-home-", dir="/tmp"))
    folder.chmod(0o711)
    EmbeddedServer(folder).close()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(used_home: Path, fresh_home: Path) -> Path:
    """A home that has been used before: copied, since making a database takes longer."""
    subprocess.run(["cp", "-a", f"{used_home}/.", fresh_home], check=True)
    return fresh_home


def client(home: Path, query: str = "SELECT 1", *words: str) -> subprocess.Popen[str]:
    """Start another process that opens the home's server and runs a query."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(home), query, *words],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ask(server: EmbeddedServer, query: str) -> object:
    connection = server.connect()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def closed(home: Path) -> EmbeddedServer:
    """Return the home's server, which does not run: to know its places."""
    server = EmbeddedServer(home)
    server.close()
    return server


def postmaster(server: EmbeddedServer) -> int:
    return int((server.location.data / "postmaster.pid").read_text().split()[0])


def is_running(server: EmbeddedServer) -> bool:
    return (server.location.data / "postmaster.pid").exists()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_last_one_out_stops_the_server_and_the_data_stay(home):
    first, second = EmbeddedServer(home), EmbeddedServer(home)
    ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.close()
    assert ask(second, "SELECT answer FROM kept") == 42
    second.close()
    second.close()
    assert not is_running(second)
    began = time.monotonic()
    again = EmbeddedServer(home)
    assert time.monotonic() - began < 1.5
    assert ask(again, "SELECT answer FROM kept") == 42
    again.close()


@pytest.mark.slow
def test_processes_that_open_a_fresh_home_at_once_share_one_server(fresh_home):
    clients = [client(fresh_home, f"CREATE TABLE of_{number} ()") for number in range(4)]
    assert [process.communicate(timeout=60)[0] for process in clients] == ["ready\n"] * 4
    server = EmbeddedServer(fresh_home)
    assert ask(server, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'of\\_%'") == 4
    server.close()
    assert not is_running(server)


def test_a_killed_server_is_started_again_by_the_process_that_uses_it(home):
    server = EmbeddedServer(home)
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    held = server.connect()  # a backend that is left behind for a while
    os.kill(postmaster(server), signal.SIGKILL)
    assert ask(server, "SELECT answer FROM kept") == 42
    with pytest.raises(psycopg2.OperationalError):
        held.cursor().execute("SELECT 1")
    server.close()
    assert not is_running(server)


def test_a_killed_client_leaves_a_server_that_the_next_one_stops(home):
    process = client(home, "CREATE TABLE kept AS SELECT 42 AS answer", "stay")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    server = EmbeddedServer(home)
    assert ask(server, "SELECT answer FROM kept") == 42
    server.close()
    assert not is_running(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_client_that_is_told_to_end_stops_the_server_it_used_alone(home, number):
    process = client(home, "SELECT 1", "stay")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.killpg(process.pid, number)
    process.communicate(timeout=30)
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_ctrl_c_in_the_client_that_started_it_does_not_reach_the_server(home):
    process = client(home, "SELECT 1", "stay")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    server = EmbeddedServer(home)
    before = postmaster(server)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert ask(server, "SELECT 1") == 1 and postmaster(server) == before
    server.close()


def test_a_stale_pid_file_that_names_a_living_process_does_not_stop_the_start(home):
    server = EmbeddedServer(home)
    content = (server.location.data / "postmaster.pid").read_text()
    server.close()
    bystander = subprocess.Popen(["sleep", "60"], user=server_account().uid, group=server_account().gid)
    pid_file = server.location.data / "postmaster.pid"
    pid_file.write_text(content.replace(content.split()[0], str(bystander.pid), 1))
    shutil.chown(pid_file, server_account().uid, server_account().gid)
    again = EmbeddedServer(home)
    assert ask(again, "SELECT 1") == 1
    assert bystander.poll() is None
    again.close()
    bystander.kill()
    bystander.wait()


def test_a_home_that_the_servers_account_cannot_reach_keeps_its_data_elsewhere(tmp_path):
    if not AS_ROOT:
        pytest.skip("only root runs the server as another account")
    tmp_path.parent.chmod(0o700)
    server = EmbeddedServer(tmp_path / "home")
    assert ask(server, "SELECT 1") == 1
    assert server.location.data.is_relative_to("/var/lib/bifrost/clusters")
    assert (tmp_path / "home" / "postgres.location").read_text().strip() == str(server.location.base)
    assert str(server.location.data) in server.description
    assert stat.S_IMODE(tmp_path.parent.stat().st_mode) == 0o700
    server.close()
    again = EmbeddedServer(tmp_path / "home")
    assert again.location == server.location
    again.close()
    shutil.rmtree(tmp_path / "home")  # a temporary home that is gone takes its data with it, at the next occasion
    other = EmbeddedServer(tmp_path / "other")
    other.close()
    assert other.location.base.exists() and not server.location.base.exists()
    shutil.rmtree(other.location.base)


@pytest.mark.parametrize("name", ["with a space", "with 'quotes' and %signs", "x" * 120])
def test_homes_with_awkward_names_work(fresh_home, name):
    server = EmbeddedServer(fresh_home / name)
    assert ask(server, "SELECT 1") == 1
    sockets = Path(str(server.url().query["host"]))
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    server.close()
    assert sockets.is_relative_to(fresh_home) or not sockets.exists()


def test_the_password_is_ours_alone(home):
    server = EmbeddedServer(home)
    file = server.location.password_file
    password = file.read_text().strip()
    assert len(password) > 30
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password not in server.location.log.read_text()
    assert password not in str(server.url()) and password not in repr(server.url())
    pids = [postmaster(server), *map(int, subprocess.run(["pgrep", "-P", str(postmaster(server))],
            capture_output=True, text=True, check=False).stdout.split())]  # fmt: skip
    commands = [Path(f"/proc/{pid}/{part}").read_bytes() for pid in pids for part in ("cmdline", "environ")]
    assert commands and not any(password.encode() in command for command in commands)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(**{**psycopg2.extensions.parse_dsn(server.connect().dsn), "password": "guessed"})
    server.close()


def test_a_server_without_a_free_connection_is_left_alone(home):
    server = EmbeddedServer(home)
    before = postmaster(server)
    held = []
    with pytest.raises(StoreError, match=r"refuses connections.*too many clients"):
        while len(held) < 200:
            held.append(server.connect())
    assert postmaster(server) == before
    for connection in held:
        connection.close()
    wait_for(lambda: server.connect().close() is None)
    server.close()


def test_it_listens_on_nothing_but_its_socket(home):
    server = EmbeddedServer(home)
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW data_checksums") == "on"
    assert ask(server, "SELECT datcollate FROM pg_database WHERE datname = 'bifrost'") == "C.UTF-8"
    server.close()


def test_data_of_another_version_are_refused(home):
    server = closed(home)
    (server.location.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StoreError, match=r"PostgreSQL 17.*move that folder away"):
        EmbeddedServer(home)


def test_damaged_data_are_named_with_what_the_log_says(home):
    server = closed(home)
    control = server.location.data / "global" / "pg_control"
    control.write_bytes(control.read_bytes()[:100])
    with pytest.raises(StoreError) as caught:
        EmbeddedServer(home)
    message = str(caught.value)
    assert "pg_control" in message and "backup" in message and str(server.location.log) in message
    assert "\n" not in message


def test_a_lost_or_wrong_password_is_named(home):
    server = closed(home)
    server.location.password_file.write_text("wrong\n")
    with pytest.raises(StoreError, match="is not that of the data"):
        EmbeddedServer(home)
    server.location.password_file.unlink()
    with pytest.raises(StoreError, match=r"password.*cannot be read"):
        EmbeddedServer(home)
    subprocess.run(["kill", str(postmaster(server))], check=True)
    wait_for(lambda: not is_running(server))


def test_a_home_that_cannot_be_made_is_one_clear_line(fresh_home):
    (fresh_home / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made.*set BIFROST_HOME"):
        EmbeddedServer(fresh_home / "file" / "below")


@pytest.mark.parametrize("name", ["$HOME", "back`tick`", 'a"quote'])
def test_a_home_that_a_shell_would_read_otherwise_is_refused(fresh_home, name):
    with pytest.raises(StoreError, match="set BIFROST_HOME"):
        EmbeddedServer(fresh_home / name)


def test_unfinished_creation_is_begun_anew(fresh_home):
    leftover = fresh_home / "postgres" / "data.new"
    leftover.mkdir(parents=True)
    (leftover / "half").write_text("")
    server = EmbeddedServer(fresh_home)
    assert ask(server, "SELECT 1") == 1
    assert not leftover.exists()
    server.close()
