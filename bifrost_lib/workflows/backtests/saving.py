"""Backtests that are kept: written with all that they rest on, read back as they were, and repeated to the bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bifrost_lib import store
from bifrost_lib.strategies import read_document
from bifrost_lib.workflows.backtests.running import Backtest, run_backtest
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.backtest import Result

_FRAMES = ("trades", "legs", "equity")
_NEVER = np.iinfo(np.int64).min  # NaT


@dataclass(frozen=True)
class Repeated:
    """A kept run, run again on what the store says now.

    `differences` says what is not as it was: code, chains, or what was found.
    """

    run_id: int
    differences: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether every trade, price and day of the account is the same to the last bit."""
        return "result" not in self.differences


def save_backtest(desk: Desk, backtest: Backtest) -> int | None:
    """Keep a run; return its key, None where the login may not write.

    What is kept suffices to repeat it: the document, the window, as-of time and settings, digests of the chains and of
    the code, and a digest of what was found.
    """
    result = backtest.result
    frames = {name: frame_columns(getattr(result, name)) for name in _FRAMES}
    return store.save_backtest(
        desk.store,
        {
            "ts": desk.clock.now(),
            "strategy": backtest.document.name,
            "document": backtest.document.model_dump(mode="json"),
            "document_hash": result.document_hash,
            "symbols": list(result.symbols),
            "cadence": backtest.cadence,
            "at": backtest.at,
            "start_day": result.start,
            "end_day": result.end,
            "fills": str(result.fills),
            "capital": result.capital,
            "settings": {**result.settings, "warnings": list(backtest.warnings)},
            "cube_sha256": result.cube_sha256,
            "code_version": result.code_version,
            "simulated": backtest.simulated,
            **frames,
            "bands": None if result.bands is None else frame_columns(result.bands),
            "skipped": result.skipped,
            "statistics": result.statistics,
            "result_sha256": digest_of(result),
        },
    )


def list_backtests(desk: Desk, *, at: datetime | None = None) -> pd.DataFrame:
    """Return the runs kept by `at`, the newest first; see `store.list_backtests`."""
    return store.list_backtests(desk.store, at=at)


def read_backtest(desk: Desk, run_id: int) -> Backtest:
    """Return a run that was kept, as it was.

    Raises
    ------
    InputError
        If there is none with that key.
    """
    from bifrost_lib.backtest import Result

    row = store.read_backtest(desk.store, int(run_id))
    settings = dict(row["settings"])
    warnings = tuple(settings.pop("warnings", ()))
    result = Result(
        document_hash=row["document_hash"],
        symbols=tuple(row["symbols"]),
        start=row["start_day"],
        end=row["end_day"],
        fills=_fills(row["fills"]),
        capital=row["capital"],
        code_version=row["code_version"],
        chains=row["cube_sha256"],
        **{name: frame_of(row[name]) for name in _FRAMES},
        skipped=row["skipped"],
        statistics=row["statistics"],
        bands=None if row["bands"] is None else frame_of(row["bands"]),
        settings=settings,
    )
    document = read_document(row["document"])
    return Backtest(result, document, row["cadence"], row["at"], row["simulated"], warnings, run_id=row["run_id"])


def repeat_backtest(desk: Desk, run_id: int) -> Repeated:
    """Run a kept backtest again, and tell what is not as it was.

    Raises
    ------
    InputError
        If there is none with that key.
    NoDataError
        If its chains are not in the store any more.
    """
    kept = read_backtest(desk, run_id)
    result, settings = kept.result, kept.result.settings
    again = run_backtest(
        desk,
        kept.document,
        result.symbols,
        start=result.start,
        end=result.end,
        fills=result.fills,
        capital=result.capital,
        cadence=kept.cadence,
        entry_time=time.fromisoformat(settings["entry_time"]) if settings["entry_time"] else None,
        entry_offset=settings["entry_offset"],
        rate=settings["rate"],
        signal=settings["signal"],
        at=kept.at,
        save=False,
    ).result
    differences = {
        "code": again.code_version != result.code_version,
        "chains": again.cube_sha256 != result.cube_sha256,
        "result": digest_of(again) != digest_of(result),
    }
    return Repeated(run_id, tuple(name for name, differs in differences.items() if differs))


def digest_of(result: Result) -> str:
    """Return the digest of what a run found: trades, legs and account, every bit of them."""
    told = {name: frame_columns(getattr(result, name)) for name in _FRAMES}
    return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()


def frame_columns(frame: pd.DataFrame) -> list[list[Any]]:
    """Return each column's name, dtype and values in JSON's types: moments in microseconds, NaN as null."""
    return [[str(name), str(frame[name].dtype), _values(frame[name])] for name in frame.columns]


def frame_of(columns: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return the frame that `frame_columns` was given."""
    return pd.DataFrame({name: _series(dtype, values) for name, dtype, values in columns})


def _values(column: pd.Series[Any]) -> list[Any]:
    if str(column.dtype).startswith("datetime64"):
        us = column.dt.tz_localize(None) if column.dt.tz is not None else column
        numbers = us.astype("datetime64[us]").to_numpy().astype("int64").tolist()
        return [None if missing else number for number, missing in zip(numbers, column.isna(), strict=True)]
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _series(dtype: str, values: list[Any]) -> pd.Series[Any]:
    if not dtype.startswith("datetime64"):
        if dtype == "float64":
            values = [float("nan") if value is None else value for value in values]
        return pd.Series(values, dtype=dtype)
    moments = np.array([_NEVER if value is None else value for value in values], dtype=np.int64)
    found = pd.Series(moments.view("datetime64[us]"))
    if "UTC" in dtype:
        return found.dt.tz_localize("UTC")
    return found.astype("datetime64[s]")


def _fills(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
