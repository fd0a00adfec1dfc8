"""What goes wrong is said in one line that names the remedy, and nothing half-installed stays behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from .conftest import Checkout, make_checkout


def test_no_python(checkout: Checkout) -> None:
    checkout.python.unlink()
    line = checkout.start().only_line
    assert "needs Python 3.11, 3.12 or 3.13 and found none" in line
    assert "apt install python3 python3-venv" in line
    assert not checkout.venv.exists()


@pytest.mark.parametrize("version", ["2.7.18", "3.10.13", "3.14.0"])
def test_python_too_old_or_too_new(checkout: Checkout, version: str) -> None:
    assert f"found {version} at " in checkout.start(SAYS=f"{version} nothing").only_line


def test_python_without_venv(checkout: Checkout) -> None:
    line = checkout.start(SAYS="3.11.2 ensurepip").only_line
    assert "lacks the module ensurepip" in line
    assert "apt install python3-venv" in line


def test_a_shim_that_fails_is_passed_over(checkout: Checkout) -> None:
    for name in ("python3.13", "python3.12"):
        shim = checkout.python.with_name(name)
        shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
        shim.chmod(0o755)
    start = checkout.start()
    assert start.code == 0
    assert not any("pyenv" in line for line in start.lines)


def test_the_python_that_the_user_names_is_taken_or_refused_by_name(checkout: Checkout) -> None:
    named = checkout.python.rename(checkout.python.with_name("my python"))
    assert "PYTHON=/bin/false does not run" in checkout.start(PYTHON="/bin/false").only_line
    assert "is 3.10.1 at" in checkout.start(PYTHON=str(named), SAYS="3.10.1 nothing").only_line
    assert checkout.start(PYTHON=str(named)).code == 0


@pytest.mark.parametrize(
    ("log", "remedy"),
    [
        ("ERROR: [Errno 28] No space left on device", "free 1800 MB"),
        ("Retrying after connection broken by 'NewConnectionError(': Connection refused')", "check the network"),
        ("ReadTimeoutError(HTTPSConnectionPool: Read timed out.", "check the network"),
        ("ERROR: Could not find a version that satisfies stand-in (from versions: none)", "check the network"),
        ("SSLError(SSLCertVerificationError(certificate verify failed", "SSL_CERT_FILE="),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "check your mirror"),
        ("error: Hash mismatch for stand-in==1.0", "check your mirror"),
        ("ERROR: No matching distribution found for stand-in==1.0", "no packages for this system"),
    ],
)
def test_a_failed_installation_is_explained_and_undone(checkout: Checkout, log: str, remedy: str) -> None:
    line = checkout.start(ON_INSTALL=f'echo "{log}" >&2; exit 1').only_line
    assert remedy in line
    assert not checkout.venv.exists()
    assert checkout.leftovers() == []


def test_an_unknown_failure_keeps_its_log(checkout: Checkout) -> None:
    line = checkout.start(ON_INSTALL="echo first; echo; echo 'the moon is full'; exit 1").only_line
    assert "the moon is full" in line
    assert str(checkout.root / ".venv.log") in line
    assert "first" in (checkout.root / ".venv.log").read_text()
    assert checkout.start().code == 0
    assert checkout.leftovers() == []


def test_the_former_environment_survives_a_failed_update(checkout: Checkout) -> None:
    checkout.start()
    (checkout.venv / "mark").touch()
    lock = checkout.root / "requirements.lock"
    before = lock.read_text()
    lock.write_text(before.replace("1.0", "1.1"))
    assert "check the network" in checkout.start(ON_INSTALL="echo Connection refused; exit 1").only_line
    lock.write_text(before)
    assert checkout.start().lines == []
    assert (checkout.venv / "mark").exists()


def test_without_a_lock_nothing_is_tried(checkout: Checkout) -> None:
    (checkout.root / "requirements.lock").unlink()
    assert "requirements.lock is missing" in checkout.start().only_line


def test_a_folder_that_cannot_be_written(checkout: Checkout) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the same is tried as another user below")
    checkout.root.chmod(0o555)
    assert "copy the checkout to a folder of your own" in checkout.start().only_line
    checkout.root.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_too_small(checkout: Checkout, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        checkout.root = make_checkout(disk / "bifrost")
        line = checkout.start().only_line
        assert "no space left for .venv" in line
        assert "free 1800 MB" in line
        assert not checkout.venv.exists()
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as somebody else")
def test_a_checkout_of_somebody_else(checkout: Checkout) -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        folder = Path(open_to_all)
        folder.chmod(0o755)
        shutil.copytree(checkout.python.parent, folder / "tools")
        theirs = Checkout(make_checkout(folder / "bifrost"), folder / "tools" / "python3", {"HOME": open_to_all})
        theirs.environ["PATH"] = f"{folder / 'tools'}:/usr/bin:/bin"
        as_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", str(theirs.root / "bifrost"), "status"]
        refused = theirs.start(*as_nobody, command="/usr/bin/setpriv", PYTHON=str(theirs.python))
        assert "copy the checkout to a folder of your own" in refused.only_line
        assert theirs.start(PYTHON=str(theirs.python)).code == 0
        assert theirs.start(*as_nobody, command="/usr/bin/setpriv").lines == []
