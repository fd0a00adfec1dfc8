"""Between two beats of a path: a Brownian bridge whose every point is a function of a key and a moment.

The bridge halves its interval down to whole seconds and then to sixteenths, and displaces each midpoint by a number
that belongs to the interval and the midpoint. So any moment can be asked for on its own, and whoever fills a whole
session finds the same values.
"""

from __future__ import annotations

import math

import numpy as np

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Floats
from bifrost_lib.sim.market.published import PUBLISHED_S

INLINE = {"forceinline": True, "error_model": "numpy"}
STEPS = 16  # of a second
DEPTH = 64  # of the workspace for `fill`, in intervals


@kernel(**INLINE)
def displacement(key: int, position: int) -> float:
    """Return the nearly normal number of a midpoint."""
    word = np.uint64(key) + np.uint64(position) * np.uint64(0xD1342543DE82EF95) + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word = word ^ (word >> np.uint64(31))
    low = np.uint64(0xFFFF)
    total = (word & low) + ((word >> np.uint64(16)) & low) + ((word >> np.uint64(32)) & low) + (word >> np.uint64(48))
    return (float(total) - 131070.0) * 2.642949583474797e-05


@kernel(**INLINE)
def interval_key(key: int, moment: int) -> int:
    """Return the key of the interval that ends at `moment`."""
    word = np.uint64(key) ^ (np.uint64(moment) * np.uint64(0x9FB21C651E98DF25))
    word = (word ^ (word >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    key_found: int = np.int64(word ^ (word >> np.uint64(32)))  # type: ignore[assignment]
    return key_found


@kernel(**INLINE)
def middle(a: int, b: int) -> int:
    """Return where an interval is split, in sixteenths: at a whole second while there is one inside."""
    if b - a > STEPS:
        return ((a // STEPS + b // STEPS) // 2) * STEPS
    return (a + b) // 2


@kernel(**INLINE)
def between(
    a: int, b: int, at_a: float, at_b: float, m: int, shared: float, shared_key: int, own: float, own_key: int
) -> float:
    """Return the bridge at the midpoint `m` of an interval whose ends are known.

    `shared` and `own` scale what all underlyings have in common, and what each has for itself.
    """
    inverse = 1.0 / (b - a)
    left = float(m - a)
    push = shared * displacement(shared_key, m)
    if own != 0.0:
        push += own * displacement(own_key, m)
    return at_a + (at_b - at_a) * (left * inverse) + math.sqrt(left * (b - m) * inverse) * push


@kernel(**INLINE)
def bridge_at(length: int, place: float, shared: float, shared_key: int, own: float, own_key: int) -> float:
    """Return the bridge over `length` sixteenths at `place` in [0, length]."""
    a, b, at_a, at_b = 0, length, 0.0, 0.0
    while b - a > 1 and place != a:
        m = middle(a, b)
        at_m = between(a, b, at_a, at_b, m, shared, shared_key, own, own_key)
        if place < m:
            b, at_b = m, at_m
        else:
            a, at_a = m, at_m
    return at_a + (at_b - at_a) * (place - a) / (b - a)


def walk_at(
    times: Floats,
    moment: Counts,
    log_spot: Floats,
    vol: Floats,
    years: Floats,
    jump: Floats,
    keys: Counts,
    weights: Floats,
    beat: Counts,
    move: Floats,
    out_vol: Floats,
) -> int:
    """Write where spot and volatility are at `times` (epoch seconds): the beat before, and log-spot since then.

    Returns how many of the times lie outside the beats.
    """
    outside = 0
    last = moment.size - 1
    for i in range(times.size):
        t = times[i]
        low, high = 0, last
        while high - low > 1:
            m = (low + high) // 2
            if moment[m] <= t:
                low = m
            else:
                high = m
        if t < moment[0] or t > moment[last]:
            outside += 1
        length = moment[high] - moment[low]
        elapsed = min(max(t - moment[low], 0.0), float(length))
        share = elapsed / length
        out_vol[i] = math.exp(math.log(vol[low]) * (1.0 - share) + math.log(vol[high]) * share)
        beat[i], move[i] = low, 0.0
        if elapsed >= length:
            beat[i] = high
        elif elapsed > 0.0:
            deviation = vol[low] * math.sqrt(years[high] / (length * STEPS))
            shared_key, own_key = interval_key(keys[0], moment[high]), interval_key(keys[1], moment[high])
            bridge = bridge_at(
                length * STEPS, elapsed * STEPS, deviation * weights[0], shared_key, deviation * weights[1], own_key
            )
            drift = (log_spot[high] - log_spot[low] - jump[high]) / length
            jumped = jump[high] if elapsed >= PUBLISHED_S else 0.0
            move[i] = drift * elapsed + bridge + jumped
    return outside


def fill(
    first: int,
    count: int,
    moment: Counts,
    log_spot: Floats,
    vol: Floats,
    years: Floats,
    jump: Floats,
    keys: Counts,
    weights: Floats,
    work: Counts,
    line: Floats,
    move: Floats,
) -> int:
    """Write log-spot since the beat before at every second from beat `first` over `count` intervals.

    Both ends are included. `work` holds 2 * DEPTH numbers; `line` as many as the longest interval has seconds, and one
    more. Returns the length.
    """
    at = 0
    for low in range(first, first + count):
        high = low + 1
        length = moment[high] - moment[low]
        here = move[at : at + length + 1]
        drift = (log_spot[high] - log_spot[low] - jump[high]) / length
        deviation = vol[low] * math.sqrt(years[high] / (length * STEPS))
        shared_key, own_key = interval_key(keys[0], moment[high]), interval_key(keys[1], moment[high])
        _fill_line(length, deviation * weights[0], shared_key, deviation * weights[1], own_key, work, line)
        for s in range(length):
            here[s] = drift * s + line[s]
        for s in range(PUBLISHED_S, length):
            here[s] += jump[high]
        here[0], here[length] = 0.0, 0.0
        at += length
    return at + 1


@kernel(**INLINE)
def _fill_line(
    length: int, shared: float, shared_key: int, own: float, own_key: int, work: Counts, line: Floats
) -> None:
    line[0] = 0.0
    line[length] = 0.0
    work[0], work[1] = 0, length
    depth = 1
    while depth > 0:
        depth -= 1
        a, b = work[2 * depth], work[2 * depth + 1]
        if b - a < 2:
            continue
        m = (a + b) // 2
        line[m] = between(a * STEPS, b * STEPS, line[a], line[b], m * STEPS, shared, shared_key, own, own_key)
        work[2 * depth], work[2 * depth + 1] = a, m
        work[2 * depth + 2], work[2 * depth + 3] = m, b
        depth += 2
