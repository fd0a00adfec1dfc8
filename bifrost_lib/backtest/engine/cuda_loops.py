"""One set of parameters a thread: the processor's simulation on a GPU."""

from __future__ import annotations

from typing import Any

from bifrost_lib.backtest.engine.layout import Books, Market
from bifrost_lib.backtest.engine.simulation_loops import desk_of, simulate_one
from bifrost_lib.core.cuda import gpu_loop, thread


@gpu_loop
def simulate_each(
    sets: Any, admission: Any, admissions: Any, entry_session: Any, entry_moment: Any, floats: Any, counts: Any,
    account: Any, cache: Any, log: Any, told: Any, equity: Any, sessions: Any, figures: Any, moment_us: Any, spot: Any,
    contracts: Any, strike: Any, multiplier: Any, groups: Any, rows: Any, seen: Any, forward: Any, bid: Any, ask: Any,
    delta: Any, flags: Any, open_interest: Any, volume: Any,
) -> None:  # fmt: skip
    """Simulate each row of `sets` in scratch of its own: rows of `floats`, `counts` and `account`."""
    one = thread()
    if one >= sets.shape[0]:
        return
    market = Market(
        sessions, figures, moment_us, spot, contracts, strike, multiplier, groups, rows, seen, forward, bid, ask,
        delta, flags, open_interest, volume,
    )  # fmt: skip
    mine = account[one]
    books = Books(mine[0], mine[1], mine[2], mine[3], log, log, told[one])
    desk = desk_of(floats[one], counts[one], cache, log)
    simulate_one(market, sets[one], desk, books, entry_session, entry_moment, admissions[admission[one]], equity[one])
