"""What the market was like when a trade was opened, and what a symbol is like on the whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import FIT, ChainCube

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[Any]

IV_RANKS = ("low", "middle", "high", "unknown")
TRENDS = ("up", "flat", "down", "unknown")
#: Ends of the thirds of the IV rank.
LOW, HIGH = 1 / 3, 2 / 3
#: A trend is where the last close stands against the mean of so many closes, beyond such a share.
TREND_SESSIONS, TREND_SHARE = 50, 0.02
#: What symbols are compared by.
PROFILE = ("iv", "realized_vol", "skew", "term_slope", "vol_of_iv", "spread")
_PER_YEAR = 252.0
_SAMPLE = 50_000  # quotes that a spread is taken from at most


def session_regimes(cube: ChainCube) -> pd.DataFrame:
    """Return the regime of each session, by what was known before it began to trade.

    Returns
    -------
    DataFrame
        day (datetime64[s]), iv_rank (`IV_RANKS`: thirds of the past year's range) and trend (`TRENDS`: the close of the
        session before, against the mean of the 50 closes up to it, adjusted for splits), a row a session.
    """
    import pandas as pd

    rank = np.asarray(cube.conditions.get("iv_rank", np.full(cube.sessions, math.nan)), dtype=np.float64)
    buckets = np.select([rank < LOW, rank < HIGH, rank >= HIGH], IV_RANKS[:3], "unknown")
    day = np.asarray(cube.session_day, dtype="datetime64[D]").astype("datetime64[s]")
    return pd.DataFrame({"day": day, "iv_rank": buckets, "trend": _trends(adjusted_closes(cube))})


def adjusted_closes(cube: ChainCube) -> Floats:
    """Return the close of each session in shares of the last one, as splits change them."""
    close = np.array(cube.close_spot, dtype=np.float64)
    for day, ratio in zip(cube.split_day.tolist(), cube.split_ratio.tolist(), strict=True):
        close[cube.session_day < day] /= ratio
    return close


def symbol_profile(cube: ChainCube) -> dict[str, float]:
    """Return what a symbol is like: `PROFILE` and spot, medians over the cube; NaN where it cannot say.

    Notes
    -----
    ``iv``, ``skew`` and ``term_slope`` are those of the market conditions; ``realized_vol`` too, else from closes;
    ``vol_of_iv`` is the annual volatility of the implied one's logarithm; ``spread`` the share of mid that the spread
    takes near the money, with a delta of 0.3 to 0.7.
    """
    known = {name: _column(cube, name) for name in ("iv", "realized_vol", "skew", "term_slope")}
    realized = _median(known["realized_vol"])
    closes = adjusted_closes(cube)
    moves = np.diff(np.log(closes[closes > 0]))
    if math.isnan(realized) and len(moves) > 20:
        realized = float(moves.std(ddof=1)) * math.sqrt(_PER_YEAR)
    implied = known["iv"][known["iv"] > 0]
    changes = np.diff(np.log(implied))
    return {
        "spot": _median(closes),
        **{name: _median(column) for name, column in known.items()},
        "realized_vol": realized,
        "vol_of_iv": float(changes.std(ddof=1)) * math.sqrt(_PER_YEAR) if len(changes) > 20 else math.nan,
        "spread": _spread(cube),
    }


def _trends(closes: Floats) -> Words:
    found = np.full(len(closes), "unknown", dtype="<U7")
    for session in range(TREND_SESSIONS, len(closes)):
        past = closes[session - TREND_SESSIONS : session]
        share = past[-1] / past.mean() - 1
        if not math.isnan(share):
            found[session] = "up" if share > TREND_SHARE else "down" if share < -TREND_SHARE else "flat"
    return found


def _spread(cube: ChainCube) -> float:
    step = max(1, len(cube.bid) // _SAMPLE)
    bid, ask, delta = (np.asarray(column[::step], dtype=np.float64) for column in (cube.bid, cube.ask, cube.delta))
    near = ((np.asarray(cube.flags[::step]) & FIT) > 0) & (np.abs(np.abs(delta) - 0.5) <= 0.2)
    return _median((ask[near] - bid[near]) / (0.5 * (ask[near] + bid[near])))


def _column(cube: ChainCube, name: str) -> Floats:
    return np.asarray(cube.conditions.get(name, np.empty(0)), dtype=np.float64)


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
