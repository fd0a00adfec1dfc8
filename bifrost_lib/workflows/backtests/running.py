"""One document replayed over the stored history of one symbol or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.reading import Tell, Terms, open_chains, say
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube, Result

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
    bands: bool = False,
    save: bool = True,
    tell: Tell | None = None,
    **terms: Unpack[Terms],
) -> Backtest:
    """Replay a document over stored chains, and keep the run so that it can be repeated.

    Parameters
    ----------
    desk : Desk
    document : StrategyDocument
    symbols : str or sequence of str
        Several share one account.
    bands : bool
        Also run it under other fills, costs and starts.
    save : bool
        Keep it in the store, where the login may write there.
    tell : callable, optional
        Told how far it is.
    **terms
        See `Terms`: ``start``, ``end``, ``fills``, ``capital``, ``cadence``, ``signal``, ``at`` ...

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

    opened = open_chains(desk, [document], symbols, terms, tell)
    say(tell, 2, f"replaying {document.name}")
    if bands:
        from bifrost_lib.backtest import run_with_bands

        result = run_with_bands(document, opened.cubes, run=_counted(run, tell), **opened.options)
    else:
        result = run(document, opened.cubes, **opened.options)
    say(tell, 8, "statistics")
    cadence = str(terms.get("cadence", "daily"))
    told = {"cadence": cadence, "signal": terms.get("signal"), "bands": bands}
    result = _summarized(result, opened.options["rate"], told)
    warnings = warnings_of(result, opened.cubes, opened.simulated)
    found = Backtest(result, document, cadence, opened.at, opened.simulated, warnings, opened.cubes)
    if save:
        from bifrost_lib.workflows.backtests.saving import save_backtest

        say(tell, 9, "keeping the run")
        found = replace(found, run_id=save_backtest(desk, found))
    return found


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
    reasons = result.legs["trade"].map(trades["reason"])
    if unwanted := int(((result.legs["close_price"] == 0) & (reasons != "expired")).sum()):
        told.append(f"{_count(unwanted, 'leg')} closed for nothing: somebody asked for it, and nobody bid")
    exercised = (result.legs["qty"] < 0) & (result.legs["close_price"] > 0) & reasons.isin(["assigned", "expired"])
    if (left_out := result.settings.get("not_replayed")) and exercised.any():
        held = result.legs.loc[exercised, "trade"].nunique()
        told.append(f"{_count(held, 'trade')} ended in shares, closed at the spot; not replayed: {left_out}")
    if is_open := int((trades["reason"] == "open").sum()):
        told.append(f"{_count(is_open, 'trade')} still open at the end, at the last mark; not in the win rate")
    if not len(trades):
        told.append("no trade was opened; the skipped days say why")
    return tuple(told)


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
        say(tell, 2 + min(runs // 2, 5), f"variant {runs}: fills {options['fills']}")
        return run(*arguments, **options)

    return counted


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
