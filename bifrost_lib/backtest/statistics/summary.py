"""What a backtest amounts to, and how sure each figure is: one flat dictionary that can be stored and compared.

References
----------
Bacon (2008), "Practical portfolio performance measurement and attribution", for the ratios; Sortino and van der Meer
(1991), downside risk about a target; Politis and Romano (1994) for the intervals, see `bootstrap`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bifrost_lib.backtest.statistics.account_figures import account_figures
from bifrost_lib.backtest.statistics.resampling import Resampling
from bifrost_lib.backtest.statistics.trade_figures import figures_by_reason, trade_figures
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def summarize(
    trades: pd.DataFrame,
    equity: pd.DataFrame,
    *,
    capital: float,
    rate: float = 0.0,
    sessions_per_year: float = 252.0,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the figures of a run by name.

    Parameters
    ----------
    trades : DataFrame
        One row a trade: opened, closed (aware UTC), reason, pnl (net, currency); margin, max_loss, commission and
        carried where they are known.
    equity : DataFrame
        One row a session, in the order of time: ts (aware UTC), equity (currency); margin and active where known.
    capital : float
        Currency, > 0: what the account held before the first session.
    rate : float
        Annual, what cash earns; Sharpe and Sortino are above it.
    sessions_per_year : float
        By which figures of sessions are made annual; the annual return goes by the calendar.
    confidence, draws, seed
        Of the intervals, see `bootstrap_interval`; 0 draws leave them out, which is what a sweep wants.

    Returns
    -------
    dict
        Trades: ``trades`` in all, of which ``closed`` have a result, ``open`` were not over when the data ended and
        ``unpriceable`` ended without an honest price; of the closed ones ``wins``, ``win_rate`` (Wilson's interval
        ``win_rate_low``, ``win_rate_high``), ``pnl``, ``mean_pnl`` (with ``_low``, ``_high``), ``median_pnl``,
        ``best_pnl``, ``worst_pnl``, ``mean_win``, ``mean_loss``, ``profit_factor``, ``expectancy`` (mean pnl as a
        share of what could be lost: max_loss, else margin), ``return_on_margin``, ``commission``, ``mean_days``
        (calendar days in trade), ``carried`` (moments without a price).
        Equity: ``sessions``, ``final_equity``, ``total_return``, ``annual_return`` (with interval), ``volatility``,
        ``sharpe`` (with interval), ``sortino``, ``calmar``, ``skew``, ``kurtosis`` (3 is normal), ``max_drawdown``
        (<= 0, share of the peak), ``max_drawdown_pnl`` (<= 0), ``max_drawdown_days`` (from the peak until it is
        reached again, or to the end), ``exposure`` (share of sessions with a trade open), ``mean_margin``,
        ``max_margin``, ``probabilistic_sharpe`` and ``min_track_record`` (sessions, for 95 %).
        ``by_reason`` has trades, pnl, mean_pnl and win_rate of each way to end, ``bootstrap`` what the intervals rest
        on, and ``reasons`` says of each figure that is NaN why.

    Raises
    ------
    InputError
        If the capital is not positive or a frame lacks a column.
    """
    if not capital > 0:
        raise InputError("capital", capital, "an amount > 0")
    _check_columns("trades", trades, ("opened", "closed", "reason", "pnl"))
    _check_columns("equity", equity, ("ts", "equity"))
    how, why = Resampling(confidence, draws, seed), dict[str, str]()
    bootstrap: dict[str, Any] = {"confidence": confidence, "draws": draws, "seed": seed}
    found = {
        **trade_figures(trades, how, why, bootstrap),
        **account_figures(equity, capital, rate, sessions_per_year, how, why, bootstrap),
        "by_reason": figures_by_reason(trades),
        "bootstrap": bootstrap,
    }
    unknown = [name for name, value in found.items() if isinstance(value, float) and math.isnan(value)]
    return {**found, "reasons": {name: why.get(name, "not known") for name in unknown}}


def _check_columns(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise InputError(name, list(frame.columns), f"a frame with a column {column}")
