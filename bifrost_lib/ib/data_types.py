"""Which kind of market data to ask for: live, else frozen when the market is closed, else delayed."""

from __future__ import annotations

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4


class DataTypes:
    """The ladder of one connection. IB keeps the type per connection, for requests that come later.

    Times are seconds of the session's clock.
    """

    FIRST_RETREAT_S, LONGEST_RETREAT_S = 60.0, 3600.0

    def __init__(self) -> None:
        self.number = LIVE
        self._retreat_s = self.FIRST_RETREAT_S
        self._live_again: float | None = None
        self._returned = float("-inf")

    @property
    def delayed(self) -> bool:
        """Whether quotes are asked for that are 15 minutes old."""
        return self.number in (DELAYED, DELAYED_FROZEN)

    def connected(self) -> None:
        """Begin at the top: the gateway has forgotten what an earlier connection said."""
        self.number, self._live_again = LIVE, None

    def lower(self, asked: int, *, is_open: bool) -> bool:
        """Take the next rung because the account has no right to data of type `asked`.

        Returns
        -------
        bool
            Whether asking again makes sense; True also when another refusal has already lowered the type.
        """
        if self.number != asked:
            return True
        below = {LIVE: DELAYED, FROZEN: DELAYED} if is_open else {LIVE: FROZEN, FROZEN: DELAYED_FROZEN}
        if asked not in below:
            return False
        self.number = below[asked]
        return True

    def retreat(self, asked: int, now: float, *, is_open: bool) -> bool:
        """Leave live data to another session of the same user, and return after a pause that doubles."""
        if self.number != asked:
            return True
        if self.delayed:
            return False
        self.number = DELAYED if is_open else DELAYED_FROZEN
        if now - self._returned > 2.0 * self._retreat_s:  # live data came undisturbed for long enough
            self._retreat_s = self.FIRST_RETREAT_S
        self._live_again = now + self._retreat_s
        self._retreat_s = min(self.LONGEST_RETREAT_S, 2.0 * self._retreat_s)
        return True

    def is_due(self, now: float) -> bool:
        """Tell whether live data should be tried again; True once for each retreat."""
        if self._live_again is None or now < self._live_again:
            return False
        self.number, self._live_again, self._returned = LIVE, None, now
        return True
