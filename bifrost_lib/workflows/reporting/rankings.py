"""What the finder ranks over several symbols and strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies import CATALOG, find_candidates, strategy_named
from bifrost_lib.workflows.reporting.markets import Known

#: How many of one strategy on one underlying may stand in a list: the next ones are its neighbours.
OF_ONE_KIND = 1


def ranked_strategies(known: Sequence[Known], strategies: Sequence[str], *, top: int) -> list[dict[str, Any]]:
    """Return the best candidate of each strategy on each chain, best first, each with `symbol` and `strategy`.

    Parameters
    ----------
    known : sequence of Known
    strategies : sequence of str
        Names of the catalogue; empty: all with one expiry.
    top : int
        How many to keep.

    Notes
    -----
    Where no strategy is named, structures with an unbounded loss are left out, because their scores do not price that,
    and so are those with two expiries, which take seconds each and rest on a model of volatility.
    """
    usual = [document for document in CATALOG.values() if not document.has_two_expiries]
    documents = [strategy_named(name) for name in strategies] or usual
    found = []
    for one in known:
        for document in documents:
            try:
                best = find_candidates(one.chain, document, top=OF_ONE_KIND).records()
            except NoDataError:
                continue  # no expiry of the chain lies in the strategy's range
            for record in best:
                if strategies or not record["max_loss_unbounded"]:
                    found.append({**record, "symbol": one.symbol, "strategy": document.name})
    ordered = sorted(found, key=lambda record: -(record["score"] or 0.0))[:top]
    return [{**record, "rank": place} for place, record in enumerate(ordered, start=1)]
