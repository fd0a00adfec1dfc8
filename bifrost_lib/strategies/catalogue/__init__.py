"""Every strategy by name: each literal in this folder's modules, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies.documents.document import StrategyDocument


def _groups() -> dict[str, tuple[StrategyDocument, ...]]:
    found: dict[str, tuple[StrategyDocument, ...]] = {}
    for place in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        module = import_module(place.name)
        title = (module.__doc__ or place.name).splitlines()[0].rstrip(".")
        found[title] = tuple(value for value in vars(module).values() if isinstance(value, StrategyDocument))
    return found


#: The catalogue by idea, as its folder has it: a title, and the strategies in the order in which they are written.
GROUPS: dict[str, tuple[StrategyDocument, ...]] = _groups()

CATALOG: dict[str, StrategyDocument] = {
    found.name: found for found in sorted((one for group in GROUPS.values() for one in group), key=lambda one: one.name)
}

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


def resolve_strategy(name_or_path: str) -> StrategyDocument:
    """Return a strategy of the catalogue by its name or an alias, or the document in a file.

    Parameters
    ----------
    name_or_path : str
        A path ends in ``.yaml``, ``.yml`` or ``.json``, or holds a ``/``.

    Raises
    ------
    UnknownNameError
        If the catalogue does not know the name.
    DocumentError, FileFormatError
        If the file holds no valid document, or cannot be read.
    """
    from bifrost_lib.strategies.documents.reading import read_file

    path = Path(name_or_path)
    if path.suffix.lower() not in (".yaml", ".yml", ".json") and "/" not in name_or_path:
        return strategy_named(name_or_path)
    return read_file(path)
