"""Searches over the stored history: they read the chains, and keep away from days that a study keeps back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bifrost_lib.core.clock import as_utc
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.running import read_cubes, symbol_names
from bifrost_lib.workflows.backtests.searching import Search, Sweep, WalkForward, search, search_walking_forward
from bifrost_lib.workflows.desk import Desk


def tune(
    desk: Desk,
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    symbols: str | Sequence[str],
    *,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    cadence: str | int = "daily",
    at: datetime | None = None,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[int, int, float], None] | None = None,
    **how: Any,
) -> Search:
    """Search the parameters of a document over the stored chains of some symbols.

    Parameters
    ----------
    desk : Desk
    document : StrategyDocument
    space : mapping or str
        Parameters and what they may be, see `backtest.read_grid`; ranges need no steps.
    symbols : str or sequence of str
        Several share one account.
    start, end, fills, capital, cadence, at
        As for `run_backtest`.
    stop, tell, **how
        As for `search`: ``trials``, ``method``, ``figure``, ``folds``, ``embargo``, ``seed``, ``batch``.

    Raises
    ------
    NoDataError
        If no session of a symbol is stored in that range, or no trial traded.
    HoldOutClosed
        If a document that is tried belongs to a study that keeps these days back.
    """
    sweep = _over_store(desk, document, symbols, start, end, fills, capital, cadence, at)
    return search(document, space, {}, sweep=sweep, stop=stop, tell=tell, **how)


def tune_walking_forward(
    desk: Desk,
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    symbols: str | Sequence[str],
    *,
    train: int,
    test: int,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    cadence: str | int = "daily",
    at: datetime | None = None,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[int, int, float], None] | None = None,
    **how: Any,
) -> WalkForward:
    """Search anew in each window's past over the stored chains, and see what the choice does next.

    Parameters
    ----------
    train, test : int
        Sessions to learn from and to test on.
    desk, document, space, symbols, start, end, fills, capital, cadence, at, stop, tell, **how
        As for `tune` and `search_walking_forward`.
    """
    sweep = _over_store(desk, document, symbols, start, end, fills, capital, cadence, at)
    return search_walking_forward(
        document, space, {}, train=train, test=test, sweep=sweep, stop=stop, tell=tell, **how
    )  # fmt: skip


def _over_store(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    start: date | None,
    end: date | None,
    fills: str | float,
    capital: float,
    cadence: str | int,
    at: datetime | None,
) -> Sweep:
    from bifrost_lib.backtest import sweep
    from bifrost_lib.workflows.studies import check_not_kept_back

    names, until = symbol_names(symbols), as_utc(at) if at is not None else desk.clock.now()
    check_not_kept_back(desk, [document], names, end=end)
    cubes = read_cubes(desk, names, cadence=cadence, start=start, end=end, at=until)

    def simulate(documents: Sequence[StrategyDocument]) -> Any:
        check_not_kept_back(desk, documents, names, end=end)  # a search may come upon a document of a study
        return sweep(documents, cubes, start=start, end=end, fills=fills, capital=capital)

    return simulate
