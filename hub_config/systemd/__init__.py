"""The parts of the platform as systemd units: each a process of its own, hardened, capped, and started again."""

from __future__ import annotations

from hub_config.systemd.compute import COMPUTE_ROLES, compute_unit_name, render_compute
from hub_config.systemd.machine import Machine
from hub_config.systemd.units import TARGET, render_tunnel, render_units, unit_name

__all__ = [
    "COMPUTE_ROLES",
    "TARGET",
    "Machine",
    "compute_unit_name",
    "render_compute",
    "render_tunnel",
    "render_units",
    "unit_name",
]
