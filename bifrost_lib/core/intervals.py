"""How well a share is known by the number of times it was tried.

References
----------
Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
"""

from __future__ import annotations

import math

from bifrost_lib.core.errors import InputError

#: Two-sided 95 % of the normal distribution.
Z95 = 1.959963984540054


def wilson_interval(wins: float, count: float, *, z: float = Z95) -> tuple[float, float]:
    """Return the interval of a share of which `wins` out of `count` were seen; (0, 1) when nothing was.

    Examples
    --------
    >>> low, high = wilson_interval(7, 10)
    >>> round(low, 4), round(high, 4)
    (0.3968, 0.8922)
    """
    if not 0 <= wins <= count:
        raise InputError("wins", wins, f"a number from 0 to {count}")
    if count == 0:
        return 0.0, 1.0
    share, size = wins / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / size
    half = z / size * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
