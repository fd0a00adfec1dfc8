"""What a unit is kept from; `systemd-analyze security` scores it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_ALWAYS = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures=native",
    "UMask=0077",
    "LimitNOFILE=65536",
)


def hardening(
    *,
    writes: Sequence[Path | str] = (),
    sees_homes: bool = False,
    starts_others: bool = False,
    sees_devices: bool = False,
    makes_namespaces: bool = False,
    is_local: bool = False,
) -> list[str]:
    """Return the lines that keep a unit from what it does not need.

    Memory that is both written and run is allowed throughout: compiled loops are made that way.

    Parameters
    ----------
    writes : sequence of Path
        The only folders that it may write, beside temporary ones of its own.
    sees_homes : bool
        Its own files lie in somebody's home; it may read there.
    starts_others : bool
        It starts processes as other accounts, in their homes.
    sees_devices : bool
        It may use devices such as a GPU.
    makes_namespaces : bool
        It starts a browser, whose sandbox is made of namespaces.
    is_local : bool
        It talks to this machine alone.
    """
    lines = list(_ALWAYS)
    lines += [f"ReadWritePaths={path}" for path in writes]
    if starts_others:
        lines.append(
            "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_KILL CAP_AUDIT_WRITE"
        )
    else:
        lines.append(f"ProtectHome={'read-only' if sees_homes else 'yes'}")
        lines += ["CapabilityBoundingSet=", "SystemCallFilter=@system-service", "SystemCallErrorNumber=EPERM"]
    if not sees_devices:
        lines.append("PrivateDevices=yes")
    if not makes_namespaces:
        lines.append("RestrictNamespaces=yes")
    if is_local:
        lines += ["IPAddressDeny=any", "IPAddressAllow=localhost"]
    return lines
