"""The day's executions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bifrost_lib.sim.broker.moments import parse_moment_text
from bifrost_lib.sim.wire import CommissionReport, ExecutionData, ReqExecutions

_SIDES = {"BUY": "BOT", "SELL": "SLD", "SSHORT": "SLD"}


@dataclass(frozen=True, slots=True)
class Record:
    """One execution; combinations as a whole have no commission report."""

    ts: datetime
    execution: ExecutionData
    report: CommissionReport | None


class Tape:
    """Executions in the order they happened, with ids that never repeat."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._sequence = 0

    def new_ids(self, perm_id: int, count: int) -> list[str]:
        """Return ids for the parts of one execution."""
        self._sequence += 1
        return [f"{perm_id & 0xFFFFFFFF:08x}.{self._sequence:08x}.01.{part + 1:02d}" for part in range(count)]

    def forget(self, before: datetime) -> None:
        """Forget executions before a moment."""
        self.records = [record for record in self.records if record.ts >= before]

    def matching(self, request: ReqExecutions) -> list[tuple[ExecutionData, CommissionReport | None]]:
        """Return executions that pass a filter; its empty fields let everything through."""
        since = parse_moment_text(request.time)
        side = _SIDES.get(request.side.upper(), request.side.upper())
        found = []
        for record in self.records:
            told = record.execution
            passes = (
                (since is None or record.ts >= since)
                and request.client_id in (0, told.client_id)
                and request.account in ("", told.account)
                and request.symbol in ("", told.contract.symbol)
                and request.sec_type in ("", told.contract.sec_type)
                and request.exchange in ("", told.exchange, told.contract.exchange)
                and side in ("", told.side)
            )
            if passes:
                found.append((replace(told, req_id=request.req_id), record.report))
        return found
