"""Backtests a second, on one core and through Dask, against the libraries that one would otherwise replay with."""

from __future__ import annotations

import itertools
import math
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bifrost_lib.backtest import ChainCube, sweep
from bifrost_lib.backtest.signals import run_averages
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.strategies import ByDelta, DteRange, Exits, Leg, Sizing, StrategyDocument, Target
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import one_core
from bifrost_lib.workflows.benchmarks.backtest_years import cold_year, year_of_minutes
from bifrost_lib.workflows.benchmarks.generated_cubes import generated_cube, vendor_columns
from bifrost_lib.workflows.benchmarks.peer_environment import peer_python, peer_version, run_peer

DAYS, EXPIRIES, STRIKES = 640, 13, 58  # 965,120 quotes
BARS, WINDOWS = 2_520, 100  # 4,950 pairs
FEES, SLIPPAGE = 0.001, 0.0005
_TURNS, _REPEATS = 3, 3


def measure(*, rows: int) -> list[Measured]:
    """Replay iron condors, trade on averages and read years of chains, on work in proportion to `rows` of a chain.

    With a million rows the chain has 965,120 quotes on 640 days and the year of minutes 100 million. Without the
    peers' environment their lines are left out, and one says why.
    """
    share = min(rows / 1_000_000, 1.0)
    cube = generated_cube(days=max(round(DAYS * share), 60), expiries=EXPIRIES, strikes=STRIKES)
    with one_core():
        lines = condors(cube, sets=max(round(1_000 * share), 50))
    lines += on_two_cores(cube, sets=max(round(16_000 * share), 100))
    with one_core():
        lines += averages(bars=BARS, windows=max(round(WINDOWS * math.sqrt(share)), 10))
        lines += growth(decades=3 if share > 0.1 else 2)
        lines += cold_year(condor(), days=max(round(252 * share), 40))
        lines += year_of_minutes(condor(), days=max(round(252 * share), 10))
    return lines


def condor(
    *, put: float = 0.20, call: float = 0.20, profit: float = 0.5, loss: float = 2.0, days: int = 38
) -> StrategyDocument:
    """Return an iron condor between wings of 10 deltas: one a day, however many are open, as the peer trades them."""
    return StrategyDocument(
        name="benchmark_condor",
        view="range-bound",
        legs=(
            Leg("long_put", "P", +1, ByDelta(-0.10)),
            Leg("short_put", "P", -1, ByDelta(-put)),
            Leg("short_call", "C", -1, ByDelta(call)),
            Leg("long_call", "C", +1, ByDelta(0.10)),
        ),
        dte=DteRange(7, days, 45),
        exits=Exits(take_profit=Target(profit, "credit"), stop=Target(loss, "credit")),
        sizing=Sizing(max_active=100),
    )


def documents(count: int) -> list[StrategyDocument]:
    """Return so many condors that differ in their deltas, exits and days."""
    each = math.ceil((count / 16) ** (1 / 3))
    deltas, shares = np.linspace(0.12, 0.28, each).tolist(), np.linspace(0.2, 0.8, each).tolist()
    every = itertools.product(deltas, deltas, shares, (1.0, 1.5, 2.0, 3.0), (21, 28, 35, 42))
    return [
        condor(put=put, call=call, profit=profit, loss=loss, days=days)
        for put, call, profit, loss, days in itertools.islice(every, count)
    ]


def condors(cube: ChainCube, *, sets: int) -> list[Measured]:
    """Compare parameter sets, and trades, a second with a peer that replays the same structure over the same quotes."""
    chosen = documents(sets)
    trades = int(sweep(chosen, cube).summary["trades"].sum())
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    work = f"iron condor with take-profit and stop, {len(cube.bid):,} quotes, {cube.sessions} days, one core"
    notes = [
        Measured(f"peak memory of the process with {sets:,} sets and the chain", memory_mb, "MB"),
        Measured("trades of a set", trades / sets, "trades"),
    ]
    try:
        python = peer_python(load_settings())
        run = run_peer(python, "optopsy", vendor_columns(cube), beside=lambda: sweep(chosen, cube), turns=_TURNS)
    except BifrostError as error:
        alone = _seconds(lambda: sweep(chosen, cube))
        left_out = Measured(f"peers left out: {error}", float("nan"), "")
        return [Measured(work, sets / alone, "sets/s"), *notes, left_out]
    name = peer_version(python, "optopsy")
    return [
        Measured(work, sets / run.ours_s, "sets/s", 1 / run.peer_s, name),
        Measured("the same, by trades", trades / run.ours_s, "trades/s", float(run.answers[0]) / run.peer_s, name),
        *notes,
    ]


def on_two_cores(cube: ChainCube, *, sets: int) -> list[Measured]:
    """Compare two Dask workers with one, in elapsed time."""
    from bifrost_lib.workflows.sweeps import sets_per_s

    if len(os.sched_getaffinity(0)) < 2:
        return []
    chosen = documents(sets)
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for workers in (1, 2, 2, 1):  # a machine's pace drifts while minutes pass
        speeds[workers].append(sets_per_s(chosen, cube, workers=workers))
    one, two = (max(found) for found in speeds.values())
    return [Measured(f"{sets:,} sets through Dask, two workers", two, "sets/s", one, "one worker")]


def averages(*, bars: int, windows: int) -> list[Measured]:
    """Compare pairs of averages a second with vectorbt's, and how far the figures are apart."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(7).normal(0.0003, 0.012, bars)))
    lengths = list(range(2, 2 + windows))
    pairs = list(itertools.combinations(lengths, 2))

    def trade() -> None:
        run_averages(close, pairs, fees=FEES, slippage=SLIPPAGE)

    figures = run_averages(close, pairs, fees=FEES, slippage=SLIPPAGE)
    given = {"close": close, "windows": lengths, "fees": FEES, "slippage": SLIPPAGE}
    work = f"{len(pairs):,} pairs of averages on {bars:,} bars, with costs"
    python = Path(sys.executable)
    try:
        run = run_peer(python, "vectorbt", given, beside=trade, turns=_TURNS)
    except BifrostError as error:
        left_out = Measured(f"vectorbt left out: {error}", float("nan"), "")
        return [Measured(work, len(pairs) / _seconds(trade), "sets/s"), left_out]
    ours = figures[["total_return", "sharpe", "max_drawdown", "trades"]].to_numpy().T
    traded = ours[3] > 0
    name = peer_version(python, "vectorbt")
    apart = float(np.abs(ours - run.answers)[:, traded].max())
    return [
        Measured(work, len(pairs) / run.ours_s, "sets/s", len(pairs) / run.peer_s, name),
        Measured(f"largest difference of return, Sharpe, drawdown, trades to {name}", apart, ""),
    ]


def growth(*, decades: int) -> list[Measured]:
    """Tell how cost grows with rows and with sets: the exponent between the least and the most.

    What every sweep costs however small makes it less than 1; more than 1 would be worse than linear.
    """
    short = documents(20)
    days = [4 * 10**decade for decade in range(decades + 1)]
    cubes = [generated_cube(days=count, expiries=EXPIRIES, strikes=STRIKES) for count in days]
    by_rows = [_seconds(lambda cube=cube: sweep(short, cube)) for cube in cubes]  # type: ignore[misc]
    counts = [10 * 10**decade for decade in range(decades + 1)]
    many, small = documents(counts[-1]), cubes[1]
    by_sets = [_seconds(lambda count=count: sweep(many[:count], small)) for count in counts]  # type: ignore[misc]
    return [
        *_growing("rows", [len(cube.bid) for cube in cubes], by_rows),
        *_growing("parameter sets", counts, by_sets),
    ]


def _growing(what: str, sizes: Sequence[int], spent: Sequence[float]) -> list[Measured]:
    exponent = math.log(spent[-1] / spent[0]) / math.log(sizes[-1] / sizes[0])
    work = f"cost growth from {sizes[0]:,} to {sizes[-1]:,} {what} (1 is linear, less is better)"
    lines = [Measured(work, exponent, "exponent")]
    return lines + [
        Measured(f"cost with {size:,} {what}", 1e6 * each / size, f"us of CPU per {what.removesuffix('s')}")
        for size, each in zip(sizes, spent, strict=True)
    ]


def _seconds(work: Callable[[], object]) -> float:
    """Return the median CPU seconds of some passes after a first one."""
    work()
    spent = []
    for _ in range(_REPEATS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)
