"""Running the compiled simulation: room to work in, sets in the order that shares most work, results as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine.admission import Admissions
from bifrost_lib.backtest.engine.layout import (
    CACHE_WIDTH,
    DESK_COUNTS,
    DESK_FLOATS,
    HELD_WIDTH,
    KEPT_WIDTH,
    LOG_WIDTH,
    M_HELD,
    M_LOGGED,
    M_REFUSED,
    S_MAX_ACTIVE,
    SET_WIDTH,
)
from bifrost_lib.backtest.engine.market import Stage
from bifrost_lib.backtest.engine.tables import Terms, choice_of, rows_of
from bifrost_lib.core.native import loop
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]
_simulate = loop("bifrost_lib.backtest.engine.simulation_loops", "simulate")
_ROOM = 256


@dataclass(frozen=True)
class Simulated:
    """What simulations left: `told` (sets, figures), `equity` (sets, days), and of a single set its log and account."""

    told: Array
    equity: Array
    refusals: tuple[str, ...]
    trades: Array
    legs: Array
    margin: Array
    active: Array


@dataclass(frozen=True)
class Plan:
    """Documents as numbers: `rows` (sets, numbers), how each chooses its legs, and when it may enter."""

    rows: Array
    choice: Array
    admissions: Admissions

    @property
    def order(self) -> Array:
        """Sets that choose alike next to each other."""
        return np.argsort(self.choice, kind="stable")


def plan(stage: Stage, documents: Sequence[StrategyDocument], terms: Terms, allowed: Array | None) -> Plan:
    """Return documents as the numbers that the simulation reads."""
    rows, entries = rows_of(documents, terms), [document.entry for document in documents]
    admissions = Admissions(stage, entries, allowed)
    own = [int(row) if entry.chooses_expiries else -1 for row, entry in zip(admissions.row_of, entries, strict=True)]
    numbers: dict[tuple[bytes, int], int] = {}
    choices = [(choice_of(row), admitted) for row, admitted in zip(rows, own, strict=True)]
    choice = np.array([numbers.setdefault(one, len(numbers)) for one in choices], dtype=np.int64)
    return Plan(rows, choice, admissions)


def simulate_all(
    stage: Stage, documents: Sequence[StrategyDocument], terms: Terms, allowed: Array | None = None
) -> Simulated:
    """Simulate many sets; nothing is kept of single trades."""
    planned = plan(stage, documents, terms, allowed)
    order = planned.order
    found = _run(stage, planned, order, log=(0, 0))
    told, equity = np.empty_like(found.told), np.empty_like(found.equity)
    told[order], equity[order] = found.told, found.equity
    return Simulated(told, equity, found.refusals, found.trades, found.legs, found.margin, found.active)


def simulate_single(stage: Stage, document: StrategyDocument, terms: Terms, allowed: Array | None = None) -> Simulated:
    """Simulate one set with its log; once more where the log had not enough room."""
    planned = plan(stage, [document], terms, allowed)
    order, room = planned.order, (_ROOM, 4 * _ROOM)
    while True:
        found = _run(stage, planned, order, log=room)
        wanted = int(found.told[0, M_LOGGED]), int(found.told[0, M_HELD])
        if wanted[0] <= room[0] and wanted[1] <= room[1]:
            trades = found.trades.reshape(-1, LOG_WIDTH)[: wanted[0]]
            legs = found.legs.reshape(-1, HELD_WIDTH)[: wanted[1]]
            return Simulated(found.told, found.equity, found.refusals, trades, legs, found.margin, found.active)
        room = wanted


def room_of(sets: int, days: int) -> int:
    """Return about how many bytes simulations of so many sets take beside the market."""
    return 8 * (sets * (2 * days + M_REFUSED + SET_WIDTH) + days * (CACHE_WIDTH + KEPT_WIDTH + 4))


def _run(stage: Stage, planned: Plan, order: Array, *, log: tuple[int, int]) -> Simulated:
    rows, days = planned.rows[order], len(stage.days)
    admissions = planned.admissions
    most = int(rows[:, S_MAX_ACTIVE].max()) if len(rows) else 1
    # What sets share is worth keeping where several do.
    cache = len(stage.entry_session) if len(rows) > 1 else 0
    paths = cache if 2 * len(np.unique(planned.choice[order])) <= len(rows) else 0
    account = np.zeros((4, days))
    told = np.zeros((len(rows), M_REFUSED + len(admissions.names)))
    equity = np.empty((len(rows), days))
    trades, legs = np.empty(log[0] * LOG_WIDTH), np.empty(log[1] * HELD_WIDTH)
    desk = np.zeros(DESK_FLOATS + 3 * most), np.zeros(DESK_COUNTS, dtype=np.int64)
    kept = np.zeros(cache * CACHE_WIDTH, dtype=np.int64), np.zeros(paths * KEPT_WIDTH)
    _simulate(
        rows, planned.choice[order], admissions.row_of[order], admissions.rows, stage.entry_session,
        stage.entry_moment, *desk, *kept, *account, trades, legs, told, equity, *stage.market,
    )  # fmt: skip
    return Simulated(told, equity, tuple(admissions.names), trades, legs, account[2], account[3])
