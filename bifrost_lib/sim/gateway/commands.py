"""What the control socket understands besides faults: list, status, clear, set, advance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.gateway.faults import KINDS

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway
    from bifrost_lib.sim.market.scripted import ScriptedMarket

Command = Callable[["SimulatedGateway", dict[str, Any]], str]


def obey(gateway: SimulatedGateway, name: str, facts: dict[str, Any]) -> str:
    """Do what was asked and return what is the case now.

    Raises
    ------
    UnknownNameError
        For a name that is neither a command nor a fault.
    """
    check_name(name)
    if name in COMMANDS:
        return COMMANDS[name][0](gateway, facts)
    return gateway.faults.inject(name, **facts)


def check_name(name: str) -> None:
    """Refuse what is neither a fault nor a command; the error names the nearest."""
    from bifrost_lib.sim.gateway import fault_kinds  # noqa: F401 (declares them)

    if name not in KINDS and name not in COMMANDS:
        raise UnknownNameError("fault", name, [*KINDS, *COMMANDS])


def listing() -> str:
    """Return every fault and command with its help, one a line."""
    from bifrost_lib.sim.gateway import fault_kinds  # noqa: F401 (declares them)

    rows = [(name, kind.help, kind.facts) for name, kind in KINDS.items()]
    rows += [(name, help_, facts) for name, (_, help_, facts) in COMMANDS.items()]
    wide = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:<{wide}}  {help_}{_told(facts)}" for name, help_, facts in rows)


def _told(facts: dict[str, Any] | Any) -> str:
    return f"  [{' '.join(f'{key}={value}' for key, value in facts.items())}]" if facts else ""


def _list(_: SimulatedGateway, __: dict[str, Any]) -> str:
    return listing()


def _clear(gateway: SimulatedGateway, facts: dict[str, Any]) -> str:
    return gateway.faults.clear(str(facts.get("fault", "")))


def _status(gateway: SimulatedGateway, _: dict[str, Any]) -> str:
    clients = sorted(session.client_id for session in gateway.sessions if session.is_started)
    active = ", ".join(gateway.faults.active) or "none"
    moment = gateway.market.clock.now().isoformat(timespec="seconds")
    return f"time {moment}; clients {clients}; lines {gateway.lines_in_use()}/{gateway.line_limit:g}; faults {active}"


def _set(gateway: SimulatedGateway, facts: dict[str, Any]) -> str:
    market = _scripted(gateway)
    con_id = int(_float("con_id", facts.pop("con_id", "")))
    if market.instruments.by_con_id(con_id) is None:
        raise InputError("con_id", con_id, "a conId of the script")
    side = facts.pop("side", "")
    numbers = {name: _float(name, value) for name, value in facts.items()}
    if side:
        market.set_computation(con_id, str(side), **numbers)
    else:
        market.set(con_id, **numbers)
    return f"{con_id}: {', '.join(numbers)} set"


def _add(gateway: SimulatedGateway, facts: dict[str, Any]) -> str:
    from bifrost_lib.sim.gateway.opening import add_instrument

    found = add_instrument(_scripted(gateway), facts)
    gateway.index.forget()
    gateway.details.clear()
    return f"{found.con_id}: {found.local_symbol}"


def _scripted(gateway: SimulatedGateway) -> ScriptedMarket:
    from bifrost_lib.sim.market.scripted import ScriptedMarket

    if not isinstance(gateway.market, ScriptedMarket):
        raise InputError("market", type(gateway.market).__name__, "a scripted market, which does what it is told")
    return gateway.market


def _advance(gateway: SimulatedGateway, facts: dict[str, Any]) -> str:
    clock = gateway.market.clock
    if not isinstance(clock, SteppedClock):
        raise InputError("clock", type(clock).__name__, "a stepped clock, which moves when told to")
    clock.advance(timedelta(seconds=_float("seconds", facts.get("seconds", 0))))
    return clock.now().isoformat()


def _float(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(name, value, "a number") from None


COMMANDS: dict[str, tuple[Command, str, dict[str, Any]]] = {
    "list": (_list, "print this", {}),
    "status": (_status, "time, clients, lines in use, faults", {}),
    "clear": (_clear, "end every fault, or one", {"fault": ""}),
    "add": (_add, "scripted market: add an instrument, an option with expiry, strike and right", {"symbol": ""}),
    "set": (_set, "scripted market: show numbers (bid=.. ask=..; with side=model: iv=.. delta=..)", {"con_id": 0}),
    "advance": (_advance, "stepped clock: move on", {"seconds": 0}),
}
