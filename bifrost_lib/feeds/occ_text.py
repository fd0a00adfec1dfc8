"""OCC symbols, read by a kernel: root, expiry, right and strike in one word such as ``SPXW  260116P05800000``."""

from __future__ import annotations

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.characters import NINE, SPACE, ZERO, C, P
from bifrost_lib.feeds.moments import NO_SUCH_DAY, days_from_civil
from bifrost_lib.feeds.scan_layout import Bytes

_TAIL, _LONGEST_ROOT = 15, 12
_UNREADABLE = (0, 0, 0.0, -1)


@kernel()
def read_occ(buf: Bytes, a: int, b: int) -> tuple[int, int, float, int]:
    """Read ``buf[a:b]``: end of the root, expiry in days since 1970, strike, and 1 call / 0 put / -1 unreadable.

    Read from the right, where ``yymmdd``, the right's letter and the strike in thousandths have fixed lengths.
    """
    at = b - _TAIL
    if at <= a or at - a > _LONGEST_ROOT:
        return _UNREADABLE
    for k in range(_TAIL):
        if k != 6 and not ZERO <= buf[at + k] <= NINE:
            return _UNREADABLE
    right = 1 if buf[at + 6] == C else (0 if buf[at + 6] == P else -1)
    year = 2000 + (buf[at] - ZERO) * 10 + (buf[at + 1] - ZERO)
    month = (buf[at + 2] - ZERO) * 10 + (buf[at + 3] - ZERO)
    days = days_from_civil(year, month, (buf[at + 4] - ZERO) * 10 + (buf[at + 5] - ZERO))
    thousandths = 0
    for k in range(at + 7, b):
        thousandths = thousandths * 10 + (buf[k] - ZERO)
    while at > a and buf[at - 1] == SPACE:
        at -= 1
    if days == NO_SUCH_DAY or thousandths == 0 or at == a:
        return _UNREADABLE
    return at, days, thousandths / 1000.0, right
