"""Where contracts and groups are among those seen in a session."""

from __future__ import annotations

from typing import Any

from bifrost_lib.backtest.engine.layout import D_ROW, D_SEEN, N_GROUP, PLAIN, Q_CONTRACT
from bifrost_lib.core.kernels import kernel


@kernel(**PLAIN)
def seen_place(market: Any, session: int, group: int) -> int:
    """Return where a group is among those seen in a session, -1 if it was not."""
    for at in range(market.sessions[session, D_SEEN], market.sessions[session + 1, D_SEEN]):
        if market.seen[at, N_GROUP] == group:
            return at
    return -1


@kernel(**PLAIN)
def find_row(market: Any, session: int, contract: int) -> int:
    """Return the row of a contract in a session, -1 if it was not seen there."""
    first, end = market.sessions[session, D_ROW], market.sessions[session + 1, D_ROW]
    last = end
    while first < last:
        middle = (first + last) // 2
        if market.rows[middle, Q_CONTRACT] < contract:
            first = middle + 1
        else:
            last = middle
    return first if first < end and market.rows[first, Q_CONTRACT] == contract else -1
