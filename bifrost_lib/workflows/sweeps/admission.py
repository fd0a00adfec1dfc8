"""How much memory a sweep takes, reckoned before it begins, so that no worker and no card dies of it.

A worker with a GPU announces the bytes of it that sweeps may use as a resource; each chunk asks for what it takes, and
Dask starts no chunk on a card that has less left. So sweeps of several people queue for a card, each chunk in its turn
(every sweep has few chunks with the scheduler at a time), and what would fit on no card runs on the processors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrost_lib.backtest import ChainCube, chunk_bytes
from bifrost_lib.core.errors import InputError
from bifrost_lib.workflows.sweeps.shipping import Cubes

if TYPE_CHECKING:
    from dask.distributed import Client

#: The resource that a worker with a GPU announces.
CARD_BYTES = "card_bytes"
PROCESS_BYTES = 400_000_000  # of a worker that has imported and compiled everything
LARGEST_RESULT = 64_000_000  # bytes of one chunk's results: more would wait for the wire
_COPIES = 3  # of results: as computed, as sent, as received
_SET_BYTES = 4_096  # of one set beside its daily results: its document, its summary
_DAY_BYTES = 8
_MANY = 1000
_CARD_SHARE = 0.8  # of what is announced, for one chunk: the rest is the allocator's


@dataclass(frozen=True)
class Need:
    """Bytes that a sweep takes on one device: its cubes once, and so much for each set of a chunk."""

    cube: int
    each_set: int

    def of(self, sets: int) -> int:
        """Return the bytes of a chunk."""
        return self.cube + sets * self.each_set

    def sets_within(self, size: float) -> int:
        """Return how many sets fit beside the cubes; 0 where not even the cubes do."""
        return max(0, int((size - self.cube) // self.each_set))


@dataclass(frozen=True)
class Admitted:
    """How a sweep may run.

    Attributes
    ----------
    most_sets : int
        In one chunk.
    resources : dict, optional
        What a chunk asks for of the worker that takes it.
    options : dict
        For the simulation, beside the caller's: where it is to run.
    """

    most_sets: int
    resources: dict[str, float] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def need_of(cubes: Cubes) -> Need:
    """Return the bytes that sweeps of these cubes take: the cubes, what the simulation makes of them, and results."""
    each = [cubes] if isinstance(cubes, ChainCube) else [*cubes.values()]
    days = sum(cube.sessions for cube in each)
    tables, more = chunk_bytes(cubes, 0), chunk_bytes(cubes, _MANY)
    return Need(
        cube=sum(cube.nbytes for cube in each) + tables,
        each_set=_SET_BYTES + _COPIES * _DAY_BYTES * days + (more - tables) // _MANY,
    )


def card_need_of(cubes: Cubes, *, max_active: int = 1) -> Need:
    """Return the bytes of a card that sweeps of these cubes take, of documents with so many trades open at once."""
    from bifrost_lib.backtest import gpu_bytes

    one, two = (gpu_bytes(cubes, sets, max_active=max_active) for sets in (1, 2))
    return Need(cube=2 * one - two, each_set=two - one)


def admit(need: Need, sets: int, workers: Iterable[Mapping[str, Any]], *, on_card: Need | None = None) -> Admitted:
    """Decide how large chunks may be and whether they run on a card.

    Parameters
    ----------
    need : Need
    sets : int
        Of the whole sweep.
    workers : iterable of mapping
        Of each worker its ``memory_limit`` (bytes, 0: none) and ``resources``.
    on_card : Need, optional
        What it takes of a GPU, where the simulation can run on one.

    Raises
    ------
    InputError
        If some worker has too little memory for the cubes, and no card is there that holds them.

    Examples
    --------
    >>> need = Need(cube=2_000_000_000, each_set=20_000)
    >>> card = {"memory_limit": 0, "resources": {CARD_BYTES: 24e9}}
    >>> admit(need, 10**6, [card], on_card=need).resources
    {'card_bytes': 2064000000.0}
    """
    workers = [*workers]
    most = max(1, min(sets, LARGEST_RESULT // need.each_set))
    cards = [float(size) for worker in workers if (size := (worker.get("resources") or {}).get(CARD_BYTES))]
    if on_card is not None and (fits := max((on_card.sets_within(_CARD_SHARE * size) for size in cards), default=0)):
        chunk = min(most, fits)
        return Admitted(chunk, {CARD_BYTES: float(on_card.of(chunk))}, {"device": "cuda"})
    limits = [limit for worker in workers if (limit := int(worker.get("memory_limit") or 0))]
    room = min((need.sets_within(limit - PROCESS_BYTES) for limit in limits), default=most)
    if not room:
        wanted, least = _gigabytes(need.of(1) + PROCESS_BYTES), _gigabytes(min(limits))
        raise InputError(
            "cubes", f"{wanted} in every worker", f"at most {least}; fewer workers (dask_workers) have more memory each"
        )
    return Admitted(min(most, room))


def admit_to(client: Client, cubes: Cubes, sets: int, *, max_active: int = 1) -> Admitted:
    """Decide it for the workers that a client has; see `admit`."""
    workers = [*client.scheduler_info(n_workers=-1)["workers"].values()]
    has_card = any((worker.get("resources") or {}).get(CARD_BYTES) for worker in workers)
    return admit(
        need_of(cubes), sets, workers, on_card=card_need_of(cubes, max_active=max_active) if has_card else None
    )


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
