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
from bifrost_lib.workflows.scans import ScanResult

Floats = npt.NDArray[np.float64]

POINTS = 201
WIDTH = 3.0  # standard deviations to either side


@dataclass(frozen=True)
class PayoffProfile:
    """Profit over spot.

    `frame` has ``spot`` (ascending, every strike and breakeven among them), ``pnl_at_expiry`` and ``pnl_now`` (currency
    for one unit; NaN where a leg has no implied volatility). `band` is one standard deviation down and up at the
    first expiry, None where the chain implies no volatility.
    """

    frame: pd.DataFrame
    band: tuple[float, float] | None


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
    quotes = _quotes(found.chain)
    legs = [_leg(leg, quotes) for leg in record["legs"]]
    options = [leg for leg in legs if leg["right"] != "S"]
    near = min(options, key=lambda leg: leg["tau"])
    expiry = found.chain[found.chain["expiry"] == pd.Timestamp(near["expiry"])]
    vol, rate, div_yield = _at_the_money(expiry, found.spot), _typical(expiry["rate"]), _typical(expiry["div_yield"])
    spot = _grid(found.spot, vol, near["tau"], [leg["strike"] for leg in options], record["breakevens"])
    market = {"spot": spot, "rate": rate, "div_yield": div_yield, "multiplier": float(expiry["multiplier"].iloc[0])}
    frame = pd.DataFrame(
        {
            "spot": spot,
            "pnl_at_expiry": value_before_expiry(legs=legs, elapsed=near["tau"], **market),
            "pnl_now": value_before_expiry(legs=legs, **market),
        }
    )
    forward, move = found.spot * math.exp((rate - div_yield) * near["tau"]), vol * math.sqrt(near["tau"])
    band = None if math.isnan(move) else (forward * math.exp(-move), forward * math.exp(move))
    return PayoffProfile(frame=frame, band=band)


def _quotes(chain: pd.DataFrame) -> pd.DataFrame:
    keyed = chain.assign(right=chain["right"].astype(str), expiry=chain["expiry"].dt.strftime("%Y-%m-%d"))
    return keyed.drop_duplicates(["expiry", "strike", "right"]).set_index(["expiry", "strike", "right"])


def _leg(leg: Mapping[str, Any], quotes: pd.DataFrame) -> dict[str, Any]:
    kept = {key: leg[key] for key in ("right", "qty", "strike", "price")}
    if leg["right"] == "S":
        return kept
    expiry = str(leg["expiry"])[:10]
    quote = quotes.loc[(expiry, leg["strike"], leg["right"])].to_dict()
    return kept | {"expiry": expiry, "tau": float(quote["tau"]), "iv": float(quote["iv"])}


def _at_the_money(expiry: pd.DataFrame, spot: float) -> float:
    known = expiry[expiry["iv"].notna()]
    if known.empty:
        return math.nan
    return float(known["iv"].iloc[int((known["strike"] - spot).abs().argmin())])


def _typical(values: pd.Series[float]) -> float:
    middle = float(values.median())
    return 0.0 if math.isnan(middle) else middle  # without a rate the curve is drawn undiscounted


def _grid(spot: float, vol: float, tau: float, strikes: Sequence[float], breakevens: Sequence[float]) -> Floats:
    reach = WIDTH * vol * math.sqrt(tau) if vol > 0 else 0.0
    marks = [*strikes, *breakevens, spot]
    low, high = min(*marks, spot * math.exp(-reach)) * 0.99, max(*marks, spot * math.exp(reach)) * 1.01
    return np.unique(np.concatenate([np.linspace(low, high, POINTS), marks]))
