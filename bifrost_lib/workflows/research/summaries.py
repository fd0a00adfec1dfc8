"""What the past entries of a document amount to, counted so that overlapping ones do not look like evidence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.intervals import wilson_interval
from bifrost_lib.workflows.finder.history_comparison import independent_entries

THIRDS = ("low", "middle", "high")
_NAN = float("nan")


def entry_summary(entries: pd.DataFrame) -> dict[str, float]:
    """Return what past entries came to, in currency for one unit of the structure.

    Parameters
    ----------
    entries : DataFrame
        See `past_entries`, or some of its rows.

    Returns
    -------
    dict
        ``days`` looked at, ``entered``, ``ended``, ``independent`` (of those that ended, how many followed one another
        without overlapping); ``win_rate`` with ``win_low`` and ``win_high`` (95 %, Wilson), ``promised`` (mean
        probability of profit at entry); ``pnl_mean``, ``pnl_median``, ``pnl_worst``, ``pnl_sum``, ``drawdown`` (<= 0)
        of the running sum; ``return_on_risk`` (mean profit per max loss); ``t`` of the mean.

    Notes
    -----
    Entries of neighbouring days live through the same weeks. So the interval and ``t`` take the spread of all entries,
    but only as many of them as are independent. What rests on too few is NaN.
    """
    entered = entries[entries["legs"].notna()]
    ended = entered[entered["pnl"].notna()]
    count, independent = len(ended), independent_entries(ended)
    counts = {"days": len(entries), "entered": len(entered), "ended": count, "independent": independent}
    names = ("win_rate", "win_low", "win_high", "promised", "pnl_mean", "pnl_median", "pnl_worst", "pnl_sum")
    if not count:
        return counts | dict.fromkeys((*names, "drawdown", "return_on_risk", "t"), _NAN)
    pnl = ended["pnl"]
    wins = float((pnl > 0).mean())
    low, high = wilson_interval(wins * independent, independent)
    figures = (wins, low, high, ended["pop"].mean(), pnl.mean(), pnl.median(), pnl.min(), pnl.sum())
    return (
        counts
        | dict(zip(names, map(float, figures), strict=True))
        | {
            "drawdown": float(running_profit(ended)["drawdown"].min()),
            "return_on_risk": float((pnl / ended["max_loss"])[ended["max_loss"] > 0].mean()),
            "t": _t_of_mean(pnl, independent),
        }
    )


def running_profit(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that ended, in the order in which they did.

    Returns
    -------
    DataFrame
        `ended`, `session` (of the entry), `pnl`, `equity` (running sum of `pnl`) and `drawdown` (<= 0, from the highest
        `equity` so far, which begins at 0), in currency.
    """
    ended = entries[entries["pnl"].notna()].sort_values(["ended", "at"], ignore_index=True)
    equity = ended["pnl"].cumsum()
    drawdown = equity - equity.cummax().clip(lower=0.0)
    return ended[["ended", "session", "pnl"]].assign(equity=equity, drawdown=drawdown)


def entries_by_third(entries: pd.DataFrame, of: str = "iv_rank") -> pd.DataFrame:
    """Return the summary of the entries in each third of what the market was like when they were entered.

    Parameters
    ----------
    entries : DataFrame
        See `past_entries`.
    of : {"iv_rank", "skew", "term_slope", "iv"}

    Returns
    -------
    DataFrame
        Rows low, middle, high; ``from`` and ``to`` of the third, and `entry_summary`. A third that nothing is known of
        has no entries and NaN.
    """
    known = ("iv_rank", "skew", "term_slope", "iv")
    if of not in known:
        raise InputError("of", of, f"one of {', '.join(known)}")
    values = entries.loc[entries["pnl"].notna(), of].dropna()
    edges = values.quantile([0, 1 / 3, 2 / 3, 1]).to_numpy() if len(values) else np.full(4, _NAN)
    place = np.searchsorted(edges[1:3], entries[of].to_numpy()) if len(values) else np.full(len(entries), -1)
    place = np.where(entries[of].notna(), place, -1)
    rows: dict[str, dict[str, Any]] = {}
    for third, name in enumerate(THIRDS):
        span = {"from": edges[third], "to": edges[third + 1]}
        rows[name] = span | entry_summary(entries[place == third])
    return pd.DataFrame.from_dict(rows, orient="index")


def _t_of_mean(pnl: pd.Series, independent: int) -> float:
    spread = float(pnl.std()) if independent >= 2 else 0.0
    return float(pnl.mean()) / (spread / math.sqrt(independent)) if spread > 0 else _NAN
