"""Historical bars."""

from __future__ import annotations

import numpy as np

from bifrost_lib.sim.exchange import Bars


def empty_bars() -> Bars:
    """Return no bars."""
    nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
    return Bars(none, nothing, nothing, nothing, nothing, nothing, nothing, none)
