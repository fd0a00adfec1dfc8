"""From arrays of options to American values: reduce each to a put, sort by difficulty, solve in blocks.

A call on (spot, strike, rate, div_yield) is worth a put on (strike, spot, div_yield, rate), so only puts are solved.
Most options need few nodes; those with a large vol sqrt(tau), or whose carry dwarfs their volatility, get more, those
whose boundary comes close to its perpetual level get most, and the others have a closed answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import Counts, Flags, Floats, Table, loop
from bifrost_lib.pricing.american_layout import DOUBLE, EUROPEAN, HARD, SETTLING, USUAL, boundaries, workspace
from bifrost_lib.pricing.american_presets import Levels, Tables, tables
from bifrost_lib.pricing.parts import in_parts

_sort_all = loop("bifrost_lib.pricing.american_reduce_loops", "sort_all")
_settle = loop("bifrost_lib.pricing.american_reduce_loops", "settle")
_solve_group = loop("bifrost_lib.pricing.american_solve_loops", "solve_group")
_solve_double = loop("bifrost_lib.pricing.american_double_loops", "solve_double")

_LEAST_PART = 512  # options of half a millisecond at least


@dataclass(frozen=True)
class Reduced:
    """Options as puts in units of their strike: x = ln(spot / strike), a = rate tau, c = div_yield tau, w."""

    kind: npt.NDArray[np.int8]
    x: Floats
    a: Floats
    c: Floats
    w: Floats
    value: Floats  # in units of the put's strike
    slope: Floats  # d value / d x
    bend: Floats  # d slope / d x
    edge: Floats  # x at which the boundary lies now; -inf where exercise is never right
    premium: Floats  # value less that of the European put


#: How options are solved, those of one kind at a time: their kind, their positions in the data, and the nodes to use.
Groups = Iterator[tuple[int, Counts, Tables]]
Device = Callable[[Table, Groups], None]


def on_processor(data: Table, groups: Groups) -> None:
    """Solve `groups` in `data` on this processor, on several of its cores where there are many."""
    for group, chosen, nodes in groups:
        in_parts(partial(_solve_some, data, group, chosen, nodes), chosen.size, least=_LEAST_PART)


def _solve_some(data: Table, group: int, chosen: Counts, nodes: Tables, rows: slice) -> int:
    if group == DOUBLE:
        return _solve_double(chosen[rows], data, *nodes.columns()[:-1], workspace(), *boundaries(nodes.z.size, 4))
    return _solve_group(chosen[rows], data, group, *nodes.columns(), workspace(), *boundaries(nodes.z.size, 2))


def solve(data: Table, levels: Levels, kind: Flags | None = None, device: Device = on_processor) -> Reduced:
    """Value the options in `data`, whose first four rows are set; `kind` forces how each is solved."""
    if kind is None:
        kind = np.empty(data.shape[1], dtype=np.int8)
        _sort_all(data, kind)
    _settle(data, kind)
    device(data, _groups(kind, levels))
    return Reduced(kind, *data)


def _groups(kind: Flags, levels: Levels) -> Groups:
    presets = {USUAL: levels.usual, HARD: levels.hard, SETTLING: levels.settling, DOUBLE: levels.settling}
    for group in (EUROPEAN, *presets):
        chosen = np.flatnonzero(kind == group)
        if chosen.size:
            yield group, chosen, tables(presets.get(group, levels.usual))
