"""From a chain to ranked strategies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.strategies import CandidateSet, StrategyDocument, find_candidates, strategy_named
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk


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

    def as_dict(self) -> dict[str, Any]:
        """Return the scan under the vocabulary's names, its moments as datetimes."""
        return {
            "symbol": self.symbol,
            "at": self.at,
            "as_of": self.as_of,
            "source": self.source,
            "strategy": self.strategy.name,
            "spot": None if pd.isna(self.spot) else self.spot,
            "considered": self.candidates.considered,
            "candidates": self.candidates.records(),
        }


def find_strategies(
    desk: Desk,
    symbol: str,
    strategy: str | StrategyDocument,
    *,
    dte: tuple[int, int] | None = None,
    top: int = 10,
    at: datetime | None = None,
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

    Raises
    ------
    NoDataError
        If there is no chain, or none of its expiries lies within `dte`.
    UnknownNameError
        If `strategy` is not in the catalogue.
    """
    document = strategy_named(strategy) if isinstance(strategy, str) else strategy
    chain = read_chain(desk, symbol, at=at)
    candidates = find_candidates(chain, document, dte=dte, top=top)
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
