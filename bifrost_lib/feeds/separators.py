"""The kernel that finds where fields and lines end."""

from __future__ import annotations

import numpy as np

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.characters import QUOTE
from bifrost_lib.feeds.scan_layout import Bytes, Separators


@kernel()
def find_separators(
    buf: Bytes, begin: int, delimiter: int, line_end: int, quoted: bool, separators: Separators
) -> tuple[int, int]:
    """Find the field and line ends of ``buf[begin:]``; returns how many of each.

    Parameters
    ----------
    delimiter, line_end : int
        Bytes.
    quoted : bool
        Whether there may be quotes, between which a delimiter counts as text. A line end closes any open quote.
    separators : Separators
        Takes what is found: its arrays are as long as `buf` and one more.
    """
    # Without branches, so that the time does not depend on how fields and lines fall.
    places, line_ends = separators.places, separators.line_ends
    mark, end = np.uint8(delimiter), np.uint8(line_end)
    found, lines = np.uint64(0), np.uint64(0)
    if quoted:
        inside = np.uint64(0)
        for i in range(np.uint64(begin), np.uint64(buf.size)):
            c = buf[i]
            ended = np.uint64(c == end)
            inside = (inside ^ np.uint64(c == QUOTE)) & (np.uint64(1) ^ ended)
            places[found] = i
            found += (np.uint64(c == mark) & (np.uint64(1) ^ inside)) | ended
            line_ends[lines] = found
            lines += ended
    else:
        for i in range(np.uint64(begin), np.uint64(buf.size)):
            c = buf[i]
            ended = np.uint64(c == end)
            places[found] = i
            found += np.uint64(c == mark) | ended
            line_ends[lines] = found
            lines += ended
    return np.int64(found), np.int64(lines)  # type: ignore[return-value]
