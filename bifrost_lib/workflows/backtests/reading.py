"""The terms under which documents are replayed, and the stored chains that these terms open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypedDict

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube

#: Told of steps done, of how many, and of what is being done; what it raises ends the run, and nothing is kept.
Tell = Callable[[int, int, str], None]
STEPS = 10


class Terms(TypedDict, total=False):
    """How documents are replayed; whatever is left out is as said here.

    Attributes
    ----------
    start, end : date, optional
        First and last session. Default: all that is stored.
    fills : {"realistic", "mid", "worst"} or float
        See `backtest.run`. Default: realistic.
    capital : float
        Currency. Default: 100,000.
    cadence : "daily" or int
        Look at the chains at each close (default), or every so many minutes.
    entry_time : time, optional
        Exchange time of day of entries; see `backtest.run`.
    entry_offset : int
        Sessions that pass before the first entry. Default: 0.
    rate : float
        Continuous, annual. Default: 0.
    signal : str, optional
        A condition of the underlying that gates entries, such as ``close > sma(200)``; see `backtest.signals`.
    at : datetime, aware, optional
        Nothing later is read. Default: now.
    """

    start: date | None
    end: date | None
    fills: str | float
    capital: float
    cadence: str | int
    entry_time: time | None
    entry_offset: int
    rate: float
    signal: str | None
    at: datetime | None


@dataclass(frozen=True, eq=False)
class Opened:
    """Chains that may be replayed.

    Attributes
    ----------
    cubes : dict of symbol to ChainCube
        With a signal, sessions before the first are among them: the signal looks at those.
    options : dict
        As `backtest.run` and `backtest.sweep` take them.
    symbols : list of str
    end : date, optional
    at : datetime
        Nothing later was read.
    simulated : bool
        Whether any of the chains are made up.
    """

    cubes: Mapping[str, ChainCube]
    options: dict[str, Any]
    symbols: list[str]
    end: date | None
    at: datetime
    simulated: bool

    @property
    def cube_sha256(self) -> str:
        """The digests of the sessions that are replayed, one for each symbol."""
        start = self.options.get("start")
        return " ".join(cube.between(start, self.end).sha256 for cube in self.cubes.values())


def open_chains(
    desk: Desk,
    documents: Sequence[StrategyDocument],
    symbols: str | Sequence[str],
    terms: Terms,
    tell: Tell | None = None,
) -> Opened:
    """Return the stored chains of some symbols, read under terms; what is new of them is exported first.

    Parameters
    ----------
    desk : Desk
    documents : sequence of StrategyDocument
        Those that are to be replayed.
    symbols : str or sequence of str
    terms : Terms
    tell : callable, optional

    Raises
    ------
    NoDataError
        If no session of a symbol is stored in that range.
    InputError
        If an argument is outside its domain.
    HoldOutClosed
        If a document belongs to a study that keeps these days back.
    """
    from bifrost_lib.workflows.studies import check_not_kept_back

    names, at = symbol_names(symbols), terms.get("at")
    start, end, signal = terms.get("start"), terms.get("end"), terms.get("signal")
    until = as_utc(at) if at is not None else desk.clock.now()
    check_not_kept_back(desk, documents, names, end=end)
    cubes = {
        name: _cube(desk, name, until, cadence=terms.get("cadence", "daily"), start=None if signal else start, end=end,
                    tell=tell)
        for name in names
    }  # fmt: skip
    options: dict[str, Any] = {
        "fills": terms.get("fills", "realistic"), "capital": terms.get("capital", 100_000.0),
        "rate": terms.get("rate", 0.0), "entry_time": terms.get("entry_time"),
        "entry_offset": terms.get("entry_offset", 0),
    }  # fmt: skip
    if signal is not None:
        from bifrost_lib.backtest import signals

        gates = {name: signals.gate(cube, signal, entry_time=options["entry_time"]) for name, cube in cubes.items()}
        options |= {"entry_allowed": gates, "start": start}
    return Opened(cubes, options, names, end, until, bool(store.simulated_symbols(desk.store, names)))


def symbol_names(symbols: str | Sequence[str]) -> list[str]:
    """Return underlyings in capitals, each once."""
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    names = list(dict.fromkeys(name.strip().upper() for name in names))
    if not names or not all(names):
        raise InputError("symbols", symbols, "at least one underlying")
    return names


def say(tell: Tell | None, done: int, text: str) -> None:
    """Tell how many of `STEPS` are done, where somebody listens."""
    if tell is not None:
        tell(done, STEPS, text)


def _cube(desk: Desk, symbol: str, at: datetime, *, tell: Tell | None, **what: Any) -> ChainCube:
    say(tell, 0, f"reading the chains of {symbol}")

    def exported(done: int, of: int) -> None:
        say(tell, 1, f"exporting {symbol}: {done:,} of {of:,} sessions")

    return store.chain_cube(desk.store, symbol, at=at, on_progress=exported, **what)
