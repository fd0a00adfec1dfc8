"""The simulated gateway: sessions, handlers by message, limits, faults and their control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.faults import Faults
    from bifrost_lib.sim.gateway.limits import Limits
    from bifrost_lib.sim.gateway.server import SimulatedGateway

__all__ = ["Faults", "Limits", "SimulatedGateway"]

_HOMES = {"Faults": "faults", "Limits": "limits", "SimulatedGateway": "server"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
