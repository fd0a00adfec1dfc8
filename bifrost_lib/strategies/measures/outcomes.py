"""What a broken line of profits is worth under a distribution: probabilities and expectations, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.measures.laws import Law
from bifrost_lib.strategies.measures.profile import Profile

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-14  # of a probability: below it nothing is told apart from never


@dataclass(frozen=True)
class Outcomes:
    """`pop` is P(profit > 0), `ev` the expected profit; `win` and `loss` what to expect given either, None if never."""

    pop: float
    ev: float
    win: float | None
    loss: float | None


def outcomes(profile: Profile, law: Law) -> Outcomes:
    """Return probability and expectations of the profit along `profile`, with the price distributed by `law`."""
    if law.is_certain:  # it may lie on a breakeven, which is no profit
        return _certain(profile.at(law.mean))
    gains = profile.gains()
    pop = sum(_mass(law, low, high) for low, high in gains)
    gained = sum(_expected(profile, law, low, high) for low, high in gains)
    ev = _expected(profile, law, 0.0, np.inf)
    pop = min(max(pop, 0.0), 1.0)
    return Outcomes(
        pop=pop,
        ev=ev,
        win=gained / pop if pop > _ROUNDING else None,
        loss=(ev - gained) / (1.0 - pop) if 1.0 - pop > _ROUNDING else None,
    )


def _certain(profit: float) -> Outcomes:
    wins = profit > 0
    return Outcomes(pop=float(wins), ev=profit, win=profit if wins else None, loss=None if wins else profit)


def probability_above(profile: Profile, law: Law, amount: float) -> float:
    """Return the probability of a profit above `amount`."""
    if law.is_certain:
        return float(profile.at(law.mean) > amount)
    total = sum(_mass(law, low, high) for low, high in profile.less(amount).gains())
    return min(max(total, 0.0), 1.0)


def _mass(law: Law, low: float, high: float) -> float:
    below = law.below(np.array([low, high]))
    return float(below[1] - below[0])


def _expected(profile: Profile, law: Law, low: float, high: float) -> float:
    # Over each straight piece the profit is a + m * S, whose expectation two moments give.
    inner = profile.knot[(profile.knot > low) & (profile.knot < high)]
    edges = np.concatenate([[low], inner, [high]])
    left = np.searchsorted(profile.knot, edges[:-1], side="right") - 1
    slopes = np.append(np.diff(profile.profit) / np.diff(profile.knot), profile.slope)[left]
    starts = profile.profit[left] - slopes * profile.knot[left]
    mass, mean = np.diff(law.below(edges)), np.diff(law.mean_below(edges))
    return float(starts @ mass + slopes @ mean)
