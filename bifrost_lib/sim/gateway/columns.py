"""Which tick tells which number of the board, and what generic ticks it takes to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.exchange import Board
from bifrost_lib.sim.instruments import Instrument

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: What a column holds where the exchange shows nothing, and before anything was sent: both compare with themselves.
NOTHING, UNSENT = -np.inf, np.inf


@dataclass(frozen=True)
class Column:
    """One number of a line: its ticks (live and delayed, -1: never), and the generic ticks that ask for it."""

    name: str
    kind: str  # price, size, generic, time, trade
    live: int
    delayed: int
    generics: frozenset[int] = frozenset()


def _asked(*generics: int) -> frozenset[int]:
    return frozenset(generics)


COLUMNS: tuple[Column, ...] = (
    Column("bid", "price", 1, 66),
    Column("bid_size", "size", 0, 69),
    Column("ask", "price", 2, 67),
    Column("ask_size", "size", 3, 70),
    Column("last", "price", 4, 68),
    Column("last_size", "size", 5, 71),
    Column("volume", "size", 8, 74),
    Column("high", "price", 6, 72),
    Column("low", "price", 7, 73),
    Column("close", "price", 9, 75),
    Column("open", "price", 14, 76),
    Column("last_trade_s", "time", 45, 88),
    Column("halted", "generic", 49, 90),
    Column("mark", "price", 37, 37, _asked(221, 232)),
    Column("call_open_interest", "size", 27, 27, _asked(101)),
    Column("put_open_interest", "size", 28, 28, _asked(101)),
    Column("call_volume", "size", 29, -1, _asked(100)),
    Column("put_volume", "size", 30, -1, _asked(100)),
    Column("average_option_volume", "size", 87, -1, _asked(105)),
    Column("hist_vol", "generic", 23, -1, _asked(104)),
    Column("implied_vol", "generic", 24, 24, _asked(106)),
    Column("shortable", "generic", 46, 46, _asked(236)),
    Column("shortable_shares", "size", 89, 89, _asked(236)),
    Column("trade_count", "generic", 54, -1, _asked(293)),
    Column("real_time_hist_vol", "generic", 58, -1, _asked(411)),
    Column("last_regular_trade", "price", 57, -1, _asked(318)),
    Column("trade", "trade", 48, -1, _asked(233)),
)
INDEX: dict[str, int] = {column.name: index for index, column in enumerate(COLUMNS)}
PRICES_WITH_SIZES = tuple((INDEX[name], INDEX[f"{name}_size"]) for name in ("bid", "ask", "last"))
SIZE_OF = dict(PRICES_WITH_SIZES)
#: Sides that are reported as empty when a line begins without them.
QUOTE_COLUMNS = tuple(INDEX[name] for name in ("bid", "ask"))
_FROM_BOARD = {"real_time_hist_vol": "hist_vol", "last_regular_trade": "last", "trade": "volume"}
_BY_RIGHT = {"call_open_interest": "open_interest", "put_open_interest": "open_interest",
             "call_volume": "option_volume", "put_volume": "option_volume"}  # fmt: skip

#: Ticks of the four computations, and IB's numbers for those that were not made.
COMPUTATION_TICKS = {False: (10, 11, 12, 13), True: (80, 81, 82, 83)}
NOT_COMPUTED = np.array([-1.0, -2.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0])

#: Generic ticks that stand for other messages than ticks of the board, or that this exchange has nothing to tell of.
OTHER_GENERICS = frozenset({
    165, 225, 258, 292, 294, 295, 370, 375, 377, 381, 384, 387, 388, 391, 405, 407, 428, 439, 456, 459, 460, 499, 506,
    511, 512, 576, 577, 578, 586, 587, 588, 595, 614, 619, 623,
})  # fmt: skip
GENERICS = OTHER_GENERICS.union(*(column.generics for column in COLUMNS))


@dataclass(frozen=True)
class Kinds:
    """What a column means depends on whether a row is a call, a put or an underlying; shapes (n,)."""

    is_call: Flags
    is_put: Flags

    @classmethod
    def of(cls, instruments: Sequence[Instrument]) -> Kinds:
        return cls(
            np.array([instrument.right == "C" for instrument in instruments], dtype=bool),
            np.array([instrument.right == "P" for instrument in instruments], dtype=bool),
        )


def matrix(board: Board, kinds: Kinds) -> Floats:
    """Return the board as numbers by line and column, shape (n, columns), NOTHING where nothing is shown."""
    values = board.values
    blocks = []
    for column in COLUMNS:
        block = values[_FROM_BOARD.get(column.name, column.name)]
        own = _BY_RIGHT.get(column.name)
        if own is not None:
            mine, other = (kinds.is_call, kinds.is_put)[:: 1 if column.name.startswith("call") else -1]
            block = np.where(mine, values[own], np.where(other, 0.0, block))
        blocks.append(block)
    table = np.column_stack(blocks)
    table[np.isnan(table)] = NOTHING
    return table


def computed(computations: Floats) -> Floats:
    """Return computations (n, 4, 8) with IB's numbers where there are none."""
    return np.where(np.isnan(computations), NOT_COMPUTED, computations)


@lru_cache(maxsize=256)
def mask_of(generics: frozenset[int], *, is_delayed: bool) -> Flags:
    """Return which columns a line with these generic ticks is told, shape (columns,)."""
    return np.array([
        (not column.generics or bool(column.generics & generics)) and (not is_delayed or column.delayed >= 0)
        for column in COLUMNS
    ])  # fmt: skip
