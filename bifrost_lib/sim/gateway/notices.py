"""The data farms, and what is said about them. Their names tell a client that this gateway is a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.faults import Faults


@dataclass(frozen=True)
class Farm:
    """One group of IB's servers, and the codes that say how it is."""

    name: str
    ok: int
    broken: int


FARMS: dict[str, Farm] = {
    "data": Farm("simulated", 2104, 2103),
    "hmds": Farm("simulated-hmds", 2106, 2105),
    "secdef": Farm("simulated-secdef", 2158, 2157),
}


#: A farm that only a gateway without limits has: clients of the house hear from it that they need not hold back.
UNLIMITED = Farm("simulated-unlimited", 2104, 2103)


def farm_notices(faults: Faults) -> list[tuple[int, str]]:
    """Return the code and the farm of what is said of each farm as it stands now."""
    return [(farm.broken if faults.farm_is_broken(key) else farm.ok, farm.name) for key, farm in FARMS.items()]


def all_farms() -> str:
    """Return the names of all farms, as 1102 lists them."""
    return "; ".join(farm.name for farm in FARMS.values())
