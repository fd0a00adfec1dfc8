"""What is known about a quote's worth; stored with every quote."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """The first reason, in this order, why a quote is less than perfect; 0 is a good one.

    The numbers are used inside kernels only. Frames, tables and JSON carry `label`.
    """

    OK = 0
    NO_QUOTE = 1  # neither bid nor ask
    ONE_SIDED = 2  # a bid without an ask, or an ask without a bid
    CROSSED = 3  # bid above ask
    STALE = 4  # not updated for longer than the reader accepts
    NO_SPOT = 5  # the underlying's price is unknown, so nothing can be computed
    EXPIRED = 6  # quoted at or after the moment of expiry
    NO_FORWARD = 7  # the expiry offers no usable call-put pair and no neighbour to borrow from
    BELOW_INTRINSIC = 8  # mid below the discounted intrinsic value of the forward
    ABOVE_MAXIMUM = 9  # mid at or above the most that the option can be worth
    NO_IV = 10  # the price is within bounds but carries no information about volatility

    @property
    def label(self) -> str:
        """The word that frames, tables and JSON carry."""
        return self.name.lower()


QUALITY_LABELS: tuple[str, ...] = tuple(quality.label for quality in Quality)
