"""What changed between two observations of the same contracts, where someone should see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.contracts import OptionContract

KEY = ("trading_class", "expiry", "strike", "right", "style", "settlement", "multiplier")
#: What `store.append_option_changes` takes.
CHANGE_COLUMNS = ("symbol", *KEY, "since_ts", "ts", "what", "old", "new")
LISTED, DELISTED = "listed", "delisted"


@dataclass(frozen=True)
class Threshold:
    """How large a change must be: both `least` in the column's unit and `share` of the old value.

    `same_session`: the column starts again every morning, so two days are not compared.
    """

    least: float
    share: float
    same_session: bool = False


#: Quotes move all the time; these moves are what a trader asks about.
THRESHOLDS: dict[str, Threshold] = {
    "iv": Threshold(least=0.03, share=0.10),  # three volatility points
    "open_interest": Threshold(least=500.0, share=0.20),
    "volume": Threshold(least=1000.0, share=0.50, same_session=True),
}


def value_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the large moves of implied volatility, open interest and volume.

    Parameters
    ----------
    before, after : DataFrame
        SNAPSHOT_COLUMNS of one underlying, each contract at most once; rows with the same or an earlier moment than
        before are not compared.

    Returns
    -------
    DataFrame
        ``CHANGE_COLUMNS``, one row per contract and column that moved by at least its `THRESHOLDS`. A value that is
        unknown on either side has not moved; volatilities count where both quotes are good.
    """
    columns = [*KEY, "ts", "quality", *THRESHOLDS]
    pairs = _plain(after[["symbol", *columns]]).merge(_plain(before[columns]), on=list(KEY), suffixes=("", "_old"))
    pairs = pairs[(pairs["ts"] > pairs["ts_old"]).to_numpy()]
    is_good = ((pairs["quality"] == "ok") & (pairs["quality_old"] == "ok")).to_numpy()
    same_day = (_day(pairs["ts"]) == _day(pairs["ts_old"])).to_numpy()
    found = []
    for name, threshold in THRESHOLDS.items():
        moved = _moved(pairs[f"{name}_old"].to_numpy(), pairs[name].to_numpy(), threshold)
        moved &= is_good if name == "iv" else True
        moved &= same_day if threshold.same_session else True
        rows = pairs[moved]
        found.append(rows.assign(what=name, since_ts=rows["ts_old"], old=rows[f"{name}_old"], new=rows[name]))
    return _typed(pd.concat(found)[list(CHANGE_COLUMNS)])


def listing_changes(
    before: Collection[OptionContract], after: Collection[OptionContract], *, since: datetime, ts: datetime
) -> pd.DataFrame:
    """Return what was listed and delisted between two listings of the same expiries.

    Parameters
    ----------
    before, after : collection of OptionContract
        Everything that was listed at `since` and at `ts`. Only expiries of both count: one that is new in `after`
        may just not have been asked for before, and one that has gone has expired.

    Returns
    -------
    DataFrame
        ``CHANGE_COLUMNS``; old and new are NaN.
    """
    shared = {_expiry(contract) for contract in before} & {_expiry(contract) for contract in after}
    old = {contract for contract in before if _expiry(contract) in shared}
    new = {contract for contract in after if _expiry(contract) in shared}
    named = [(one, LISTED) for one in sorted(new - old)] + [(one, DELISTED) for one in sorted(old - new)]
    moments = {"since_ts": as_utc(since), "ts": as_utc(ts), "old": np.nan, "new": np.nan}
    rows = [
        {name: getattr(contract, name) for name in ("symbol", *KEY)} | {"what": what} | moments
        for contract, what in named
    ]
    return _typed(pd.DataFrame(rows, columns=list(CHANGE_COLUMNS)))


def _expiry(contract: OptionContract) -> tuple[str, date]:
    return contract.trading_class, contract.expiry


def _moved(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], threshold: Threshold) -> npt.NDArray[np.bool_]:
    distance = np.abs(new - old)
    moved: npt.NDArray[np.bool_] = (distance >= threshold.least) & (distance >= threshold.share * np.abs(old))
    return moved


def _day(ts: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    return ts.dt.tz_convert(EXCHANGE_TZ).dt.normalize()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with words instead of categories: those of two frames differ, and would not meet."""
    words = {name: "str" for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype)}
    return frame.astype(words)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    kinds = dict.fromkeys(("symbol", "trading_class", "right", "style", "settlement", "what"), "category")
    kinds |= dict.fromkeys(("since_ts", "ts"), "datetime64[us, UTC]")
    kinds |= dict.fromkeys(("strike", "multiplier", "old", "new"), "float64")
    return frame.astype({**kinds, "expiry": "datetime64[s]"}).reset_index(drop=True)
