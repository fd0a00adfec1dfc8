"""Saved documents, evaluated on each new snapshot: what they find is written once, for people to be told of."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import DocumentError, NoDataError
from bifrost_lib.strategies import QuoteBoard, StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.following import candidate_hash, identified
from bifrost_lib.workflows.finder.scans import ScanResult, find_strategies

#: Candidates of one document on one snapshot that are told of.
MOST_HITS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watched:
    """What one saved document found on one symbol: keys of new hits, how many there were, or why there was none."""

    name: str
    owner: str
    symbol: str
    found: int
    new: tuple[int, ...]
    problem: str = ""


def monitor_documents(desk: Desk, symbol: str, *, at: datetime | None = None) -> list[Watched]:
    """Evaluate every watched document on the chain of a symbol as it was known at `at`, and write what it found.

    Parameters
    ----------
    desk : Desk
    symbol : str
    at : datetime, aware, optional
        Default: the newest stored moment of the symbol.

    Returns
    -------
    list of Watched
        One for each watched document that means this symbol. A structure that was found earlier on the same day for
        the same document is no new hit.
    """
    symbol = symbol.upper()
    moment = as_utc(at) if at is not None else None
    return [_evaluate(desk, one, symbol, moment) for one in _meant(desk, symbol)]


def monitored_symbols(desk: Desk) -> list[str]:
    """Return the symbols that watched documents are evaluated on."""
    watched = [watch.symbol for watch in store.watchlist(desk.store)]
    documents = store.saved_documents(desk.store, monitored=True)
    return sorted({symbol for one in documents for symbol in (one.symbols or watched)})


def _meant(desk: Desk, symbol: str) -> list[store.SavedDocument]:
    watched = {watch.symbol for watch in store.watchlist(desk.store)}
    documents = store.saved_documents(desk.store, monitored=True)
    return [one for one in documents if symbol in (one.symbols or watched)]


def _evaluate(desk: Desk, saved: store.SavedDocument, symbol: str, at: datetime | None) -> Watched:
    try:
        document = StrategyDocument(**saved.document)
        scan = find_strategies(desk, symbol, document, top=MOST_HITS, at=at)
    except (NoDataError, DocumentError) as nothing:
        return Watched(saved.name, saved.owner, symbol, 0, (), str(nothing))
    hits = [hit for hit in _hits(scan) if hit["score"] >= saved.least_score]
    new = store.record_hits(desk.store, saved, symbol, hits, ts=scan.as_of)
    if new:
        log.info("%s of %s found %d on %s", saved.name, saved.owner, len(new), symbol)
    return Watched(saved.name, saved.owner, symbol, len(hits), tuple(new))


def _hits(scan: ScanResult) -> list[dict[str, Any]]:
    board = QuoteBoard(scan.chain)
    found = []
    for record in scan.candidates.records():
        legs = [dict(leg) for leg in identified(record["legs"], board)]
        found.append({**record, "legs": legs, "candidate_hash": candidate_hash(legs), "at": scan.at})
    return found
