"""One document replayed over the stored history of one symbol or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib import store
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube, Result

#: Told of steps done, of how many, and of what is being done; what it raises ends the run, and nothing is kept.
Tell = Callable[[int, int, str], None]
_LONGEST_PAUSE = 5  # calendar days between sessions: a weekend with holidays on both sides
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Backtest:
    """A run over the store, and what must be known to judge it or to repeat it.

    Attributes
    ----------
    result : Result
        With statistics, and bands if they were asked for.
    document : StrategyDocument
    cadence : str
        daily, or minutes between the moments looked at.
    at : datetime
        Nothing later was read.
    simulated : bool
        Whether any of the chains are made up.
    warnings : tuple of str
        What a reader must know before the figures.
    cubes : dict
        The chains, by symbol; empty for a run that was read from the store.
    run_id : int or None
        Its key where it was kept.
    """

    result: Result
    document: StrategyDocument
    cadence: str
    at: datetime
    simulated: bool
    warnings: tuple[str, ...]
    cubes: Mapping[str, ChainCube] = field(default_factory=dict, repr=False)
    run_id: int | None = None

    def __str__(self) -> str:
        return str(self.run_id)

    def as_dict(self) -> dict[str, Any]:
        """Return the run JSON-ready: what `Result.to_json` has, the bands, and what must be known besides."""
        bands = self.result.bands
        told: dict[str, Any] = {
            "run": self.run_id,
            "strategy": self.document.name,
            "cadence": self.cadence,
            "at": self.at,
        }
        told |= {"simulated": self.simulated, "warnings": list(self.warnings)}
        return {
            **self.result.to_json(),
            **told,
            "bands": None if bands is None else {str(name): bands[name].tolist() for name in bands.columns},
        }


def run_backtest(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    *,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    cadence: str | int = "daily",
    entry_time: time | None = None,
    entry_offset: int = 0,
    rate: float = 0.0,
    signal: str | None = None,
    at: datetime | None = None,
    bands: bool = False,
    save: bool = True,
    tell: Tell | None = None,
) -> Backtest:
    """Replay a document over stored chains, and keep the run so that it can be repeated.

    Parameters
    ----------
    desk : Desk
    document : StrategyDocument
    symbols : str or sequence of str
        Several share one account.
    start, end : date, optional
        First and last session. Default: all that is stored.
    fills : {"realistic", "mid", "worst"} or float
        See `backtest.run`.
    capital : float
        Currency.
    cadence : "daily" or int
        Look at the chains at each close, or every so many minutes.
    entry_time : time, optional
        Exchange time of day of entries; see `backtest.run`.
    entry_offset : int
        Sessions that pass before the first entry.
    rate : float
        Continuous, annual.
    signal : str, optional
        A condition of the underlying that gates entries, such as ``close > sma(200)``; see `backtest.signals`.
    at : datetime, aware, optional
        Nothing later is read. Default: now.
    bands : bool
        Also run it under other fills, costs and starts.
    save : bool
        Keep it in the store, where the login may write there.
    tell : callable, optional
        Told how far it is.

    Raises
    ------
    NoDataError
        If no session of a symbol is stored in that range.
    InputError
        If an argument is outside its domain, or the document asks what the chains cannot say.
    HoldOutClosed
        If the document belongs to a study that keeps these days back.
    """
    from bifrost_lib.backtest import run
    from bifrost_lib.workflows.studies import check_not_kept_back

    names, until = symbol_names(symbols), as_utc(at) if at is not None else desk.clock.now()
    check_not_kept_back(desk, [document], names, end=end)
    cubes = read_cubes(desk, names, cadence=cadence, start=None if signal else start, end=end, at=until, tell=tell)
    options: dict[str, Any] = {"fills": fills, "capital": capital, "rate": rate}
    options |= {"entry_time": entry_time, "entry_offset": entry_offset}
    options |= _window(cubes, start if signal else None, signal, entry_time)
    _say(tell, 2, f"replaying {document.name}")
    if bands:
        from bifrost_lib.backtest import run_with_bands

        result = run_with_bands(document, cubes, run=_counted(run, tell), **options)
    else:
        result = run(document, cubes, **options)
    _say(tell, 8, "statistics")
    result = _summarized(result, rate, {"cadence": str(cadence), "signal": signal, "bands": bands})
    simulated = bool(store.simulated_symbols(desk.store, names))
    found = Backtest(result, document, str(cadence), until, simulated, warnings_of(result, cubes, simulated), cubes)
    if save:
        from bifrost_lib.workflows.backtests.saving import save_backtest

        _say(tell, 9, "keeping the run")
        found = replace(found, run_id=save_backtest(desk, found))
    return found


def read_cubes(
    desk: Desk,
    symbols: Sequence[str],
    *,
    cadence: str | int = "daily",
    start: date | None = None,
    end: date | None = None,
    at: datetime | None = None,
    tell: Tell | None = None,
) -> dict[str, ChainCube]:
    """Return the stored history of each symbol, exporting first what is new."""
    cubes = {}
    for symbol in symbols:
        _say(tell, 0, f"reading the chains of {symbol}")

        def exported(done: int, of: int, symbol: str = symbol) -> None:
            _say(tell, 1, f"exporting {symbol}: {done:,} of {of:,} sessions")

        cubes[symbol] = store.chain_cube(
            desk.store, symbol, cadence=cadence, start=start, end=end, at=at, on_progress=exported
        )
    return cubes


def warnings_of(result: Result, cubes: Mapping[str, ChainCube], simulated: bool) -> tuple[str, ...]:
    """Return what a reader of a result must know before its figures."""
    told, trades = [], result.trades
    if simulated:
        told.append("the chains are simulated: made up, and of no market")
    for symbol, cube in cubes.items():
        pauses = np.flatnonzero(np.diff(cube.session_day) > _LONGEST_PAUSE)
        named = [f"{cube.day(int(one))} to {cube.day(int(one) + 1)}" for one in pauses[:_SHOWN]]
        if named:
            more = f" and {len(pauses) - _SHOWN} more" if len(pauses) > _SHOWN else ""
            told.append(f"no chain of {symbol} is stored between {', '.join(named)}{more}")
    unpriceable = trades["reason"].astype(str).str.startswith("unpriceable")
    if unpriceable.any():
        reasons = trades.loc[unpriceable, "reason"].value_counts()
        words = ", ".join(f"{count} {str(reason).partition(': ')[2]}" for reason, count in reasons.items())
        told.append(f"{_count(int(unpriceable.sum()), 'trade')} ended without an honest price ({words}): no result")
    if carried := int(trades["carried"].sum()):
        held = int((trades["carried"] > 0).sum())
        told.append(f"{_count(carried, 'mark')} of {_count(held, 'trade')} carried on: a leg had no price to believe")
    if is_open := int((trades["reason"] == "open").sum()):
        told.append(f"{_count(is_open, 'trade')} still open at the end, at the last mark; not in the win rate")
    if not len(trades):
        told.append("no trade was opened; the skipped days say why")
    return tuple(told)


def symbol_names(symbols: str | Sequence[str]) -> list[str]:
    """Return underlyings in capitals, each once."""
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    names = list(dict.fromkeys(name.strip().upper() for name in names))
    if not names or not all(names):
        raise InputError("symbols", symbols, "at least one underlying")
    return names


def _window(
    cubes: Mapping[str, ChainCube], start: date | None, signal: str | None, entry_time: time | None
) -> dict[str, Any]:
    """Return the run's options of a signal: which looks at days before the first entry."""
    if signal is None:
        return {}
    from bifrost_lib.backtest import signals

    allowed = {symbol: signals.gate(cube, signal, entry_time=entry_time) for symbol, cube in cubes.items()}
    return {"entry_allowed": allowed, "start": start}


def _summarized(result: Result, rate: float, settings: Mapping[str, Any]) -> Result:
    from bifrost_lib.backtest import summarize

    figures = summarize(result.trades, result.equity, capital=result.capital, rate=rate)
    return replace(
        result, statistics={**figures, **result.statistics}, settings={**result.settings, "rate": rate, **settings}
    )


def _counted(run: Callable[..., Result], tell: Tell | None) -> Callable[..., Result]:
    """Return `run` that tells of each variant; there are nine of them at most."""
    runs = 0

    def counted(*arguments: Any, **options: Any) -> Result:
        nonlocal runs
        runs += 1
        _say(tell, 2 + min(runs // 2, 5), f"variant {runs}: fills {options['fills']}")
        return run(*arguments, **options)

    return counted


def _say(tell: Tell | None, done: int, text: str) -> None:
    if tell is not None:
        tell(done, 10, text)


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
