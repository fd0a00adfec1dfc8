"""The parts of the platform as systemd units: each a process of its own, hardened, capped, and started again."""

from __future__ import annotations

from hub_config.systemd.machine import Machine
from hub_config.systemd.units import TARGET, render_tunnel, render_units, unit_name

__all__ = ["TARGET", "Machine", "render_tunnel", "render_units", "unit_name"]
