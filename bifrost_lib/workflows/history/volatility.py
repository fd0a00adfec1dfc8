"""The volatility of one market, session by session, and where it stood in the year before each."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.workflows.desk import Desk

SESSIONS_PER_YEAR, FEWEST = 252, 20
#: Windows by the name that a reader chooses, calendar days.
WINDOWS: dict[str, int] = {"1m": 31, "3m": 92, "6m": 183, "1y": 366}


def volatility_history(desk: Desk, symbol: str, *, at: datetime | None = None, days: int = 366) -> pd.DataFrame:
    """Return what each session's last moment was like.

    Parameters
    ----------
    desk : Desk
    symbol : str
        In any case.
    at : datetime, optional
        Aware. Nothing later is used. Default: now.
    days : int
        Calendar days before the newest session.

    Returns
    -------
    DataFrame
        One row a session, oldest first: `ts`, `spot`, `iv` (30 days), `iv_rank`, `iv_percentile`, `iv_days`,
        `realized_vol` (21 sessions), `skew` (25-delta put less call), `term_slope`, `put_call_volume`,
        `put_call_open_interest`, `vol_index`, `source`; `iv_low` and `iv_high`, the range of `iv` over as much of
        the year up to that session as is stored (NaN on fewer than 20 sessions); `premium`, `iv` less `realized_vol`.
        Volatilities are annual decimals.

    Raises
    ------
    NoDataError
        If nothing was known.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    start = moment - timedelta(days=3_660)
    known = store.market_conditions(desk.store.engine, symbol.upper(), at=moment, start=start, daily=True)
    known = known[known["iv"].notna()].reset_index(drop=True)
    if known.empty:
        raise NoDataError("volatility history", symbol=symbol.upper(), at=moment, hint="no session has a volatility")
    year = known["iv"].rolling(SESSIONS_PER_YEAR, min_periods=FEWEST)
    known = known.assign(iv_low=year.min(), iv_high=year.max(), premium=known["iv"] - known["realized_vol"])
    first = known["ts"].iloc[-1] - timedelta(days=days)
    shown: pd.DataFrame = known[(known["ts"] >= first).to_numpy()].reset_index(drop=True)
    shown.attrs |= {"symbol": symbol.upper(), "at": moment, "as_of": shown["ts"].iloc[-1].to_pydatetime()}
    return shown


def telling_sessions(history: pd.DataFrame) -> dict[str, datetime]:
    """Name the sessions of a history that are worth comparing: the newest, some before it, and the extremes.

    Parameters
    ----------
    history : DataFrame
        As `volatility_history` returns it.

    Returns
    -------
    dict of str to datetime
        In the order in which a reader wants them; no session twice.
    """
    newest = history["ts"].iloc[-1]
    found = {"newest": newest}
    for name, days in (("1 week before", 7), ("1 month before", 30), ("3 months before", 91), ("6 months before", 182)):
        earlier = history.loc[(history["ts"] <= newest - timedelta(days=days)).to_numpy(), "ts"]
        if len(earlier):
            found[name] = earlier.iloc[-1]
    found["highest IV"] = history["ts"].iloc[int(history["iv"].to_numpy().argmax())]
    found["lowest IV"] = history["ts"].iloc[int(history["iv"].to_numpy().argmin())]
    once = {ts: name for name, ts in reversed(found.items())}
    return {name: ts.to_pydatetime() for name, ts in found.items() if once[ts] == name}
