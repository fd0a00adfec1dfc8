"""Which contracts have fallen silent while others go on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Beat:
    last: float
    typical_s: float  # exponential average of the interval between ticks, 0 before the second tick
    suspicious_s: float = 0.0  # silence that is suspected next; doubles while it stays silent


class StaleDetector:
    """Learns how often each contract ticks. All times are seconds of the session's clock.

    A contract is stale when it is silent for longer than `factor` times its typical interval and `least_s`, while
    others were heard in the meantime; when nobody is heard, the market may be closed, so that all are stale only
    once the feed as a whole has been silent for `factor` times `least_s`.
    """

    WEIGHT = 0.2

    def __init__(self, *, factor: float = 20.0, least_s: float = 60.0) -> None:
        self._factor, self._least_s = factor, least_s
        self._beats: dict[int, _Beat] = {}
        self._last_of_all = float("-inf")
        self._feed_limit_s = factor * least_s

    def heard(self, con_id: int, now: float) -> None:
        """A contract ticked."""
        self._last_of_all = now
        self._feed_limit_s = self._factor * self._least_s
        beat = self._beats.get(con_id)
        if beat is None:
            self._beats[con_id] = _Beat(now, 0.0)
            return
        interval = now - beat.last
        beat.typical_s += (self.WEIGHT if beat.typical_s else 1.0) * (interval - beat.typical_s)
        beat.last, beat.suspicious_s = now, 0.0

    def forget(self, con_id: int) -> None:
        """A contract is no longer followed."""
        self._beats.pop(con_id, None)

    def stale(self, now: float) -> list[int]:
        """Return the contracts to ask for again; each again only after twice the silence."""
        if not self._beats:
            return []
        if now - self._last_of_all > self._feed_limit_s:
            self._feed_limit_s *= 2.0
            return list(self._beats)
        return [con_id for con_id, beat in self._beats.items() if self._is_stale(beat, now)]

    def _is_stale(self, beat: _Beat, now: float) -> bool:
        limit = beat.suspicious_s or max(self._least_s, self._factor * beat.typical_s)
        if now - beat.last <= limit or self._last_of_all <= beat.last + limit / 2.0:
            return False
        beat.suspicious_s = 2.0 * limit
        return True
