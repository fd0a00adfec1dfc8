"""How cubes reach the workers: as maps of files where all see the same disk, else as one copy sent to each."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest import ChainCube

if TYPE_CHECKING:
    from dask.distributed import Client

log = logging.getLogger(__name__)

Cubes = ChainCube | Mapping[str, ChainCube]
_AS_STORED = ("r", "c")  # a cube is never written to, so that "copy on write" is what the file says too
_CONDITION = "conditions."


@dataclass(frozen=True)
class MappedArray:
    """Where an array lies: `size` numbers of `dtype`, from byte `offset` of the file at `path`."""

    path: str
    offset: int
    dtype: str
    size: int

    def open(self) -> npt.NDArray[Any]:
        """Map it into memory; whoever writes to it changes his own copy alone, and compiled loops take it as any."""
        if not self.size:
            return np.empty(0, np.dtype(self.dtype))
        return np.memmap(self.path, self.dtype, mode="c", offset=self.offset, shape=(self.size,))


@dataclass(frozen=True)
class MappedCube:
    """A cube as the places of its arrays: small enough to travel with every chunk of a sweep."""

    symbol: str
    classes: tuple[str, ...]
    sha256: str
    arrays: tuple[tuple[str, MappedArray], ...]

    def is_here(self) -> bool:
        """Tell whether this process sees the files, whole."""
        return all(_reaches(array) for _, array in self.arrays)

    def open(self) -> ChainCube:
        """Return the cube, its arrays memory maps; the same object for the same contents."""
        return _opened(self)


def map_cube(cube: ChainCube, folder: Path) -> MappedCube:
    """Return the places of a cube's arrays; those that are no memory maps are written to `folder` first.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    places = [(name, _place_of(array) or _written(array, folder / f"{name}.bin")) for name, array in cube.arrays()]
    return MappedCube(cube.symbol, cube.classes, cube.sha256, tuple(places))


class Shipment:
    """Cubes on their way to workers; a context manager that tidies up behind itself.

    Parameters
    ----------
    cubes : ChainCube or mapping of symbol to ChainCube
    client : Client
        With at least one worker.
    home : Path
        Arrays that lie in no file yet are written to a folder in ``home/sweeps`` for as long as the context lasts.

    Attributes
    ----------
    argument : MappedCube, dict of them, or Future
        What `received` turns back into the cubes on a worker.
    """

    def __init__(self, cubes: Cubes, client: Client, home: Path) -> None:
        self._cubes, self._client, self._home = cubes, client, home
        self._folder: Path | None = None
        self.argument: Any = None

    def __enter__(self) -> Self:
        self._maps = self._mapped()
        self.send()
        return self

    def __exit__(self, *_: object) -> None:
        self.argument = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def is_mapped(self) -> bool:
        """Whether workers map files instead of holding a copy each."""
        return self._maps is not None and self.argument is self._maps

    def send(self, *, copies: bool = False) -> None:
        """Choose how the workers get them; again after workers were lost, or as `copies` when one saw no files."""
        if self._maps is not None and not copies and all(self._client.run(_are_here, self._maps).values()):
            self.argument = self._maps
        else:
            self.argument = self._client.scatter(self._cubes, broadcast=True, hash=False)

    def _mapped(self) -> Any:
        # Where the disk takes no more, copies go over the wire.
        try:
            (self._home / "sweeps").mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="cube-", dir=self._home / "sweeps"))
            if isinstance(self._cubes, ChainCube):
                return map_cube(self._cubes, self._folder)
            return {symbol: map_cube(cube, self._folder / symbol) for symbol, cube in self._cubes.items()}
        except OSError as error:
            log.warning("the cube is sent as a copy to each worker, because it could not be written: %s", error)
            return None


def received(argument: Any) -> Cubes:
    """Return the cubes that a `Shipment` has brought to this worker."""
    if isinstance(argument, MappedCube):
        return argument.open()
    if isinstance(argument, dict):
        return {symbol: one.open() if isinstance(one, MappedCube) else one for symbol, one in argument.items()}
    cubes: Cubes = argument
    return cubes


def _are_here(argument: Any) -> bool:
    return all(one.is_here() for one in (argument.values() if isinstance(argument, dict) else [argument]))


@lru_cache(maxsize=4)
def _opened(cube: MappedCube) -> ChainCube:
    arrays = {name: place.open() for name, place in cube.arrays}
    conditions = {name.removeprefix(_CONDITION): arrays.pop(name) for name in [*arrays] if name.startswith(_CONDITION)}
    return ChainCube(
        symbol=cube.symbol, classes=cube.classes, conditions=conditions, known_sha256=cube.sha256, **arrays
    )


def _reaches(array: MappedArray) -> bool:
    try:
        size = Path(array.path).stat().st_size
    except OSError:
        return False
    return size >= array.offset + array.size * np.dtype(array.dtype).itemsize


def _place_of(array: npt.NDArray[Any]) -> MappedArray | None:
    """Return where an array lies if it is a contiguous part of a mapped file."""
    root: Any = array
    while isinstance(root, np.ndarray) and isinstance(root.base, np.ndarray):
        root = root.base
    path = getattr(root, "filename", None) if isinstance(root, np.memmap) else None
    if path is None or root.mode not in _AS_STORED or array.ndim != 1 or not array.flags.c_contiguous or not array.size:
        return None
    start = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return MappedArray(str(Path(path).absolute()), int(root.offset + start), array.dtype.str, array.size)


def _written(array: npt.NDArray[Any], path: Path) -> MappedArray:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.ascontiguousarray(array).tofile(path)
    return MappedArray(str(path.absolute()), 0, array.dtype.str, array.size)
