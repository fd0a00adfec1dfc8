"""From quotes to snapshots: implied forward, rate, dividend yield, volatility, greeks and a quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import year_fractions
from bifrost_lib.core.policy_rate import policy_rates
from bifrost_lib.core.quality import QUALITY_LABELS, Quality
from bifrost_lib.core.vocabulary import ANALYTIC_COLUMNS
from bifrost_lib.pricing import quote_analytics

#: How far a year's rates stray from the one it began with.
POLICY_RATE_SD = 0.0125
_QUALITIES = pd.Index(QUALITY_LABELS)


def with_analytics(quotes: pd.DataFrame) -> pd.DataFrame:
    """Return `quotes` with the analytic columns, computed from nothing but the quotes themselves.

    Parameters
    ----------
    quotes : DataFrame
        QUOTE_COLUMNS, sorted by symbol, trading_class, ts, expiry, strike, right (P before C); all quotes of one
        class, moment and expiry must be in the same frame, since the forward is implied by their call-put parity.

    Returns
    -------
    DataFrame
        SNAPSHOT_COLUMNS, in the order of `quotes`.
    """
    starts, group = _groups(quotes)
    tau = year_fractions(
        _ts(quotes)[starts],
        quotes["expiry"].to_numpy()[starts],
        _is(quotes["settlement"], "AM")[starts],
    )[group]
    found = quote_analytics(
        group=group,
        tau=tau,
        strike=quotes["strike"].to_numpy(),
        is_call=_is(quotes["right"], "C"),
        bid=quotes["bid"].to_numpy(),
        ask=quotes["ask"].to_numpy(),
        spot=quotes["spot"].to_numpy(),
        american=_is(quotes["style"], "american"),
        prior_rate=policy_rates(_ts(quotes)[starts])[group],
        prior_rate_sd=POLICY_RATE_SD,
    )
    columns: dict[str, Any] = {name: getattr(found, name) for name in ANALYTIC_COLUMNS if name != "quality"}
    columns["quality"] = pd.Categorical.from_codes(found.quality, categories=_QUALITIES)
    return _beside(quotes, columns)


def _beside(quotes: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    """Put columns beside those of `quotes`, all at once: one by one costs more than computing them for small frames."""
    return pd.concat([quotes, pd.DataFrame(columns, index=quotes.index)], axis=1)


def without_analytics(quotes: pd.DataFrame) -> pd.DataFrame:
    """Return `quotes` with the analytic columns missing: the quality says what the two sides alone can tell."""
    bid, ask = quotes["bid"].to_numpy(), quotes["ask"].to_numpy()
    has_bid, has_ask = bid > 0, ask > 0
    quality = np.select(
        [~has_bid & ~has_ask, has_bid != has_ask, bid > ask],
        [Quality.NO_QUOTE, Quality.ONE_SIDED, Quality.CROSSED],
        Quality.OK,
    )
    columns: dict[str, Any] = dict.fromkeys(ANALYTIC_COLUMNS, np.nan)
    columns["quality"] = pd.Categorical.from_codes(quality, categories=_QUALITIES)
    return _beside(quotes, columns)


def _groups(quotes: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first row of each (class, ts, expiry) and, for each row, the number of its group."""
    new = np.ones(len(quotes), dtype=bool)
    new[1:] = False
    for key in (quotes["trading_class"].cat.codes.to_numpy(), _ts(quotes), quotes["expiry"].to_numpy()):
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1


def _ts(quotes: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    return np.asarray(quotes["ts"].dt.tz_localize(None).to_numpy())


def _is(column: pd.Series[str], word: str) -> npt.NDArray[np.bool_]:
    """Compare a categorical column with one of its words through the codes, which costs nothing per row."""
    categories = list(column.cat.categories)
    code = categories.index(word) if word in categories else -2
    return np.asarray(column.cat.codes.to_numpy() == code)
