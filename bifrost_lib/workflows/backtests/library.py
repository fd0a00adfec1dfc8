"""A library of backtests, computed before anybody asks: strategies × parameters × symbols, in and out of sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bifrost_lib.backtest import (
    MOST_DOCUMENTS,
    assignments,
    expand,
    grid_size,
    read_grid,
    session_regimes,
    symbol_profile,
)
from bifrost_lib.core.errors import DocumentError, InputError, NoDataError
from bifrost_lib.store import chain_cube, libraries, library_symbols, save_library, save_library_symbol
from bifrost_lib.strategies import StrategyDocument, read_mapping, resolve_strategy
from bifrost_lib.workflows.backtests.library_rows import Tried, rows_of_symbol

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube, Result
    from bifrost_lib.workflows.desk import Desk

#: The account is not what is tested: it never turns a trade away.
CAPITAL = 1e9


@dataclass(frozen=True)
class Shelf:
    """A document of a library, and the grid of what is varied of it; without a grid it stands alone."""

    document: StrategyDocument
    grid: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """How many documents it makes."""
        return 1 if self.grid is None else grid_size(read_grid(self.grid))

    def documents(self) -> list[tuple[StrategyDocument, dict[str, Any]]]:
        """Return them with what was varied of each."""
        if self.grid is None:
            return [(self.document, {})]
        grid = read_grid(self.grid)
        return list(zip(expand(self.document, grid), assignments(grid), strict=True))


def read_shelves(source: str | Mapping[str, Any]) -> list[Shelf]:
    """Return what a library file lists.

    Parameters
    ----------
    source : str or mapping
        YAML or JSON: strategies of the catalogue, or files of documents, each with its grid, or with nothing:
        ``iron_condor: {exits.take_profit.share: [0.25, 0.5]}``.

    Raises
    ------
    DocumentError
        If the file is not like that.
    UnknownNameError, FileFormatError
        If there is no such strategy or file.
    """
    content = read_mapping(source, expected="a mapping of strategies to their grids")
    for name, grid in content.items():
        if grid is not None and not isinstance(grid, Mapping):
            raise DocumentError(name[:60], grid, "a grid: a mapping of parameters to lists of values; or nothing")
    return [Shelf(resolve_strategy(name), grid or None) for name, grid in content.items()]


@dataclass(frozen=True)
class LibraryReport:
    """What building a library did: symbols computed, those that were up to date, and those left out with their reason.

    `documents` is how many were run on each symbol, `rows` how many results were stored.
    """

    library: str
    documents: int
    rows: int
    computed: tuple[str, ...]
    current: tuple[str, ...]
    skipped: dict[str, str]
    stopped: bool


def build_library(
    desk: Desk,
    library: str,
    shelves: Sequence[Shelf],
    symbols: Sequence[str],
    *,
    split: date,
    fills: str | float = "realistic",
    capital: float = CAPITAL,
    start: date | None = None,
    end: date | None = None,
    most: int = MOST_DOCUMENTS,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[int, int, str], None] | None = None,
    cube_of: Callable[[str], ChainCube] | None = None,
    run: Callable[..., Result] | None = None,
) -> LibraryReport:
    """Run every document of a library on every symbol, and store what each did in which regime.

    Parameters
    ----------
    desk : Desk
    library : str
        Its name. Building it again computes only symbols whose history, or whose library, is another than before.
    shelves : sequence of Shelf
    symbols : sequence of str
    split : date
        Trades opened from here on are out of sample.
    fills, capital, start, end
        As of `run`.
    most : int
        Refuse before running more documents than this, counted over all symbols.
    stop : callable, optional
        Asked before each document; what is stored of finished symbols stays.
    tell : callable, optional
        Told runs done, of how many, and the symbol.
    cube_of, run : callable, optional
        Where histories come from (default: the store, by the desk's clock), and what runs a document.

    Raises
    ------
    InputError
        If there is nothing to run or too much, or two documents are the same.
    HoldOutClosed
        If a document belongs to a study that keeps some of these days back.

    Notes
    -----
    A symbol is stored whole or not at all. One without a history is in `LibraryReport.skipped`, with the reason.
    """
    from bifrost_lib.workflows.studies import check_not_kept_back

    at = desk.clock.now()
    simulate, version = _simulation(run)
    size = sum(shelf.size for shelf in shelves) * len(symbols)
    if not 1 <= size <= most:
        raise InputError("shelves", f"{size:,} backtests", f"from 1 to {most:,}")
    documents = [pair for shelf in shelves for pair in shelf.documents()]
    _check_different(documents)
    definition = _definition(documents, fills=fills, capital=capital, split=split, start=start, end=end)
    check_not_kept_back(desk, [document for document, _ in documents], symbols, end=end)
    known = _known(desk, library, definition, version, at)
    read = cube_of or (lambda symbol: chain_cube(desk.store, symbol, at=at))
    computed, current, skipped, rows = list[str](), list[str](), dict[str, str](), 0
    for number, symbol in enumerate(symbols):
        try:
            cube = read(symbol).between(start, end)
        except (NoDataError, InputError) as error:
            skipped[symbol] = str(error)
            continue
        if known.get(symbol) == cube.sha256:
            current.append(symbol)
            continue
        meter = _Meter(tell, number * len(documents), size, symbol)
        tried = _try_all(documents, cube, simulate, {"fills": fills, "capital": capital}, stop, meter)
        if tried is None:
            return LibraryReport(library, len(documents), rows, tuple(computed), tuple(current), skipped, True)
        if not computed and not known:
            save_library(desk.store, library, definition=definition, code_version=version, computed_ts=at)
        rows += save_library_symbol(
            desk.store, library, profile=_profile(cube, split), computed_ts=at,
            results=rows_of_symbol(tried, split=split).drop(columns="independent"),
        )  # fmt: skip
        computed.append(symbol)
    return LibraryReport(library, len(documents), rows, tuple(computed), tuple(current), skipped, False)


def _simulation(run: Callable[..., Result] | None) -> tuple[Callable[..., Result], str]:
    if run is not None:
        return run, ""
    from bifrost_lib.backtest import code_version
    from bifrost_lib.backtest import run as run_once

    return run_once, code_version()


def _check_different(documents: Sequence[tuple[StrategyDocument, dict[str, Any]]]) -> None:
    seen: dict[str, str] = {}
    for document, parameters in documents:
        words = f"{document.name} {parameters or ''}".strip()
        if document.sha256 in seen:
            raise InputError("shelves", words, f"documents that differ: it trades what {seen[document.sha256]} does")
        seen[document.sha256] = words


def _definition(
    documents: Sequence[tuple[StrategyDocument, dict[str, Any]]],
    *,
    fills: str | float,
    capital: float,
    split: date,
    start: date | None,
    end: date | None,
) -> dict[str, Any]:
    strategies: dict[str, list[str]] = {}
    for document, _ in documents:
        strategies.setdefault(document.name, []).append(document.sha256)
    days = {"split": split, "start": start, "end": end}
    told = {name: day.isoformat() if day else None for name, day in days.items()}
    return {"strategies": strategies, "fills": fills, "capital": capital, **told}


def _known(
    desk: Desk, library: str, definition: Mapping[str, Any], version: str, at: datetime
) -> dict[str, str]:  # fmt: skip
    # Symbols that hold what this definition and this code find, with the digests of their histories.
    found = libraries(desk.store, at=at)
    same = found[(found["library"] == library) & (found["code_version"] == version)]
    if same.empty or same["definition"].iloc[0] != definition:
        return {}
    symbols = library_symbols(desk.store, library, at=at)
    fresh = symbols[symbols["computed_ts"] >= same["computed_ts"].iloc[0]]
    return dict(zip(fresh["symbol"], fresh["cube_sha256"], strict=True))


@dataclass(frozen=True)
class _Meter:
    tell: Callable[[int, int, str], None] | None
    before: int
    size: int
    symbol: str

    def reads(self, done: int) -> None:
        if self.tell is not None:
            self.tell(self.before + done, self.size, self.symbol)


def _try_all(
    documents: Sequence[tuple[StrategyDocument, dict[str, Any]]],
    cube: ChainCube,
    simulate: Callable[..., Result],
    options: Mapping[str, Any],
    stop: Callable[[], bool] | None,
    meter: _Meter,
) -> list[Tried] | None:
    regimes, tried = session_regimes(cube), list[Tried]()
    for number, (document, parameters) in enumerate(documents):
        if stop is not None and stop():
            return None
        result = simulate(document, cube, **options)
        gains = np.diff(result.equity["equity"].to_numpy(dtype=np.float64), prepend=float(options["capital"]))
        trades = _with_regimes(result.trades, regimes)
        tried.append(Tried(document.sha256, document.name, parameters, trades, gains))
        meter.reads(number + 1)
    return tried


def _with_regimes(trades: pd.DataFrame, regimes: pd.DataFrame) -> pd.DataFrame:
    local = trades["opened"].dt.tz_convert("America/New_York").dt.tz_localize(None)
    day = local.to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    place = np.searchsorted(regimes["day"].to_numpy(), day)
    told = {name: regimes[name].to_numpy()[place] for name in ("iv_rank", "trend")}
    return trades.assign(day=day, **told)


def _profile(cube: ChainCube, split: date) -> dict[str, Any]:
    # By what was in sample, so that symbols are not found alike by what came later.
    days = {"start_day": cube.start, "split_day": split, "end_day": cube.end}
    seen = cube.between(None, split - timedelta(days=1)) if cube.start < split else cube
    return {
        "symbol": cube.symbol, "cube_sha256": cube.sha256, "sessions": cube.sessions, **days, **symbol_profile(seen)
    }  # fmt: skip
