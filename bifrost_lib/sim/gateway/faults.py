"""Faults that are active on a gateway: started, ended, lasting for a time, and asked about by whoever serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.gateway.quote_faults import QuoteFaults

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway

Facts = dict[str, Any]
Act = Callable[["SimulatedGateway", Facts], None]


@dataclass(frozen=True)
class FaultKind:
    """One fault by the name that users type.

    Attributes
    ----------
    facts : mapping of str to default
        What can be said about it; the default's type is the type.
    start, end : callables
        What happens when it begins and when it is over.
    lasts : bool
        False for what happens once and is over.
    """

    name: str
    help: str
    facts: Mapping[str, Any]
    start: Act
    end: Act | None = None
    lasts: bool = True


KINDS: dict[str, FaultKind] = {}


def fault(name: str, help: str, *, end: Act | None = None, lasts: bool = True, **facts: Any) -> Callable[[Act], Act]:
    """Declare what a fault does when it begins; see `FaultKind`."""

    def keep(start: Act) -> Act:
        KINDS[name] = FaultKind(name, help, facts, start, end, lasts)
        return start

    return keep


@dataclass
class Faults:
    """The faults of one gateway.

    Attributes
    ----------
    active : dict of str to dict
        Facts of each fault that lasts, by name.
    quotes : QuoteFaults
        What they do to quotes.
    """

    active: dict[str, Facts] = field(default_factory=dict)
    _gateway: SimulatedGateway | None = None
    _ends: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quotes = QuoteFaults(self.active)

    def attach(self, gateway: SimulatedGateway) -> None:
        """Act on this gateway from now on; faults that were set before begin."""
        self._gateway = gateway
        early, self.active = dict(self.active), {}
        self.quotes = QuoteFaults(self.active)
        for name, facts in early.items():
            self.inject(name, **facts)

    def inject(self, name: str, **facts: Any) -> str:
        """Start a fault, or start it again with other facts; return one line that says what is the case now.

        Parameters
        ----------
        name : str
            One of `KINDS`.
        **facts
            What the fault takes, as values or as text, and `duration` in seconds, after which it ends by itself.

        Raises
        ------
        UnknownNameError
            For a fault or a fact that does not exist; `nearest` is what may have been meant.
        InputError
            For a fact that cannot be read.
        """
        kind = _kind(name)
        duration = _number("duration", facts.pop("duration", 0.0))
        given = {**kind.facts, **{key: _typed(kind, key, value) for key, value in facts.items()}}
        if self._gateway is None:
            self.active[name] = {**given, "duration": duration}
            return f"{name} begins with the gateway"
        self._unschedule(name)
        if kind.lasts:
            self.active[name] = given
        kind.start(self._gateway, given)
        if not kind.lasts:
            return f"{name} done"
        if duration:
            self._ends[name] = self._gateway.loop.call_later(duration, self.clear, name)
            return f"{name} for {duration:g} s"
        return f"{name} until cleared"

    def clear(self, name: str = "") -> str:
        """End one fault, or all of them."""
        if name:
            _kind(name)
        names = [name] if name else list(self.active)
        ended = [each for each in names if self._end(each)]
        return f"ended: {', '.join(ended)}" if ended else "nothing to end"

    def is_active(self, name: str) -> bool:
        """Tell whether a fault is going on."""
        return name in self.active

    def number(self, name: str, fact: str, default: float) -> float:
        """Return a number of an active fault, or the default when it is not active."""
        facts = self.active.get(name)
        return default if facts is None else float(facts[fact])

    def farm_is_broken(self, farm: str) -> bool:
        """Tell whether nothing comes from a farm: data, hmds or secdef."""
        if self.is_active("connectivity-lost") or self.is_active("nightly-reset"):
            return True
        facts = self.active.get("farm-broken")
        return facts is not None and facts["farm"] in (farm, "all")

    @property
    def data_flows(self) -> bool:
        """False while no client can get market data."""
        return not self.farm_is_broken("data") and not self.is_active("competing-session")

    def close(self) -> None:
        """Forget the timers of a gateway that ends."""
        for name in list(self._ends):
            self._unschedule(name)

    def _end(self, name: str) -> bool:
        self._unschedule(name)
        facts = self.active.pop(name, None)
        if facts is None:
            return False
        end = KINDS[name].end
        if end is not None and self._gateway is not None:
            end(self._gateway, facts)
        return True

    def _unschedule(self, name: str) -> None:
        timer = self._ends.pop(name, None)
        if timer is not None:
            timer.cancel()


def _kind(name: str) -> FaultKind:
    from bifrost_lib.sim.gateway import fault_kinds  # noqa: F401 (declares them)

    if name not in KINDS:
        raise UnknownNameError("fault", name, KINDS)
    return KINDS[name]


def _typed(kind: FaultKind, key: str, value: Any) -> Any:
    if key not in kind.facts:
        raise UnknownNameError(f"fact of {kind.name}", key, [*kind.facts, "duration"])
    default = kind.facts[key]
    if isinstance(default, str):
        return str(value)
    number = _number(key, value)
    return int(number) if isinstance(default, int) else number


def _number(key: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(key, value, "a number") from None
    if not number >= 0 or number == float("inf"):
        raise InputError(key, value, "a number >= 0")
    return number
