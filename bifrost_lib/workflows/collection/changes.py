"""What changed between two observations of the same contracts, where someone should see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.contracts import OptionContract

KEY = ("trading_class", "expiry", "strike", "right", "style", "settlement", "multiplier")
#: The values of `KEY`: what names a contract among those of one underlying. A tuple is found ten times as fast as an
#: OptionContract, and a sweep looks for each of its contracts.
ContractKey = tuple[str, date, float, str, str, str, float]
#: What `store.append_option_changes` takes.
CHANGE_COLUMNS = ("symbol", *KEY, "since_ts", "ts", "what", "old", "new")
WORDS = ("symbol", "trading_class", "right", "style", "settlement", "what")
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


class Seen(NamedTuple):
    """What was seen of one contract at `ts`; NaN where unknown. `is_good`: the quote had no fault."""

    ts: datetime
    is_good: bool
    iv: float
    open_interest: float
    volume: float


def seen_in(frame: pd.DataFrame) -> dict[ContractKey, Seen]:
    """Return what the rows of `frame` (`KEY`, ``ts``, ``quality`` and the columns of `THRESHOLDS`) say of contracts."""
    days = frame["expiry"].to_numpy().astype("datetime64[D]")
    keys = zip(*(days.tolist() if name == "expiry" else frame[name].tolist() for name in KEY), strict=True)
    moments = frame["ts"].dt.to_pydatetime() if len(frame) else []
    columns = (frame[name].tolist() for name in THRESHOLDS)
    is_good = (frame["quality"] == "ok").tolist()
    return dict(zip(keys, map(Seen, list(moments), is_good, *columns), strict=True))


def value_changes(
    before: Mapping[ContractKey, Seen], after: Mapping[ContractKey, Seen], *, symbol: str
) -> pd.DataFrame:
    """Return the large moves of implied volatility, open interest and volume.

    Parameters
    ----------
    before, after : mapping of ContractKey to Seen
        What was not seen before, or not later than before, is not compared.
    symbol : str
        The underlying of all of them.

    Returns
    -------
    DataFrame
        ``CHANGE_COLUMNS``, one row per contract and column that moved by at least its `THRESHOLDS`. A value that is
        unknown on either side has not moved; volatilities count where both quotes are good.
    """
    pairs = ((key, before.get(key), new) for key, new in after.items())
    both = [(key, old, new) for key, old, new in pairs if old is not None and new.ts > old.ts]
    if not both:
        return _frame([])
    is_good = np.array([old.is_good and new.is_good for _, old, new in both])
    days = {moment: exchange_date(moment) for moment in {seen.ts for _, *pair in both for seen in pair}}
    same_day = np.array([days[old.ts] == days[new.ts] for _, old, new in both])
    rows: list[dict[str, Any]] = []
    for name, threshold in THRESHOLDS.items():
        old_values = np.array([getattr(old, name) for _, old, _ in both])
        moved = _moved(old_values, np.array([getattr(new, name) for _, _, new in both]), threshold)
        moved &= is_good if name == "iv" else True
        moved &= same_day if threshold.same_session else True
        for place in np.flatnonzero(moved):
            key, old, new = both[place]
            values = {"since_ts": old.ts, "ts": new.ts, "old": getattr(old, name), "new": getattr(new, name)}
            rows.append({"symbol": symbol, **dict(zip(KEY, key, strict=True)), "what": name} | values)
    return _frame(rows)


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
    moments = {"since_ts": as_utc(since), "ts": as_utc(ts), "old": np.nan, "new": np.nan}
    listed = [_named(contract, LISTED) | moments for contract in sorted(new - old)]
    return _frame(listed + [_named(contract, DELISTED) | moments for contract in sorted(old - new)])


def _named(contract: OptionContract, what: str) -> dict[str, Any]:
    return {name: getattr(contract, name) for name in ("symbol", *KEY)} | {"what": what}


def _expiry(contract: OptionContract) -> tuple[str, date]:
    return contract.trading_class, contract.expiry


def _moved(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], threshold: Threshold) -> npt.NDArray[np.bool_]:
    distance = np.abs(new - old)
    moved: npt.NDArray[np.bool_] = (distance >= threshold.least) & (distance >= threshold.share * np.abs(old))
    return moved


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    kinds = dict.fromkeys(WORDS, "category")
    kinds |= dict.fromkeys(("since_ts", "ts"), "datetime64[us, UTC]")
    kinds |= dict.fromkeys(("strike", "multiplier", "old", "new"), "float64")
    return pd.DataFrame(rows, columns=list(CHANGE_COLUMNS)).astype({**kinds, "expiry": "datetime64[s]"})


def joined(*changes: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return changes of different kinds as one frame of the same columns and dtypes; None where there are none."""
    found = [frame for frame in changes if frame is not None]
    if len(found) < 2:
        return found[0] if found else None
    words = dict.fromkeys(WORDS, "category")  # joining columns whose words differ forgets that they are words
    return pd.concat(found, ignore_index=True).astype(words)
