"""Runs that go on after an assignment: the shares are kept, and another strategy trades on them, as in a wheel.

One strategy at a time is in charge: the run's own, and after one of its sold options was assigned the one that it
names, until that one is assigned in its turn. Each trade is a run of the compiled simulation over the entries from the
last trade's end on; between two trades the shares are marked here, a session at a time.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Stage
from bifrost_lib.backtest.engine.simulation import Simulated, simulate_single
from bifrost_lib.backtest.engine.tables import Terms
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies import Sizing, StrategyDocument, margin, strategy_named

Array = npt.NDArray[Any]
#: Why a trade ended, where shares are held between two strategies.
SHARES = float(len(at.REASONS))
REASONS = (*at.REASONS, "shares held")
_ADDED = (
    at.M_TRADES, at.M_CLOSED, at.M_WINS, at.M_PNL, at.M_COMMISSION, at.M_OPEN, at.M_UNPRICEABLE, at.M_WON, at.M_LOST,
    at.M_DAYS, at.M_LOGGED, at.M_HELD,
)  # fmt: skip
_FIRST_LOOK, _MORE = 8, 4  # entries that are looked at for the next trade, and how many times more after those


@dataclass(frozen=True)
class Wheeled(Simulated):
    """What a run left that went on after assignments.

    `shares` were held with each trade when it was opened, all units; legs are numbered through both strategies.
    """

    shares: Array


@dataclass(frozen=True)
class _Shares:
    """Shares between two trades: how many, what they were worth when they came, and when that was."""

    symbol: int
    count: float
    spot: float
    session: int
    moment: int
    us: float


def follower_of(document: StrategyDocument) -> StrategyDocument | None:
    """Return the strategy that goes on with the shares that a document is left with, at the document's costs.

    None where it names none, or cannot be followed: of several trades at once no one can say whose turn it is, and a
    name that is not in the catalogue says nothing.
    """
    name = document.exits.after_assignment
    if name is None or document.sizing.max_active != 1:
        return None
    try:
        return strategy_named(name).with_(costs=document.costs)
    except UnknownNameError:
        return None


def simulate_wheel(
    stage: Stage, document: StrategyDocument, follower: StrategyDocument, terms: Terms, allowed: Array | None = None
) -> Wheeled:
    """Simulate a document and the strategy that follows it, with their log."""
    return _Wheel(stage, (document, follower), terms, allowed).run()


class _Wheel:
    # A run in the making: what both strategies and the shares between them have left so far.
    def __init__(
        self, stage: Stage, documents: tuple[StrategyDocument, StrategyDocument], terms: Terms, allowed: Array | None
    ) -> None:
        self._stage, self._market, self._documents = stage, stage.market, documents
        self._terms, self._allowed = terms, allowed
        last = self._market.sessions[stage.entry_session + 1, at.D_MOMENT] - 1
        self._when = self._market.moment_us[np.where(stage.entry_moment >= 0, stage.entry_moment, last)]
        self._symbol = np.searchsorted(stage.session_starts, stage.entry_session, side="right") - 1
        self._account = terms.capital
        self._gain, self._margin, self._active = np.zeros((3, len(stage.days)))
        self._told, self._refused = np.zeros(at.M_REFUSED), Counter[str]()
        self._told[at.M_WORST], self._told[at.M_BEST] = 0.0, 0.0
        self._trades, self._legs, self._shares = list[Array](), list[Array](), list[float]()

    def run(self) -> Wheeled:
        place, which, held = 0, 0, None
        while place < len(self._when):
            mine = np.arange(place, len(self._when))
            if held is not None:
                mine = mine[self._symbol[mine] == held.symbol]
            found, used = self._next_trade(which, held, mine)
            if not len(found.trades):
                self._add(found, which)
                self._told[at.M_SKIPPED + at.ACTIVE] += len(self._when) - place - len(mine)
                break
            trade = found.trades[0]
            if held is not None:
                self._hold(held, int(trade[at.J_OPENED]))
            self._add(found, which)
            stop = int(np.searchsorted(self._when, trade[at.J_CLOSED_US]))
            stop = max(stop, int(mine[used - 1]) + 1)
            self._told[at.M_SKIPPED + at.ACTIVE] += stop - place - used  # of other symbols
            which, held = self._after(found, which)
            place = stop
        if held is not None:
            self._hold(held, None)
        return self._result()

    def _next_trade(self, which: int, held: _Shares | None, mine: Array) -> tuple[Simulated, int]:
        # The first trade of some entries, alone, with all entries until its end; and how many these are.
        look = _FIRST_LOOK
        found = self._simulated(which, held, mine[:look])
        while not len(found.trades) and look < len(mine):
            look *= _MORE
            found = self._simulated(which, held, mine[:look])
        if not len(found.trades):
            return found, len(mine)
        trade = found.trades[0]
        own = int(np.searchsorted(self._when[mine], self._market.moment_us[int(trade[at.J_OPENED])]))
        own += int(np.flatnonzero(self._stage.entry_moment[mine[own:]] == int(trade[at.J_OPENED]))[0])
        used = max(int(np.searchsorted(self._when[mine], trade[at.J_CLOSED_US])), own + 1)
        return self._simulated(which, held, mine[:used], opened=int(trade[at.J_OPENED])), used

    def _simulated(self, which: int, held: _Shares | None, entries: Array, opened: int | None = None) -> Simulated:
        document, capital = self._documents[which], self._account
        if held is not None:
            count = held.count if opened is None else self._path(held, opened)[-1][1]
            units = int(count / (document.stock_qty * self._lot(held.symbol)))
            document = document.with_(sizing=Sizing(contracts=max(units, 1)))
            capital += 4 * abs(count) * float(np.nanmax(self._market.spot))  # they are paid for, whatever they cost now
        stage = replace(
            self._stage,
            entry_session=np.ascontiguousarray(self._stage.entry_session[entries]),
            entry_moment=np.ascontiguousarray(self._stage.entry_moment[entries]),
        )
        return simulate_single(stage, document, replace(self._terms, capital=capital), self._allowed)
