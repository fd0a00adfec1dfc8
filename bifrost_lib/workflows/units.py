"""The parts of the platform that systemd runs on this machine, told as those that `bifrost up` runs."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.services import ServiceState, process_birth

PREFIX, SUFFIX = "bifrost-", ".service"
_BOOTED = Path("/run/systemd/system")  # there where systemd is what runs the machine
_KEYS = ("Id", "ActiveState", "MainPID", "NRestarts", "StateChangeTimestamp", "Environment")
_STATES = {"active": "running", "activating": "waiting", "reloading": "running", "failed": "failed"}


def unit_states(settings: Settings) -> list[ServiceState]:
    """Return the services of this home that systemd knows, by their names in `bifrost status`; none without systemd.

    One that is between two attempts is ``waiting``, one that systemd has given up ``failed``; ``log`` is the command
    that shows what it said.
    """
    if not _BOOTED.exists() or shutil.which("systemctl") is None:
        return []
    command = ["systemctl", "show", "--all", "--timestamp=unix", f"--property={','.join(_KEYS)}", f"{PREFIX}*{SUFFIX}"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    return read_units(said, settings.home)


def read_units(said: str, home: Path) -> list[ServiceState]:
    """Return the states in what ``systemctl show`` says of units, of those that work in `home`."""
    found = []
    for block in said.strip().split("\n\n"):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if f"BIFROST_HOME={home}" in facts.get("Environment", "").split():
            found.append(_state(facts))
    return found


def _state(facts: dict[str, str]) -> ServiceState:
    unit = facts["Id"]
    pid = int(facts.get("MainPID") or 0) or None
    moment = facts.get("StateChangeTimestamp", "").removeprefix("@")
    return ServiceState(
        name=unit.removeprefix(PREFIX).removesuffix(SUFFIX).replace("-", "_"),
        state=_STATES.get(facts.get("ActiveState", ""), "stopped"),
        pid=pid,
        since=datetime.fromtimestamp(int(moment), UTC).isoformat() if moment.isdigit() else "",
        restarts=int(facts.get("NRestarts") or 0),
        log=f"journalctl -u {unit}",
        born=process_birth(pid) if pid else None,
    )
