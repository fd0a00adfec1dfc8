"""Simulated markets and the gateway in front of them.

What is stored as history without asking has fictional underlyings, whose names start with SIM, so that nobody takes it
for real data. The synthetic market also answers to well-known tickers; whatever is collected from it must be labelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.sim.broker.broker import Broker
    from bifrost_lib.sim.broker.settings import BrokerSettings
    from bifrost_lib.sim.exchange import COMPUTATION_SIDES, Bars
    from bifrost_lib.sim.gateway.faults import Faults
    from bifrost_lib.sim.gateway.limits import Limits
    from bifrost_lib.sim.gateway.server import SimulatedGateway
    from bifrost_lib.sim.instruments import Instrument
    from bifrost_lib.sim.market.announcements import simulated_announcements
    from bifrost_lib.sim.market.history import simulated_closes, simulated_history
    from bifrost_lib.sim.market.paths import ANCHOR
    from bifrost_lib.sim.market.replay import ReplayMarket, replay_from_parquet
    from bifrost_lib.sim.market.scripted import ScriptedMarket
    from bifrost_lib.sim.market.synthetic import SyntheticMarket
    from bifrost_lib.sim.market.universe import SIMULATED, SimulatedUnderlying
    from bifrost_lib.sim.market.warm import warm_up

__all__ = [
    "ANCHOR",
    "COMPUTATION_SIDES",
    "SIMULATED",
    "SOURCE",
    "Bars",
    "Broker",
    "BrokerSettings",
    "Faults",
    "Instrument",
    "Limits",
    "ReplayMarket",
    "ScriptedMarket",
    "SimulatedGateway",
    "SimulatedUnderlying",
    "SyntheticMarket",
    "replay_from_parquet",
    "simulated_announcements",
    "simulated_closes",
    "simulated_history",
    "warm_up",
]

#: The `source` under which simulated quotes are stored; views turn it into a visible label.
SOURCE = "simulated"

_HOMES = {
    "ANCHOR": "market.paths",
    "simulated_announcements": "market.announcements",
    "simulated_closes": "market.history",
    "simulated_history": "market.history",
    "SIMULATED": "market.universe",
    "SimulatedUnderlying": "market.universe",
    "ReplayMarket": "market.replay",
    "replay_from_parquet": "market.replay",
    "ScriptedMarket": "market.scripted",
    "SyntheticMarket": "market.synthetic",
    "warm_up": "market.warm",
    "Bars": "exchange",
    "Broker": "broker.broker",
    "BrokerSettings": "broker.settings",
    "COMPUTATION_SIDES": "exchange",
    "Faults": "gateway.faults",
    "Instrument": "instruments",
    "Limits": "gateway.limits",
    "SimulatedGateway": "gateway.server",
}

__getattr__, __dir__ = front_door(__name__, _HOMES)
