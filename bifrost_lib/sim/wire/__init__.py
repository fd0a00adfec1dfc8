"""The TWS protocol on the wire: messages of both directions as records, framing, fast ticks, error texts.

Every message is a frozen dataclass named after its number's meaning (`ReqMktData`, `TickPrice`); `encode` turns any of
them into a frame and `decode_request`, `decode_response` turn the fields of a frame into one, for every version of the
protocol from `MIN_VERSION` to `MAX_VERSION`.
"""

# ruff: noqa: F403 (the front door offers what the modules behind it define)
from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.sim.wire.account import *
    from bifrost_lib.sim.wire.codec import *
    from bifrost_lib.sim.wire.company import *
    from bifrost_lib.sim.wire.conditions import *
    from bifrost_lib.sim.wire.contracts import *
    from bifrost_lib.sim.wire.declare import *
    from bifrost_lib.sim.wire.errors import *
    from bifrost_lib.sim.wire.framing import *
    from bifrost_lib.sim.wire.history import *
    from bifrost_lib.sim.wire.market_data import *
    from bifrost_lib.sim.wire.news import *
    from bifrost_lib.sim.wire.order import *
    from bifrost_lib.sim.wire.orders import *
    from bifrost_lib.sim.wire.records import *
    from bifrost_lib.sim.wire.system import *
    from bifrost_lib.sim.wire.ticks import *

_HOMES = (
    "account", "codec", "company", "conditions", "contracts", "declare", "errors", "framing", "history", "market_data",
    "news", "order", "orders", "records", "system", "ticks",
)  # fmt: skip
_CONSTANTS = frozenset(
    {"Condition", "ERROR_KINDS", "ERROR_TEXTS", "MAX_VERSION", "MIN_VERSION", "UNSET_DOUBLE", "UNSET_INT"}
)


@cache
def _offered() -> dict[str, Any]:
    # Once, when the first name is asked for: what the modules define themselves, not what they import.
    found: dict[str, Any] = {}
    for home in _HOMES:
        for name, value in vars(import_module(f"{__name__}.{home}")).items():
            ours = str(getattr(value, "__module__", "")).startswith(__name__)
            if name in _CONSTANTS or (ours and not name.startswith("_")):
                found[name] = value
    return found


def __getattr__(name: str) -> Any:
    if name in _HOMES or name.startswith("__") or name not in _offered():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = _offered()[name]
    return found


def __dir__() -> list[str]:
    return sorted(_offered())
