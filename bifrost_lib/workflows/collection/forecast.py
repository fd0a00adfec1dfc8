"""How long a sweep will take: what the message allowance and the lines permit, learnt from the sweeps before."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.ib import Limits

#: A line is asked for and given back.
MESSAGES_PER_CONTRACT = 2
#: Looking up the underlying, its classes and one expiry: none of it is repeated on the same day.
SETUP_S = 0.5
_WEIGHT = 0.3  # of the newest sweep in what is learnt


@dataclass
class Forecast:
    """Predicts the duration of sweeps of one gateway.

    Attributes
    ----------
    limits : Limits
        What the session may use.
    line_s : float
        How long a contract keeps its line, learnt; at first a guess for quotes that come within a second.
    own_s : float
        What one contract costs this process, learnt.
    """

    limits: Limits
    line_s: float = 1.0
    own_s: float = 0.0002

    def seconds(self, contracts: int, *, lines: int | None = None) -> float:
        """Return the predicted duration of a sweep of `contracts` that may use `lines` at once (default: all)."""
        if contracts == 0:
            return 0.0
        most = min((count for count in (lines, self.limits.lines) if count is not None), default=contracts)
        # The last lines need not be given back before the sweep is over.
        messages = contracts * self._message_s - min(contracts, most) * self._message_s / MESSAGES_PER_CONTRACT
        return SETUP_S + max(messages, contracts * self.line_s / max(1, most), contracts * self.own_s)

    def learn(self, contracts: int, seconds: float, *, lines_peak: int) -> None:
        """Take in what a sweep really took.

        Where lines were the limit, all of them were in use, and contracts times the time on a line is lines times
        seconds; where messages were, that is at least an upper bound.
        """
        if contracts < 20 or seconds <= SETUP_S:  # too short to say anything
            return
        each = (seconds - SETUP_S) / contracts
        if self.limits.lines is not None and lines_peak >= self.limits.lines and each > 1.05 * self._message_s:
            self.line_s += _WEIGHT * (each * lines_peak - self.line_s)
        elif self._message_s == 0.0:
            self.own_s += _WEIGHT * (each - self.own_s)

    @property
    def _message_s(self) -> float:
        rate = self.limits.messages_per_s
        return 0.0 if rate is None else MESSAGES_PER_CONTRACT / rate
