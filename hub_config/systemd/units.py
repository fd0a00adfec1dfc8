"""Units as pure functions of a machine and of the pages that it serves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import InputError
from bifrost_lib.workflows import collector_commands, front_commands, report_schedule_command
from bifrost_lib.workflows.hub import Page
from hub_config.systemd.hardening import hardening
from hub_config.systemd.machine import Machine

TARGET = "bifrost.target"
SIMULATED_PORT = 4002  # where IB's own paper-trading gateway listens too
#: Caps in MB of parts that are no pages, several times what they were seen to take.
MEMORY_MB = {"proxy": 1024, "option_chain": 4096, "market_conditions": 4096, "reports": 8192, "gateway": 4096}
_DATABASE, _GATEWAY = "database", "gateway"
_PEOPLE = Path("/home")
_SEES_PORTS = ("proxy", "hub", "pages", "live")
#: What comes after it waits until the database answers, and one that no longer does is started again.
_NOTIFIES = ("Type=notify", "NotifyAccess=main", "TimeoutStartSec=300", "WatchdogSec=120")
_TITLES = {
    "database": "database",
    "gateway": "simulated gateway",
    "proxy": "the one door",
    "hub": "login and notebooks",
    "pages": "pages with a process for each viewer",
    "live": "live pages",
    "reports": "reports on a schedule",
    "option_chain": "collector of option chains",
    "market_conditions": "collector of market conditions",
}


@dataclass(frozen=True)
class Part:
    """One process: its name in `bifrost status`, and what Python is started with."""

    name: str
    words: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The file's name."""
        return unit_name(self.name)


def unit_name(part: str) -> str:
    """Return the unit of a part, for example ``bifrost-option-chain.service``."""
    return f"bifrost-{part.replace('_', '-')}.service"


def parts_of(machine: Machine) -> list[Part]:
    """Return what runs on the machine, started with the same words as by `bifrost up`."""
    commands = dict(front_commands()) | dict(report_schedule_command()) | dict(collector_commands())
    parts = [Part(name, tuple(command[1:])) for name, command in commands.items()]
    if machine.simulated_gateway:
        parts.insert(0, Part(_GATEWAY, ("-P", "-m", "bifrost_lib.sim", "--port", str(SIMULATED_PORT))))
    if machine.embedded_database:
        parts.insert(0, Part(_DATABASE, ("-P", "-m", "hub_config.systemd.database")))
    return parts


def render_units(machine: Machine, pages: Sequence[Page]) -> dict[str, str]:
    """Return the units by file name: a target that starts and stops all of them, and a service for each part.

    Every part is started again when it ends, for ever, with pauses; it may write the home folder alone, sees no
    other account's processes, gains no rights, and has a cap on its memory. None of the units holds a secret: they
    are in the home folder.

    Parameters
    ----------
    machine : Machine
    pages : sequence of Page
        Of the registry; their ``memory_mb`` caps the processes that serve them.
    """
    parts = parts_of(machine)
    units = {part.unit: _service(part, machine, parts, pages) for part in parts}
    wanted = "".join(f"Wants={part.unit}\n" for part in parts)
    return {TARGET: _TARGET.format(wanted=wanted)} | units


def render_tunnel(machine: Machine, server: str, *, port: int = 8000) -> str:
    """Return the unit of a web server that brings the application server's one door here, through ssh.

    The platform listens on loopback alone, on both machines.

    Parameters
    ----------
    machine : Machine
        The web server; of it only `user` counts, whose key the application server lets forward this port.
    server : str
        ``user@host`` of the application server.
    port : int
        Of the platform, there and here.

    Raises
    ------
    InputError
        If `server` or `port` is none.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*@[a-z0-9][a-z0-9.-]*", server):
        raise InputError("tunnel", server, "user@host of the application server")
    if not 0 < port < 65536:
        raise InputError("port", port, "a port from 1 to 65535")
    return _TUNNEL.format(
        server=server, port=port, user=machine.user, restart=machine.restart,
        hardening="\n".join(hardening(sees_homes=True)),  # the key is in one
    )  # fmt: skip


def _service(part: Part, machine: Machine, parts: Sequence[Part], pages: Sequence[Page]) -> str:
    as_root = part.name == "hub" and machine.system_accounts
    before = parts[: parts.index(part)]
    earlier = [other.unit for other in before if other.name in (_DATABASE, _GATEWAY)]
    lines = [
        "[Unit]",
        f"Description=Bifrost: {_TITLES.get(part.name, part.name)}",
        f"Documentation=file://{machine.checkout}/hub_config/OPERATIONS.md",
        f"PartOf={TARGET}",
        " ".join(["After=network-online.target", "postgresql.service", *earlier]),
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
    ]
    if machine.embedded_database and part.name != _DATABASE:
        # Its socket lies in the temporary folder where the home's path is too long for a socket's address.
        lines.append(f"JoinsNamespaceOf={unit_name(_DATABASE)}")
    lines += [
        "",
        "[Service]",
        *(_NOTIFIES if part.name == _DATABASE else ("Type=exec",)),
        f"User={'root' if as_root else machine.user}",
        f"WorkingDirectory={machine.checkout}",
        f"Environment=BIFROST_HOME={machine.home} HOME={machine.home} PYTHONUNBUFFERED=1",
    ]
    if machine.simulated_gateway:
        lines.append(f"Environment=BIFROST_IB_HOST=127.0.0.1 BIFROST_IB_PORT={SIMULATED_PORT}")
    if part.name in _SEES_PORTS:
        lines.append(f"ExecStartPre={machine.python} -P -m hub_config.systemd.places")
    lines += [
        f"ExecStart={machine.python} {' '.join(part.words)}",
        machine.restart,
        "KillMode=mixed",
        "TimeoutStopSec=60",
        *_memory(part.name, pages, machine),
        *hardening(
            writes=(machine.home, *((_PEOPLE,) if as_root else ())),
            sees_homes=machine.lies_in_a_home,
            starts_others=as_root,
            sees_devices=part.name == "hub",  # kernels may compute on a GPU
            makes_namespaces=part.name == "reports",  # the sandbox of the browser that prints
            is_local=part.name == "proxy",
        ),
        "",
        "[Install]",
        f"WantedBy={TARGET}",
    ]
    return "\n".join(lines) + "\n"


def _memory(name: str, pages: Sequence[Page], machine: Machine) -> list[str]:
    """Cap a part, so that its mistake does not become the machine's; a kernel that is killed ends no other."""
    if name == _DATABASE:
        return ["OOMScoreAdjust=-500"]  # the last to go; its size is in its own settings
    if name == "hub":
        return ["MemoryMax=70%", "OOMPolicy=continue"]  # with every JupyterLab that it has started
    if name == "live":
        return [f"MemoryMax={sum(page.memory_mb for page in pages if page.kind == 'panel')}M"]
    if name == "pages":
        largest = max((page.memory_mb for page in pages if page.kind == "voila"), default=1024)
        return [f"MemoryMax={machine.viewers * largest}M", "OOMPolicy=continue"]
    return [f"MemoryMax={MEMORY_MB.get(name, 4096)}M"]


_TARGET = """[Unit]
Description=Bifrost: the whole platform
{wanted}
[Install]
WantedBy=multi-user.target
"""
_TUNNEL = """[Unit]
Description=Bifrost: the platform's one door, brought here from {server}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User={user}
ExecStart=/usr/bin/ssh -N -T -o BatchMode=yes -o ExitOnForwardFailure=yes -o ServerAliveInterval=15 \\
    -o ServerAliveCountMax=3 -o StrictHostKeyChecking=yes -L 127.0.0.1:{port}:127.0.0.1:{port} {server}
{restart}
{hardening}

[Install]
WantedBy=multi-user.target
"""
