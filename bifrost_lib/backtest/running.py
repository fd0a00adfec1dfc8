"""One document replayed over chain cubes, with every trade, leg and day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Allowed, Cubes, Stage
from bifrost_lib.backtest.engine.simulation import Simulated, simulate_single
from bifrost_lib.backtest.engine.wheel import REASONS, Wheeled, follower_of, simulate_wheel
from bifrost_lib.backtest.replay import Replay
from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]
_NEVER = np.datetime64("NaT", "us")


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
        trades=_trades(stage, document, found),
        legs=_legs(stage, [document] if follower is None else [document, follower], found),
        equity=_equity(stage, found),
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


def _trades(stage: Stage, document: StrategyDocument, found: Simulated) -> pd.DataFrame:
    log, market = found.trades, stage.market
    opened = log[:, at.J_OPENED].astype(np.int64)
    session = np.searchsorted(market.sessions[:, at.D_MOMENT], opened, side="right") - 1
    symbols = np.array([cube.symbol for cube in stage.cubes], dtype=object)
    columns: dict[str, Any] = {
        "symbol": symbols[np.searchsorted(stage.session_starts, session, side="right") - 1],
        "opened": _moments(market.moment_us[opened].astype(np.float64)),
        "closed": _moments(log[:, at.J_CLOSED_US]),
        "reason": [REASONS[int(code)] for code in log[:, at.J_REASON]],
        "units": log[:, at.J_UNITS].astype(np.int64),
        "carried": log[:, at.J_CARRIED].astype(np.int64),
        "rolls": log[:, at.J_ROLLS].astype(np.int64),
        "dte": log[:, at.J_DTE].astype(np.int64),
        "open_spot": market.spot[opened],
        "close_spot": log[:, at.J_CLOSE_SPOT],
        "open_iv": _open_iv(stage, found),
        "shares": _shares(stage, document, found),
    }
    money = {
        "premium": at.J_PREMIUM, "pnl": at.J_PNL, "commission": at.J_COMMISSION, "mae": at.J_MAE, "mfe": at.J_MFE,
        "margin": at.J_MARGIN, "max_profit": at.J_MAX_PROFIT, "max_loss": at.J_MAX_LOSS,
        "dividends": at.J_DIVIDENDS,
    }  # fmt: skip
    columns |= {name: log[:, place].copy() for name, place in money.items()}
    return pd.DataFrame({name: columns[name] for name in TRADE_COLUMNS})


def _shares(stage: Stage, document: StrategyDocument, found: Simulated) -> Array:
    if isinstance(found, Wheeled):
        return found.shares
    first = np.searchsorted(found.legs[:, at.H_TRADE], np.arange(len(found.trades)))
    multiplier = stage.market.multiplier[found.legs[first, at.H_CONTRACT].astype(np.int64)]
    return np.asarray(document.stock_qty * multiplier * found.trades[:, at.J_UNITS])


def _legs(stage: Stage, documents: Sequence[StrategyDocument], found: Simulated) -> pd.DataFrame:
    held, market = found.legs, stage.market
    contract, opened = held[:, at.H_CONTRACT].astype(np.int64), held[:, at.H_OPENED].astype(np.int64)
    names = np.array([leg.name for document in documents for leg in document.option_legs], dtype=object)
    group = market.contracts[contract, at.C_GROUP]
    expiry = market.groups[group, at.G_EXPIRY].astype("datetime64[D]").astype("datetime64[s]")
    classes = np.array(sorted({name for cube in stage.cubes for name in cube.classes}), dtype=object)
    columns: dict[str, Any] = {
        "trade": held[:, at.H_TRADE].astype(np.int64),
        "leg": names[held[:, at.H_LEG].astype(np.int64)],
        "right": np.where(market.contracts[contract, at.C_CALL] != 0, "C", "P"),
        "qty": held[:, at.H_QTY].astype(np.int64),
        "strike": market.strike[contract],
        "expiry": expiry,
        "trading_class": classes[market.groups[group, at.G_CLASS]],
        "opened": _moments(market.moment_us[opened].astype(np.float64)),
        "closed": _moments(held[:, at.H_CLOSED_US]),
        "open_price": held[:, at.H_OPEN_PRICE].copy(),
        "close_price": held[:, at.H_CLOSE_PRICE].copy(),
        "open_delta": market.delta[held[:, at.H_OPEN_QUOTE].astype(np.int64)].astype(np.float64),
        "multiplier": market.multiplier[contract],
        "contract": contract,
        "close_qty": held[:, at.H_LAST_QTY].astype(np.int64),
        "close_strike": market.strike[held[:, at.H_LAST_CONTRACT].astype(np.int64)],
    }
    return pd.DataFrame({name: columns[name] for name in LEG_COLUMNS})


def _open_iv(stage: Stage, found: Simulated) -> Array:
    # The mean volatility of the legs of each entry, weighted by vega where it is known; NaN where cubes have none.
    iv, weight = np.full(len(found.trades), np.nan), np.zeros(len(found.trades))
    total = np.zeros(len(found.trades))
    starts = np.concatenate([[0], np.cumsum([len(cube.bid) for cube in stage.cubes])])
    for row in found.legs:
        trade, quote = int(row[at.H_TRADE]), int(row[at.H_OPEN_QUOTE])
        if row[at.H_OPENED] != found.trades[trade, at.J_OPENED]:
            continue
        which = int(np.searchsorted(starts, quote, side="right")) - 1
        cube, place = stage.cubes[which], quote - int(starts[which])
        if cube.iv is None or not np.isfinite(cube.iv[place]):
            continue
        vega = 1.0 if cube.vega is None or not cube.vega[place] > 0 else float(cube.vega[place])
        size = abs(row[at.H_QTY]) * vega
        total[trade] += size * float(cube.iv[place])
        weight[trade] += size
    np.divide(total, weight, out=iv, where=weight > 0)
    return iv


def _equity(stage: Stage, found: Simulated) -> pd.DataFrame:
    columns = {
        "ts": _moments(stage.day_us.astype(np.float64)),
        "equity": found.equity[0],
        "margin": found.margin,
        "active": found.active.astype(np.int64),
    }
    return pd.DataFrame({name: columns[name] for name in EQUITY_COLUMNS})


def _moments(microseconds: Array) -> pd.DatetimeIndex:
    known = np.isfinite(microseconds)
    stamps = np.where(known, microseconds, 0.0).astype(np.int64).astype("datetime64[us]")
    stamps[~known] = _NEVER
    return pd.DatetimeIndex(stamps).tz_localize("UTC")


def _day(day: int) -> date:
    found: date = np.datetime64(int(day), "D").item()
    return found
