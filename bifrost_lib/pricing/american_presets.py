"""How finely an American option is computed: named presets and the tables of nodes that they imply.

Time is measured in units of the life of the option. The exercise boundary is known through its values at `z`, the
square roots of times to expiry, and interpolated between them. An integral over the time s that passes until exercise
uses sqrt(s) = sin(theta) and sqrt(1 - s) = cos(theta): the integrand is smooth in both roots, so that a Gauss-Legendre
rule in theta converges geometrically, where a rule in sqrt(s) alone is held up by the boundary's root at expiry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import UnknownNameError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preset:
    """Numbers of quadrature points per boundary node, sweeps, boundary nodes and quadrature points of the value.

    Where a boundary comes within exp(-settled) of its perpetual level during the life, it is solved up to there only.
    """

    quadrature: int
    sweeps: int
    nodes: int
    value_quadrature: int
    settled: float = 25.0


@dataclass(frozen=True)
class Levels:
    """What serves most options, the hard ones (long and volatile, or nearly deterministic), and the hardest.

    These are options whose boundary settles at its perpetual level well within their life, or that have two boundaries.
    """

    usual: Preset
    hard: Preset
    settling: Preset


PRESETS: dict[str, Levels] = {
    "fast": Levels(Preset(4, 2, 5, 9), Preset(10, 3, 10, 17), Preset(10, 3, 10, 27, 9.0)),
    "default": Levels(Preset(7, 2, 8, 13), Preset(16, 4, 16, 25), Preset(16, 6, 20, 49, 12.0)),
    "accurate": Levels(Preset(24, 6, 20, 41), Preset(40, 12, 32, 61), Preset(40, 12, 32, 101, 20.0)),
}


@dataclass(frozen=True)
class Tables:
    """The nodes and weights of one preset; see the module for what they mean."""

    z: Floats  # (nodes,) ascending, the last is 1
    root: Floats  # (quadrature,) square root of the time until exercise, as a fraction of the node's
    weight: Floats  # (quadrature,) of an integral over root
    recall: Floats  # (nodes * quadrature, nodes) from node values to values at the times of the quadrature
    value_root: Floats  # (value_quadrature,)
    value_weight: Floats  # (value_quadrature,)
    value_recall: Floats  # (value_quadrature, nodes)
    sweeps: int
    settled: float

    def columns(self) -> tuple[Any, ...]:
        """The arrays, in the order that loops take them."""
        return (
            self.z,
            self.root,
            self.weight,
            self.recall,
            self.value_root,
            self.value_weight,
            self.value_recall,
            self.sweeps,
            self.settled,
        )


def preset_named(name: str) -> Levels:
    """Return the presets called `name`: "fast", "default" or "accurate"."""
    if name not in PRESETS:
        raise UnknownNameError("accuracy", name, PRESETS)
    return PRESETS[name]


@lru_cache(maxsize=16)
def tables(preset: Preset) -> Tables:
    """Build the tables of `preset` once per process."""
    count = preset.nodes
    z = 0.5 * (1.0 - np.cos(np.pi * np.arange(count + 1) / count))
    z[-1] = 1.0
    root, rest, weight = _sine_rule(preset.quadrature)
    value_root, value_rest, value_weight = _sine_rule(preset.value_quadrature)
    recall = _interpolation(z, np.multiply.outer(z[1:], rest).ravel())
    return Tables(
        z=z[1:].copy(),
        root=root,
        weight=weight,
        recall=recall,
        value_root=value_root,
        value_weight=value_weight,
        value_recall=_interpolation(z, value_rest),
        sweeps=preset.sweeps,
        settled=preset.settled,
    )


def _sine_rule(count: int) -> tuple[Floats, Floats, Floats]:
    y, weight = np.polynomial.legendre.leggauss(count)
    theta = 0.25 * np.pi * (1.0 + y)
    return np.sin(theta), np.cos(theta), 0.25 * np.pi * weight * np.cos(theta)


def _interpolation(z: Floats, points: Floats) -> Floats:
    # barycentric form at Chebyshev extrema; the first node is left out because the interpolated value is 0 there
    weights = np.where(np.arange(z.size) % 2 == 0, 1.0, -1.0)
    weights[[0, -1]] *= 0.5
    gaps = np.subtract.outer(points, z)
    exact = np.abs(gaps) < 1e-15
    terms = weights / np.where(exact, 1.0, gaps)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    matrix[hit] = exact[hit]
    return np.ascontiguousarray(matrix[:, 1:])
