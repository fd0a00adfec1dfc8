"""Units of the cluster that sweeps go to: a scheduler, and workers on each machine that computes."""

from __future__ import annotations

from collections.abc import Sequence

from bifrost_lib.core.errors import InputError
from hub_config.systemd.hardening import hardening
from hub_config.systemd.machine import Machine

#: What may run on a machine, in the order in which it is started.
COMPUTE_ROLES = ("scheduler", "worker")
_TITLES = {
    "scheduler": "scheduler of sweeps",
    "worker": "workers of sweeps, one for each GPU or core",
}
_MEMORY = {"scheduler": "MemoryMax=8192M", "worker": "MemoryMax=90%"}


def compute_unit_name(role: str) -> str:
    """Return the unit of a role, for example ``bifrost-dask-worker.service``."""
    return f"bifrost-dask-{role}.service"


def render_compute(machine: Machine, roles: Sequence[str]) -> dict[str, str]:
    """Return the units by file name.

    Each is started again when it ends: workers end by themselves when they have heard from no scheduler for minutes,
    and find it again when it is back. One that runs out of memory is killed alone, and its chunk goes elsewhere.

    Parameters
    ----------
    machine : Machine
        Its `python` is that of the environment with dask-cuda where there are GPUs; the settings in its `home` say
        where the scheduler is and hold the certificates.
    roles : sequence of str
        Of `COMPUTE_ROLES`, each once.

    Raises
    ------
    InputError
        If a role is none of them.
    """
    for role in roles:
        if role not in COMPUTE_ROLES:
            raise InputError("compute", role, f"one of {', '.join(COMPUTE_ROLES)}")
    return {compute_unit_name(role): _unit(machine, role) for role in COMPUTE_ROLES if role in roles}


def _unit(machine: Machine, role: str) -> str:
    after = ["network-online.target"] + ([compute_unit_name("scheduler")] if role == "worker" else [])
    lines = [
        "[Unit]",
        f"Description=Bifrost: {_TITLES[role]}",
        f"Documentation=file://{machine.checkout}/hub_config/OPERATIONS.md",
        f"After={' '.join(after)}",
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=exec",
        f"User={machine.user}",
        f"WorkingDirectory={machine.checkout}",
        f"Environment=BIFROST_HOME={machine.home} HOME={machine.home} PYTHONUNBUFFERED=1",
        f"ExecStart={machine.python} -m gpu_cluster.cluster {role}",
        machine.restart,
        "KillMode=mixed",
        "TimeoutStopSec=60",
        _MEMORY[role],
        "OOMPolicy=continue",
        *hardening(writes=(machine.home,), sees_homes=machine.lies_in_a_home, sees_devices=role == "worker"),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"
