"""How much of IB's allowance a gateway session may use, and how patient it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

#: Lines that stand for "as many as wanted": what keeps a socket busy without a limit on IB's side. Each ticks until it
#: is cancelled, so more of them cost decoding and bring nothing: a chain takes half as long with 500 as with 1000.
PLENTY_OF_LINES = 500


@dataclass(frozen=True)
class Limits:
    """The allowance of one gateway login.

    Parameters
    ----------
    messages_per_s : float or None
        Messages sent in any second, all together; IB disconnects above 50. None: no limit.
    lines : int or None
        Market-data lines at once; IB gives 100 to a small account. None: no limit.
    history : bool
        Keep IB's rules for historical data.
    minimum_hold_s : float
        Seconds a line is kept before it is cancelled, for gateways that answer a quick cancel with error 300.
    firm : bool
        Keep all this also at a simulated gateway that says that it enforces nothing.
    """

    messages_per_s: float | None = 45.0
    lines: int | None = 100
    history: bool = True
    minimum_hold_s: float = 0.0
    firm: bool = True

    def __post_init__(self) -> None:
        if self.messages_per_s is not None and not 0 < self.messages_per_s < float("inf"):
            raise InputError("messages_per_s", self.messages_per_s, "a number > 0, or None for no limit")
        if self.lines is not None and self.lines < 1:
            raise InputError("lines", self.lines, "a whole number >= 1, or None for no limit")
        if not self.minimum_hold_s >= 0:
            raise InputError("minimum_hold_s", self.minimum_hold_s, "a number >= 0")


def configured_limits(settings: Settings) -> Limits:
    """Return what the settings allow; a simulated gateway without limits is used without them."""
    return Limits(messages_per_s=settings.ib_messages_per_s, lines=settings.ib_lines, firm=False)


def sum_of_limits(each: Sequence[Limits]) -> Limits:
    """Return what several logins may use together; without a limit where one of them has none."""
    lines, messages = ([getattr(one, name) for one in each] for name in ("lines", "messages_per_s"))
    return replace(
        each[0],
        lines=None if None in lines else sum(lines),
        messages_per_s=None if None in messages else sum(messages),
    )


#: For a simulated gateway that enforces nothing.
UNLIMITED = Limits(messages_per_s=None, lines=None, history=False)


@dataclass(frozen=True)
class Patience:
    """Seconds of the session's clock that things may take.

    Attributes
    ----------
    connect_s : float
        From the TCP connection to the account list; of the machine, because a socket knows no other time.
    request_s : float
        For the answer to a request.
    heartbeat_s : float
        Silence after which the gateway is asked for its time.
    answer_s : float
        For that answer, before the socket counts as half-open.
    settle_s : float
        How long a line that has a quote waits for greeks and open interest.
    backoff_s, backoff_cap_s : float
        First and longest pause between attempts to connect.
    degraded_s : float
        How long notices of trouble are believed. Then the connection is made anew: the good news may have been lost,
        and a gateway tells every new connection how things stand.
    floor_s : float
        Seconds of the machine that any answer is granted, however fast the clock runs.
    """

    connect_s: float = 5.0
    request_s: float = 30.0
    heartbeat_s: float = 30.0
    answer_s: float = 10.0
    settle_s: float = 2.0
    backoff_s: float = 1.0
    backoff_cap_s: float = 300.0
    degraded_s: float = 90.0
    floor_s: float = 0.25
