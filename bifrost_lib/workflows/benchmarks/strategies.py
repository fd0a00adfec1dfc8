"""Candidates ranked per second on one core, beside a peer, and a scan of a whole universe on two."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import NoDataError, SourceUnavailable
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.settings import load_settings
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.strategies import find_candidates
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import cores, one_core
from bifrost_lib.workflows.benchmarks.chains import moments, quotes_at
from bifrost_lib.workflows.benchmarks.peer_environment import peer_python, run_peer
from bifrost_lib.workflows.enrichment import with_analytics

CONTRACTS = 10_000
UNIVERSE, UNIVERSE_CONTRACTS = 180, 2_000
STRATEGIES = (
    "iron_condor", "iron_butterfly", "bull_put_spread", "bear_call_spread", "short_strangle", "short_straddle",
    "jade_lizard", "broken_wing_put_butterfly", "covered_call", "call_calendar",
)  # fmt: skip
_ANY_TIME = (0, 3650)
_PEERS_CONDORS, _TURNS = 20, 3


def measure(*, rows: int) -> list[Measured]:
    """Measure `rows` iron condors on one core, beside a peer, then ten strategies on a universe.

    The universe has 180 symbols of 2,000 contracts where `rows` is at least a million; else proportionally fewer.
    """
    return [_on_one_core(rows), *_over_a_universe(max(UNIVERSE * min(rows, 1_000_000) // 1_000_000, 1))]


def _on_one_core(rows: int) -> Measured:
    work = "iron condors enumerated, measured and ranked, one core"
    with one_core():
        chain = synthetic_chain(CONTRACTS)
        limit = find_candidates(chain, "iron_condor", dte=_ANY_TIME, limit=rows).considered

        def scan() -> None:
            find_candidates(chain, "iron_condor", dte=_ANY_TIME, limit=limit)

        try:
            run = run_peer(peer_python(load_settings()), "optionlab", _condors(), beside=scan, turns=_TURNS)
        except SourceUnavailable:  # no index to install it from, or it is not among the locked ones
            began = time.process_time()
            scan()
            return Measured(work, limit / (time.process_time() - began), "candidates/s")
    return Measured(work, limit / run.ours_s, "candidates/s", _PEERS_CONDORS / run.peer_s, "optionlab")


def _condors() -> dict[str, npt.NDArray[np.float64]]:
    """Return condors for the peer: strikes and premiums (n, 4) around a spot of 100."""
    out = np.linspace(8.0, 15.0, _PEERS_CONDORS)
    strikes = np.column_stack([100 - out - 5, 100 - out, 100 + out, 100 + out + 5])
    return {"strike": strikes, "premium": np.tile([0.2, 0.8, 0.8, 0.2], (_PEERS_CONDORS, 1))}


def _over_a_universe(symbols: int) -> list[Measured]:
    chain = synthetic_chain(UNIVERSE_CONTRACTS)
    for name in STRATEGIES:
        _scan(chain, name)
    began, used = time.perf_counter(), time.process_time()
    with cores(2), ThreadPoolExecutor(2) as pool:
        considered = sum(pool.map(lambda _: sum(_scan(chain, name) for name in STRATEGIES), range(symbols)))
    spent, used = time.perf_counter() - began, time.process_time() - used
    work = f"{len(STRATEGIES)} strategies on {symbols} symbols of {UNIVERSE_CONTRACTS:,} contracts"
    return [
        Measured(f"{work}: {considered:,} candidates", spent, "seconds"),
        Measured(f"{work}: processor time", used, "seconds"),
    ]


def _scan(chain: pd.DataFrame, name: str) -> int:
    try:
        return find_candidates(chain, name, dte=_ANY_TIME).considered
    except NoDataError:
        return 0


def synthetic_chain(contracts: int) -> pd.DataFrame:
    """Return a chain of European prices on a smile, as `read_chain` would return it."""
    snapshots = with_analytics(quotes_at(moments(1)[0], contracts=contracts))
    mid = (snapshots["bid"] + snapshots["ask"]) / 2
    tau = (snapshots["expiry"] - snapshots["ts"].dt.tz_localize(None)).dt.total_seconds() / (365 * 86400)
    chain = snapshots.assign(mid=mid, tau=tau, dte=(tau * 365).astype("int64"))
    chain["quality"] = chain["quality"].cat.set_categories(list(QUALITY_LABELS))
    return chain[list(CHAIN_COLUMNS)]
