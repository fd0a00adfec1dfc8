"""Volume and open interest, session by session."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]


def session_volume(
    underlying: SimulatedUnderlying,
    *,
    deviations: Floats,
    is_call: npt.NDArray[np.bool_],
    dte: Floats,
    is_round: npt.NDArray[np.bool_],
    noise: Floats,
) -> Floats:
    """Return contracts traded per session, shape (contracts, sessions), NaN-free.

    Trading concentrates near the money (`deviations`: log-moneyness in standard deviations), in near expiries
    (`dte`, calendar days), in round strikes and out of the money. `noise` holds standard normal numbers of the same
    shape.
    """
    in_the_money = np.maximum(np.where(is_call[:, None], -deviations, deviations), 0.0)
    near = np.exp(-(np.abs(deviations) ** 1.5) / 2 - 1.5 * in_the_money)
    soon = 0.12 + np.exp(-dte / 25)
    popular = np.where(is_round, 1.0, 0.35)
    return np.floor(underlying.activity * near * soon * popular[:, None] * np.exp(0.9 * noise - 0.4))


def open_interest(volume: Floats, listed: npt.NDArray[np.bool_], noise: Floats) -> Floats:
    """Return open contracts known during each session, shape (contracts, sessions).

    During a session the figure is that of the evening before, so it does not move with the session's own volume.
    Contracts that were listed before the first session start with a past that their volume suggests.
    """
    held = np.zeros_like(volume)
    held[:, 0] = np.where(listed[:, 0], np.floor(4 * volume[:, 0]), 0.0)
    for session in range(1, volume.shape[1]):
        opened = 0.14 + 0.24 * np.tanh(noise[:, session - 1])
        change = np.where(listed[:, session - 1], np.round(volume[:, session - 1] * opened), 0.0)
        held[:, session] = np.maximum(held[:, session - 1] + change, 0.0)
    return held
