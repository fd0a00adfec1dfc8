"""Quotes of contracts on permanent lines, tick after tick: what stays the same is made once, the rest are arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime

import numpy as np

from bifrost_lib.core.vocabulary import ANALYTIC_COLUMNS, MARKET_DATA_TYPES
from bifrost_lib.ib import ListedOption, Observation
from bifrost_lib.store import QuotePublisher, Store
from bifrost_lib.workflows.collection.rows import QUOTED, contracts_frame, has_something, observed_numbers
from bifrost_lib.workflows.enrichment import QuotedContracts

_ANALYTICS = tuple(name for name in ANALYTIC_COLUMNS if name != "quality")
_BID, _ASK = QUOTED.index("bid"), QUOTED.index("ask")
_TYPE_CODES = {word: code for code, word in enumerate(MARKET_DATA_TYPES.values())}


class Tape:
    """Values the quotes of one underlying's streamed contracts and shows those that ticked.

    Parameters
    ----------
    store : Store
    options : sequence of ListedOption
        At least one.
    symbol, source : str
        The underlying, and who supplies the data.
    at : datetime, aware
        Now.
    """

    def __init__(
        self, store: Store, options: Sequence[ListedOption], *, symbol: str, source: str, at: datetime
    ) -> None:
        contracts, order = contracts_frame(options, symbol=symbol, ts=at)
        self._con_ids = [options[place].con_id for place in order]
        self._contracts = QuotedContracts(contracts)
        self._publisher = QuotePublisher(store, contracts, source=source)
        self._silent = [Observation(con_id) for con_id in self._con_ids]

    def show(self, newest: Mapping[int, Observation], fresh: Set[int], *, spot: float, at: datetime) -> int:
        """Show the contracts of `fresh`, each with the moment of its own last tick; return how many there were.

        All of them are valued together at `at`, because the parity of an expiry needs both its sides.
        """
        seen = [newest.get(con_id, silent) for con_id, silent in zip(self._con_ids, self._silent, strict=True)]
        numbers = observed_numbers(seen)
        ticked = np.array([con_id in fresh for con_id in self._con_ids])
        rows = np.flatnonzero(ticked & has_something(numbers))
        if not len(rows):
            return 0
        spots = np.full(len(seen), spot)
        found = self._contracts.analytics(numbers[:, _BID], numbers[:, _ASK], spots, at=at)
        told = [seen[row] for row in rows]
        self._publisher.publish(
            rows,
            np.array([_microseconds(one.ts or at) for one in told]),
            np.vstack([
                numbers[rows, : len(QUOTED)].T, spots[rows],
                *(getattr(found, name)[rows] for name in _ANALYTICS),
                numbers[rows, len(QUOTED) :].T,
            ]),
            found.quality[rows],
            np.array([_TYPE_CODES.get(one.market_data_type, -1) for one in told], dtype=np.int8),
        )  # fmt: skip
        return len(rows)


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)
