"""Stored quotes as arrays that answer at once what was known of many contracts at a moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import ANALYTIC_COLUMNS, QUOTE_COLUMNS, VENDOR_COLUMNS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

IDENTITY = ("symbol", "trading_class", "expiry", "strike", "right", "style", "settlement", "multiplier")
_KEY = ("trading_class", "expiry", "strike", "right")
_VALUES = tuple(name for name in QUOTE_COLUMNS if name not in (*IDENTITY, "ts"))
_MORE = tuple(name for name in (*ANALYTIC_COLUMNS, *VENDOR_COLUMNS) if name not in ("quality", "market_data_type"))


@dataclass(frozen=True)
class Series:
    """Values over time of many things; rows are sorted by thing and time.

    `begin` has one more number than there are things: the rows of thing i are ``begin[i]:begin[i + 1]``. `ts` is
    microseconds since 1970.
    """

    ts: Ints
    begin: Ints
    values: dict[str, Floats]

    def newest(self, things: Ints, at_us: int) -> Ints:
        """Return the row of each thing's newest values at or before `at_us`; -1 where there were none yet."""
        low, high = self.begin[things].copy(), self.begin[things + 1].copy()
        while (low < high).any():
            middle = (low + high) // 2
            known = (low < high) & (self.ts[np.minimum(middle, len(self.ts) - 1)] <= at_us)
            low, high = np.where(known, middle + 1, low), np.where(known | (low >= high), high, middle)
        return np.asarray(np.where(low > self.begin[things], low - 1, -1), dtype=np.int64)

    def span(self, thing: int, start_us: int, end_us: int) -> slice:
        """Return the rows of one thing in [start, end)."""
        rows = self.ts[self.begin[thing] : self.begin[thing + 1]]
        low, high = np.searchsorted(rows, [start_us, end_us])
        return slice(int(self.begin[thing] + low), int(self.begin[thing] + high))


@dataclass(frozen=True)
class StoredQuotes:
    """Contracts (a frame with ``IDENTITY``, a row each), their quotes, and the spot of each underlying symbol."""

    contracts: pd.DataFrame
    quotes: Series
    symbols: list[str]
    spots: Series


def stored_quotes(frames: Iterable[pd.DataFrame]) -> StoredQuotes:
    """Arrange frames of quotes.

    Parameters
    ----------
    frames : iterable of pandas.DataFrame
        With ``QUOTE_COLUMNS``; analytic and vendor columns are kept where present. Of two rows of the same contract
        and moment the later one counts.

    Raises
    ------
    InputError
        If a column is missing or of another dtype, or if there are no rows.
    """
    parts = [_plain(frame) for frame in frames if len(frame)]
    if not parts:
        raise InputError("frames", "no rows", "frames with at least one quote")
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.drop_duplicates(["ts", *_KEY], keep="last")
    rows["contract"] = rows.groupby(list(_KEY), sort=True).ngroup()
    rows = rows.sort_values(["contract", "ts"], kind="stable")
    contracts = rows.drop_duplicates("contract", keep="last")[list(IDENTITY)].reset_index(drop=True)
    names = [name for name in (*_VALUES, *_MORE) if name in rows.columns]
    spot = rows.dropna(subset=["spot"]).drop_duplicates(["symbol", "ts"], keep="last")
    symbols = sorted(contracts["symbol"].unique())
    spot = spot.assign(contract=spot["symbol"].map({name: place for place, name in enumerate(symbols)}))
    return StoredQuotes(
        contracts=contracts,
        quotes=_series(rows, len(contracts), names),
        symbols=symbols,
        spots=_series(spot.sort_values(["contract", "ts"], kind="stable"), len(symbols), ["spot"]),
    )


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    check_frame(frame, QUOTE_COLUMNS)
    kept = frame[[*QUOTE_COLUMNS, *(name for name in _MORE if name in frame.columns)]]
    return kept.astype(dict.fromkeys(("symbol", "trading_class", "right", "style", "settlement"), str))


def _series(rows: pd.DataFrame, things: int, names: list[str]) -> Series:
    return Series(
        ts=rows["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64),
        begin=np.searchsorted(rows["contract"].to_numpy(), np.arange(things + 1)),
        values={name: rows[name].to_numpy(dtype=np.float64) for name in names},
    )
