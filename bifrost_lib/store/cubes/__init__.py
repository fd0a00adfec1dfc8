"""Chain cubes on the disk: a symbol's stored history, exported once into columns that are mapped, never copied."""

from __future__ import annotations

from bifrost_lib.store.cubes.opening import chain_cube
from bifrost_lib.store.cubes.tables import cube_table, save_cube
from bifrost_lib.store.cubes.updating import CubeUpdate, update_cube

__all__ = ["CubeUpdate", "chain_cube", "cube_table", "save_cube", "update_cube"]
