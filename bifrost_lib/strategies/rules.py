"""How a strategy document says which strikes a leg may have: each rule is a range with a target inside it.

The range is what a scan enumerates; the target is what the score calls a perfect fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bifrost_lib.core.errors import InputError


@dataclass(frozen=True)
class ByDelta:
    """Strikes whose delta lies in [low, high]; puts have negative deltas.

    Without `low` and `high` the range runs from half the target to twice the target, at most 0.95 in size.
    """

    target: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not 0 < abs(self.target) < 1:
            raise InputError("target", self.target, "a delta between -1 and 1, not 0")
        near, far = 0.5 * self.target, math.copysign(min(2 * abs(self.target), 0.95), self.target)
        object.__setattr__(self, "low", min(near, far) if self.low is None else self.low)
        object.__setattr__(self, "high", max(near, far) if self.high is None else self.high)
        _check_range(self.target, self.bounds)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, both ends included."""
        return _both(self.low, self.high)

    @property
    def refs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class PctOtm:
    """Strikes out of the money by a share of the spot in [low, high]: 0.05 is 5 %; negative is in the money."""

    target: float
    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self.target, self.bounds)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, both ends included."""
        return _both(self.low, self.high)

    @property
    def refs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class AtMoney:
    """Strikes within a share `within` of the forward; the nearest one is always admissible."""

    within: float = 0.025

    def __post_init__(self) -> None:
        if not 0 <= self.within < 1:
            raise InputError("within", self.within, "a share of the forward, 0 <= within < 1")

    @property
    def refs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class SameAs:
    """The strike of an earlier leg."""

    of: str

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Wing:
    """Strikes beyond that of an earlier leg, by at most `furthest` and best by `target`, as shares of the spot.

    The sign is the direction: ``Wing("short_put", target=-0.02, furthest=-0.05)`` is below it. The strike itself is
    never admissible, nor are strikes closer than `nearest`; beyond that the first `at_least` strikes always are,
    because coarse chains have wide steps.
    """

    of: str
    target: float
    furthest: float
    nearest: float = 0.0
    at_least: int = 2

    def __post_init__(self) -> None:
        if self.target == 0 or not math.isfinite(self.target):
            raise InputError("target", self.target, "a share of the spot, positive above and negative below the leg")
        if self.target * self.furthest <= 0 or abs(self.furthest) < abs(self.target):
            raise InputError("furthest", self.furthest, f"a share of the spot at least as far out as {self.target}")
        if self.nearest * self.target < 0 or abs(self.nearest) > abs(self.target):
            raise InputError("nearest", self.nearest, f"a share of the spot between 0 and {self.target}")
        if self.at_least < 0:
            raise InputError("at_least", self.at_least, "a number of strikes >= 0")

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.of,)


@dataclass(frozen=True)
class Mirror:
    """Strikes on the other side of leg `around` from leg `of`, at `ratio` times its distance.

    The range of ratios is [low, high]; both default to `ratio`, which makes the wings equal.
    """

    of: str
    around: str
    ratio: float = 1.0
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", self.ratio if self.low is None else self.low)
        object.__setattr__(self, "high", self.ratio if self.high is None else self.high)
        _check_range(self.ratio, self.bounds)
        if not self.bounds[0] > 0:
            raise InputError("low", self.low, "a ratio > 0")

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, both ends included."""
        return _both(self.low, self.high)

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.around, self.of)


StrikeRule = ByDelta | PctOtm | AtMoney | SameAs | Wing | Mirror


def _both(low: float | None, high: float | None) -> tuple[float, float]:
    return (math.nan if low is None else low, math.nan if high is None else high)


def _check_range(target: float, bounds: tuple[float, float]) -> None:
    low, high = bounds
    if not low <= target <= high:
        raise InputError("target", target, f"a value in its own range, {low} to {high}")
