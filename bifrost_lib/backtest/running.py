"""One document replayed over chain cubes, with every trade, leg and day."""

from __future__ import annotations

from collections import Counter
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Allowed, Cubes
from bifrost_lib.backtest.engine.simulation import simulate_single
from bifrost_lib.backtest.engine.wheel import follower_of, simulate_wheel
from bifrost_lib.backtest.replay import Replay
from bifrost_lib.backtest.result import Result
from bifrost_lib.backtest.result_frames import equity_frame, leg_frame, trade_frame
from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]


def run(
    document: StrategyDocument,
    cube: Cubes,
    *,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    entry_time: time | None = None,
    entry_offset: int = 0,
    rate: float = 0.0,
    entry_allowed: Allowed = None,
) -> Result:
    """Replay a document over history: enter, live through and account every trade.

    Parameters
    ----------
    document : StrategyDocument
    cube : ChainCube or mapping of symbol to ChainCube
        Several symbols share one account.
    start, end : date, optional
        First and last session; nothing later is read, and nothing earlier.
    fills : {"realistic", "mid", "worst"} or float
        The share of the spread that a fill gives away: `realistic` is the document's costs by number of legs, `mid`
        half, `worst` all of it.
    capital : float
        At the start, currency.
    entry_time : time, optional
        Of the exchange's day: entries are at the last moment that is not after it. Default: the session's last.
    entry_offset : int
        Sessions of each symbol that pass before the first entry.
    rate : float
        Continuous, annual: what makes the holder of a put exercise early.
    entry_allowed : array of bool (sessions,) or mapping of symbol to array, optional
        On which sessions of the cube as it is given something may be opened, beside what the document says.

    Returns
    -------
    Result
        Without statistics; `bifrost_lib.backtest.summarize` computes them.

    Raises
    ------
    InputError
        If an argument is outside its domain, no session lies in the range, or the document asks what the cube cannot
        say.

    Notes
    -----
    Where somebody asks for a contract and nobody bids, a leg is sold for nothing, and bought at the fill's share of the
    ask. A trade whose sold options are assigned ends there, and the shares are closed at the spot. Where
    ``exits.after_assignment`` names a strategy of the catalogue that one goes on, with the shares if it trades on such:
    they change hands at the spot, for nothing, so that the account is that of shares taken at the strike and held.
    Until its next trade they are marked as a trade of their own, "shares held"; assigned in its turn, or without shares
    after its stop, it hands back to the document. Documents with several trades at once are not followed;
    `Result.settings` then has the name as ``not_replayed``.
    """
    replay = Replay(
        start=start, end=end, fills=fills, capital=capital, entry_time=entry_time, entry_offset=entry_offset,
        rate=rate, entry_allowed=entry_allowed,
    )  # fmt: skip
    stage = replay.stage(cube)
    follower = follower_of(document)
    if follower is None:
        found = simulate_single(stage, document, replay.terms, replay.allowed(cube))
    else:
        found = simulate_wheel(stage, document, follower, replay.terms, replay.allowed(cube))
    return Result(
        document_hash=document.sha256,
        symbols=tuple(one.symbol for one in stage.cubes),
        start=_day(stage.days[0]),
        end=_day(stage.days[-1]),
        fills=fills,
        capital=float(capital),
        code_version=code_version(),
        chains=stage.cubes,
        trades=trade_frame(stage, document, found),
        legs=leg_frame(stage, [document] if follower is None else [document, follower], found),
        equity=equity_frame(stage, found),
        skipped=skips_of(found.told[0], found.refusals),
        settings={
            "entry_time": entry_time.isoformat() if entry_time else None,
            "entry_offset": entry_offset,
            "rate": rate,
            **_after_assignment(document, follower),
        },
    )


def _after_assignment(document: StrategyDocument, follower: StrategyDocument | None) -> dict[str, str]:
    name = document.exits.after_assignment
    if name is None:
        return {}
    if follower is None:
        return {"not_replayed": f"after assignment: {name}"}
    return {"after_assignment": f"{name} {follower.sha256}"}


def code_version() -> str:
    """Return a name of the code that decides what a simulation finds; it changes when a line of it does."""
    here = Path(__file__)
    return "-".join(sources_digest(one) for one in (here, here.with_name("engine") / "simulation_loops.py"))


def skips_of(told: Array, refusals: tuple[str, ...]) -> dict[str, int]:
    """Return how many sessions were left out for which reason."""
    found: Counter[str] = Counter()
    for name, count in zip((*at.SKIPS, *refusals), told[at.M_SKIPPED :].tolist(), strict=True):
        found[name] += int(count)  # a window around ex-dates is looked at before and after legs are chosen
    return {name: count for name, count in found.items() if count}


def _day(day: int) -> date:
    found: date = np.datetime64(int(day), "D").item()
    return found
