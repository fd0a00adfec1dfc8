"""The beat: what changed on the board since a client was told, to every client, at most ten times a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bifrost_lib.sim.exchange import Board
from bifrost_lib.sim.gateway.columns import Flags, Floats, Kinds, computed, matrix
from bifrost_lib.sim.gateway.lines import Line, LineGroup
from bifrost_lib.sim.instruments import Instrument

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway
    from bifrost_lib.sim.gateway.session import Session

#: Seconds of one beat; options are looked at on every second one, everything else on every fifth, as IB does.
BEAT_S = 0.05
EVERY = {True: 2, False: 5}


class Union:
    """The instruments that at least one client follows, each once."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.instruments = list({instrument.con_id: instrument for instrument in instruments}.values())
        self.con_ids = [instrument.con_id for instrument in self.instruments]
        self.row_of = {con_id: row for row, con_id in enumerate(self.con_ids)}
        self.kinds = Kinds.of(self.instruments)


class Feed:
    """Serves the lines of all clients from one look at the market."""

    def __init__(self, gateway: SimulatedGateway) -> None:
        self._gateway = gateway
        self._unions: dict[bool, Union] = {}
        self._is_changed = False
        self._waiting: list[tuple[Session, Line]] = []

    def changed(self) -> None:
        """Note that lines came or went."""
        self._is_changed = True

    def begin(self, session: Session, line: Line) -> None:
        """Tell a new line everything at the end of this turn, together with others that began in it."""
        if not self._waiting:
            self._gateway.loop.call_soon(self._tell_new)
        self._waiting.append((session, line))

    def beat(self, count: int) -> None:
        """Send what changed on the lines whose turn it is on beat number `count`."""
        if self._is_changed:
            self._regroup()
        for is_option, union in self._unions.items():
            if union.con_ids and count % EVERY[is_option] == 0:
                self._serve(is_option, union)

    def _serve(self, is_option: bool, union: Union) -> None:
        groups = [
            (session, group)
            for session in self._gateway.sessions
            if not session.is_held and (group := session.lines.groups.get(is_option)) is not None
        ]
        if not groups:
            return
        state = self.look(union)
        for session, group in groups:
            messages = group.changes(*state)
            if messages:
                session.write(b"".join(messages))

    def look(self, union: Union) -> tuple[Floats, Floats, Flags, Flags]:
        """Return numbers, computations, and where anything and where Greeks may be told, as the faults let them be."""
        gateway = self._gateway
        board = gateway.market.quotes(union.con_ids)
        view = gateway.faults.quotes.seen(union.instruments, board)
        return matrix(view.board, union.kinds), computed_or_literal(view.board, view.literal), view.told, view.greeks

    def _regroup(self) -> None:
        self._is_changed = False
        sessions = self._gateway.sessions
        for is_option in (True, False):
            self._unions[is_option] = Union(
                [
                    instrument
                    for session in sessions
                    for instrument in session.lines.instruments()
                    if (instrument.sec_type == "OPT") == is_option
                ]
            )
        rows = {is_option: union.row_of for is_option, union in self._unions.items()}
        for session in sessions:
            session.lines.regroup(rows)

    def _tell_new(self) -> None:
        waiting, self._waiting = self._waiting, []
        gateway = self._gateway
        known = gateway.market.instruments
        alive = [
            (session, line)
            for session, line in waiting
            if session in gateway.sessions and known.by_con_id(line.instrument.con_id) is not None
        ]
        if not alive or not gateway.faults.data_flows:
            return
        union = Union([line.instrument for _, line in alive])
        state = self.look(union)
        for session in {session: None for session, _ in alive}:
            lines = [line for owner, line in alive if owner is session and not line.is_mute]
            if lines:
                # What a line was told is kept by the line itself until the next beat makes groups.
                session.write(b"".join(LineGroup(lines, union.row_of).changes(*state)))
        self.changed()


def computed_or_literal(board: Board, literal: Flags | None) -> Floats:
    """Return computations with IB's numbers for missing ones, or NaN where a fault asks for the literal."""
    found = computed(board.computations)
    if literal is not None:
        found[literal] = np.nan
    return found
