"""From chains to ranked strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.vocabulary import CONDITION_COLUMNS
from bifrost_lib.strategies import CandidateSet, Progress, StrategyDocument, find_candidates, strategy_named
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.surfaces import volatility_surface

#: Told the symbol and how far its scan is; returns True to stop with what there is.
OnProgress = Callable[[str, Progress], bool]


@dataclass(frozen=True)
class ScanResult:
    """A ranked scan, and the chain that it was made from."""

    symbol: str
    at: datetime
    as_of: datetime
    source: str
    strategy: StrategyDocument
    spot: float
    chain: pd.DataFrame
    candidates: CandidateSet

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
            "candidates": [record | {"history": one} for record, one in zip(records, past, strict=True)],
        }


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
            "scans": [{name: scan[name] for name in facts} for scan in scans],
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
    Conditions of entry are checked against the stored ``market_conditions`` as of the chain, where there are any.
    """
    document = strategy_named(strategy) if isinstance(strategy, str) else strategy
    chain = read_chain(desk, symbol, at=at)
    candidates = find_candidates(
        chain,
        document,
        dte=dte,
        top=top,
        weights=weights,
        conditions=_conditions(desk, chain) if _asks(document) else None,
        on_progress=on_progress,
    )
    if with_surface:
        candidates = _under_surface(candidates, chain)
    return ScanResult(
        symbol=symbol.upper(),
        at=chain.attrs["at"],
        as_of=chain.attrs["as_of"],
        source=chain.attrs["source"],
        strategy=document,
        spot=chain.attrs["spot"],
        chain=chain,
        candidates=candidates,
    )


def scan_symbols(
    desk: Desk,
    symbols: Sequence[str],
    strategy: str | StrategyDocument,
    *,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> ScanResults:
    """Scan many symbols for a strategy, one after the other.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Each is scanned once.
    strategy : str or StrategyDocument
    on_progress : callable, optional
        Called with the symbol and a `Progress`; when it returns True, symbols not yet begun are not scanned, and what
        was found is returned.
    **options
        As for `find_strategies`.

    Raises
    ------
    NoDataError
        If no symbol has a candidate; the hint says why, symbol by symbol.
    InputError
        If no symbol is given.
    """
    if not symbols:
        raise InputError("symbols", list(symbols), "at least one symbol")
    document = strategy_named(strategy) if isinstance(strategy, str) else strategy
    scans: list[ScanResult] = []
    failed: dict[str, str] = {}
    for symbol in dict.fromkeys(name.upper() for name in symbols):
        if on_progress is not None and on_progress(symbol, Progress(0, 0)):
            failed[symbol] = "stopped before it began"
            continue
        try:
            scans.append(
                find_strategies(desk, symbol, document, on_progress=_for(symbol, on_progress), **options)
            )  # fmt: skip
        except NoDataError as trouble:
            failed[symbol] = str(trouble)
    if not scans:
        raise NoDataError("candidate", strategy=document.name, hint="; ".join(failed.values()))
    return ScanResults(document, tuple(scans), failed)


def _for(symbol: str, on_progress: OnProgress | None) -> Callable[[Progress], bool] | None:
    return None if on_progress is None else lambda progress: on_progress(symbol, progress)


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
