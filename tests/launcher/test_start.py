"""What `./bifrost` does when all is well: one environment, found again from everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Checkout


def test_first_start_builds_and_then_runs_the_command_line(checkout: Checkout) -> None:
    first = checkout.start("scan", "SPX", "--dte", "20:60", "a b")
    assert first.code == 0
    assert first.out.splitlines() == ["ran", "-P", "-m", "bifrost_lib.cli", "scan", "SPX", "--dte", "20:60", "a b"]
    assert "installing about 1 packages" in first.lines[0]
    assert "ready after" in first.lines[-1]
    assert checkout.leftovers() == []


def test_second_start_says_nothing_and_is_quick(checkout: Checkout) -> None:
    checkout.start()
    again = [checkout.start("status") for _ in range(5)]
    assert all(start.code == 0 and start.lines == [] for start in again)
    assert min(start.seconds for start in again) < 0.3


def test_test_runs_the_checks_instead_of_the_command_line(checkout: Checkout) -> None:
    checkout.start()
    ran = checkout.start("test", "-k", "chain").out.splitlines()
    assert ran == ["ran", "-P", f"{checkout.root}/tests/__main__.py", "-k", "chain"]


def test_the_checkout_is_importable_by_a_path_that_survives_any_name(checkout: Checkout) -> None:
    checkout.start()
    site = checkout.venv / "lib" / "python3.12" / "site-packages"
    written = (site / "bifrost.pth").read_text().strip()
    assert written.isascii()
    assert (site / written).resolve() == checkout.root.resolve()
    assert (checkout.venv / "bin" / "bifrost").resolve() == (checkout.root / "bifrost").resolve()


@pytest.mark.parametrize("absolute", [True, False])
def test_it_finds_its_folder_through_links(checkout: Checkout, tmp_path: Path, absolute: bool) -> None:
    checkout.start()
    link = tmp_path / "bin" / "bifrost"
    link.parent.mkdir()
    target = checkout.root / "bifrost"
    link.symlink_to(target if absolute else os.path.relpath(target, link.parent))
    second = tmp_path / "again"
    second.symlink_to(link)
    assert checkout.start("status", command=second, cwd=tmp_path).lines == []
    assert checkout.start("status", command="./bifrost", cwd=checkout.root).lines == []


def test_it_runs_from_the_search_path(checkout: Checkout, tmp_path: Path) -> None:
    checkout.start()
    path = f"{checkout.root}:{checkout.environ['PATH']}"
    assert checkout.start("-c", "bifrost status", command="/bin/sh", cwd=tmp_path, PATH=path).code == 0
    assert checkout.start("bifrost", "status", command="/bin/sh", cwd=checkout.root).code == 0


def test_a_changed_lock_rebuilds(checkout: Checkout) -> None:
    checkout.start()
    (checkout.venv / "old").touch()
    lock = checkout.root / "requirements.lock"
    lock.write_text(lock.read_text().replace("1.0", "1.1"))
    assert "ready after" in checkout.start().lines[-1]
    assert not (checkout.venv / "old").exists()
    assert checkout.leftovers() == []


def test_a_moved_checkout_rebuilds(checkout: Checkout, tmp_path: Path) -> None:
    checkout.start()
    checkout.root = checkout.root.rename(tmp_path / "moved")
    assert "ready after" in checkout.start().lines[-1]
    assert checkout.start().lines == []


def test_an_environment_whose_python_went_away_is_rebuilt(checkout: Checkout) -> None:
    checkout.start()
    (checkout.venv / "bin" / "python").unlink()
    (checkout.venv / "bin" / "python").symlink_to("/nowhere/python3.12")
    assert "ready after" in checkout.start().lines[-1]


def test_an_environment_that_is_not_ours_is_replaced(checkout: Checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    (checkout.venv / "bin" / "python").symlink_to("/bin/sh")
    assert "ready after" in checkout.start().lines[-1]


def test_variables_that_mislead_python_or_pip_do_not_matter(checkout: Checkout, tmp_path: Path) -> None:
    show = 'echo "${PIP_USER-} ${PIP_TARGET-} ${PYTHONHOME-}" >"$HOME/seen"'
    start = checkout.start(PYTHONHOME="/nowhere", PIP_USER="1", PIP_TARGET="/nowhere", CDPATH="/usr", ON_INSTALL=show)
    assert start.code == 0
    assert (tmp_path / "seen").read_text().strip() == ""


def test_own_variables_stay_out_of_the_settings(checkout: Checkout) -> None:
    """Settings refuse every BIFROST_* variable that is no setting, so the launcher must not add one."""
    assert "BIFROST_" not in (checkout.root / "bifrost").read_text()
