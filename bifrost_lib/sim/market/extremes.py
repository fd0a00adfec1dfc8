"""When an underlying stood highest and lowest so far in a trading day, second by second."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.trail import Trail

Ints = npt.NDArray[np.int64]


class Extremes:
    """The seconds of the high and low of each underlying since a moment; one moment is kept for each."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, Ints, Ints]] = {}

    def at(self, index: int, trail: Trail, *, since: int, until: int, second: float) -> tuple[int, int]:
        """Return the seconds of the highest and the lowest whole second from `since` to `second`."""
        kept = self._kept.get(index)
        if kept is None or kept[0] != since or since + len(kept[1]) <= second:
            spot = trail.seconds(since, until)
            kept = since, _running(spot, np.maximum), _running(spot, np.minimum)
            self._kept[index] = kept
        place = int(second) - since
        return since + int(kept[1][place]), since + int(kept[2][place])


def _running(spot: npt.NDArray[np.float64], extreme: Any) -> Ints:
    reached = extreme.accumulate(spot)
    is_new = np.ones(len(spot), dtype=np.bool_)
    is_new[1:] = reached[1:] != reached[:-1]
    return np.asarray(np.maximum.accumulate(np.where(is_new, np.arange(len(spot)), 0)), dtype=np.int64)
