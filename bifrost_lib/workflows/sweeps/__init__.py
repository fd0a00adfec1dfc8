"""Sweeps: many parameter sets over a cube through Dask, kept as they finish.

Names are loaded on first use: Dask takes longer to import than most commands to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.workflows.sweeps.admission import CARD_BYTES, Admitted, Need, admit, need_of
    from bifrost_lib.workflows.sweeps.checkpoint import Arrays
    from bifrost_lib.workflows.sweeps.connecting import (
        check_encrypted,
        connect,
        is_loopback,
        machine_memory,
        security_of,
    )
    from bifrost_lib.workflows.sweeps.progress import Progress, SweepInterrupted, SweepProgress
    from bifrost_lib.workflows.sweeps.running import run_sweep, simulated
    from bifrost_lib.workflows.sweeps.speed import sets_per_s

_HOMES = {
    "CARD_BYTES": "admission",
    "Admitted": "admission",
    "Arrays": "checkpoint",
    "Need": "admission",
    "admit": "admission",
    "need_of": "admission",
    "check_encrypted": "connecting",
    "is_loopback": "connecting",
    "connect": "connecting",
    "machine_memory": "connecting",
    "security_of": "connecting",
    "Progress": "progress",
    "SweepInterrupted": "progress",
    "SweepProgress": "progress",
    "run_sweep": "running",
    "simulated": "running",
    "sets_per_s": "speed",
}

__all__ = [
    "CARD_BYTES",
    "Admitted",
    "Arrays",
    "Need",
    "Progress",
    "SweepInterrupted",
    "SweepProgress",
    "admit",
    "check_encrypted",
    "connect",
    "is_loopback",
    "machine_memory",
    "need_of",
    "run_sweep",
    "security_of",
    "sets_per_s",
    "simulated",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
