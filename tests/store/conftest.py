"""Made-up snapshots, small and exact, for the tests of the store."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS, VOCABULARY
from bifrost_lib.store import FileKey, RunOutcome, SpooledBatch, Store, ingestion

NOON = datetime(2024, 3, 15, 16, 0, tzinfo=UTC)  # 12:00 in New York, a Friday


def snapshots(rows: Sequence[dict[str, Any]] = ({},), **same: Any) -> pd.DataFrame:
    """Return a frame of SNAPSHOT_COLUMNS: one row for each dict, over defaults that `same` changes."""
    usual: dict[str, Any] = {
        "ts": NOON, "symbol": "ACME", "expiry": "2024-04-19", "strike": 100.0, "right": "C",
        "style": "american", "settlement": "PM", "multiplier": 100.0,
    }  # fmt: skip
    full = [usual | same | row for row in rows]
    frame = pd.DataFrame([{"trading_class": row["symbol"], **row} for row in full])
    for name in SNAPSHOT_COLUMNS:
        if name not in frame:
            frame[name] = None if VOCABULARY[name].dtype == "category" else np.nan
    frame = frame.astype({name: VOCABULARY[name].dtype for name in SNAPSHOT_COLUMNS})
    return check_frame(frame, SNAPSHOT_COLUMNS)


def chain_rows(strikes: Sequence[float], **same: Any) -> list[dict[str, Any]]:
    """Return rows of calls and puts at these strikes, with a quote that tells them apart."""
    return [
        {
            "strike": float(strike),
            "right": right,
            "bid": strike / 100,
            "ask": strike / 100 + 0.1,
            "quality": "ok",
            **same,
        }
        for strike, right in itertools.product(strikes, "CP")
    ]


def key(path: str, *, sha256: str = "00") -> FileKey:
    """Return a key for a file that need not exist."""
    return FileKey(path=path, sha256=sha256, size=1, format="made up")


def ingest(store: Store, path: str, *frames: pd.DataFrame, source: str = "test") -> int:
    """Store frames as one file; return the rows stored."""
    with ingestion(store, key(path), source=source) as writer:
        for frame in frames:
            writer.append(frame)
        return writer.rows_stored


def batch(symbol: str, number: int = 0, **changes: Any) -> SpooledBatch:
    """Return a collected batch of four contracts, one of them missing; each number is a minute later."""
    moment = NOON + number * timedelta(minutes=1)
    frame = snapshots(chain_rows([90, 100], ts=moment)[:3], symbol=symbol)
    known: dict[str, Any] = {
        "batch_id": f"{symbol} {number}", "collector": "option_chain", "source": "test", "symbol": symbol,
        "started": moment - timedelta(minutes=1), "finished": moment,
        "outcome": RunOutcome(4, 3, {"timeout": 1}, 0, lines_peak=3, messages=8, seconds=60.0), "frames": (frame,),
    }  # fmt: skip
    return SpooledBatch(**{**known, **changes})


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """What the tests make their data with."""
    return SimpleNamespace(snapshots=snapshots, chain_rows=chain_rows, key=key, ingest=ingest, batch=batch, noon=NOON)


@pytest.fixture
def symbol(request: pytest.FixtureRequest) -> str:
    """A symbol of the test's own, so that tests share a database without meeting."""
    return "T" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8].upper()
