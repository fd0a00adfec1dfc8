"""From chains to ranked strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.core.vocabulary import CONDITION_COLUMNS
from bifrost_lib.strategies import (
    CandidateSet,
    EarningsCalendar,
    PopCorrection,
    Progress,
    StrategyDocument,
    find_candidates,
    strategy_named,
)
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.dividends import dividend_calendar
from bifrost_lib.workflows.earnings import earnings_calendar, earnings_facts
from bifrost_lib.workflows.finder.calibration import FEWEST_OUTCOMES, pop_correction
from bifrost_lib.workflows.surfaces import volatility_surface


@dataclass(frozen=True)
class ScanResult:
    """A ranked scan, and the chain that it was made from.

    `earnings` are as they were known then, None if they were not; `recalibration` is what settled recommendations say
    about probabilities, None if it was not asked for.
    """

    symbol: str
    at: datetime
    as_of: datetime
    source: str
    strategy: StrategyDocument
    spot: float
    chain: pd.DataFrame
    candidates: CandidateSet
    earnings: EarningsCalendar | None = None
    recalibration: PopCorrection | None = None

    def as_dict(self, *, history: Sequence[Mapping[str, Any] | None] | None = None) -> dict[str, Any]:
        """Return the scan under the vocabulary's names, its moments as datetimes.

        `history` holds for each candidate how it compares with its own past; None where that is not known.
        """
        records = self.candidates.records()
        past = [None] * len(records) if history is None else history
        return {
            "symbol": self.symbol,
            "at": self.at,
            "as_of": self.as_of,
            "source": self.source,
            "strategy": self.strategy.name,
            "spot": None if pd.isna(self.spot) else self.spot,
            "considered": self.candidates.considered,
            "admissible": self.candidates.admissible,
            "stopped": self.candidates.stopped,
            "unchecked": list(self.candidates.unchecked),
            "earnings": earnings_facts(self.earnings, self.at),
            "recalibration": _recalibration(self.recalibration),
            "candidates": [record | {"history": one} for record, one in zip(records, past, strict=True)],
        }


def _recalibration(learned: PopCorrection | None) -> dict[str, Any] | None:
    if learned is None:
        return None
    return {**asdict(learned), "needed": FEWEST_OUTCOMES, "used": learned.outcomes >= FEWEST_OUTCOMES}


@dataclass(frozen=True)
class ScanResults:
    """Scans of one strategy on many symbols: those that found something, and why the others did not."""

    strategy: StrategyDocument
    scans: tuple[ScanResult, ...]
    failed: dict[str, str] = field(default_factory=dict)

    def ranked(self, top: int) -> list[dict[str, Any]]:
        """Return the best candidates of all symbols: records with their ``symbol``, ranked anew."""
        found = [{"symbol": scan.symbol, **record} for scan in self.scans for record in scan.candidates.records()]
        best = sorted(found, key=lambda record: -record["score"])[:top]
        return [record | {"rank": rank, "rank_of_symbol": record["rank"]} for rank, record in enumerate(best, start=1)]

    def as_dict(self, top: int, *, history: Mapping[str, Sequence[Any]] | None = None) -> dict[str, Any]:
        """Return the best candidates of all symbols, and an account of each scan.

        `history` holds by symbol what `ScanResult.as_dict` takes.
        """
        facts = ("symbol", "at", "as_of", "source", "spot", "considered", "admissible", "stopped", "unchecked")
        scans = [scan.as_dict() for scan in self.scans]
        return {
            "strategy": self.strategy.name,
            "symbols": [scan.symbol for scan in self.scans],
            "considered": sum(scan.candidates.considered for scan in self.scans),
            "scans": [{name: scan[name] for name in (*facts, "earnings", "recalibration")} for scan in scans],
            "failed": self.failed,
            "candidates": [record | {"history": _past(history, record)} for record in self.ranked(top)],
        }


def _past(history: Mapping[str, Sequence[Any]] | None, record: Mapping[str, Any]) -> Any:
    known = None if history is None else history.get(record["symbol"])
    return None if known is None else known[record["rank_of_symbol"] - 1]


def find_strategies(
    desk: Desk,
    symbol: str,
    strategy: str | StrategyDocument,
    *,
    dte: tuple[int, int] | None = None,
    top: int = 10,
    at: datetime | None = None,
    weights: Mapping[str, float] | None = None,
    with_surface: bool = False,
    recalibrated: bool = False,
    on_progress: Callable[[Progress], bool] | None = None,
) -> ScanResult:
    """Rank the candidates of a strategy on the chain of `symbol` as it was known at `at`.

    Parameters
    ----------
    desk : Desk
    symbol : str
    strategy : str or StrategyDocument
        A name of ``strategies.CATALOG``, or a document of one's own.
    dte : (int, int), optional
        Least and most calendar days to expiry, both included. Default: the strategy's own range.
    top : int
        How many candidates to keep, best first.
    at : datetime, optional
        Aware. Default: the newest stored moment of the symbol.
    weights : mapping, optional
        Weights of the score's parts. Default: `bifrost_lib.strategies.WEIGHTS`.
    with_surface : bool
        Fit a volatility surface to the expiries of the candidates that are kept, and state their odds under it.
    recalibrated : bool
        Count in the score the probability that settled recommendations make of the stated one, as it was known then,
        where at least `FEWEST_OUTCOMES` have settled; `ScanResult.recalibration` says what became of it.
    on_progress : callable, optional
        As for `bifrost_lib.strategies.find_candidates`.

    Raises
    ------
    NoDataError
        If there is no chain, none of its expiries lies within `dte`, or a condition of the document's entry fails.
    UnknownNameError
        If `strategy` is not in the catalogue.

    Notes
    -----
    Conditions of entry are checked against the stored ``market_conditions`` as of the chain, where there are any, and
    windows around earnings and dividends against the days that were known then.
    """
    document = strategy_named(strategy) if isinstance(strategy, str) else strategy
    chain = read_chain(desk, symbol, at=at)
    options: dict[str, Any] = {"dte": dte, "top": top, "weights": weights, "on_progress": on_progress}
    return scan_chain(desk, chain, document, with_surface=with_surface, recalibrated=recalibrated, **options)


def scan_chain(
    desk: Desk, chain: pd.DataFrame, document: StrategyDocument, *, with_surface: bool = False,
    recalibrated: bool = False, **options: Any,
) -> ScanResult:  # fmt: skip
    """Rank the candidates of a document on a chain of `read_chain`; for the options see `find_strategies`."""
    conditions = _conditions(desk, chain) if _asks(document) else None
    symbol, at = chain.attrs["symbol"], chain.attrs["at"]
    earnings = earnings_calendar(desk, symbol, at=at)
    dividends = dividend_calendar(desk, symbol, at=at) if document.entry.ex_dividend else None
    learned = pop_correction(desk, at=at, strategy=document.name) if recalibrated else None
    correction = learned if learned is not None and learned.outcomes >= FEWEST_OUTCOMES else None
    known: dict[str, Any] = {"conditions": conditions, "earnings": earnings, "dividends": dividends}
    candidates = find_candidates(chain, document, correction=correction, **known, **options)
    if with_surface:
        candidates = _under_surface(candidates, chain)
    return ScanResult(
        symbol=symbol,
        at=at,
        as_of=chain.attrs["as_of"],
        source=chain.attrs["source"],
        strategy=document,
        spot=chain.attrs["spot"],
        chain=chain,
        candidates=candidates,
        earnings=earnings,
        recalibration=learned,
    )


def _asks(document: StrategyDocument) -> bool:
    entry = document.entry
    return bool(entry.iv_rank or entry.vol_index or entry.conditions)


def _conditions(desk: Desk, chain: pd.DataFrame) -> Mapping[str, float] | None:
    # A symbol of files only has no conditions: then there is nothing to check, which the scan reports.
    try:
        known = store.market_conditions(desk.store.engine, chain.attrs["symbol"], at=chain.attrs["at"])
    except NoDataError:
        return None
    return {name: float(known[name].iloc[-1]) for name in CONDITION_COLUMNS}


def _under_surface(candidates: CandidateSet, chain: pd.DataFrame) -> CandidateSet:
    # Only the expiries that candidates have: fitting a whole chain takes longer than scanning it.
    expiries = candidates.legs["expiry"].dropna().unique()
    try:
        return candidates.under(volatility_surface(chain[chain["expiry"].isin(expiries)]))
    except NoDataError:
        return candidates
