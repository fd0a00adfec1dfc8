"""The store: csv files in, chains out; against plain COPY and pandas."""

from __future__ import annotations

import io
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import plain_copy, plain_to_sql
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import one_core
from bifrost_lib.workflows.benchmarks.chains import SYMBOL, write_csv
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.ingestion import ingest_paths

PANDAS_ROWS = 50_000  # to_sql is slow, and its speed does not depend on the number of rows
READS = 31


def measure(*, rows: int) -> list[Measured]:
    """Ingest a csv of `rows` quotes, with and without analytics, and read a 10,000-contract chain back.

    Everything runs on one core, the database server included, in a store of its own that is removed afterwards.
    """
    with one_core(), tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        Path(folder).chmod(0o755)
        warm, path = Path(folder) / "warm.csv", Path(folder) / "bench.csv"
        write_csv(warm, rows=1)
        written = write_csv(path, rows=rows, skip=1)
        with _desk(Path(folder) / "raw") as desk:
            ingest_paths(desk, [warm], analytics=False)
            raw = written / _seconds(lambda: ingest_paths(desk, [path], analytics=False))
            copied = written / _seconds(lambda: plain_copy(desk.store.engine, path))
            frame = pd.read_csv(io.StringIO(_head(path, PANDAS_ROWS)))
            pandas_rows = len(frame) / _seconds(lambda: plain_to_sql(desk.store.engine, frame))
        with _desk(Path(folder) / "full") as desk:
            ingest_paths(desk, [warm])
            full = written / _seconds(lambda: ingest_paths(desk, [path]))
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            chain_ms = _median_ms(lambda: read_chain(desk, SYMBOL))
            pandas_ms = _median_ms(lambda: _pandas_chain(desk))
    return [
        Measured("ingest csv, without IV", raw, "rows/s", copied, "plain COPY, no key, nothing checked"),
        Measured("ingest csv, without IV", raw, "rows/s", pandas_rows, "pandas to_sql"),
        Measured("ingest csv, with IV and greeks", full, "rows/s", copied, "plain COPY, no key, nothing checked"),
        Measured("ingest csv, with IV and greeks", full, "rows/s", pandas_rows, "pandas to_sql"),
        Measured("read a 10,000-contract chain", 1e3 / chain_ms, "reads/s", 1e3 / pandas_ms, "pandas read_sql"),
        Measured("read a 10,000-contract chain", chain_ms, "ms, median"),
        Measured("peak memory of the process", peak_mb, "MB"),
    ]


def _desk(home: Path) -> Desk:
    environ = {"BIFROST_HOME": str(home)}
    return open_desk(settings=load_settings(environ))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median_ms(work: Callable[[], object]) -> float:
    work()
    return 1e3 * statistics.median(_seconds(work) for _ in range(READS))


def _head(path: Path, lines: int) -> str:
    with path.open(encoding="utf-8") as file:
        return "".join(line for line, _ in zip(file, range(lines + 1), strict=False))


def _pandas_chain(desk: Desk) -> pd.DataFrame:
    newest = "SELECT max(ts) FROM option_snapshots"
    query = f"SELECT * FROM option_snapshots JOIN option_contracts USING (contract_id) WHERE ts = ({newest})"  # noqa: S608
    return pd.read_sql(query, desk.store.engine)
