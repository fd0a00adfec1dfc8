"""Scans of many symbols for many strategies, on as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.synchronize import Event
from typing import Any

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.settings import Settings
from bifrost_lib.strategies import Progress, StrategyDocument, strategy_named
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.finder.scans import ScanResult, ScanResults, find_strategies, scan_chain

#: Told the symbol and how far its scan is; returns True to stop with what there is.
OnProgress = Callable[[str, Progress], bool]

_WORTH_A_PROCESS = 8  # symbols: fewer take no longer than a process takes to start
_ASKED_EVERY_S = 0.2
_STOPPED = "stopped before it began"

#: What became of one symbol: for each strategy a scan, or in words why there is none.
_Found = list[ScanResult | str]


def scan_symbols(
    desk: Desk,
    symbols: Sequence[str],
    strategy: str | StrategyDocument,
    *,
    processes: int | None = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> ScanResults:
    """Scan many symbols for a strategy; the arguments are those of `scan_universe`.

    Raises
    ------
    NoDataError
        If no symbol has a candidate; the hint says why, symbol by symbol.
    InputError
        If no symbol is given.
    """
    names, tell = {name.upper() for name in symbols}, on_progress or _silent
    if len(names) == 1:  # whose own error says more than that none of all had a candidate
        (name,) = names
        scan = find_strategies(desk, name, strategy, on_progress=lambda done: tell(name, done), **options)
        return ScanResults(scan.strategy, (scan,))
    (found,) = scan_universe(desk, symbols, [strategy], processes=processes, on_progress=on_progress, **options)
    if not found.scans:
        raise NoDataError("candidate", strategy=found.strategy.name, hint="; ".join(found.failed.values()))
    return found


def scan_universe(
    desk: Desk,
    symbols: Sequence[str],
    strategies: Sequence[str | StrategyDocument],
    *,
    processes: int | None = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> list[ScanResults]:
    """Scan every symbol for every strategy, and return what was found strategy by strategy.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Each chain is read once.
    strategies : sequence of str or StrategyDocument
    processes : int, optional
        How many work side by side, each with a desk of its own. Default: one for each core, but none for a handful of
        symbols, which are scanned right here.
    on_progress : callable, optional
        Called with a symbol and a `Progress` (of its scan here; with processes, once it is scanned); when it returns
        True, symbols not yet begun are not scanned, and what was found is returned.
    **options
        As for `find_strategies`.

    Raises
    ------
    InputError
        If there is no symbol, no strategy, or less than one process.
    UnknownNameError
        If a strategy is not in the catalogue.

    Notes
    -----
    A script whose scan starts processes needs ``if __name__ == "__main__":`` around what it does.
    """
    if not symbols:
        raise InputError("symbols", list(symbols), "at least one symbol")
    if not strategies:
        raise InputError("strategies", list(strategies), "at least one strategy")
    if processes is not None and processes < 1:
        raise InputError("processes", processes, "a whole number >= 1")
    documents = [strategy_named(one) if isinstance(one, str) else one for one in strategies]
    names = list(dict.fromkeys(name.upper() for name in symbols))
    tell = on_progress or _silent
    count = min(processes or min(_cores(), len(names) // _WORTH_A_PROCESS), len(names))
    scanned = _side_by_side(desk, names, documents, count, tell, options) if count > 1 else (
        (symbol, _scan_here(desk, symbol, documents, tell, options)) for symbol in names
    )  # fmt: skip
    found = dict(scanned)
    return [_of(document, place, {name: found[name] for name in names}) for place, document in enumerate(documents)]


def _of(document: StrategyDocument, place: int, found: Mapping[str, _Found]) -> ScanResults:
    mine = {symbol: each[place] for symbol, each in found.items()}
    scans = tuple(one for one in mine.values() if isinstance(one, ScanResult))
    return ScanResults(document, scans, {symbol: one for symbol, one in mine.items() if isinstance(one, str)})


def _silent(symbol: str, progress: Progress) -> bool:
    return False


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _scan_here(
    desk: Desk, symbol: str, documents: Sequence[StrategyDocument], tell: OnProgress, options: Mapping[str, Any]
) -> _Found:
    if tell(symbol, Progress(0, 0)):
        return [_STOPPED] * len(documents)
    rest = {name: value for name, value in options.items() if name != "at"}
    try:
        chain = read_chain(desk, symbol, at=options.get("at"))
    except NoDataError as trouble:
        return [str(trouble)] * len(documents)
    found: _Found = []
    for document in documents:
        try:
            found.append(scan_chain(desk, chain, document, on_progress=lambda done: tell(symbol, done), **rest))
        except NoDataError as trouble:
            found.append(str(trouble))
    return found


def _progress(found: _Found) -> Progress:
    counts = [one.candidates for one in found if isinstance(one, ScanResult)]
    return Progress(sum(one.considered for one in counts), sum(one.admissible for one in counts))


# What a worker has of its own: a desk, and the word from its parent that it shall stop.
_desk: Desk | None = None
_stop: Event | None = None


def _begin(settings: Settings, stop: Event) -> None:
    global _desk, _stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all, and the parent decides
    _desk, _stop = open_desk(settings=settings), stop


def _scan_there(symbol: str, documents: Sequence[StrategyDocument], options: Mapping[str, Any]) -> _Found:
    assert _desk is not None and _stop is not None  # noqa: S101 - set when the process begins
    stopped = _stop.is_set
    return _scan_here(_desk, symbol, documents, lambda *_: stopped(), options)


def _side_by_side(
    desk: Desk, symbols: Sequence[str], documents: Sequence[StrategyDocument], processes: int, tell: OnProgress,
    options: Mapping[str, Any],
) -> Iterator[tuple[str, _Found]]:  # fmt: skip
    # New processes rather than copies of this one: its threads and its connections to the database stay its own.
    fresh = multiprocessing.get_context("spawn")
    stop = fresh.Event()
    with ProcessPoolExecutor(processes, mp_context=fresh, initializer=_begin, initargs=(desk.settings, stop)) as pool:
        waiting: dict[Future[_Found], str] = {
            pool.submit(_scan_there, symbol, documents, dict(options)): symbol for symbol in symbols
        }
        try:
            while waiting:
                done, _ = wait(waiting, timeout=_ASKED_EVERY_S, return_when=FIRST_COMPLETED)
                for one in done:
                    symbol, found = waiting.pop(one), one.result()
                    yield symbol, found
                    if tell(symbol, _progress(found)):
                        stop.set()
                if waiting and tell(next(iter(waiting.values())), Progress(0, 0)):
                    stop.set()
        finally:
            stop.set()
