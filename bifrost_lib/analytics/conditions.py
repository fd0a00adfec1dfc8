"""The state of one underlying's market at one moment, as the row that a collector stores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.analytics.estimates import Estimate, missing
from bifrost_lib.analytics.rankings import iv_percentile, iv_rank
from bifrost_lib.analytics.realized import realized_vol
from bifrost_lib.analytics.smiles import cut_smiles
from bifrost_lib.analytics.strips import put_call_ratio, volatility_index
from bifrost_lib.analytics.tenors import MONTH_DAYS, QUARTER_DAYS, at_tenor, at_the_money, skew_of, slope_of
from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MarketConditions:
    """What a market is like at `ts`; a figure that is NaN has its reason in `reasons`, by name.

    `spot` in currency per share; `iv` (30 days, at the money), `realized_vol` (21 sessions), `skew` (25-delta put less
    call, 30 days) and `term_slope` (90 less 30 days) annual decimals; `iv_rank` and `iv_percentile` in [0, 1], resting
    on `iv_days` sessions; `put_call_volume` and `put_call_open_interest` ratios of contracts; `vol_index` in points,
    100 times an annual volatility.
    """

    ts: datetime
    spot: float
    iv: float
    iv_rank: float
    iv_percentile: float
    iv_days: int
    realized_vol: float
    skew: float
    term_slope: float
    put_call_volume: float
    put_call_open_interest: float
    vol_index: float
    reasons: dict[str, str] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """Return the figures by name, without the reasons, as a row of a table."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "reasons"}


def market_conditions(
    chain: pd.DataFrame,
    *,
    daily_bars: pd.DataFrame | None = None,
    history: pd.Series[float] | npt.ArrayLike = (),
    at: datetime,
) -> MarketConditions:
    """Describe a market at `at` by its chain, its daily bars and the volatilities of the sessions before.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS of one underlying; rows after `at` are not looked at.
    daily_bars : DataFrame, optional
        ts, open, high, low, close, oldest first, adjusted for splits. Bars of `at`'s own session and later are not
        looked at, since that session's bar is not complete before its close.
    history : Series or array_like, optional
        Earlier 30-day volatilities. A Series on aware times may hold several a day: the last of each session before
        `at`'s counts. An array holds one per session, oldest first, without `at`'s own.
    at : datetime, aware

    Returns
    -------
    MarketConditions
        Figures that cannot be known are NaN, each with its reason.

    Raises
    ------
    InputError
        If a column is missing or `at` has no zone; ``error.name`` says which.
    """
    moment = as_utc(at)
    known = chain[(chain["ts"] <= pd.Timestamp(moment)).to_numpy()]
    smiles = cut_smiles(known, moment)
    vol = at_tenor(smiles, MONTH_DAYS, at_the_money)
    past = _one_per_session(history, moment)
    rank, percentile = iv_rank(past, vol.value), iv_percentile(past, vol.value)
    found = {
        "spot": _spot(known),
        "iv": vol,
        "iv_rank": Estimate(rank.value, rank.reason),
        "iv_percentile": Estimate(percentile.value, percentile.reason),
        "realized_vol": _realized(daily_bars, moment),
        "skew": skew_of(smiles, MONTH_DAYS),
        "term_slope": slope_of(smiles, MONTH_DAYS, QUARTER_DAYS),
        "put_call_volume": put_call_ratio(known, of="volume"),
        "put_call_open_interest": put_call_ratio(known, of="open_interest"),
        "vol_index": volatility_index(known, at=moment),
    }
    reasons = {name: estimate.reason for name, estimate in found.items() if estimate.reason}
    values = {name: estimate.value for name, estimate in found.items()}
    return MarketConditions(ts=moment, iv_days=rank.days, reasons=reasons, **values)


def _spot(known: pd.DataFrame) -> Estimate:
    priced = known[(known["spot"] > 0).to_numpy()]
    if not len(priced):
        return missing("no quote came with a price of the underlying")
    return Estimate(float(priced["spot"].to_numpy()[priced["ts"].to_numpy().argmax()]))


def _realized(bars: pd.DataFrame | None, at: datetime) -> Estimate:
    if bars is None:
        return missing("no daily bars")
    if "ts" not in bars.columns:
        raise InputError("daily_bars.ts", list(bars.columns), "this column to be present")
    complete = bars[(_session(bars["ts"]) < pd.Timestamp(exchange_date(at))).to_numpy()]
    vol = float(realized_vol(complete).iloc[-1]) if len(complete) else math.nan
    return Estimate(vol) if math.isfinite(vol) else missing("fewer than 22 whole daily bars")


def _session(ts: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    # A daily bar is stamped with its date (midnight UTC, or without zone) or with a moment of its session.
    if ts.dt.tz is None:
        return ts.dt.normalize()
    is_date = ts.dt.tz_convert("UTC").dt.normalize() == ts
    local = ts.dt.tz_convert(EXCHANGE_TZ).dt.tz_localize(None).dt.normalize()
    return local.mask(is_date, ts.dt.tz_convert("UTC").dt.tz_localize(None))


def _one_per_session(history: Any, at: datetime) -> Floats:
    if not isinstance(history, pd.Series):
        return np.asarray(history, dtype=np.float64)
    if not isinstance(history.index, pd.DatetimeIndex) or history.index.tz is None:
        raise InputError("history", type(history.index).__name__, "a Series on aware times, or an array")
    known = history.dropna().sort_index()
    moments = pd.DatetimeIndex(known.index)
    last = known.groupby(moments.tz_convert(EXCHANGE_TZ).tz_localize(None).normalize()).last()
    return last[last.index < pd.Timestamp(exchange_date(at))].to_numpy(dtype=np.float64)
