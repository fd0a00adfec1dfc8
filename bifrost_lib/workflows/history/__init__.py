"""What was: volatility, smiles, term structures, changes and strategies of one underlying through time.

Names are loaded on first use, because pandas and the database driver take longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
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

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
