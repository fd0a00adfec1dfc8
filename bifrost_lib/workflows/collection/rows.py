"""From what was observed to rows of the store: one moment for a batch, ours and the vendor's numbers side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.vocabulary import (
    MARKET_DATA_TYPES,
    QUOTE_COLUMNS,
    RIGHTS,
    SETTLEMENTS,
    SNAPSHOT_COLUMNS,
    STYLES,
    VENDOR_COLUMNS,
)
from bifrost_lib.ib import ListedOption, Observation
from bifrost_lib.workflows.enrichment import with_analytics

Floats = npt.NDArray[np.float64]

#: What a sweep hands to the store.
COLLECTED_COLUMNS: tuple[str, ...] = SNAPSHOT_COLUMNS + VENDOR_COLUMNS

#: The reason of a contract whose line was fine and that showed neither quote nor trade nor open interest.
EMPTY_QUOTE = "empty_quote"

#: What a quote itself says; the vendor's numbers follow it in `observed_numbers`.
QUOTED = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")
_VENDOR = VENDOR_COLUMNS[:-1]
_NUMBERS = (*QUOTED, *_VENDOR)
_numbers = attrgetter(*_NUMBERS)
_contract = attrgetter(
    "contract.trading_class", "contract.expiry", "contract.strike", "contract.right", "contract.style",
    "contract.settlement", "contract.multiplier",
)  # fmt: skip
_SOMETHING = [_NUMBERS.index(name) for name in ("bid", "ask", "last", "open_interest")]


@dataclass(frozen=True, slots=True)
class Observed:
    """One contract, what came for it, and the underlying's price at that moment (NaN where unknown)."""

    option: ListedOption
    observation: Observation
    spot: float


@dataclass(frozen=True)
class Batch:
    """What a batch of observations came to: rows to store, and the other contracts, each with the reason."""

    frame: pd.DataFrame
    observed: list[Observed]  # in the order of the frame's rows
    lost: list[tuple[ListedOption, str]]

    @property
    def missing(self) -> Counter[str]:
        """The contracts without a row, counted by reason."""
        return Counter(reason for _, reason in self.lost)


def to_batch(observed: Sequence[Observed], *, symbol: str, ts: datetime) -> Batch:
    """Return the rows of one batch under a single moment, with analytics.

    Parameters
    ----------
    observed : sequence of Observed
        Whole groups of class and expiry: the forward is implied by the parity of a group.
    symbol : str
        The underlying.
    ts : datetime
        Aware; not before the last of the observations, so that a read as of `ts` sees nothing that came later.

    Returns
    -------
    Batch
        `frame` has ``COLLECTED_COLUMNS``, in any order. A contract is a row if a bid, an ask, a last price or an open
        interest came for it; else it is `lost` for the gateway's reason, ``empty_quote`` where that gave none.
    """
    if not observed:
        return Batch(pd.DataFrame(columns=list(COLLECTED_COLUMNS)), [], [])
    numbers = observed_numbers([one.observation for one in observed])
    kept_rows = has_something(numbers)
    marked: list[tuple[Observed, bool]] = list(zip(observed, kept_rows.tolist(), strict=True))
    lost = [(one.option, one.observation.missing or EMPTY_QUOTE) for one, keep in marked if not keep]
    kept = [one for one, keep in marked if keep]
    if not kept:
        return Batch(pd.DataFrame(columns=list(COLLECTED_COLUMNS)), [], lost)
    frame, order = _quotes(kept, numbers[kept_rows], symbol=symbol, ts=ts)
    return Batch(with_analytics(frame), [kept[place] for place in order], lost)


def observed_numbers(observations: Sequence[Observation]) -> Floats:
    """Return one row for each observation: what it quotes, then the vendor's numbers; NaN where nothing came."""
    numbers = np.array([_numbers(one) for one in observations], dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def has_something(numbers: Floats) -> npt.NDArray[np.bool_]:
    """Tell which rows of `observed_numbers` are worth storing: those with a quote, a trade or an open interest."""
    return np.asarray(~np.isnan(numbers[:, _SOMETHING]).all(axis=1))


def contracts_frame(options: Sequence[ListedOption], *, symbol: str, ts: datetime) -> tuple[pd.DataFrame, list[int]]:
    """Return contracts as rows in the order that analytics want, without any quote, and that order."""
    kept = [Observed(option, Observation(option.con_id), np.nan) for option in options]
    return _quotes(kept, np.full((len(kept), len(_NUMBERS)), np.nan), symbol=symbol, ts=ts)


def warm_up(at: datetime) -> None:
    """Load what the first batch would otherwise wait for while ticks come in: kernels, calendar, libraries."""
    contract = OptionContract("X", exchange_date(at) + timedelta(days=30), 100.0, "C")
    to_batch([Observed(ListedOption(1, contract), Observation(1, at, bid=1.0, ask=1.1), 100.0)], symbol="X", ts=at)


def _quotes(kept: Sequence[Observed], numbers: Floats, *, symbol: str, ts: datetime) -> tuple[pd.DataFrame, list[int]]:
    """Return quotes and the vendor's columns sorted as the analytics want them, and that order."""
    trading_class, expiry, strike, right, style, settlement, multiplier = zip(
        *(_contract(one.option) for one in kept), strict=True
    )
    classes = sorted(set(trading_class))
    class_codes = np.array([classes.index(name) for name in trading_class])
    days = np.array(expiry, dtype="datetime64[D]")
    is_call = np.array([word == "C" for word in right])
    strikes = np.array(strike, dtype=np.float64)
    order = np.lexsort((is_call, strikes, days, class_codes))
    values = {name: np.ascontiguousarray(numbers[order, place]) for place, name in enumerate(_NUMBERS)}
    n = len(kept)
    moment = np.full(n, np.datetime64(ts.astimezone(UTC).replace(tzinfo=None), "us"))
    types = [one.observation.market_data_type for one in kept]
    columns: dict[str, Any] = {
        "ts": pd.DatetimeIndex(moment, tz=UTC),
        "symbol": _coded(np.zeros(n, dtype=np.int8), (symbol,)),
        "trading_class": _coded(class_codes[order].astype(np.int8), tuple(classes)),
        "expiry": days[order].astype("datetime64[s]"),
        "strike": strikes[order],
        "right": _words(right, RIGHTS, order),
        "style": _words(style, STYLES, order),
        "settlement": _words(settlement, SETTLEMENTS, order),
        "multiplier": np.array(multiplier, dtype=np.float64)[order],
        "spot": np.array([one.spot for one in kept], dtype=np.float64)[order],
        "market_data_type": _words(types, tuple(MARKET_DATA_TYPES.values()), order),
    } | values
    return pd.DataFrame({name: columns[name] for name in QUOTE_COLUMNS + VENDOR_COLUMNS}), order.tolist()


def _words(words: Sequence[str], known: tuple[str, ...], order: npt.NDArray[np.int64]) -> Any:
    """Return words of a closed list as a categorical; any other word is unknown, not an error."""
    codes = {word: code for code, word in enumerate(known)}
    return _coded(np.array([codes.get(word, -1) for word in words], dtype=np.int8)[order], known)


def _coded(codes: npt.NDArray[np.int8], known: tuple[str, ...]) -> Any:
    return pd.Categorical.from_codes(codes, dtype=_categories(known), validate=False)


@lru_cache(maxsize=256)
def _categories(known: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(known))  # making one costs more than a column of numbers
