"""Chunks of a sweep on their way through Dask: few at a time, cut to size, sent again when a worker is lost."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_lib.workflows.sweeps.checkpoint import Arrays
from bifrost_lib.workflows.sweeps.shipping import Shipment, received

if TYPE_CHECKING:
    from dask.distributed import Client, Future

#: So many chunks of one sweep are with the scheduler for each worker: one at work and one to go on with. What others
#: ask for comes next, however many sets wait here.
AHEAD = 2
CHUNK_S = 1.0  # how long a chunk is to take: what is lost with a worker, and what others wait for
LOOK_EVERY_S = 0.25
RECONNECT_S = 60.0
_FIRST, _GROWTH, _SMALLEST = 4, 16, 10

Simulate = Callable[..., Arrays]


class Lost(Exception):  # noqa: N818
    """The scheduler is gone, or no worker is left; `args[0]` says which."""


class Unbearable(Exception):  # noqa: N818
    """Sets that end every worker which takes them; `args[0]` are their places."""


class CubeNotHere(Exception):  # noqa: N818
    """A worker does not see the files that the others saw."""


@dataclass(frozen=True)
class Chunk:
    """Places of documents that travel together."""

    places: tuple[int, ...]


def simulate_texts(simulate: Simulate, texts: Sequence[str], argument: Any, options: dict[str, Any]) -> Any:
    """On a worker: read documents, simulate them, and return their results and the seconds that they took."""
    from bifrost_lib.strategies import StrategyDocument

    begun = time.perf_counter()
    try:
        cubes = received(argument)
    except (FileNotFoundError, ValueError) as error:
        raise CubeNotHere(str(error)) from None
    arrays = simulate([StrategyDocument.model_validate_json(text) for text in texts], cubes, **options)
    return arrays, time.perf_counter() - begun


class Dispatch:
    """Sends the documents of one sweep to workers and yields what comes back.

    Parameters
    ----------
    client : Client
    shipment : Shipment
        Entered.
    simulate : callable
        ``simulate(documents, cubes, **options)`` gives arrays with a row for each document.
    texts : sequence of str
        The documents as JSON.
    options : dict
    most_sets : int
        In one chunk, so that its memory suffices.
    resources : dict, optional
        What a chunk takes of a worker's announced resources, as Dask counts them.
    stop : Event, optional
        Ends the sweep when it is set.
    tell : callable
        Told what went wrong and was overcome.
    """

    def __init__(
        self,
        client: Client,
        shipment: Shipment,
        simulate: Simulate,
        texts: Sequence[str],
        options: dict[str, Any],
        *,
        most_sets: int,
        resources: dict[str, float] | None = None,
        stop: threading.Event | None = None,
        tell: Callable[[str], None],
    ) -> None:
        self._client, self._shipment, self._simulate, self._texts, self._options = (
            client, shipment, simulate, texts, options,
        )  # fmt: skip
        self._most_sets, self._resources, self._stop, self._tell = most_sets, resources, stop, tell
        self._fresh: deque[int] = deque()
        self._again: deque[Chunk] = deque()
        self._suspect: deque[Chunk] = deque()
        self._alone: Chunk | None = None
        self._out: dict[Future[Any], Chunk] = {}
        self._back: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._unbearable: list[int] = []
        self._size, self._looked, self.workers = _FIRST, 0.0, 0

    def run(self, places: Sequence[int], keep: Callable[[tuple[int, ...], Arrays], None]) -> None:
        """Give `keep` the places of documents and their results as they finish, in no order.

        However it ends, what has finished on workers by then is kept and the rest called off.

        Raises
        ------
        Lost
            If the scheduler does not come back, the last worker is gone and none comes, or it was told to stop.
        Unbearable
            After all others are done.
        Exception
            Whatever the simulation raised.
        """
        self._fresh.extend(places)
        try:
            while self._fresh or self._again or self._suspect or self._out:
                self._look()
                self._send()
                self._take(keep)
        except BaseException:
            self._harvest(keep)
            raise
        finally:
            self._call_off()
        if self._unbearable:
            raise Unbearable(sorted(self._unbearable))

    def _look(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise Lost("the sweep was stopped")
        if self._client.status != "running":
            self._reconnect()
        if not self.workers or time.monotonic() - self._looked > LOOK_EVERY_S:
            found = self._count() or self._wait_for_workers()
            self.workers, self._looked = found, time.monotonic()

    def _count(self) -> int:
        try:
            return len(self._client.scheduler_info(n_workers=-1)["workers"])
        except OSError:
            self._reconnect()
            return self.workers

    def _send(self) -> None:
        while len(self._out) < AHEAD * self.workers and (chunk := self._next_chunk()):
            self._submit(chunk)
        if self._suspect and not self._out:
            self._alone = self._suspect.popleft()  # so that no other can have ended its worker
            self._submit(self._alone)

    def _submit(self, chunk: Chunk) -> None:
        future = self._client.submit(
            simulate_texts, self._simulate, [self._texts[place] for place in chunk.places],
            self._shipment.argument, self._options, pure=False, resources=self._resources,
        )  # fmt: skip
        self._out[future] = chunk
        future.add_done_callback(self._back.put)

    def _next_chunk(self) -> Chunk | None:
        if self._again:
            return self._again.popleft()
        # Towards the end chunks get smaller, so that no worker is left with the last of them.
        fair = max(-(-len(self._fresh) // (AHEAD * self.workers)), self._size // _SMALLEST)
        size = min(self._size, self._most_sets, fair, len(self._fresh))
        return Chunk(tuple(self._fresh.popleft() for _ in range(size))) if size else None

    def _take(self, keep: Callable[[tuple[int, ...], Arrays], None]) -> None:
        try:
            future = self._back.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            return
        if future not in self._out:  # of a time before the connection was lost
            return
        try:
            arrays, seconds = future.result(timeout=RECONNECT_S)
        except Exception as error:
            self._retry(self._out.pop(future), future, error)
            return
        chunk = self._out.pop(future)
        self._adapt(len(chunk.places), seconds)
        keep(chunk.places, arrays)

    def _harvest(self, keep: Callable[[tuple[int, ...], Arrays], None]) -> None:
        with suppress(Exception):  # what ends the sweep is what is told
            for future in [one for one in self._out if one.status == "finished"]:
                chunk = self._out.pop(future)
                keep(chunk.places, future.result(timeout=LOOK_EVERY_S)[0])

    def _adapt(self, sets: int, seconds: float) -> None:
        wished = int(sets * CHUNK_S / max(seconds, 1e-6))
        self._size = max(1, min(wished, _GROWTH * max(sets, self._size)))

    def _retry(self, chunk: Chunk, future: Future[Any], error: Exception) -> None:
        from asyncio import CancelledError

        from dask.distributed import KilledWorker

        if isinstance(error, KilledWorker):
            self._tell(f"a worker was lost with {len(chunk.places)} sets more than once")
            self._halve(chunk)
        elif isinstance(error, CubeNotHere):
            self._shipment.send(copies=True)
            self._again.append(chunk)
        elif isinstance(error, CancelledError | TimeoutError) or future.cancelled():
            self._lose(chunk)
        else:
            raise error

    def _halve(self, chunk: Chunk) -> None:
        """Put a chunk that lost its workers to the end, in halves; what is one set, and was alone, is named."""
        middle = len(chunk.places) // 2
        if middle:
            self._suspect += [Chunk(chunk.places[:middle]), Chunk(chunk.places[middle:])]
        elif chunk is self._alone:
            self._unbearable += chunk.places
        else:
            self._suspect.append(chunk)

    def _lose(self, chunk: Chunk) -> None:
        """Take back a chunk whose task the scheduler has dropped, with a worker's copy of the cube most likely."""
        if self._client.status == "running":
            self._shipment.send(copies=not self._shipment.is_mapped)
            self._tell("a worker was lost with its copy of the cube, which was sent again")
        self._again.append(chunk)

    def _reconnect(self) -> None:
        """Wait for the scheduler to come back; what was with it is sent again."""
        self._again.extend(self._out.values())
        self._out.clear()
        deadline = time.monotonic() + RECONNECT_S
        while self._client.status != "running":
            if self._client.status == "closed" or time.monotonic() > deadline:
                raise Lost("the connection to the Dask scheduler was lost")
            time.sleep(LOOK_EVERY_S)
        self.workers = self._wait_for_workers()
        self._shipment.send()
        self._tell("the Dask scheduler was lost and came back")

    def _wait_for_workers(self) -> int:
        # A process that dies while it starts is not started again by Dask, so that workers of our own are made anew.
        for attempt in range(2):
            try:
                self._client.wait_for_workers(1, timeout=RECONNECT_S)
                break
            except TimeoutError:
                cluster: Any = self._client.cluster
                if attempt or not hasattr(cluster, "scale"):
                    raise Lost("no worker answers the Dask scheduler") from None
                cluster.scale(0)
                cluster.scale(max(1, self.workers))
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def _call_off(self) -> None:
        if self._out and self._client.status == "running":
            self._client.cancel([*self._out])
        self._out.clear()
