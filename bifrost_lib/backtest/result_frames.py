"""A simulation's logs as the frames of a `Result`: trades, their legs, and the account by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Stage
from bifrost_lib.backtest.engine.simulation import Simulated
from bifrost_lib.backtest.engine.wheel import REASONS, Wheeled
from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]
_NEVER = np.datetime64("NaT", "us")


def trade_frame(stage: Stage, document: StrategyDocument, found: Simulated) -> pd.DataFrame:
    """Return one row a trade, with `TRADE_COLUMNS`; money is that of all its units."""
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


def leg_frame(stage: Stage, documents: Sequence[StrategyDocument], found: Simulated) -> pd.DataFrame:
    """Return one row for each leg that a trade held, with `LEG_COLUMNS`; `documents` are those it may be of."""
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


def equity_frame(stage: Stage, found: Simulated) -> pd.DataFrame:
    """Return one row a day of the account, with `EQUITY_COLUMNS`."""
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
