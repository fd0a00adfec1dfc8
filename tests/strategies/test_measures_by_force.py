"""Ten thousand random structures of one expiry: whole cents and every kink say what is exact, quadrature the rest."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from bifrost_lib.strategies import evaluate
from bifrost_lib.strategies.measures.laws import Lognormal
from bifrost_lib.strategies.measures.outcomes import outcomes
from bifrost_lib.strategies.measures.profile import profile_of

SEED, COUNT, IN_FULL = 20261122, 10_000, 250
SPOT = 100.0
# Gauss and Legendre's rule of twelve points, on panels of half a deviation and less.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
PANELS = np.linspace(-10.0, 13.0, 47)


class Structure:
    """Options and shares in whole contracts and whole cents, so that sums of them have no rounding."""

    def __init__(self, draw: random.Random) -> None:
        size, self.shares = draw.randint(1, 8), draw.choice([0, 0, 0, -2, -1, 1, 2])
        self.rights = [draw.choice("CP") for _ in range(size)]
        self.qty = [draw.choice([-4, -3, -2, -1, 1, 2, 3, 4]) for _ in range(size)]
        self.strikes = [50 * draw.randint(60, 400) for _ in range(size)]
        self.premium = 0
        self.premium = draw.choice([draw.randint(-6000, 6000), -self.profit(draw.choice(self.strikes))])
        self.vol, self.tau = draw.uniform(0.05, 0.9), draw.uniform(0.01, 1.0)
        self.rate, self.div_yield = draw.uniform(-0.02, 0.08), draw.uniform(0.0, 0.05)
        self.knots = sorted({0, *self.strikes})
        self.slope = self.shares + sum(qty for right, qty in zip(self.rights, self.qty, strict=True) if right == "C")

    def profit(self, spot):
        """In cents at a price in cents: whole at whole prices."""
        total = self.premium + self.shares * spot
        for right, qty, strike in zip(self.rights, self.qty, self.strikes, strict=True):
            move = spot - strike if right == "C" else strike - spot
            total = total + qty * (max(move, 0) if isinstance(spot, int) else np.maximum(move, 0.0))
        return total

    def breakevens(self):
        """Crossings between neighbours, and strikes without profit that do not lie inside a stretch without any."""
        profits = [self.profit(knot) for knot in self.knots]
        ahead = [*profits[1:], self.slope or profits[-1]]  # beyond the last strike only the sign of the slope counts
        found = []
        for i, (knot, here, beyond) in enumerate(zip(self.knots, profits, ahead, strict=True)):
            inside = i > 0 and profits[i - 1] == here == beyond == 0
            if here == 0 and knot > 0 and not inside:
                found.append(Fraction(knot))
            if here * beyond < 0:
                slope = self.slope if i == len(profits) - 1 else Fraction(beyond - here, self.knots[i + 1] - knot)
                found.append(knot - here / Fraction(slope))
        return [float(root) / 100 for root in found]

    def by_quadrature(self):
        """Probability of a profit and its mean, in currency, between kinks and breakevens, where both are smooth."""
        width = self.vol * math.sqrt(self.tau)
        forward = SPOT * math.exp((self.rate - self.div_yield) * self.tau)
        edges = np.array([knot / 100 for knot in self.knots[1:]] + self.breakevens())
        cuts = np.sort(np.append(PANELS, (np.log(edges / forward) + width**2 / 2) / width))
        half = np.diff(cuts)[:, None] / 2
        z = (cuts[:-1] + cuts[1:])[:, None] / 2 + half * NODES
        mass = half * WEIGHTS * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        profit = self.profit(100.0 * forward * np.exp(width * z - width**2 / 2)) / 100
        return float(mass.sum(axis=1) @ (profit[:, 6] > 1e-9)), float((mass * profit).sum())

    def as_legs(self):
        legs = zip(self.rights, self.qty, self.strikes, strict=True)
        options = [{"right": right, "qty": qty, "strike": strike / 100} for right, qty, strike in legs]
        return [*options, *([{"right": "S", "qty": self.shares}] if self.shares else [])]


@pytest.fixture(scope="module")
def structures():
    draw = random.Random(SEED)
    return [Structure(draw) for _ in range(COUNT)]


def bounds(one):
    profits = [one.profit(knot) for knot in one.knots]
    most, least = max(profits) / 100, max(0, -min(profits)) / 100
    return (None if one.slope > 0 else most), (None if one.slope < 0 else least)


def test_extremes_breakevens_probability_and_expectation(structures):
    for one in structures:
        profile = profile_of(
            strike=np.array(one.strikes) / 100,
            weight=np.array(one.qty, dtype=np.float64),
            is_call=np.array([right == "C" for right in one.rights]),
            shares=float(one.shares),
            premium=one.premium / 100,
        )
        assert profile.slope == one.slope
        profits = [one.profit(knot) for knot in one.knots]
        assert profile.highest == pytest.approx(max(profits) / 100, abs=1e-11)
        assert profile.lowest == pytest.approx(min(profits) / 100, abs=1e-11)
        roots, expected = profile.roots(), one.breakevens()
        assert len(roots) == len(expected), one.as_legs()
        assert roots == pytest.approx(expected, rel=1e-12)
        forward = SPOT * math.exp((one.rate - one.div_yield) * one.tau)
        found = outcomes(profile, Lognormal(forward, one.vol * math.sqrt(one.tau)))
        pop, ev = one.by_quadrature()
        assert abs(found.pop - pop) < 1e-9, one.as_legs()
        assert abs(found.ev - ev) < 1e-9, one.as_legs()


def test_what_is_told_of_legs_is_that_profile(structures):
    for one in structures[:: COUNT // IN_FULL]:
        found = evaluate(
            legs=one.as_legs(), spot=SPOT, vol=one.vol, tau=one.tau, rate=one.rate, div_yield=one.div_yield,
            premium=one.premium / 100, multiplier=1,
        )  # fmt: skip
        most, least = bounds(one)
        assert found["max_profit"] == (None if most is None else pytest.approx(most, abs=1e-11))
        assert found["max_loss"] == (None if least is None else pytest.approx(least, abs=1e-11))
        assert (found["max_profit_unbounded"], found["max_loss_unbounded"]) == (most is None, least is None)
        assert found["breakevens"] == pytest.approx(one.breakevens(), rel=1e-12)
        assert (found["pop"], found["ev"]) == pytest.approx(one.by_quadrature(), abs=1e-9)
