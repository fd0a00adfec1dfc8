"""From a chain and a strategy document to ranked candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.strategies.catalogue import strategy_named
from bifrost_lib.strategies.conditions.admission import admit, refusal_until
from bifrost_lib.strategies.conditions.dividends import DividendCalendar
from bifrost_lib.strategies.conditions.earnings import EarningsCalendar
from bifrost_lib.strategies.documents.document import DteRange, StrategyDocument
from bifrost_lib.strategies.margins.regulation_t import naked_rate
from bifrost_lib.strategies.scanning.book import Book, open_book
from bifrost_lib.strategies.scanning.candidates import CandidateSet, candidate_set
from bifrost_lib.strategies.scanning.correction import PopCorrection
from bifrost_lib.strategies.scanning.enumeration import count_combinations
from bifrost_lib.strategies.scanning.over_time import screen_over_time
from bifrost_lib.strategies.scanning.ranking import Ranking
from bifrost_lib.strategies.scanning.score import points_of
from bifrost_lib.strategies.scanning.screening import screen
from bifrost_lib.strategies.scanning.selection import Search, plan_search
from bifrost_lib.strategies.scanning.slices import ExpirySlice, Filters, cut_chain

Floats = npt.NDArray[np.float64]

#: Most candidates that a scan measures; where legs expire at two times each takes a thousand times as long.
LIMIT, LIMIT_OVER_TIME = 200_000_000, 50_000


@dataclass(frozen=True)
class Progress:
    """How far a scan is: candidates measured, and how many there are."""

    considered: int
    admissible: int


def find_candidates(
    chain: pd.DataFrame,
    strategy: StrategyDocument | str,
    *,
    at: datetime | None = None,
    dte: tuple[int, int] | None = None,
    top: int = 10,
    weights: Mapping[str, float] | None = None,
    filters: Filters | None = None,
    fill: float = 0.0,
    limit: int | None = None,
    conditions: Mapping[str, float] | None = None,
    correction: PopCorrection | None = None,
    earnings: EarningsCalendar | None = None,
    dividends: DividendCalendar | None = None,
    on_progress: Callable[[Progress], bool] | None = None,
) -> CandidateSet:
    """Enumerate every candidate of a strategy that a chain admits, measure each, and rank them.

    Parameters
    ----------
    chain : DataFrame
        ``core.vocabulary.CHAIN_COLUMNS`` of one symbol. Only quotes of quality ok become legs.
    strategy : StrategyDocument or str
        A document, or a name of the catalogue.
    at : datetime, aware, optional
        The moment of the scan. Default: ``chain.attrs["at"]``, else the newest quote.
    dte : (int, int), optional
        Least and most calendar days to the (near) expiry, both included. Default: the document's.
    top : int
        How many to keep, best first.
    weights : mapping, optional
        Weights of the score's parts; see `WEIGHTS`. Parts that are left out weigh nothing.
    filters : Filters, optional
        Further conditions on quotes, beside those of the document's entry.
    fill : float
        Share of half the spread that each leg is assumed to pay, 0 (mid, the default) to 1 (cross the spread).
    limit : int, optional
        Most combinations to measure; the result says if it is reached. Expiries nearest to the document's target go
        first; where legs expire at two times, combinations are left out evenly instead. Default: `LIMIT`, or
        `LIMIT_OVER_TIME` for legs of two times.
    conditions : mapping, optional
        The underlying's ``market_conditions`` at the moment, by column. With it the document's conditions of entry
        must hold; without it they are named in `CandidateSet.unchecked`.
    earnings : EarningsCalendar, optional
    dividends : DividendCalendar, optional
        The underlying's days of earnings, and of trading without a dividend, as they were known at the moment, for
        windows around them; a window that they do not answer is named in `CandidateSet.unchecked`.
    correction : PopCorrection, optional
        What earlier outcomes say about stated probabilities: the score then counts the corrected one, and records
        have it as ``pop_recalibrated``. Conditions, front and ``pop`` itself stay what the model says.
    on_progress : callable, optional
        Called about ten times a second with a `Progress`; the scan stops, with what it has, when it returns True.

    Returns
    -------
    CandidateSet

    Raises
    ------
    NoDataError
        If no candidate comes out; the hint counts why not, or says which condition of entry fails.
    InputError
        If an argument is outside its domain or the chain holds quotes after `at`.
    UnknownNameError
        If `strategy` or a weight has an unknown name.

    Notes
    -----
    Probabilities and expected values are those of one lognormal distribution per expiry: mean, the implied forward;
    volatility, that of out-of-the-money quotes interpolated at the forward; `CandidateSet.under` adds those of a
    surface. Exercise before expiry is not considered.
    """
    document = strategy_named(strategy) if isinstance(strategy, str) else strategy
    days = _days(dte, document.dte)
    _check_arguments(top, fill, limit)
    chain = check_frame(chain, CHAIN_COLUMNS, name="chain")
    symbol, moment = _facts(chain, at)
    unchecked = admit(document, symbol=symbol, at=moment, conditions=conditions, earnings=earnings, dividends=dividends)
    furthest = days[1] + (document.gap.high if document.has_two_expiries else 0)
    quotes = (filters or Filters()).stricter(document.entry)
    slices, excluded, skipped = cut_chain(chain, dte=(days[0], furthest), filters=quotes)
    refusal = partial(refusal_until, document.entry, at=moment, earnings=earnings, dividends=dividends)
    near = _suitable(slices, days, skipped, refusal)
    searches = sorted(
        _searches(document, near, slices, skipped), key=lambda search: abs(search.near.dte - document.dte.target)
    )
    points, rate = points_of(weights), naked_rate(symbol)
    if correction is not None:
        points = np.append(points, [correction.intercept, correction.slope])
    books = _books(document, searches, days, fill=fill, naked_rate=rate)
    admissible = sum(map(count_combinations, searches))
    most = limit or (LIMIT_OVER_TIME if document.has_two_expiries else LIMIT)
    ranking, every = Ranking(top, limit=most), math.ceil(admissible / most) | 1  # an odd step meets all strikes
    stopped = _scan(zip(searches, books, strict=True), points, ranking, admissible, every, on_progress)
    if not len(ranking.rows):
        raise _nothing(document, symbol, moment, _no_expiry(days, chain["dte"]), ranking, excluded, skipped)
    return candidate_set(
        strategy=document,
        symbol=symbol,
        at=moment,
        picks=ranking.picks(searches),
        front=ranking.front_picks(searches),
        considered=ranking.considered,
        admissible=admissible,
        rejected=ranking.rejected,
        excluded=dict(excluded),
        skipped=skipped,
        stopped=stopped,
        unchecked=unchecked,
        points=points,
        correction=correction,
        fill=fill,
        naked_rate=rate,
    )


def _books(
    document: StrategyDocument, searches: Sequence[Search], days: tuple[int, int], *, fill: float, naked_rate: float
) -> Iterator[Book]:
    # Opened one by one, when their turn comes.
    for number, search in enumerate(searches):
        miss = _dte_miss(search.near.dte, days, document.dte.target)
        yield open_book(document, search, fill=fill, naked_rate=naked_rate, number=number, dte_miss=miss)


def _scan(
    planned: Iterable[tuple[Search, Book]], points: Floats, ranking: Ranking, admissible: int, every: int,
    on_progress: Callable[[Progress], bool] | None,
) -> bool:  # fmt: skip
    # Returns whether the caller stopped it.
    for search, book in planned:
        over_time = search.far is not search.near
        portions = (
            screen_over_time(search, book, points, ranking, every=every)
            if over_time
            else screen(search, book, points, ranking)
        )
        for considered in portions:
            if on_progress is not None and on_progress(Progress(considered, admissible)):
                return True
    return False


def _suitable(
    slices: list[ExpirySlice], days: tuple[int, int], skipped: dict[str, str], refusal: Callable[[date], str]
) -> list[ExpirySlice]:
    kept = []
    for near in (quotes for quotes in slices if days[0] <= quotes.dte <= days[1]):
        if reason := refusal(near.expiry):
            skipped[f"{near.expiry} {near.trading_class}"] = reason
        else:
            kept.append(near)
    return kept


def _searches(
    document: StrategyDocument, suitable: list[ExpirySlice], slices: list[ExpirySlice], skipped: dict[str, str]
) -> Iterator[Search]:
    for near in suitable:
        for far in _far_slices(document, near, slices):
            search = plan_search(document, near, far)
            label = f"{near.expiry} {near.trading_class}" + (f" and {far.expiry}" if far else "")
            if isinstance(search, str):
                skipped[label] = search
            else:
                yield search


def _far_slices(document: StrategyDocument, near: ExpirySlice, slices: list[ExpirySlice]) -> list[ExpirySlice | None]:
    if not document.has_two_expiries:
        return [None]
    low, high = document.gap.low, document.gap.high
    return [
        quotes
        for quotes in slices
        if low <= quotes.dte - near.dte <= high and quotes.multiplier == near.multiplier and quotes.tau > near.tau
    ]


def _dte_miss(dte: int, days: tuple[int, int], target: int) -> float:
    scale = max(target - days[0], days[1] - target)
    return min(abs(dte - target) / scale, 1.0) if scale > 0 else 0.0


def _days(dte: tuple[int, int] | None, default: DteRange) -> tuple[int, int]:
    if dte is None:
        return default.low, default.high
    low, high = dte
    if not 0 <= low <= high:
        raise InputError("dte", dte, "two numbers of days, 0 <= least <= most")
    return int(low), int(high)


def _check_arguments(top: int, fill: float, limit: int | None) -> None:
    if top < 1:
        raise InputError("top", top, "a whole number >= 1")
    if not 0 <= fill <= 1:
        raise InputError("fill", fill, "a share of half the spread, 0 to 1")
    if limit is not None and limit < 1:
        raise InputError("limit", limit, "a whole number >= 1")


def _facts(chain: pd.DataFrame, at: datetime | None) -> tuple[str, datetime]:
    if chain.empty:
        raise NoDataError("quotes", at=at, chain="that was given")
    symbols = chain["symbol"].unique()
    if len(symbols) != 1:
        raise InputError("chain.symbol", list(symbols), "one symbol")
    newest = chain["ts"].max().to_pydatetime()
    moment = as_utc(at) if at is not None else chain.attrs.get("at", newest)
    if newest > moment:
        raise InputError("chain.ts", newest, f"nothing after `at`, {moment.isoformat()}")
    return str(symbols[0]), moment


def _nothing(
    document: StrategyDocument,
    symbol: str,
    moment: datetime,
    no_expiry: str,
    ranking: Ranking,
    excluded: Mapping[str, int],
    skipped: Mapping[str, str],
) -> NoDataError:
    reasons = [f"{count} candidates rejected: {reason}" for reason, count in ranking.rejected.items()]
    reasons += [f"{count} quotes excluded: {reason}" for reason, count in excluded.items()]
    reasons += [f"{expiry}: {reason}" for expiry, reason in list(skipped.items())[:5]]
    hint = "; ".join(reasons) or no_expiry
    return NoDataError("candidate", at=moment, hint=hint, symbol=symbol, strategy=document.name)


def _no_expiry(days: tuple[int, int], listed: pd.Series[Any]) -> str:
    nearest = [listed[listed < days[0]].max(), listed[listed > days[1]].min()]
    known = " and ".join(f"{one:.0f}" for one in nearest if not pd.isna(one))
    return f"no expiry is {days[0]} to {days[1]} days away; the nearest are {known} days away"
