"""A library of backtests, computed before anybody asks: strategies × parameters × symbols, in and out of sample."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bifrost_lib.backtest import MOST_DOCUMENTS, symbol_profile
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.store import chain_cube, libraries, library_symbols, save_library, save_library_symbol
from bifrost_lib.workflows.backtests.library_chunks import library_code, try_documents
from bifrost_lib.workflows.backtests.library_rows import CELLS, FIGURES, rows_of_symbol
from bifrost_lib.workflows.backtests.shelves import Shelf, Varied
from bifrost_lib.workflows.sweeps import SweepInterrupted, connect, simulated

if TYPE_CHECKING:
    import pandas as pd
    from dask.distributed import Client

    from bifrost_lib.backtest import ChainCube, Result
    from bifrost_lib.workflows.desk import Desk
    from bifrost_lib.workflows.sweeps import Arrays, SweepProgress

#: The account is not what is tested: it never turns a trade away.
CAPITAL = 1e9
#: So many backtests are run in this process: starting workers would take longer.
_FEW = 300


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
    workers: int | None = None,
    stop: threading.Event | None = None,
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
    workers : int, optional
        Processes of a Dask client; 0 is this process alone. Default: this process for few backtests, else as `connect`.
    stop : Event, optional
        Ends it when another thread sets it, as Ctrl-C does.
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
    SweepInterrupted
        If workers were lost; the same call goes on from there.

    Notes
    -----
    A symbol is stored whole or not at all. What is found on the way is kept as that of a sweep: a call that was
    stopped, or killed, goes on where it was. A symbol without a history is in `LibraryReport.skipped`, with the reason.
    """
    from bifrost_lib.workflows.studies import check_not_kept_back

    at, version = desk.clock.now(), library_code() if run is None else ""
    size = sum(shelf.size for shelf in shelves) * len(symbols)
    if not 1 <= size <= most:
        raise InputError("shelves", f"{size:,} backtests", f"from 1 to {most:,}")
    documents = [pair for shelf in shelves for pair in shelf.documents()]
    _check_different(documents)
    definition = _definition(documents, fills=fills, capital=capital, split=split, start=start, end=end)
    check_not_kept_back(desk, [document for document, _ in documents], symbols, end=end)
    known = _known(desk, library, definition, version, at)
    read = cube_of or (lambda symbol: chain_cube(desk.store, symbol, at=at))
    told = LibraryReport(library, len(documents), 0, (), (), {}, False)
    options = {"split": split.isoformat(), "fills": fills, "capital": capital}
    with _client(desk, workers, size) as client:
        for number, symbol in enumerate(symbols):
            try:
                cube = read(symbol).between(start, end)
            except (NoDataError, InputError) as error:
                told = replace(told, skipped={**told.skipped, symbol: str(error)})
                continue
            if known.get(symbol) == cube.sha256:
                told = replace(told, current=(*told.current, symbol))
                continue
            found = _tried(
                documents, cube, run, stop, client=client, home=desk.settings.home, code=version, options=options,
                progress=_Meter(tell, number * len(documents), size, symbol).reads,
            )  # fmt: skip
            if found is None:
                return replace(told, stopped=True)
            if not told.computed and not known:
                save_library(desk.store, library, definition=definition, code_version=version, computed_ts=at)
            results = _rows(documents, found)
            stored = save_library_symbol(
                desk.store, library, profile=_profile(cube, split), computed_ts=at, results=results
            )
            told = replace(told, computed=(*told.computed, symbol), rows=told.rows + stored)
    return told


@contextmanager
def _client(desk: Desk, workers: int | None, size: int) -> Iterator[Client | None]:
    # None is this process.
    here = size <= _FEW and not desk.settings.dask_scheduler if workers is None else workers == 0
    if here:
        yield None
        return
    with connect(desk.settings, workers=workers) as client:
        yield client


def _tried(
    documents: Sequence[Varied], cube: ChainCube, run: Callable[..., Result] | None, stop: threading.Event | None,
    **how: Any,
) -> Arrays | None:  # fmt: skip
    # What documents did on a symbol; None where it was stopped: what was found until then is kept.
    simulate = try_documents if run is None else partial(try_documents, run=run)
    try:
        return simulated(simulate, [document for document, _ in documents], cube, stop=stop, **how)
    except KeyboardInterrupt:
        return None
    except SweepInterrupted:
        if stop is not None and stop.is_set():
            return None
        raise


def _rows(documents: Sequence[Varied], found: Arrays) -> pd.DataFrame:
    named = [(document.sha256, document.name, parameters) for document, parameters in documents]
    cells = found["cells"].reshape(len(documents), len(CELLS), len(FIGURES))
    return rows_of_symbol(named, cells, found["daily"]).drop(columns="independent")


def _check_different(documents: Sequence[Varied]) -> None:
    seen: dict[str, str] = {}
    for document, parameters in documents:
        words = f"{document.name} {parameters or ''}".strip()
        if document.sha256 in seen:
            raise InputError("shelves", words, f"documents that differ: it trades what {seen[document.sha256]} does")
        seen[document.sha256] = words


def _definition(
    documents: Sequence[Varied],
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

    def reads(self, progress: SweepProgress) -> None:
        if self.tell is not None:
            self.tell(self.before + progress.done, self.size, self.symbol)


def _profile(cube: ChainCube, split: date) -> dict[str, Any]:
    # By what was in sample, so that symbols are not found alike by what came later.
    days = {"start_day": cube.start, "split_day": split, "end_day": cube.end}
    seen = cube.between(None, split - timedelta(days=1)) if cube.start < split else cube
    return {
        "symbol": cube.symbol, "cube_sha256": cube.sha256, "sessions": cube.sessions, **days, **symbol_profile(seen)
    }  # fmt: skip
