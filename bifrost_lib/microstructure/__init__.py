"""How quotes come about and which of them tell the most.

Names are loaded on first use, because pandas takes longer to import than most commands to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.microstructure.line_choice import LineChoice, choose_lines
    from bifrost_lib.microstructure.rotation import rotation_order
    from bifrost_lib.microstructure.surface_estimate import (
        HeldOutError,
        SurfaceEstimate,
        estimate_surface,
        held_out_error,
    )
    from bifrost_lib.microstructure.surface_model import SurfaceModel, calibrate_surface, typical_surface

_HOMES = {
    "HeldOutError": "surface_estimate",
    "LineChoice": "line_choice",
    "SurfaceEstimate": "surface_estimate",
    "SurfaceModel": "surface_model",
    "calibrate_surface": "surface_model",
    "choose_lines": "line_choice",
    "estimate_surface": "surface_estimate",
    "held_out_error": "surface_estimate",
    "rotation_order": "rotation",
    "typical_surface": "surface_model",
}

__all__ = [
    "HeldOutError",
    "LineChoice",
    "SurfaceEstimate",
    "SurfaceModel",
    "calibrate_surface",
    "choose_lines",
    "estimate_surface",
    "held_out_error",
    "rotation_order",
    "typical_surface",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
