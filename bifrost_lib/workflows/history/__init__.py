"""What was: volatility, smiles, term structures, changes and strategies of one underlying through time.

Names are loaded on first use, because pandas and the database driver take longer to import than most commands to run.
"""

from __future__ import annotations

from bifrost_lib.core.front_doors import front_door

_HOMES = {
    "MEASURED": "changes",
    "contract_changes": "changes",
    "TENORS_DAYS": "smiles",
    "WINDOWS": "volatility",
    "changes_between": "changes",
    "large_changes": "changes",
    "sampled_moments": "strategies",
    "smile_summary": "smiles",
    "smiles_through_time": "smiles",
    "strategy_history": "strategies",
    "telling_sessions": "volatility",
    "terms_through_time": "smiles",
    "volatility_history": "volatility",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = front_door(__name__, _HOMES)
