"""The daily open: what is stored and how fresh, what the night changed, and what the finder ranks first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.analytics import iv_at_tenor, skew_25_delta
from bifrost_lib.core.clock import as_utc
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.reporting.contracts import listing_counts
from bifrost_lib.workflows.reporting.markets import Known, known_markets, sources_of
from bifrost_lib.workflows.reporting.rankings import ranked_strategies

SESSIONS_PER_YEAR = 252


@dataclass(frozen=True)
class DailyOpen:
    """What the report of the open shows.

    Attributes
    ----------
    at, as_of : datetime
        The time of the report, and its newest quote.
    sources : tuple of str
    freshness : DataFrame
        One row a symbol: what is stored, of when, and how good.
    overnight : DataFrame
        One row a symbol: spot, volatility, skew and listings against the close before.
    ranked : list of dict
        Candidates with `symbol` and `strategy`, best first.
    """

    at: datetime
    as_of: datetime
    sources: tuple[str, ...]
    freshness: pd.DataFrame
    overnight: pd.DataFrame
    ranked: list[dict[str, Any]]


def daily_open(
    desk: Desk,
    *,
    symbols: Sequence[str] = (),
    at: datetime | None = None,
    strategies: Sequence[str] = (),
    top: int = 10,
) -> DailyOpen:
    """Put together the report of the open.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Underlyings; empty: all that are stored.
    at : datetime, aware, optional
        Nothing later is used. Default: now.
    strategies : sequence of str
        Names of the catalogue; empty: all of them.
    top : int
        How many candidates to keep over all symbols.

    Raises
    ------
    NoDataError
        If no chain was known.
    UnknownNameError
        If a strategy is not in the catalogue.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    known = known_markets(desk, symbols, moment)
    return DailyOpen(
        at=moment,
        as_of=max(one.as_of for one in known),
        sources=sources_of(known),
        freshness=freshness(desk, known, moment),
        overnight=pd.DataFrame([_overnight(one) for one in known]),
        ranked=ranked_strategies(known, strategies, top=top),
    )


def freshness(desk: Desk, known: Sequence[Known], at: datetime) -> pd.DataFrame:
    """Return what is stored of each symbol: `source`, `first_ts`, `as_of`, `age_s`, `sessions`, counts and shares."""
    listed = store.list_symbols(desk.store.engine, at=at).set_index("symbol")
    rows = []
    for one in known:
        held: dict[Any, Any] = listed.loc[one.symbol].to_dict()
        good = one.chain["quality"] == "ok"
        rows.append(
            {
                "symbol": one.symbol,
                "source": str(one.chain.attrs["source"]),
                "as_of": one.as_of,
                "age_s": (at - one.as_of).total_seconds(),
                "first_ts": held["first_ts"].to_pydatetime(),
                "sessions": int(held["sessions"]),
                "expiries": int(one.chain["expiry"].nunique()),
                "contracts": len(one.chain),
                "good": float(good.mean()),
            }
        )
    return pd.DataFrame(rows)


def _overnight(one: Known) -> dict[str, Any]:
    now = _state(one.chain)
    row = {"symbol": one.symbol, "as_of": one.as_of, "spot": now["spot"], "iv": now["iv"], "skew": now["skew"]}
    nothing = dict.fromkeys(("since", "spot_before", "spot_return", "iv_change", "skew_change", "sigmas"), math.nan)
    if one.before is None:
        return {**row, **nothing, "since": None, "listed": math.nan, "gone": math.nan}
    before = _state(one.before)
    change = now["spot"] / before["spot"] - 1
    listed, gone = listing_counts(one.before, one.chain)
    return {
        **row,
        "since": one.before.attrs["as_of"],
        "spot_before": before["spot"],
        "spot_return": change,
        "sigmas": change / (before["iv"] / math.sqrt(SESSIONS_PER_YEAR)),
        "iv_change": now["iv"] - before["iv"],
        "skew_change": now["skew"] - before["skew"],
        "listed": listed,
        "gone": gone,
    }


def _state(chain: pd.DataFrame) -> dict[str, float]:
    moment = chain.attrs["as_of"]
    return {
        "spot": float(chain.attrs["spot"]),
        "iv": iv_at_tenor(chain, at=moment).value,
        "skew": skew_25_delta(chain, at=moment).value,
    }
