"""How a strategy document says which strikes a leg may have: each rule is a range with a target inside it.

The range is what a scan enumerates; the target is what the score calls a perfect fit. In a file a rule is a mapping
whose ``by`` names its kind: ``{by: delta, target: -0.16}``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, Strict
from pydantic_core import CoreSchema

from bifrost_lib.strategies.documents.mistakes import mistake
from bifrost_lib.strategies.documents.part import Name, Number, Part, Positive, Share

Delta = Annotated[float, Strict(), Field(gt=-1, lt=1)]
#: How many listed strikes away, negative below.
Steps = Annotated[int, Strict(), Field(ge=-200, le=200)]


class _Rule(Part):
    """What all rules have: the legs they refer to, in the order in which their strikes are wanted."""

    REFERS: ClassVar[tuple[str, ...]] = ()

    @property
    def refs(self) -> tuple[str, ...]:
        """Names of the legs that this rule refers to."""
        return tuple(getattr(self, name) for name in self.REFERS)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        # In a file the kind is never left out; only in Python the class says it.
        found = handler.resolve_ref_schema(handler(core))
        found["required"] = ["by", *found.get("required", [])]
        return found


class _Ranged(_Rule):
    """A target in a range [low, high], which defaults to the target alone."""

    target: Number = Field(description="the perfect value, a number")
    low: Number | None = None
    high: Number | None = None

    def model_post_init(self, context: Any) -> None:
        self._complete(**dict(zip(("low", "high"), self._default_range(), strict=True)))
        low, high = self.bounds
        if not low <= self.target <= high:
            expected = f"a value in its own range, {low:g} to {high:g}"
            raise mistake(expected, at=("target",), value=self.target)

    def _default_range(self) -> tuple[float, float]:
        return (
            self.target if self.low is None else self.low,
            self.target if self.high is None else self.high,
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, both ends included."""
        assert self.low is not None and self.high is not None  # noqa: S101 - filled in when made
        return self.low, self.high


class ByDelta(_Ranged):
    """Strikes whose delta lies in [low, high]; puts have negative deltas.

    Without `low` and `high` the range runs from half the target to twice the target, at most 0.95 in size.
    """

    target: Delta = Field(description="a delta between -1 and 1, negative for puts")
    low: Delta | None = None
    high: Delta | None = None
    by: Literal["delta"] = Field(default="delta", repr=False)

    def _default_range(self) -> tuple[float, float]:
        if self.target == 0:
            raise mistake("a delta between -1 and 1, not 0", at=("target",), value=self.target)
        near, far = 0.5 * self.target, math.copysign(min(2 * abs(self.target), 0.95), self.target)
        far = far if abs(far) > abs(self.target) else self.target
        return (
            min(near, far) if self.low is None else self.low,
            max(near, far) if self.high is None else self.high,
        )


class PctOtm(_Ranged):
    """Strikes out of the money by a share of the spot in [low, high]: 0.05 is 5 %; negative is in the money."""

    by: Literal["otm"] = Field(default="otm", repr=False)


class ByPremium(_Ranged):
    """Strikes whose mid price, in currency per share, lies in [low, high]; half to one and a half of it by default."""

    target: Positive = Field(description="a price per share > 0")
    low: Positive | None = None
    high: Positive | None = None
    by: Literal["premium"] = Field(default="premium", repr=False)

    def _default_range(self) -> tuple[float, float]:
        return (
            0.5 * self.target if self.low is None else self.low,
            1.5 * self.target if self.high is None else self.high,
        )


class AtStrike(_Ranged):
    """The strike `target`, or those in [low, high], in currency per share."""

    target: Positive = Field(description="a strike in currency per share")
    low: Positive | None = None
    high: Positive | None = None
    by: Literal["strike"] = Field(default="strike", repr=False)


class AtMoney(_Rule):
    """Strikes within a share `within` of the forward; the nearest one is always admissible."""

    within: Annotated[float, Strict(), Field(ge=0, lt=1)] = 0.025
    by: Literal["at_money"] = Field(default="at_money", repr=False)


class SameAs(_Rule):
    """The strike of an earlier leg."""

    REFERS = ("of",)

    of: Name = Field(description="the name of an earlier leg")
    by: Literal["same_as"] = Field(default="same_as", repr=False)


class Offset(_Rule):
    """The strike that lies exactly `strikes` listed strikes, or `width` in currency, from that of an earlier leg."""

    REFERS = ("of",)

    of: Name = Field(description="the name of an earlier leg")
    strikes: Steps | None = None
    width: Number | None = None
    by: Literal["offset"] = Field(default="offset", repr=False)

    def model_post_init(self, context: Any) -> None:
        given = [value for value in (self.strikes, self.width) if value is not None]
        if len(given) != 1 or given[0] == 0:
            raise mistake(
                "either a number of strikes or a width in currency, above (> 0) or below (< 0) the leg",
                at=("strikes",), value=self.strikes,
            )  # fmt: skip


class SamePremium(_Rule):
    """Strikes whose mid price is that of an earlier leg times `ratio`, within a share `within` of it."""

    REFERS = ("of",)

    of: Name = Field(description="the name of an earlier leg")
    ratio: Positive = 1.0
    within: Share = 0.25
    by: Literal["same_premium"] = Field(default="same_premium", repr=False)


class Wing(_Rule):
    """Strikes beyond that of an earlier leg, by at most `furthest` and best by `target`, as shares of the spot.

    The sign is the direction: ``Wing("short_put", target=-0.02, furthest=-0.05)`` is below it. The strike itself is
    never admissible, nor are strikes closer than `nearest`; beyond that the first `at_least` strikes always are,
    because coarse chains have wide steps.
    """

    REFERS = ("of",)

    of: Name = Field(description="the name of an earlier leg")
    target: Number = Field(description="a share of the spot, positive above and negative below the leg")
    furthest: Number = Field(description="a share of the spot at least as far out as the target")
    nearest: Number = 0.0
    at_least: Annotated[int, Strict(), Field(ge=0, le=100)] = 2
    by: Literal["wing"] = Field(default="wing", repr=False)

    def model_post_init(self, context: Any) -> None:
        if self.target == 0:
            expected = "a share of the spot, positive above and negative below the leg"
            raise mistake(expected, at=("target",), value=self.target)
        if self.target * self.furthest <= 0 or abs(self.furthest) < abs(self.target):
            expected = f"a share of the spot at least as far out as {self.target:g}"
            raise mistake(expected, at=("furthest",), value=self.furthest)
        if self.nearest * self.target < 0 or abs(self.nearest) > abs(self.target):
            raise mistake(f"a share of the spot between 0 and {self.target:g}", at=("nearest",), value=self.nearest)


class Mirror(_Rule):
    """Strikes on the other side of leg `around` from leg `of`, at `ratio` times its distance.

    The range of ratios is [low, high]; both default to `ratio`, which makes the wings equal.
    """

    REFERS = ("around", "of")

    of: Name = Field(description="the name of the earlier leg to mirror")
    around: Name = Field(description="the name of the earlier leg in the middle")
    ratio: Positive = 1.0
    low: Positive | None = None
    high: Positive | None = None
    by: Literal["mirror"] = Field(default="mirror", repr=False)

    def model_post_init(self, context: Any) -> None:
        low, high = (self.ratio if end is None else end for end in (self.low, self.high))
        self._complete(low=low, high=high)
        if not low <= self.ratio <= high:
            expected = f"a value in its own range, {low:g} to {high:g}"
            raise mistake(expected, at=("ratio",), value=self.ratio)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, both ends included."""
        assert self.low is not None and self.high is not None  # noqa: S101 - filled in when made
        return self.low, self.high


StrikeRule = Annotated[
    ByDelta | PctOtm | AtMoney | AtStrike | ByPremium | SameAs | Offset | SamePremium | Wing | Mirror,
    Field(discriminator="by"),
]
