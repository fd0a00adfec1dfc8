"""Backtests: any strategy document replayed over stored chains, from one run to grids of thousands.

Names are loaded on first use, because frames and the compiler take longer to import than most commands to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_lib.backtest.bands import band_edges, run_with_bands
    from bifrost_lib.backtest.chains.cube import BELIEVABLE, FIT, LAYOUT, OPTIONAL, ChainCube, nobody_bids
    from bifrost_lib.backtest.chains.earnings import earnings_arrays
    from bifrost_lib.backtest.cuda_sweeping import gpu_bytes, gpu_sweep_chunk
    from bifrost_lib.backtest.grids.documents import (
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
    from bifrost_lib.backtest.grids.paths import field_kind, parameter_paths
    from bifrost_lib.backtest.overfitting.cross_validation import Overfitting, probability_of_overfitting
    from bifrost_lib.backtest.overfitting.sharpe_ratios import (
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
        sharpe_ratios,
    )
    from bifrost_lib.backtest.overfitting.splits import (
        Split,
        Window,
        history_paths,
        purged_combinations,
        purged_folds,
        walk_forward,
    )
    from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
    from bifrost_lib.backtest.running import code_version, run
    from bifrost_lib.backtest.statistics.attribution import Attribution, attribute
    from bifrost_lib.backtest.statistics.bootstrap import Interval, block_length, bootstrap_interval
    from bifrost_lib.backtest.statistics.figures import Figure, figure_of
    from bifrost_lib.backtest.statistics.regimes import IV_RANKS, PROFILE, TRENDS, session_regimes, symbol_profile
    from bifrost_lib.backtest.statistics.summary import summarize
    from bifrost_lib.backtest.sweeping import SweepResult, assemble, chunk_bytes, sweep, sweep_chunk
    from bifrost_lib.backtest.warm import warm_up

_HOME = {
    "Attribution": "statistics.attribution",
    "attribute": "statistics.attribution",
    "band_edges": "bands",
    "run_with_bands": "bands",
    "Interval": "statistics.bootstrap",
    "block_length": "statistics.bootstrap",
    "bootstrap_interval": "statistics.bootstrap",
    "BELIEVABLE": "chains.cube",
    "FIT": "chains.cube",
    "LAYOUT": "chains.cube",
    "OPTIONAL": "chains.cube",
    "ChainCube": "chains.cube",
    "nobody_bids": "chains.cube",
    "earnings_arrays": "chains.earnings",
    "gpu_bytes": "cuda_sweeping",
    "gpu_sweep_chunk": "cuda_sweeping",
    "Figure": "statistics.figures",
    "figure_of": "statistics.figures",
    "field_kind": "grids.paths",
    "parameter_paths": "grids.paths",
    "MOST_DOCUMENTS": "grids.documents",
    "Axis": "grids.documents",
    "Choices": "grids.documents",
    "Span": "grids.documents",
    "assignments": "grids.documents",
    "check_paths": "grids.documents",
    "draws": "grids.documents",
    "expand": "grids.documents",
    "grid_size": "grids.documents",
    "parameter": "grids.documents",
    "random": "grids.documents",
    "read_grid": "grids.documents",
    "with_parameters": "grids.documents",
    "DeflatedSharpe": "overfitting.sharpe_ratios",
    "Trials": "overfitting.sharpe_ratios",
    "deflate": "overfitting.sharpe_ratios",
    "deflated_sharpe_ratio": "overfitting.sharpe_ratios",
    "effective_trials": "overfitting.sharpe_ratios",
    "expected_max_sharpe": "overfitting.sharpe_ratios",
    "min_backtest_years": "overfitting.sharpe_ratios",
    "min_track_record": "overfitting.sharpe_ratios",
    "moments": "overfitting.sharpe_ratios",
    "probabilistic_sharpe": "overfitting.sharpe_ratios",
    "sharpe_ratios": "overfitting.sharpe_ratios",
    "Overfitting": "overfitting.cross_validation",
    "probability_of_overfitting": "overfitting.cross_validation",
    "IV_RANKS": "statistics.regimes",
    "PROFILE": "statistics.regimes",
    "TRENDS": "statistics.regimes",
    "session_regimes": "statistics.regimes",
    "symbol_profile": "statistics.regimes",
    "EQUITY_COLUMNS": "result",
    "LEG_COLUMNS": "result",
    "TRADE_COLUMNS": "result",
    "Result": "result",
    "code_version": "running",
    "run": "running",
    "summarize": "statistics.summary",
    "SweepResult": "sweeping",
    "assemble": "sweeping",
    "chunk_bytes": "sweeping",
    "sweep": "sweeping",
    "sweep_chunk": "sweeping",
    "Split": "overfitting.splits",
    "Window": "overfitting.splits",
    "history_paths": "overfitting.splits",
    "purged_combinations": "overfitting.splits",
    "purged_folds": "overfitting.splits",
    "walk_forward": "overfitting.splits",
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
    "sharpe_ratios",
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
