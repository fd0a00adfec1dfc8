"""Candidates ranked per second, on one core."""

from __future__ import annotations

import time

import pandas as pd

from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.strategies import find_candidates
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import one_core
from bifrost_lib.workflows.benchmarks.chains import moments, quotes_at
from bifrost_lib.workflows.enrichment import with_analytics

CONTRACTS = 2_000


def measure(*, rows: int) -> list[Measured]:
    """Scan a chain for iron condors, again and again, until at least `rows` candidates were considered."""
    with one_core():
        chain = _chain()
        find_candidates(chain, "iron_condor", dte=(0, 3650), top=10)
        considered, began = 0, time.process_time()
        while considered < rows:
            considered += find_candidates(chain, "iron_condor", dte=(0, 3650), top=10).considered
        spent = time.process_time() - began
    return [Measured("iron condors enumerated, measured and ranked", considered / spent, "candidates/s")]


def _chain() -> pd.DataFrame:
    snapshots = with_analytics(quotes_at(moments(1)[0], contracts=CONTRACTS))
    mid = (snapshots["bid"] + snapshots["ask"]) / 2
    tau = (snapshots["expiry"] - snapshots["ts"].dt.tz_localize(None)).dt.total_seconds() / (365 * 86400)
    chain = snapshots.assign(mid=mid, tau=tau, dte=(tau * 365).astype("int64"))
    chain["quality"] = chain["quality"].cat.set_categories(list(QUALITY_LABELS))
    return chain[list(CHAIN_COLUMNS)]
