"""What the finder would have said on past days: the best candidate of a strategy at each close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.scans import find_strategies

_FIGURES = ("score", "premium", "max_profit", "max_loss", "return_on_risk", "pop", "ev", "dte", "multiplier")


def strategy_history(
    desk: Desk,
    symbol: str,
    strategy: str,
    moments: Sequence[datetime],
    *,
    dte: tuple[int, int] | None = None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> pd.DataFrame:
    """Find the best candidate of a strategy at each of several moments.

    Parameters
    ----------
    desk : Desk
    symbol, strategy : str
    moments : sequence of datetime
        Aware; nothing later than a moment is used for its row.
    dte : (int, int), optional
        As for `find_strategies`.
    tell : callable
        Called with the number of moments that are done, and of all.

    Returns
    -------
    DataFrame
        One row a moment that has a candidate: `ts`, `spot`, `legs` (in words), `expiry`, `considered`, `score`,
        `premium` (> 0 is a credit, for one unit with its multiplier), `max_profit`, `max_loss`, `return_on_risk`,
        `pop`, `ev`, `dte`. NaN is unknown or unbounded.

    Raises
    ------
    NoDataError
        If no moment has a candidate; ``error.facts`` hold the last reason.
    """
    rows, reason = [], "no moment was asked for"
    for done, at in enumerate(moments, start=1):
        try:
            found = find_strategies(desk, symbol, strategy, dte=dte, top=1, at=at)
        except BifrostError as problem:
            reason = str(problem)
        else:
            best = found.candidates.records()[:1]
            rows += [_row(found.as_of, found.spot, found.candidates.considered, record) for record in best]
            reason = f"no candidate of {strategy} passes its own rules" if not best else reason
        tell(done, len(moments))
    if not rows:
        raise NoDataError(f"history of {strategy}", symbol=symbol.upper(), hint=reason)
    return pd.DataFrame(rows)


def sampled_moments(history: pd.DataFrame, *, most: int = 26) -> list[datetime]:
    """Return at most `most` sessions of a `volatility_history`, evenly spread, the newest among them."""
    moments = history["ts"].iloc[::-1]
    every = -(-len(moments) // most)
    return [ts.to_pydatetime() for ts in moments.iloc[::every]][::-1]


def _row(ts: datetime, spot: float, considered: int, record: dict[str, Any]) -> dict[str, Any]:
    figures = {name: float("nan") if record.get(name) is None else float(record[name]) for name in _FIGURES}
    legs = [leg for leg in record["legs"] if leg["strike"] is not None]
    words = " / ".join(f"{leg['qty']:+d} {leg['strike']:g} {leg['right']}" for leg in legs)
    expiry = min(str(leg["expiry"])[:10] for leg in legs)
    return {"ts": pd.Timestamp(ts), "spot": spot, "legs": words, "expiry": expiry, "considered": considered, **figures}
