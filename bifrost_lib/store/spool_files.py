"""One collected batch as one file: what it is, its frames, and a digest that tells whether it is whole."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.store.gaps import Gap
from bifrost_lib.store.ledger import RunOutcome
from bifrost_lib.store.snapshot_frames import check_snapshots

_MAGIC = b"BIFROST BATCH 1\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 32


class DamagedBatch(BifrostError):  # noqa: N818 - a finding, told by the spool
    """A file that is no whole batch."""


@dataclass(frozen=True)
class SpooledBatch:
    """What one run brought, to be stored in one transaction, at once or later.

    Attributes
    ----------
    batch_id : str
        The same at every delivery; what tells one batch from another.
    collector, source, symbol : str
        Which collector brought it, who supplied it, and of which underlying it is.
    started, finished : datetime, aware
        When the run began and ended.
    outcome : RunOutcome
        `rows_stored` is counted when the batch is stored.
    frames : tuple of DataFrames
        Snapshots: SNAPSHOT_COLUMNS with or without VENDOR_COLUMNS.
    conditions, changes : DataFrames, optional
        As `append_market_conditions` and `append_option_changes` take them.
    gaps : tuple of Gap
        What the run found missing.
    run_id : int, optional
        The run, if the database was there when it began.
    """

    batch_id: str
    collector: str
    source: str
    symbol: str
    started: datetime
    finished: datetime
    outcome: RunOutcome
    frames: tuple[pd.DataFrame, ...] = ()
    conditions: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None
    gaps: tuple[Gap, ...] = ()
    run_id: int | None = None

    def check(self) -> None:
        """Refuse what could not be stored later, while the one who made it can still be told (`InputError`)."""
        for name in ("batch_id", "collector", "source", "symbol"):
            if not str(getattr(self, name)).strip():
                raise InputError(f"batch.{name}", getattr(self, name), "a name")
        for name in ("started", "finished"):
            as_utc(getattr(self, name), name=f"batch.{name}")
        self.outcome.check()
        for gap in self.gaps:
            gap.check()
        for frame in self.frames:
            check_snapshots(frame)


def packed(batch: SpooledBatch) -> bytes:
    """Return the file's bytes."""
    parts = [("frames", frame) for frame in batch.frames]
    parts += [(name, frame) for name in ("conditions", "changes") if (frame := getattr(batch, name)) is not None]
    bodies = [_arrow(frame) for _, frame in parts]
    told = {field.name: getattr(batch, field.name) for field in fields(batch)}
    told |= {
        "started": as_utc(batch.started).isoformat(),
        "finished": as_utc(batch.finished).isoformat(),
        "outcome": {**vars(batch.outcome), "missing": dict(batch.outcome.missing)},
        "gaps": [asdict(gap) for gap in batch.gaps],
        "parts": [(name, len(body)) for (name, _), body in zip(parts, bodies, strict=True)],
    }
    for name in ("frames", "conditions", "changes"):
        del told[name]
    head = json.dumps(told, default=_text).encode()
    whole = b"".join([_MAGIC, _LENGTH.pack(len(head)), head, *bodies])
    return whole + hashlib.sha256(whole).digest()


def unpacked(data: bytes) -> SpooledBatch:
    """Return the batch that `packed` was given.

    Raises
    ------
    DamagedBatch
        If the bytes are not all there, or not as they were.
    """
    if not data.startswith(_MAGIC):
        raise DamagedBatch("it does not begin as a batch does")
    if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise DamagedBatch("its digest is not that of its contents")
    at = len(_MAGIC) + _LENGTH.size
    size = _LENGTH.unpack_from(data, len(_MAGIC))[0]
    told = json.loads(data[at : at + size])
    at += size
    found: dict[str, list[pd.DataFrame]] = {"frames": [], "conditions": [], "changes": []}
    for name, length in told.pop("parts"):
        found[name].append(_frame(data[at : at + length]))
        at += length
    told |= {name: datetime.fromisoformat(told[name]) for name in ("started", "finished")}
    told |= {"outcome": RunOutcome(**told["outcome"]), "gaps": tuple(map(_gap, told["gaps"]))}
    told |= {name: found[name][0] for name in ("conditions", "changes") if found[name]}
    return SpooledBatch(**told, frames=tuple(found["frames"]))


def _gap(told: Mapping[str, Any]) -> Gap:
    moments = {name: told[name] for name in ("first_ts", "last_ts", "fillable_until")}
    return Gap(**{**told, **{name: text and datetime.fromisoformat(text) for name, text in moments.items()}})


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return as_utc(value).isoformat()
    if isinstance(value, np.generic):
        return value.item()
    raise InputError("batch", value, "JSON-ready data")


def _arrow(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    written = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(written, table.schema, options=options) as stream:
        stream.write_table(table)
    return written.getvalue()


def _frame(data: bytes) -> pd.DataFrame:
    import pyarrow as pa

    frame: pd.DataFrame = pa.ipc.open_stream(data).read_pandas()
    return frame
