"""From quotes to snapshots: implied forward, rate, dividend yield, volatility, greeks and a quality."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import year_fractions
from bifrost_lib.core.policy_rate import policy_rates
from bifrost_lib.core.quality import QUALITY_LABELS, Quality
from bifrost_lib.core.vocabulary import ANALYTIC_COLUMNS
from bifrost_lib.pricing import QuoteAnalytics, quote_analytics

Floats = npt.NDArray[np.float64]

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
    found = QuotedContracts(quotes).analytics(
        quotes["bid"].to_numpy(), quotes["ask"].to_numpy(), quotes["spot"].to_numpy()
    )
    columns: dict[str, Any] = {name: getattr(found, name) for name in ANALYTIC_COLUMNS if name != "quality"}
    columns["quality"] = pd.Categorical.from_codes(found.quality, categories=_QUALITIES)
    return _beside(quotes, columns)


class QuotedContracts:
    """What valuing quotes needs of their contracts: read once where the same contracts are quoted again and again.

    Parameters
    ----------
    quotes : DataFrame
        As in `with_analytics`; prices do not matter here.
    """

    def __init__(self, quotes: pd.DataFrame) -> None:
        ts = np.asarray(quotes["ts"].dt.tz_localize(None).to_numpy())
        self._starts, self._group = _groups(quotes, ts)
        self._ts = ts[self._starts]
        self._expiry = quotes["expiry"].to_numpy()[self._starts]
        self._is_am = _is(quotes["settlement"], "AM")[self._starts]
        self._strike = quotes["strike"].to_numpy()
        self._is_call, self._american = _is(quotes["right"], "C"), _is(quotes["style"], "american")

    def analytics(self, bid: Floats, ask: Floats, spot: Floats, *, at: datetime | None = None) -> QuoteAnalytics:
        """Return what quotes of the contracts, in their order, tell: all at the moment `at`, or each at its own."""
        ts = self._ts
        if at is not None:
            ts = np.full(len(ts), np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us"))
        return quote_analytics(
            group=self._group,
            tau=year_fractions(ts, self._expiry, self._is_am)[self._group],
            strike=self._strike,
            is_call=self._is_call,
            bid=bid,
            ask=ask,
            spot=spot,
            american=self._american,
            prior_rate=policy_rates(ts)[self._group],
            prior_rate_sd=POLICY_RATE_SD,
        )


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


def _groups(
    quotes: pd.DataFrame, ts: npt.NDArray[np.datetime64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first row of each (class, ts, expiry) and, for each row, the number of its group."""
    new = np.ones(len(quotes), dtype=bool)
    new[1:] = False
    for key in (quotes["trading_class"].cat.codes.to_numpy(), ts, quotes["expiry"].to_numpy()):
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1


def _is(column: pd.Series[str], word: str) -> npt.NDArray[np.bool_]:
    """Compare a categorical column with one of its words through the codes, which costs nothing per row."""
    categories = list(column.cat.categories)
    code = categories.index(word) if word in categories else -2
    return np.asarray(column.cat.codes.to_numpy() == code)
