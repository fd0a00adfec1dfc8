"""Every strategy by name: each literal in this folder's modules, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies.document import StrategyDocument


def _literals() -> dict[str, StrategyDocument]:
    found: dict[str, StrategyDocument] = {}
    for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, StrategyDocument):
                found[value.name] = value
    return dict(sorted(found.items()))


CATALOG: dict[str, StrategyDocument] = _literals()

#: Every name by which a strategy of the catalogue is known, aliases included, and the name that it has there.
NAMES: dict[str, str] = {alias: name for name, found in CATALOG.items() for alias in (name, *found.aliases)}


def strategy_named(name: str) -> StrategyDocument:
    """Return the strategy of the catalogue that is called `name`, or has it as an alias.

    Capitals, spaces, hyphens and apostrophes do not matter: ``"Iron Condor"`` is ``"iron_condor"``.

    Raises
    ------
    UnknownNameError
        If there is none; ``error.nearest`` is the likeliest intention.
    """
    plain = name.strip().lower().replace("'", "").replace("-", "_").replace(" ", "_")
    if plain not in NAMES:
        raise UnknownNameError("strategy", name, NAMES)
    return CATALOG[NAMES[plain]]
