"""Faults of quotes: what clients see of a board while some of it is stale, crossed, missing or without Greeks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bifrost_lib.sim.exchange import BOARD_COLUMNS, Board
from bifrost_lib.sim.gateway.columns import Flags, Floats
from bifrost_lib.sim.instruments import Instrument

Facts = Mapping[str, Any]


@dataclass
class View:
    """A board as clients may see it; `told`, `greeks` and `literal` have shape (n,).

    `told` is False where nothing may be said, `greeks` where no computation is sent, `literal` is True where
    computations are sent as NaN.
    """

    board: Board
    told: Flags
    greeks: Flags
    literal: Flags | None = None


class QuoteFaults:
    """Distorts boards as the active faults say; the same faults choose the same instruments every time."""

    def __init__(self, active: Mapping[str, Facts]) -> None:
        self._active = active
        self._frozen: dict[int, tuple[Floats, Floats]] = {}

    def seen(self, instruments: Sequence[Instrument], board: Board) -> View:
        """Return what clients may see of a board of these instruments."""
        whole = np.ones(len(instruments), dtype=bool)
        view = View(board, whole, whole)
        for name, distort in _DISTORTIONS.items():
            facts = self._active.get(name)
            if facts is not None:
                distort(self, view, instruments, chosen(instruments, facts), facts)
        return view

    def forget(self) -> None:
        """Let stale quotes live again."""
        self._frozen.clear()

    def _stale(self, view: View, instruments: Sequence[Instrument], who: Flags, _: Facts) -> None:
        values, computations = _copied(view.board)
        for row in np.nonzero(who)[0].tolist():
            con_id = instruments[row].con_id
            now = (np.array([values[name][row] for name in BOARD_COLUMNS]), computations[row].copy())
            kept = self._frozen.setdefault(con_id, now)
            for index, name in enumerate(BOARD_COLUMNS):
                values[name][row] = kept[0][index]
            computations[row] = kept[1]
        view.board = replace(view.board, values=values, computations=computations)

    def _crossed(self, view: View, instruments: Sequence[Instrument], who: Flags, _: Facts) -> None:
        values, computations = _copied(view.board)
        ticks = np.array([instrument.min_tick for instrument in instruments])
        values["bid"] = np.where(who, np.round(values["ask"] + ticks, 6), values["bid"])
        view.board = replace(view.board, values=values, computations=computations)

    def _missing(self, view: View, _: Sequence[Instrument], who: Flags, __: Facts) -> None:
        values, computations = _copied(view.board)
        for name in ("bid", "ask", "bid_size", "ask_size"):
            values[name][who] = np.nan
        computations[who, :2] = np.nan
        view.board = replace(view.board, values=values, computations=computations)

    def _no_greeks(self, view: View, _: Sequence[Instrument], who: Flags, facts: Facts) -> None:
        if facts["variant"] == "absent":
            view.greeks = view.greeks & ~who
        elif facts["variant"] == "nan":
            view.literal = who
        else:
            values, computations = _copied(view.board)
            computations[who] = np.nan
            view.board = replace(view.board, values=values, computations=computations)

    def _silent(self, view: View, _: Sequence[Instrument], who: Flags, __: Facts) -> None:
        view.told = view.told & ~who


_Distortion = Callable[[QuoteFaults, View, Sequence[Instrument], Flags, Facts], None]
_DISTORTIONS: dict[str, _Distortion] = {
    "stale": QuoteFaults._stale,
    "crossed": QuoteFaults._crossed,
    "missing": QuoteFaults._missing,
    "no-greeks": QuoteFaults._no_greeks,
    "silent": QuoteFaults._silent,
}


def chosen(instruments: Sequence[Instrument], facts: Facts) -> Flags:
    """Return which instruments a fault strikes: of a symbol, one conId, and a share of them, shape (n,).

    The share is taken by a hash of the conId, so that a fault of the same `seed` strikes the same contracts in every
    run.
    """
    symbol, con_id, share = facts["symbol"].upper(), facts["con_id"], facts["share"]
    return np.array([
        (not symbol or instrument.symbol == symbol)
        and (not con_id or instrument.con_id == con_id)
        and zlib.crc32(f"{facts['seed']}:{instrument.con_id}".encode()) < share * 2**32
        for instrument in instruments
    ], dtype=bool)  # fmt: skip


def _copied(board: Board) -> tuple[dict[str, Floats], Floats]:
    return {name: np.array(column) for name, column in board.values.items()}, board.computations.copy()
