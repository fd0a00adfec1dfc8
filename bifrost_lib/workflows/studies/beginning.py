"""The beginning of a study: what it searches, and the days that it keeps back, once and for all."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any

from bifrost_lib import store
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.study import BacktestStudy, find_study, plain_settings

LONGEST_NAME = 60


def begin_study(
    desk: Desk,
    name: str,
    document: StrategyDocument,
    symbols: Sequence[str],
    *,
    start: date,
    end: date,
    holdout_start: date,
    grid: Mapping[str, Any] | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    entry_time: time | None = None,
    entry_offset: int = 0,
    rate: float = 0.0,
) -> BacktestStudy:
    """Begin a study, before anything of it is simulated.

    Parameters
    ----------
    desk : Desk
    name : str
        Letters, digits, ``-`` and ``_``; no other study has it.
    document : StrategyDocument
    symbols : sequence of str
    start, end : date
        Days that the study is about.
    holdout_start : date
        From this day to `end` everything is kept back until the choice is made.
    grid : mapping, optional
        Parameter path to values, see `backtest.read_grid`; its documents are checked now. With ranges without steps
        the study is searched by `search_study` alone.
    fills, capital, entry_time, entry_offset, rate
        As of `backtest.run`; the same for every search and every look.

    Raises
    ------
    InputError
        If the name is taken or none, a symbol is missing or twice there, or the days are in no order.
    DocumentError
        If the grid does not fit the document.
    """
    from bifrost_lib.backtest import check_paths, expand, read_grid

    if not name or len(name) > LONGEST_NAME or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise InputError("name", name, f"at most {LONGEST_NAME} letters, digits, - and _")
    known = [symbol.strip().upper() for symbol in symbols]
    if not known or "" in known or len({*known}) != len(known):
        raise InputError("symbols", list(symbols), "at least one symbol, each once")
    if not start < holdout_start <= end:
        raise InputError("holdout_start", holdout_start, f"a day after {start}, the first, and not after {end}")
    if grid is not None:
        axes = read_grid(grid)
        check_paths(document, axes)
        if all(axis.values is not None for axis in axes.values()):
            expand(document, axes)
    store.save_study(
        desk.store,
        name=name,
        document=document.model_dump(mode="json"),
        document_hash=document.sha256,
        grid=dict(grid) if grid is not None else None,
        symbols=known,
        start_day=start,
        end_day=end,
        holdout_start=holdout_start,
        holdout_end=end,
        settings=plain_settings(
            {"fills": fills, "capital": capital, "entry_time": entry_time, "entry_offset": entry_offset, "rate": rate}
        ),
        created=desk.clock.now(),
        created_by=getpass.getuser(),
    )
    return find_study(desk, name)
