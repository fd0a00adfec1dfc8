"""The builder's functions under one name, bound to a desk, so that a page gets them as one thing."""

from __future__ import annotations

import logging
from functools import partial

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.workflows.builder.building import build_structure, read_market, start_legs
from bifrost_lib.workflows.builder.export import export_structure
from bifrost_lib.workflows.builder.scenarios import leg_details, scenario_curves, scenario_map
from bifrost_lib.workflows.desk import Desk

log = logging.getLogger(__name__)


class Workbench:
    """What a builder page calls; ``read_market(symbol, at=)`` reads from the desk, the others only compute."""

    start_legs = staticmethod(start_legs)
    build_structure = staticmethod(build_structure)
    scenario_curves = staticmethod(scenario_curves)
    scenario_map = staticmethod(scenario_map)
    leg_details = staticmethod(leg_details)
    export_structure = staticmethod(export_structure)

    _is_rehearsed = False

    def __init__(self, desk: Desk) -> None:
        self.read_market = partial(read_market, desk)

    def rehearse(self, symbol: str, strategy: str = "iron_condor") -> None:
        """Do everything once, so that the first viewer does not wait for code to be loaded; an empty desk is fine.

        Once is enough for a process and for those that are copied from it later.
        """
        if Workbench._is_rehearsed:
            return
        try:
            market = self.read_market(symbol)
            structure = build_structure(market, start_legs(market, strategy))
            scenario_curves(structure)
            scenario_map(structure, quantity="delta")
            export_structure(structure)
            Workbench._is_rehearsed = True
        except BifrostError as problem:
            log.info("nothing to rehearse with: %s", problem)
