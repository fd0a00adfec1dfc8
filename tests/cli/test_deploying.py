"""``bifrost deploy`` as its users call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture
def deploy(tmp_path):
    """Run the command in a home of its own; what it writes goes to ``out`` there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIFROST_")}
    environ = kept | {"BIFROST_HOME": str(tmp_path / "home"), "BIFROST_DATABASE_URL": "postgresql://a:secret@b/c"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bifrost_lib.cli", "deploy", *words, "--out", str(tmp_path / "out")]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    return run


def test_files_are_written_for_this_machine_and_hold_no_secret(deploy, tmp_path):
    site = deploy("nginx", "--name", "desk.example.org")
    assert site.stdout.splitlines()[0] == str(tmp_path / "out" / "bifrost.conf") and "nginx -t" in site.stdout
    paths = json.loads(deploy("systemd", "--user", "desk", "--json").stdout)["files"]
    texts = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert len(texts) == len(paths) + 1
    assert "ssl_certificate           /etc/letsencrypt/live/desk.example.org/fullchain.pem;" in texts["bifrost.conf"]
    assert "bifrost-database.service" not in texts  # the settings name a server
    assert "User=desk\n" in texts["bifrost-hub.service"]
    assert f"BIFROST_HOME={tmp_path / 'home'} " in texts["bifrost-hub.service"]
    assert not any("secret" in text for text in texts.values())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nginx",), "host name that people type"),
        (("nginx", "--name", "desk.example.org; return"), "server_name"),
        (("systemd", "--tunnel", "-oProxyCommand=x@y"), "user@host"),
        (("systemd", "--name", "desk.example.org"), "expected only options of systemd: --user, --tunnel"),
        (("apache",), "is not one of 'nginx', 'systemd'"),
    ],
)
def test_a_mistake_is_one_clear_line_and_writes_nothing(deploy, tmp_path, words, line):
    done = deploy(*words)
    assert done.returncode != 0
    assert line in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
