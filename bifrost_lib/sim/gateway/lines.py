"""The market-data lines of one client: what was sent of each, and the bytes that tell what changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isnan

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.gateway.columns import (
    COLUMNS,
    COMPUTATION_TICKS,
    NOTHING,
    PRICES_WITH_SIZES,
    QUOTE_COLUMNS,
    SIZE_OF,
    UNSENT,
    Flags,
    Floats,
    mask_of,
)
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import frame, tick_computation, tick_generic, tick_price, tick_size, tick_string

_TICKS = {
    False: tuple(column.live for column in COLUMNS),
    True: tuple(column.delayed for column in COLUMNS),
}
_KINDS = tuple(column.kind for column in COLUMNS)
_BY_NAME = {column.name: index for index, column in enumerate(COLUMNS)}
_LAST, _LAST_SIZE, _TIME = _BY_NAME["last"], _BY_NAME["last_size"], _BY_NAME["last_trade_s"]
_HIGH, _LOW = _BY_NAME["high"], _BY_NAME["low"]
CAN_AUTO_EXECUTE = 1
#: What a new line was told: nothing. Copies of these are made by the thousand.
_INDEX_UNSENT = np.full(len(COLUMNS), NOTHING)
_QUOTES_UNSENT = np.where(np.isin(np.arange(len(COLUMNS)), QUOTE_COLUMNS), UNSENT, NOTHING)
_COMPUTATIONS_UNSENT = np.full((4, 8), UNSENT)


@dataclass(eq=False)
class Line:
    """One subscription. `sent` (columns,) and `sent_computations` (4, 8) are what the client was told last."""

    req_id: int
    instrument: Instrument
    generics: frozenset[int]
    is_delayed: bool = False
    is_mute: bool = False  # refused by a fault, such as a competing session
    mask: Flags = field(init=False)
    sent: Floats = field(init=False)
    sent_computations: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.mask = mask_of(self.generics, is_delayed=self.is_delayed)
        self.forget()

    def forget(self) -> None:
        """Begin anew: everything will be told again."""
        self.sent = (_INDEX_UNSENT if self.instrument.sec_type == "IND" else _QUOTES_UNSENT).copy()
        self.sent_computations = _COMPUTATIONS_UNSENT.copy()

    @property
    def is_option(self) -> bool:
        """True for lines with Greeks."""
        return self.instrument.sec_type == "OPT"


class LineGroup:
    """Lines that are looked at on the same beat, with their memory as arrays."""

    def __init__(self, lines: Sequence[Line], row_of: dict[int, int]) -> None:
        self.lines = list(lines)
        self.rows: npt.NDArray[np.intp] = np.array([row_of[line.instrument.con_id] for line in lines], dtype=np.intp)
        self.mask = np.array([line.mask for line in lines])
        self.sent = np.array([line.sent for line in lines])
        self.sent_computations = np.array([line.sent_computations for line in lines])
        self.has_computations = np.array([line.is_option for line in lines])
        for index, line in enumerate(lines):
            line.sent, line.sent_computations = self.sent[index], self.sent_computations[index]

    def changes(self, table: Floats, computations: Floats, told: Flags, greeks: Flags) -> list[bytes]:
        """Return the messages that bring the client up to the given state, and remember it.

        Parameters
        ----------
        table : array (m, columns)
            Numbers of all instruments that some client follows; a line finds its own by its row.
        computations : array (m, 4, 8)
        told, greeks : array (m,)
            False where nothing may be said at present, and where nothing is computed.
        """
        rows = self.rows
        allowed = told[rows]
        now = table[rows]
        changed = (now != self.sent) & self.mask & allowed[:, None]
        for price, size in PRICES_WITH_SIZES:
            changed[:, size] &= ~changed[:, price]
        out: list[bytes] = []
        if changed.any():
            self._tell_columns(out, now, changed)
        # A price that changed has told its size too, so all columns of a line are up to date now.
        self.sent[allowed] = now[allowed]
        self._tell_computations(out, computations[rows], allowed & self.has_computations & greeks[rows])
        return out

    def _tell_columns(self, out: list[bytes], now: Floats, changed: Flags) -> None:
        rows, columns = np.nonzero(changed)
        values = now.tolist()
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            line = self.lines[row]
            _tell(out, line.req_id, _TICKS[line.is_delayed][column], column, values[row])

    def _tell_computations(self, out: list[bytes], now: Floats, allowed: Flags) -> None:
        sent = self.sent_computations
        # A fault can make literal NaN, which is told once.
        changed = ((now != sent) & ~(np.isnan(now) & np.isnan(sent))).any(axis=2) & allowed[:, None]
        rows, sides = np.nonzero(changed)
        for row, side, numbers in zip(rows.tolist(), sides.tolist(), now[rows, sides].tolist(), strict=True):
            line = self.lines[row]
            out.append(_computation(line.req_id, COMPUTATION_TICKS[line.is_delayed][side], numbers))
        sent[rows, sides] = now[rows, sides]


def _tell(out: list[bytes], req_id: int, tick: int, column: int, values: list[float]) -> None:
    value, kind = values[column], _KINDS[column]
    if kind == "price":
        size = values[SIZE_OF[column]] if column in SIZE_OF else 0.0
        if value == NOTHING:
            if column in QUOTE_COLUMNS:
                out.append(tick_price(req_id, tick, -1.0, 0.0, 0))
            return
        mask = CAN_AUTO_EXECUTE if column in QUOTE_COLUMNS else 0
        out.append(tick_price(req_id, tick, value, max(size, 0.0), mask))
        if column in SIZE_OF and size != NOTHING:
            out.append(tick_size(req_id, tick_of_size(tick), size))
    elif value == NOTHING:
        if column in SIZE_OF.values():
            out.append(tick_size(req_id, tick, 0.0))
    elif kind == "size":
        out.append(tick_size(req_id, tick, value))
    elif kind == "generic":
        out.append(tick_generic(req_id, tick, value))
    elif kind == "time":
        out.append(tick_string(req_id, tick, str(int(value))))
    else:
        out.append(tick_string(req_id, tick, _trade_text(values, value)))


def _computation(req_id: int, tick: int, numbers: list[float]) -> bytes:
    if isnan(numbers[1]):  # a fault: the literal that some gateways were seen to send
        return frame("\0".join(["21", str(req_id), str(tick), "0", *(["nan"] * 8), ""]))
    iv, delta, price, carried, gamma, vega, theta, spot = numbers
    return tick_computation(req_id, tick, iv, delta, price, carried, gamma, vega, theta, spot)


def tick_of_size(price_tick: int) -> int:
    """Return the tick of the size that belongs to a bid, ask or last price."""
    return {1: 0, 2: 3, 4: 5, 66: 69, 67: 70, 68: 71}[price_tick]


def _trade_text(values: list[float], volume: float) -> str:
    # RTVolume: price;size;milliseconds;volume;VWAP;whether one market maker filled it.
    price, size, moment = values[_LAST], values[_LAST_SIZE], values[_TIME]
    if NOTHING in (price, moment):
        return f";0;0;{volume:g};;true"
    middle = (values[_HIGH] + values[_LOW] + price) / 3 if values[_HIGH] != NOTHING else price
    return f"{price!r};{max(size, 0.0):.0f};{int(moment * 1000)};{volume:.0f};{middle:.6f};true"


@dataclass
class LineTable:
    """Every line of a client, by request id, and the groups made of them for the present beat.

    `snapshots` holds the timers that will end the snapshots under way.
    """

    by_req_id: dict[int, Line] = field(default_factory=dict)
    snapshots: dict[int, asyncio.TimerHandle] = field(default_factory=dict)
    groups: dict[bool, LineGroup] = field(default_factory=dict)

    def regroup(self, row_of: dict[bool, dict[int, int]]) -> None:
        """Make the groups anew, options apart from the rest, after lines came or went."""
        self.groups = {}
        for is_option, rows in row_of.items():
            lines = [line for line in self.by_req_id.values() if line.is_option == is_option and not line.is_mute]
            if lines:
                self.groups[is_option] = LineGroup(lines, rows)

    def __len__(self) -> int:
        return len(self.by_req_id) + len(self.snapshots)

    def end(self) -> None:
        """Forget the snapshots under way."""
        for timer in self.snapshots.values():
            timer.cancel()

    def instruments(self) -> Iterable[Instrument]:
        """Yield the instrument of every line that is served."""
        return (line.instrument for line in self.by_req_id.values() if not line.is_mute)
