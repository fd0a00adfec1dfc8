"""What the collectors should have brought on a day, and what came."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.store import list_runs, open_gaps
from bifrost_lib.workflows.desk import Desk

_MOST_RUNS = 20_000


def collection_of(desk: Desk, first: date, *, at: datetime) -> pd.DataFrame:
    """Return how complete the collection was from the exchange's date `first` until `at`.

    Returns
    -------
    DataFrame
        One row for each collector and symbol: `collector`, `symbol`, `runs`, `failed`, `expected`, `received`,
        `complete` (0..1), `missing` (dict of counts by reason), `last` (start of the newest run). Empty where no
        collector ran.
    """
    runs = list_runs(desk.store, at=at, limit=_MOST_RUNS)
    runs = runs[runs["started"].dt.tz_convert(EXCHANGE_TZ).dt.date >= first]
    rows = []
    for (collector, symbol), group in runs.groupby(["collector", "symbol"], dropna=False, sort=True):
        expected, received = int(group["expected"].fillna(0).sum()), int(group["received"].fillna(0).sum())
        missing: Counter[str] = Counter()
        for reasons in group["missing"]:
            missing.update(reasons if isinstance(reasons, dict) else {})
        rows.append(
            {
                "collector": str(collector),
                "symbol": str(symbol) if isinstance(symbol, str) else "",
                "runs": len(group),
                "failed": int((group["status"] == "failed").sum()),
                "expected": expected,
                "received": received,
                "complete": received / expected if expected else float("nan"),
                "missing": dict(missing.most_common()),
                "last": group["started"].max().to_pydatetime(),
            }
        )
    columns = ["collector", "symbol", "runs", "failed", "expected", "received", "complete", "missing", "last"]
    return pd.DataFrame(rows, columns=columns)


def gaps_of(desk: Desk, *, at: datetime, days: int = 7) -> pd.DataFrame:
    """Return the gaps of the last `days` that were open at `at` and can still be filled, the newest first."""
    gaps = open_gaps(desk.store, at=at)
    recent = gaps[gaps["last_ts"] >= pd.Timestamp(at - timedelta(days=days))]
    columns = ["collector", "symbol", "first_ts", "last_ts", "expected", "received", "reason", "fillable_until"]
    return recent.sort_values("first_ts", ascending=False)[columns].reset_index(drop=True)
