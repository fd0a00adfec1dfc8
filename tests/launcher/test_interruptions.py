"""Two starts at once, a start that is stopped, and one that is killed in the middle."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .conftest import Checkout, kill_hard, until

SLOW = 'touch "$1/begun"; sleep 2'
ENDLESS = 'echo $$ >"$1/begun"; exec sleep 60'


def begun(checkout: Checkout) -> bool:
    return (checkout.venv / "begun").exists()


def test_the_second_of_two_starts_waits_for_the_first(checkout: Checkout) -> None:
    first = checkout.begin(ON_INSTALL=f'echo once >>"$HOME/installs"; {SLOW}')
    until(lambda: begun(checkout))
    second = checkout.start(ON_INSTALL='echo twice >>"$HOME/installs"')
    first.communicate(timeout=30)
    assert (first.returncode, second.code) == (0, 0)
    assert any("waiting for another start" in line for line in second.lines)
    assert "twice" not in (Path(checkout.environ["HOME"]) / "installs").read_text()
    assert checkout.leftovers() == []


def test_a_start_that_is_stopped_leaves_nothing(checkout: Checkout) -> None:
    process = checkout.begin(ON_INSTALL=ENDLESS)
    until(lambda: begun(checkout) and (checkout.venv / "begun").read_text().strip())
    worker = int((checkout.venv / "begun").read_text())
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not checkout.venv.exists()
    assert checkout.leftovers() == []
    until(lambda: gone(worker))


def test_a_killed_start_is_taken_over_and_its_installer_ended(checkout: Checkout) -> None:
    process = checkout.begin(ON_INSTALL=ENDLESS)
    until(lambda: begun(checkout) and (checkout.venv / "begun").read_text().strip())
    worker = int((checkout.venv / "begun").read_text())
    assert (checkout.root / ".venv.busy/worker").read_text().startswith(f"{worker} "), "signed before it began"
    kill_hard(process)
    assert not gone(worker)
    again = checkout.start()
    assert again.code == 0
    assert "ready after" in again.lines[-1]
    assert gone(worker)
    assert not (checkout.venv / "begun").exists()
    assert checkout.leftovers() == []


def test_an_update_that_is_killed_and_then_fails_gives_the_former_environment_back(checkout: Checkout) -> None:
    checkout.start()
    (checkout.venv / "mark").touch()
    lock = checkout.root / "requirements.lock"
    before = lock.read_text()
    lock.write_text(before.replace("1.0", "1.1"))
    process = checkout.begin(ON_INSTALL=ENDLESS)
    until(lambda: begun(checkout))
    kill_hard(process)
    assert "check the network" in checkout.start(ON_INSTALL="echo Connection refused; exit 1").only_line
    lock.write_text(before)
    assert checkout.start().lines == []
    assert (checkout.venv / "mark").exists()


def test_a_lock_whose_number_now_belongs_to_another_process_is_stale(checkout: Checkout) -> None:
    busy = checkout.root / ".venv.busy"
    busy.mkdir()
    (busy / "owner").write_text(f"{os.getpid()} 1\n")
    assert checkout.start().code == 0


def test_an_unsigned_lock_is_given_time_and_then_taken_over(checkout: Checkout) -> None:
    (checkout.root / ".venv.busy").mkdir()
    start = checkout.start()
    assert start.code == 0
    assert start.seconds > 3
    assert checkout.leftovers() == []


def gone(pid: int) -> bool:
    """Whether a process ended; one that only waits to be collected counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
