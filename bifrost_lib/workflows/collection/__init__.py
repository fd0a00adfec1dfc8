"""Collecting from the gateway into the store: sweeps, their ledger, and the service that runs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "collect": "collecting",
    "collect_forever": "collecting",
    "describe_markets": "collecting",
    "gateway_for": "simulated",
    "running_gateway": "simulated",
    "SimulatedGateway": "simulated",
    "SweepReport": "sweep",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
