"""Backtests: any strategy document replayed over stored chains, from one run to grids of thousands.

Names are loaded on first use, because frames and the compiler take longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.backtest.attribution import Attribution, attribute
    from bifrost_lib.backtest.bands import band_edges, run_with_bands
    from bifrost_lib.backtest.bootstrap import Interval, block_length, bootstrap_interval
    from bifrost_lib.backtest.cube import BELIEVABLE, FIT, LAYOUT, OPTIONAL, ChainCube, nobody_bids
    from bifrost_lib.backtest.cuda_sweeping import gpu_bytes, gpu_sweep_chunk
    from bifrost_lib.backtest.earnings import earnings_arrays
    from bifrost_lib.backtest.figures import Figure, figure_of
    from bifrost_lib.backtest.grid_paths import field_kind, parameter_paths
    from bifrost_lib.backtest.grids import (
        MOST_DOCUMENTS,
        Axis,
        Choices,
        Span,
        assignments,
        check_paths,
        draws,
        expand,
        grid_size,
        parameter,
        random,
        read_grid,
        with_parameters,
    )
    from bifrost_lib.backtest.overfitting import (
        DeflatedSharpe,
        Trials,
        deflate,
        deflated_sharpe_ratio,
        effective_trials,
        expected_max_sharpe,
        min_backtest_years,
        min_track_record,
        moments,
        probabilistic_sharpe,
    )
    from bifrost_lib.backtest.overfitting_cscv import Overfitting, probability_of_overfitting
    from bifrost_lib.backtest.regimes import IV_RANKS, PROFILE, TRENDS, session_regimes, symbol_profile
    from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
    from bifrost_lib.backtest.running import code_version, run
    from bifrost_lib.backtest.statistics import summarize
    from bifrost_lib.backtest.sweeping import SweepResult, assemble, chunk_bytes, sweep, sweep_chunk
    from bifrost_lib.backtest.validation import (
        Split,
        Window,
        history_paths,
        purged_combinations,
        purged_folds,
        walk_forward,
    )
    from bifrost_lib.backtest.warm import warm_up

_HOME = {
    "Attribution": "attribution",
    "attribute": "attribution",
    "band_edges": "bands",
    "run_with_bands": "bands",
    "Interval": "bootstrap",
    "block_length": "bootstrap",
    "bootstrap_interval": "bootstrap",
    "BELIEVABLE": "cube",
    "FIT": "cube",
    "LAYOUT": "cube",
    "OPTIONAL": "cube",
    "ChainCube": "cube",
    "nobody_bids": "cube",
    "earnings_arrays": "earnings",
    "gpu_bytes": "cuda_sweeping",
    "gpu_sweep_chunk": "cuda_sweeping",
    "Figure": "figures",
    "figure_of": "figures",
    "field_kind": "grid_paths",
    "parameter_paths": "grid_paths",
    "MOST_DOCUMENTS": "grids",
    "Axis": "grids",
    "Choices": "grids",
    "Span": "grids",
    "assignments": "grids",
    "check_paths": "grids",
    "draws": "grids",
    "expand": "grids",
    "grid_size": "grids",
    "parameter": "grids",
    "random": "grids",
    "read_grid": "grids",
    "with_parameters": "grids",
    "DeflatedSharpe": "overfitting",
    "Trials": "overfitting",
    "deflate": "overfitting",
    "deflated_sharpe_ratio": "overfitting",
    "effective_trials": "overfitting",
    "expected_max_sharpe": "overfitting",
    "min_backtest_years": "overfitting",
    "min_track_record": "overfitting",
    "moments": "overfitting",
    "probabilistic_sharpe": "overfitting",
    "Overfitting": "overfitting_cscv",
    "probability_of_overfitting": "overfitting_cscv",
    "IV_RANKS": "regimes",
    "PROFILE": "regimes",
    "TRENDS": "regimes",
    "session_regimes": "regimes",
    "symbol_profile": "regimes",
    "EQUITY_COLUMNS": "result",
    "LEG_COLUMNS": "result",
    "TRADE_COLUMNS": "result",
    "Result": "result",
    "code_version": "running",
    "run": "running",
    "summarize": "statistics",
    "SweepResult": "sweeping",
    "assemble": "sweeping",
    "chunk_bytes": "sweeping",
    "sweep": "sweeping",
    "sweep_chunk": "sweeping",
    "Split": "validation",
    "Window": "validation",
    "history_paths": "validation",
    "purged_combinations": "validation",
    "purged_folds": "validation",
    "walk_forward": "validation",
    "warm_up": "warm",
}

__all__ = [
    "BELIEVABLE",
    "EQUITY_COLUMNS",
    "FIT",
    "IV_RANKS",
    "LAYOUT",
    "LEG_COLUMNS",
    "MOST_DOCUMENTS",
    "OPTIONAL",
    "PROFILE",
    "TRADE_COLUMNS",
    "TRENDS",
    "Attribution",
    "Axis",
    "ChainCube",
    "Choices",
    "DeflatedSharpe",
    "Figure",
    "Interval",
    "Overfitting",
    "Result",
    "Span",
    "Split",
    "SweepResult",
    "Trials",
    "Window",
    "assemble",
    "assignments",
    "attribute",
    "band_edges",
    "block_length",
    "bootstrap_interval",
    "check_paths",
    "chunk_bytes",
    "code_version",
    "deflate",
    "deflated_sharpe_ratio",
    "draws",
    "earnings_arrays",
    "effective_trials",
    "expand",
    "expected_max_sharpe",
    "field_kind",
    "figure_of",
    "gpu_bytes",
    "gpu_sweep_chunk",
    "grid_size",
    "history_paths",
    "min_backtest_years",
    "min_track_record",
    "moments",
    "nobody_bids",
    "parameter",
    "parameter_paths",
    "probabilistic_sharpe",
    "probability_of_overfitting",
    "purged_combinations",
    "purged_folds",
    "random",
    "read_grid",
    "run",
    "run_with_bands",
    "session_regimes",
    "summarize",
    "sweep",
    "sweep_chunk",
    "symbol_profile",
    "walk_forward",
    "warm_up",
    "with_parameters",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
