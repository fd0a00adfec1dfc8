"""A Dask client for whoever computes: ``from gpu_cluster.client import connect``.

Without settings it is a cluster of this machine's own cores; with ``BIFROST_DASK_SCHEDULER`` it is the cluster that
`gpu_cluster.cluster` starts, whose workers have the GPUs.
"""

from __future__ import annotations

from bifrost_lib.workflows import sweeps

connect = sweeps.connect

__all__ = ["connect"]
