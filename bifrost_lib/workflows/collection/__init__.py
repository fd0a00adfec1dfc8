"""Collecting from the gateway into the store: sweeps, their ledger, and the service that runs them."""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "collect": "collecting",
    "collect_forever": "collecting",
    "describe_markets": "collecting",
    "gateway_for": "simulated",
    "kept_gateway": "simulated",
    "running_gateway": "simulated",
    "spool_folder": "outbox",
    "SimulatedGateway": "simulated",
    "SweepReport": "sweep",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
