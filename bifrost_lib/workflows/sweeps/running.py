"""A sweep: every document simulated once on the workers of a Dask client, and never again for the same cube."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_lib.backtest import ChainCube
from bifrost_lib.core.errors import InputError, SourceUnavailable
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.sweeps.admission import admit_to
from bifrost_lib.workflows.sweeps.checkpoint import Arrays, Checkpoint, gather, join
from bifrost_lib.workflows.sweeps.dispatch import RECONNECT_S, Dispatch, Lost, Simulate, Unbearable
from bifrost_lib.workflows.sweeps.progress import Meter, Progress, SweepInterrupted
from bifrost_lib.workflows.sweeps.shipping import Cubes, Shipment
from bifrost_lib.workflows.sweeps.simulating import simulate_documents, simulation_version

if TYPE_CHECKING:
    from dask.distributed import Client

    from bifrost_lib.backtest import SweepResult
    from bifrost_lib.strategies import StrategyDocument

log = logging.getLogger(__name__)
#: Results that come within so short a time are written together: a disk takes long to be sure of each file.
WRITE_EVERY_S = 1.0
_SHOWN = 3
_AT_A_TIME = 8  # documents, where there are no workers


def run_sweep(
    documents: Sequence[StrategyDocument],
    cubes: Cubes,
    *,
    client: Client,
    home: Path | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> SweepResult:
    """Simulate documents on the workers of a client, each on its own; the result is that of `backtest.sweep`.

    Parameters
    ----------
    documents : sequence of StrategyDocument
    cubes : ChainCube or mapping of symbol to ChainCube
    client : Client
        Of Dask: `connect()`, or any other.
    home : Path, optional
        Results are kept in ``home/sweeps`` as they come. Default: ``BIFROST_HOME``.
    progress : callable, optional
        Given a `SweepProgress` a few times a second at most; ``progress=print`` will do.
    stop : Event, optional
        Ends the sweep when another thread sets it.
    **options
        As of `backtest.sweep`: ``fills``, ``capital``, ``start``, ``end`` ...

    Raises
    ------
    SweepInterrupted
        If it ended before the last set: the scheduler was lost and did not come back, it was stopped, or some sets end
        every worker that takes them. Nothing finished is lost, and the same call goes on from there. After Ctrl-C
        (KeyboardInterrupt) that holds too.
    SourceUnavailable
        If the client has no workers.
    InputError
        If a document cannot be replayed on these cubes, or a cube is too large for every worker.

    Notes
    -----
    The result does not depend on how many workers there are, on how the documents were cut into chunks, or on what an
    earlier call had found. A set that was simulated before on the same cubes, with the same options and the same code
    is not simulated again, whichever grid it came from. Where the disk is full the sweep goes on and its result is
    whole, but what could not be written will be simulated again by a later call; the log says so.
    """
    from bifrost_lib.backtest import assemble, warm_up

    if client.cluster is not None:
        warm_up()  # once, rather than by each of the workers here, which share what is compiled
    arrays = simulated(
        simulate_documents, documents, cubes, client=client, home=home, progress=progress, stop=stop,
        code=simulation_version(), options=options,
    )  # fmt: skip
    return assemble(documents, cubes, arrays, **options)


def simulated(
    simulate: Simulate,
    documents: Sequence[StrategyDocument],
    cubes: Cubes,
    *,
    client: Client | None,
    home: Path | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    code: str,
    options: Mapping[str, Any],
) -> Arrays:
    """Return what ``simulate(documents, cubes, **options)`` does, computed on workers and kept; see `run_sweep`.

    Without a client it is computed in this process, a few documents at a time, and kept as well.
    """
    if not documents:
        raise InputError("documents", 0, "at least one document")
    home = load_settings().home if home is None else home
    texts = [document.model_dump_json() for document in documents]
    keys = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]
    about = _about(code, cubes, options)
    kept = _Kept(Checkpoint(home / "sweeps" / _digest(about), about), keys, Meter(len(documents), progress))
    missing = kept.missing()
    if missing and client is None:
        _simulate_here(simulate, missing, documents, cubes, stop, dict(options), kept)
    elif missing and client is not None:
        most = max(document.sizing.max_active for document in documents)
        _simulate_missing(simulate, missing, texts, cubes, client, home, stop, dict(options), kept, most)
    return kept.arrays()


def _simulate_here(
    simulate: Simulate, missing: Sequence[int], documents: Sequence[StrategyDocument], cubes: Cubes,
    stop: threading.Event | None, options: dict[str, Any], kept: _Kept,
) -> None:  # fmt: skip
    try:
        for first in range(0, len(missing), _AT_A_TIME):
            if stop is not None and stop.is_set():
                raise kept.interrupted("the sweep was stopped")
            places = missing[first : first + _AT_A_TIME]
            kept.add(places, simulate([documents[place] for place in places], cubes, **options), workers=1)
    finally:
        kept.write()


def _simulate_missing(
    simulate: Simulate, missing: Sequence[int], texts: Sequence[str], cubes: Cubes, client: Client, home: Path,
    stop: threading.Event | None, options: dict[str, Any], kept: _Kept, max_active: int,
) -> None:  # fmt: skip
    try:
        client.wait_for_workers(1, timeout=RECONNECT_S)
    except TimeoutError:
        raise SourceUnavailable("Dask scheduler", "it has no workers") from None
    admitted = admit_to(client, cubes, len(missing), max_active=max_active)
    with Shipment(cubes, client, home) as shipment:
        dispatch = Dispatch(
            client, shipment, simulate, texts, options | admitted.options, most_sets=admitted.most_sets,
            resources=admitted.resources, stop=stop, tell=kept.trouble,
        )  # fmt: skip
        try:
            dispatch.run(missing, lambda places, arrays: kept.add(places, arrays, workers=dispatch.workers))
        except Lost as lost:
            raise kept.interrupted(str(lost)) from None
        except Unbearable as sets:
            numbers = [str(place + 1) for place in sets.args[0]]
            named = ", ".join(numbers[:_SHOWN]) + (" ..." if len(numbers) > _SHOWN else "")
            raise kept.interrupted(f"every worker that takes set {named} dies, of memory most likely") from None
        finally:
            kept.write()


class _Kept:
    """Results by the place of their document: read from the checkpoint, added to it, and held until the end."""

    def __init__(self, checkpoint: Checkpoint, keys: Sequence[str], meter: Meter) -> None:
        self._checkpoint, self._keys, self._meter = checkpoint, keys, meter
        self._parts: list[tuple[list[str], Arrays]] = []
        self._unwritten: list[tuple[list[str], Arrays]] = []
        self._known: set[str] = set()
        self._written = float("-inf")

    def missing(self) -> list[int]:
        """Read what there is; return the places of documents that remain, each content once."""
        found, arrays = self._checkpoint.read(self._keys)
        if found:
            self._parts.append((found, arrays))
        self._known = {*found}
        self._meter.note(kept=sum(key in self._known for key in self._keys))
        first = {key: place for place, key in reversed([*enumerate(self._keys)]) if key not in self._known}
        return sorted(first.values())

    def add(self, places: Sequence[int], arrays: Arrays, *, workers: int) -> None:
        """Take the results of a chunk; they are written at once, or with those of the next moments."""
        part = [self._keys[place] for place in places], arrays
        self._parts.append(part)
        self._unwritten.append(part)
        if time.monotonic() - self._written >= WRITE_EVERY_S:
            self.write()
        self._meter.note(done=len(places), workers=workers)

    def write(self) -> None:
        """Write what is not written yet; where the disk does not take it, it is tried again with a later chunk."""
        if not self._unwritten:
            return
        self._written = time.monotonic()
        keys = [key for part, _ in self._unwritten for key in part]
        try:
            self._checkpoint.append(keys, join([arrays for _, arrays in self._unwritten]))
        except OSError as error:
            self.trouble(f"{len(keys)} sets could not be written to {self._checkpoint.folder}: {error.strerror}")
            return
        self._known.update(keys)
        self._unwritten.clear()

    def trouble(self, words: str) -> None:
        """Log what went wrong and was overcome, and show it."""
        log.warning("sweep: %s", words)
        self._meter.note(trouble=words)

    def interrupted(self, cause: str) -> SweepInterrupted:
        """Return the error that says what ended the sweep and what is kept."""
        self.write()
        done = sum(key in self._known for key in self._keys)
        return SweepInterrupted(cause, done=done, total=len(self._keys), folder=self._checkpoint.folder)

    def arrays(self) -> Arrays:
        """Return the results of all documents in their order."""
        places = {key: (at, row) for at, (keys, _) in enumerate(self._parts) for row, key in enumerate(keys)}
        return gather([arrays for _, arrays in self._parts], [places[key] for key in self._keys])


def _about(code: str, cubes: Cubes, options: Mapping[str, Any]) -> dict[str, Any]:
    named = {cubes.symbol: cubes} if isinstance(cubes, ChainCube) else cubes
    return {
        "cubes": {symbol: named[symbol].sha256 for symbol in sorted(named)},
        "options": {name: _told(value) for name, value in sorted(options.items())},
        "code": code,
    }


def _told(value: Any) -> Any:
    """Return an option as JSON holds it; arrays by the digest of their contents."""
    if hasattr(value, "tobytes") and hasattr(value, "ndim"):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return {str(name): _told(one) for name, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
