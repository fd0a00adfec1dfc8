"""Candidates ranked per second on one core, beside a peer, and a scan of a whole universe on two."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.settings import load_settings
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.store import FileKey, ingestion
from bifrost_lib.strategies import find_candidates
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import cores, one_core
from bifrost_lib.workflows.benchmarks.chains import moments, quotes_at
from bifrost_lib.workflows.benchmarks.peer_environment import peer_python, peer_version, run_peer
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.enrichment import with_analytics
from bifrost_lib.workflows.finder.universe_scans import scan_universe

CONTRACTS = 10_000
UNIVERSE, UNIVERSE_CONTRACTS, CORES = 180, 2_000, 2
STRATEGIES = (
    "iron_condor", "iron_butterfly", "bull_put_spread", "bear_call_spread", "short_strangle", "short_straddle",
    "jade_lizard", "broken_wing_put_butterfly", "covered_call", "call_calendar",
)  # fmt: skip
_ANY_TIME = (0, 3650)
_PEERS_CONDORS, _TURNS = 20, 3


def measure(*, rows: int) -> list[Measured]:
    """Measure ten iron condors for each of `rows` on one core, beside a peer, then ten strategies on a stored universe.

    The universe has 180 symbols of 2,000 contracts where `rows` is at least a million; else proportionally fewer.
    """
    return [_on_one_core(10 * rows), *_over_a_universe(max(UNIVERSE * min(rows, 1_000_000) // 1_000_000, 1))]


def _on_one_core(most: int) -> Measured:
    with one_core():
        chain = synthetic_chain(CONTRACTS)
        limit = find_candidates(chain, "iron_condor", dte=_ANY_TIME, limit=most).considered
        work = f"{limit:,} iron condors enumerated, measured and ranked, one core"

        def scan() -> None:
            find_candidates(chain, "iron_condor", dte=_ANY_TIME, limit=limit)

        try:
            python = peer_python(load_settings())
            run = run_peer(python, "optionlab", _condors(), beside=scan, turns=_TURNS)
        except SourceUnavailable:  # no index to install it from, or it is not among the locked ones
            began = time.process_time()
            scan()
            return Measured(work, limit / (time.process_time() - began), "candidates/s")
    peer = peer_version(python, "optionlab")
    return Measured(work, limit / run.ours_s, "candidates/s", _PEERS_CONDORS / run.peer_s, peer)


def _condors() -> dict[str, npt.NDArray[np.float64]]:
    """Return condors for the peer: strikes and premiums (n, 4) around a spot of 100."""
    out = np.linspace(8.0, 15.0, _PEERS_CONDORS)
    strikes = np.column_stack([100 - out - 5, 100 - out, 100 + out, 100 + out + 5])
    return {"strike": strikes, "premium": np.tile([0.2, 0.8, 0.8, 0.2], (_PEERS_CONDORS, 1))}


def _over_a_universe(symbols: int) -> list[Measured]:
    """Scan a store of its own: processes are started and chains are read within the time that is measured."""
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        Path(folder).chmod(0o755)
        with open_desk(settings=load_settings({"BIFROST_HOME": str(Path(folder) / "home")})) as desk, cores(CORES):
            names = _store_universe(desk, symbols)
            began, used = time.perf_counter(), _processor_seconds()
            found = scan_universe(desk, names, STRATEGIES, processes=CORES, dte=_ANY_TIME)
            spent, used = time.perf_counter() - began, _processor_seconds() - used
    considered = sum(scan.candidates.considered for each in found for scan in each.scans)
    work = f"{len(STRATEGIES)} strategies on {symbols} stored symbols of {UNIVERSE_CONTRACTS:,} contracts, two cores"
    return [
        Measured(f"{work}: {considered:,} candidates", spent, "seconds"),
        Measured(f"{work}: processor time", used, "seconds"),
    ]


def _store_universe(desk: Desk, symbols: int) -> list[str]:
    snapshots, names = _snapshots(UNIVERSE_CONTRACTS), [f"BN{number:03d}" for number in range(symbols)]
    key = FileKey(path="made up", sha256=f"{symbols}", size=0, format="bench")
    with ingestion(desk.store, key, source="simulated") as writer:
        whose = pd.Categorical(np.repeat(names, len(snapshots)), categories=names)
        writer.append(pd.concat([snapshots] * symbols, ignore_index=True).assign(symbol=whose))
    return names


def _processor_seconds() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in spent)


def synthetic_chain(contracts: int) -> pd.DataFrame:
    """Return a chain of European prices on a smile, as `read_chain` would return it."""
    snapshots = _snapshots(contracts)
    mid = (snapshots["bid"] + snapshots["ask"]) / 2
    tau = (snapshots["expiry"] - snapshots["ts"].dt.tz_localize(None)).dt.total_seconds() / (365 * 86400)
    chain = snapshots.assign(mid=mid, tau=tau, dte=(tau * 365).astype("int64"))
    chain["quality"] = chain["quality"].cat.set_categories(list(QUALITY_LABELS))
    return chain[list(CHAIN_COLUMNS)]


def _snapshots(contracts: int) -> pd.DataFrame:
    return with_analytics(quotes_at(moments(1)[0], contracts=contracts))
