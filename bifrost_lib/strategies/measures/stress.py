"""What a structure would make or lose if things moved: a surface of profits, and a portfolio margin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.measures.exposure import DAYS_PER_YEAR, Market, closing_value
from bifrost_lib.strategies.measures.positions import Legs

Floats = npt.NDArray[np.float64]

#: Moves of the price under which customers' portfolio margin is taken (FINRA 4210(g), the OCC's TIMS): ten steps.
EQUITY_MOVES = tuple(round(-0.15 + 0.30 * step / 9, 4) for step in range(10))
INDEX_MOVES = tuple(round(-0.08 + 0.14 * step / 9, 4) for step in range(10))
LEAST_PER_SHARE = 0.375  # and never less than this for each option

SPOTS, SHARES_OF_TIME, VOL_SHIFTS = 13, (0.0, 0.25, 0.5, 0.75, 1.0), (-0.05, 0.0, 0.05)
_DEVIATIONS = 3.0


def portfolio_margin(held: Legs, market: Market, *, broad_index: bool) -> float:
    """Return the greatest loss over ten moves of the price, at once and with volatilities as they are.

    -15 % to +15 % for stocks, -8 % to +6 % for broad indices; options are worth their model value, never less than
    intrinsic; at least 0.375 a share for each option. It resembles what clearing houses compute (TIMS); theirs also
    offsets other holdings, which a structure on its own does not have.
    """
    moves = np.array(INDEX_MOVES if broad_index else EQUITY_MOVES)
    *moved, now = closing_value(held, market, market.spot * np.append(1 + moves, 1.0))
    least = LEAST_PER_SHARE * market.multiplier * float(np.abs(held.qty).sum())
    return max(float(now - min(moved)), least)


def pnl_surface(held: Legs, market: Market, *, premium: float) -> dict[str, Any]:
    """Return profits by shift of volatility, elapsed time and price, until the first expiry.

    Returns
    -------
    dict
        ``spot`` (13 prices, three deviations either way), ``days`` (elapsed), ``vol_shift`` (decimals) and ``pnl``:
        ``pnl[shift][day][spot]``, in currency for one unit.
    """
    near = held.near_tau if len(held.strike) else 0.0
    vol = float(market.vol.mean()) if len(held.strike) else 0.0
    reach = max(_DEVIATIONS * vol * math.sqrt(max(near, 1.0 / DAYS_PER_YEAR)), 0.05)
    spot = market.spot * np.exp(np.linspace(-reach, reach, SPOTS))
    days = near * DAYS_PER_YEAR * np.array(SHARES_OF_TIME)
    worth = closing_value(
        held, market, spot, elapsed=days / DAYS_PER_YEAR, vol_shift=np.array(VOL_SHIFTS)[:, None]
    )  # fmt: skip
    pnl = (premium + worth).tolist()
    return {"spot": spot.tolist(), "days": days.tolist(), "vol_shift": list(VOL_SHIFTS), "pnl": pnl}
