"""IB's limits: messages a second, market-data lines, and the pacing of historical requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

#: Clients that send the permitted 45 a second at one stroke arrive with some jitter, so a window of one second is
#: judged over a little less; a client that keeps to 50 a second never meets the limit.
WINDOW_S = 0.9
VIOLATIONS = 3
VIOLATION_S = 0.1
SMALL_BAR_S = 30
PACING_TEXT = "Historical data request pacing violation"


@dataclass(frozen=True)
class Limits:
    """What one gateway grants its clients; `enforced=False` switches every limit off.

    Attributes
    ----------
    messages_per_s : int
        Requests a client may send in a second; the excess is refused with error 100, and a client that goes on is
        disconnected.
    lines : int
        Market-data lines of all clients together (error 101).
    historical_open, historical_per_10_min, historical_burst : int
        Historical requests that may be unanswered, that may be made in 10 minutes for bars of at most 30 seconds
        (BID_ASK counts twice), and that must not be reached for one contract within 2 seconds.
    historical_identical_s : float
        Seconds before the same request for small bars may be repeated.
    depth, tick_by_tick, scanners, clients : int
        Simultaneous books, tick-by-tick feeds, scans and clients.
    """

    messages_per_s: int = 50
    lines: int = 100
    historical_open: int = 50
    historical_per_10_min: int = 60
    historical_burst: int = 6
    historical_identical_s: float = 15.0
    depth: int = 3
    tick_by_tick: int = 5
    scanners: int = 10
    clients: int = 32
    enforced: bool = True


class MessageGate:
    """Counts one client's messages over a sliding window."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.messages_per_s if limits.enforced else 0
        self._times: deque[float] = deque(maxlen=self._limit or 1)
        self._violations: deque[float] = deque()
        self._refused = 0

    @property
    def violations(self) -> int:
        """How often the limit was passed since the last quiet window."""
        return len(self._violations)

    def admit(self, at: float, since: float | None = None) -> bool:
        """Tell whether a message is within the limit.

        Parameters
        ----------
        at : float
            When it was read, in seconds of a monotonic clock.
        since : float, optional
            The earliest moment at which it may have arrived, when the gateway could not read before. It is refused
            only if no moment since then would have done.
        """
        if not self._limit:
            return True
        times = self._times
        arrived = max(at if since is None else since, times[-1] if times else 0.0)
        if len(times) == self._limit:
            arrived = max(arrived, times[0] + WINDOW_S)
        if arrived <= at:
            if arrived - (times[-1] if times else 0.0) > WINDOW_S:
                self._refused = 0
            times.append(arrived)
            return True
        self._refused += 1
        if not self._violations or at - self._violations[-1] > VIOLATION_S:
            self._violations.append(at)
        while at - self._violations[0] > 60.0:
            self._violations.popleft()
        return False

    @property
    def exhausted(self) -> bool:
        """True once IB would disconnect the client: it goes on, or sent more than twice the limit at one stroke."""
        return len(self._violations) >= VIOLATIONS or self._refused > self._limit


class HistoricalGate:
    """The pacing rules of historical requests, over all clients of a gateway."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recent: deque[tuple[float, Hashable, Hashable, int]] = deque()

    def refuse(self, request: Hashable, contract: Hashable, *, bar_s: int, weight: int, at: float) -> str:
        """Return why a request must wait, "" when it may go; one that may go is counted.

        Parameters
        ----------
        request, contract : hashable
            What makes two requests identical, and what makes them ask for the same contract, exchange and kind.
        bar_s : int
            Seconds of a bar; bars longer than 30 s are not paced.
        weight : int
            2 for BID_ASK, else 1.
        at : float
            Seconds, monotonic.
        """
        limits, recent = self._limits, self._recent
        if not limits.enforced or bar_s > SMALL_BAR_S:
            return ""
        while recent and at - recent[0][0] > 600.0:
            recent.popleft()
        same = sum(1 for when, key, _, _ in recent if key == request and at - when < limits.historical_identical_s)
        burst = sum(count for when, _, key, count in recent if key == contract and at - when < 2.0)
        total = sum(count for _, _, _, count in recent)
        if same or burst + weight >= limits.historical_burst or total + weight > limits.historical_per_10_min:
            return PACING_TEXT
        recent.append((at, request, contract, weight))
        return ""
