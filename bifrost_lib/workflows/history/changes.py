"""Where volatility and open interest moved most between two chains of one underlying."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.collection.changes import CHANGE_COLUMNS, KEY, THRESHOLDS
from bifrost_lib.workflows.desk import Desk

MEASURED = ("iv", "open_interest", "volume", "mid")


def contract_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare the contracts that two chains share.

    Parameters
    ----------
    before, after : DataFrame
        CHAIN_COLUMNS of one underlying, each row newer in `after` or left out.

    Returns
    -------
    DataFrame
        What names each contract, `symbol`, `since_ts`, `ts`, `dte`, `delta`, `spot`, and for each of ``MEASURED`` its
        value in `after`, ``<name>_before`` and ``<name>_change``. Volatility is NaN where either quote is not good;
        the change of volume is NaN between two sessions, as it starts again every morning.
    """
    kept = [*KEY, "ts", *MEASURED, "quality"]
    words = dict.fromkeys(("trading_class", "right", "style", "settlement"), str)  # categories may differ
    old, new = before[kept].astype(words), after[[*kept, "symbol", "dte", "delta", "spot"]].astype(words)
    both = new.merge(old, on=list(KEY), suffixes=("", "_before")).rename(columns={"ts_before": "since_ts"})
    both = both[(both["ts"] > both["since_ts"]).to_numpy()].reset_index(drop=True)
    good = (both["quality"] == "ok").to_numpy() & (both["quality_before"] == "ok").to_numpy()
    columns: dict[str, Any] = {name: both[name] for name in ("iv", "iv_before")}
    columns = {name: column.where(good) for name, column in columns.items()}
    both = both.assign(**columns)
    for name in MEASURED:
        both[f"{name}_change"] = both[name] - both[f"{name}_before"]
    both.loc[~_same_session(both), "volume_change"] = np.nan
    return both.drop(columns=["quality", "quality_before"])


def changes_between(desk: Desk, symbol: str, *, since: datetime, at: datetime) -> pd.DataFrame:
    """Read the chains at two moments and compare the contracts that they share; see `contract_changes`.

    Raises
    ------
    InputError
        If `since` is not before `at`.
    NoDataError
        If nothing was known at one of the moments, or they share no contract.
    """
    if not as_utc(since, name="since") < as_utc(at):
        raise InputError("since", since, f"a moment before {at.isoformat()}")
    both = contract_changes(read_chain(desk, symbol, at=since), read_chain(desk, symbol, at=at))
    if both.empty:
        hint = f"it shares no contract with the chain of {since.isoformat()}"
        raise NoDataError("changes", symbol=symbol.upper(), at=at, hint=hint)
    return both


def large_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what the collectors would note between two chains, as `store.append_option_changes` takes it.

    Parameters and policy are those of `contract_changes`; what is large, ``collection.changes.THRESHOLDS`` says.
    """
    both = contract_changes(before, after)
    parts = []
    for name, threshold in THRESHOLDS.items():
        distance, old = both[f"{name}_change"].abs(), both[f"{name}_before"]
        moved = both[((distance >= threshold.least) & (distance >= threshold.share * old.abs())).to_numpy()]
        parts.append(moved.assign(what=name, old=moved[f"{name}_before"], new=moved[name])[list(CHANGE_COLUMNS)])
    words = dict.fromkeys(("symbol", "trading_class", "right", "style", "settlement", "what"), "category")
    return pd.concat(parts, ignore_index=True).astype(words)


def _same_session(both: pd.DataFrame) -> Any:
    moments = pd.unique(pd.concat([both["ts"], both["since_ts"]]))
    days = {moment: exchange_date(moment) for moment in moments}
    return (both["ts"].map(days) == both["since_ts"].map(days)).to_numpy()
