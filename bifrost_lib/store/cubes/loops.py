"""The compiled loop behind a session of a cube: each contract's newest row at each moment."""

from __future__ import annotations

from bifrost_lib.core.native import Counts, Flags


def newest_rows(
    contract: Counts,
    ts: Counts,
    quoted: Flags,
    expires: Counts,
    moments: Counts,
    as_of: Counts,
    fresh_us: int,
    last_quote: Counts,
    last_row: Counts,
    chosen: Counts,
    stale: Flags,
) -> int:
    """Choose for each contract and moment the row that a reader of the chain would have been given then.

    Rows come in order of time, `contract` being the place of each one's contract. A quote at most `fresh_us` older
    than the chain's newest one (`as_of`) comes first, then a fresh row without a quote, then whatever was last known,
    which is stale. `chosen` is contract by contract, all moments of one together, -1 without a row and from the
    moment of expiry on; `last_quote` and `last_row` are workspace, -1 at first. Returns how many were chosen.
    """
    following, found = 0, 0
    width = len(moments)
    for moment in range(width):
        while following < len(ts) and ts[following] <= moments[moment]:
            last_row[contract[following]] = following
            if quoted[following]:
                last_quote[contract[following]] = following
            following += 1
        since = as_of[moment] - fresh_us
        for one in range(len(expires)):
            place = one * width + moment
            quote, row = last_quote[one], last_row[one]
            chosen[place], stale[place] = -1, 0
            if row < 0 or expires[one] <= moments[moment]:
                continue
            if quote >= 0 and ts[quote] >= since:
                chosen[place] = quote
            elif ts[row] >= since:
                chosen[place] = row
            else:
                chosen[place], stale[place] = (quote if quote >= 0 else row), 1
            found += 1
    return found
