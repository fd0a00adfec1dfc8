"""The simulated gateway: sessions, handlers by message, limits, faults and their control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.faults import Faults
    from bifrost_lib.sim.gateway.limits import Limits
    from bifrost_lib.sim.gateway.server import SimulatedGateway

__all__ = ["Faults", "Limits", "SimulatedGateway"]

_HOMES = {"Faults": "faults", "Limits": "limits", "SimulatedGateway": "server"}

__getattr__, __dir__ = front_door(__name__, _HOMES)
