"""How American loops lay out their memory, and how they solve an option: what both they and their callers must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bifrost_lib.core.native import Floats, Table

#: How an option is solved; SOLVED has its answer already.
SOLVED, EUROPEAN, USUAL, HARD, SETTLING, DOUBLE = range(6)

ROWS = 9  # of the data: x, a, c, w, then what `american_engine.Reduced` names
STATE_ROWS = 5  # of the search for a volatility
OPEN = -1  # the status of an option whose volatility is still to be found

LANES = 64  # options that are solved at once

# parts of the workspace, each of so many rows of LANES numbers
PAR_SIZE = 7 * LANES
ACC_SIZE = 4 * LANES
CON_SIZE = 5 * LANES
ASK_SIZE = 2 * LANES
OUT_SIZE = 3 * LANES
PAR = 0
ACC = PAR + PAR_SIZE
CON = ACC + ACC_SIZE
ASK = CON + CON_SIZE
OUT = ASK + ASK_SIZE
LANE = OUT + OUT_SIZE  # single rows from here on
SINGLES = 5

GRID_ROWS = 5  # of a grid's workspace: ln(spot), value, payoff, and two of the solver


def workspace() -> Floats:
    """Return scratch memory for one loop that solves blocks; threads must not share it."""
    return np.empty(LANE + SINGLES * LANES)


def boundaries(nodes: int, count: int) -> list[Table]:
    """Return `count` tables for a block's boundary at each of `nodes`, or for its square."""
    return [np.empty((nodes, LANES)) for _ in range(count)]
