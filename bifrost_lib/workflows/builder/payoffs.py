"""From a candidate to the curve that a trader looks at: profit over spot, at expiry and today."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import value_before_expiry
from bifrost_lib.workflows.finder.scans import ScanResult

Floats = npt.NDArray[np.float64]

POINTS = 201
WIDTH = 3.0  # standard deviations to either side


@dataclass(frozen=True)
class PayoffProfile:
    """Profit over spot.

    `frame` has ``spot`` (ascending, with every strike and the breakevens within reach), ``pnl_at_expiry`` and
    ``pnl_now`` (currency for one unit). `band` is one standard deviation down and up at the first expiry, in the
    distribution that the candidate's probabilities belong to.
    """

    frame: pd.DataFrame
    band: tuple[float, float]


def payoff_profile(found: ScanResult, rank: int) -> PayoffProfile:
    """Return the profit of the candidate with `rank` over prices of its underlying.

    Parameters
    ----------
    found : ScanResult
    rank : int
        1 is the best candidate.

    Raises
    ------
    InputError
        If the scan has no candidate of that rank.

    Notes
    -----
    Each leg keeps its own implied volatility as spot moves. Values today are those of European options. With two
    expiries, "at expiry" is at the first one, the later legs at their model value.
    """
    records = found.candidates.records()
    if not 1 <= rank <= len(records):
        raise InputError("rank", rank, f"a rank from 1 to {len(records)}")
    record = records[rank - 1]
    tau = dict(zip(_days(found.chain), found.chain["tau"], strict=True))
    legs = [_leg(leg, tau) for leg in record["legs"]]
    strikes = [leg["strike"] for leg in legs if leg["right"] != "S"]
    move = record["vol"] * math.sqrt(record["tau"])
    spot = price_grid(found.spot, move, strikes, record["breakevens"])
    market: dict[str, Any] = {key: record[key] for key in ("rate", "div_yield", "premium", "multiplier")}
    frame = pd.DataFrame(
        {
            "spot": spot,
            "pnl_at_expiry": value_before_expiry(legs=legs, spot=spot, elapsed=record["tau"], **market),
            "pnl_now": value_before_expiry(legs=legs, spot=spot, **market),
        }
    )
    band = (record["forward"] * math.exp(-move), record["forward"] * math.exp(move))
    return PayoffProfile(frame=frame, band=band)


def _days(chain: pd.DataFrame) -> list[str]:
    return list(chain["expiry"].dt.strftime("%Y-%m-%d"))


def _leg(leg: Mapping[str, Any], tau: Mapping[str, float]) -> dict[str, Any]:
    kept = {key: leg[key] for key in ("right", "qty", "strike", "price", "iv", "expiry")}
    return kept if leg["right"] == "S" else kept | {"tau": tau[str(leg["expiry"])[:10]]}


def price_grid(spot: float, move: float, strikes: Sequence[float], breakevens: Sequence[float]) -> Floats:
    """Return ascending prices to draw a profit over, with `spot`, every strike, and the breakevens within reach.

    `move` is a standard deviation of the log price; the grid spans `WIDTH` of them, and all strikes.
    """
    low = min([*strikes, spot * math.exp(-WIDTH * move)]) * 0.99
    high = max([*strikes, spot * math.exp(WIDTH * move)]) * 1.01
    near = [price for price in breakevens if low < price < high]  # a far one must not squeeze the rest
    return np.unique(np.concatenate([np.linspace(low, high, POINTS), strikes, near, [spot]]))
