"""How long a year of chains takes: daily ones from the store in a cold process, and one of minutes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from bifrost_lib.backtest import ChainCube, run
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.kernels import cache_folder
from bifrost_lib.core.settings import load_settings
from bifrost_lib.strategies import StrategyDocument, write_document
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.generated_cubes import SYMBOL, generated_cube, vendor_columns
from bifrost_lib.workflows.desk import open_desk
from bifrost_lib.workflows.ingestion import ingest_paths

_EXPIRIES, _STRIKES = 13, 58
_MINUTES, _MINUTE_EXPIRIES, _MINUTE_STRIKES = 390, 9, 57  # x 2 x 252 days: 100.8 million quotes
_COLD_RUNS = 3


def cold_year(document: StrategyDocument, *, days: int) -> list[Measured]:
    """Time ``bifrost backtest`` as a user waits for it: a new process each time, the chains in a store of its own."""
    cube = generated_cube(days=days, expiries=_EXPIRIES, strikes=_STRIKES)
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        source, strategy = folder / "year.csv", folder / "condor.yaml"
        _write_csv(cube, source)
        strategy.write_text(write_document(document), encoding="utf-8")
        compiled = {"NUMBA_CACHE_DIR": str(cache_folder())}  # a new home would compile everything again
        environ = dict(os.environ) | {"BIFROST_HOME": str(folder / "home")} | compiled
        with open_desk(settings=load_settings(environ)) as desk:
            ingest_paths(desk, [source])
            words = ["backtest", str(strategy), "--symbol", SYMBOL, "--start", str(cube.start), "--end", str(cube.end)]
            first, _ = _command(words, environ)
            later = [_command(words, environ) for _ in range(_COLD_RUNS)]
            again, used = (statistics.median(each) for each in zip(*later, strict=True))
    work = f"{days} days of daily chains ({len(cube.bid):,} quotes) from the store, cold process"
    return [
        Measured(work, again, "seconds"),
        Measured(f"{work}: its processor time", used, "seconds"),
        Measured(f"{work}, the first time", first, "seconds"),
    ]


def year_of_minutes(document: StrategyDocument, *, days: int) -> list[Measured]:
    """Time one document over chains of every minute, which lie in files and are mapped, not read."""
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        cube = generated_cube(
            days=days, expiries=_MINUTE_EXPIRIES, strikes=_MINUTE_STRIKES, moments=_MINUTES, folder=Path(folder)
        )
        run(document, cube.between(cube.day(0), cube.day(5)))  # compiled before the clock runs
        began, used = time.perf_counter(), time.process_time()
        result = run(document, cube)
        spent, used = time.perf_counter() - began, time.process_time() - used
    work = f"{days} days of minute chains ({len(cube.bid):,} quotes), {len(result.trades):,} trades"
    return [
        Measured(work, spent, "seconds"),
        Measured(f"{work}: processor time", used, "seconds"),
        Measured("peak memory of the process, mapped files included",
                 resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"),
    ]  # fmt: skip


def _command(words: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Run a command as a process of its own and return the seconds that passed, and those of the processor."""
    began, used = time.perf_counter(), _used_by_children()
    command = [sys.executable, "-m", "bifrost_lib.cli", *words, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SourceUnavailable("bifrost backtest", done.stderr.strip().rpartition("\n")[2][:200])
    return time.perf_counter() - began, _used_by_children() - used


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write_csv(cube: ChainCube, path: Path) -> None:
    columns = vendor_columns(cube)
    moments = pd.to_datetime(np.repeat(cube.moment_us, np.diff(cube.session_row)), unit="us", utc=True)
    frame = pd.DataFrame(
        {
            "ts": moments.strftime("%Y-%m-%dT%H:%M:%SZ"), "symbol": SYMBOL,
            "expiry": columns["expiry"].astype("datetime64[D]").astype(str), "strike": columns["strike"],
            "right": np.where(columns["calls"], "C", "P"), "bid": columns["bid"], "ask": columns["ask"],
            "spot": columns["spot"].round(2),
        }
    )  # fmt: skip
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pa_csv.write_csv(table, path, pa_csv.WriteOptions(quoting_style="none"))
