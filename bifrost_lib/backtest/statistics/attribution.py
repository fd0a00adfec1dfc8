"""Where the money of a backtest came from: delta, gamma, vega, theta, the fills, and what they leave unexplained.

A leg is marked at mid when it is opened, at the last moment of each session that can be priced, and when it ends. From
one of these points to the next its greeks at the first say what it should have gained; what it did gain beyond that is
the residual: higher orders, jumps, quotes that moved on their own, and the way into settlement.

References
----------
Hull (2022), "Options, futures, and other derivatives", 11th edition, section 19.9, for the expansion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.chains.cube import BELIEVABLE, ChainCube
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.backtest.result import Result

Floats = npt.NDArray[np.float64]
Record = Mapping[Any, Any]
Indices = npt.NDArray[np.int64]

#: What the gains are split into. `fills` is what trading away from mid cost; `commission` is a cost too, and negative.
PARTS = ("delta", "gamma", "vega", "theta", "residual", "fills", "dividends", "commission")
GREEKS = PARTS[:4]
_YEAR_US = 365 * 86_400_000_000.0


@dataclass(frozen=True, eq=False)
class Attribution:
    """The gains of a run by where they came from, in currency.

    Parameters
    ----------
    sessions : DataFrame
        date, `PARTS`, pnl: one row a session of the run on which a trade was held, parts adding up to pnl.
    trades : DataFrame
        `PARTS`, pnl: one row a trade, in the order of the run; NaN for those that could not be priced.
    reasons : dict
        Why a part is NaN throughout: the cube has no such column, and what it would explain is residual.
    """

    sessions: pd.DataFrame
    trades: pd.DataFrame
    reasons: dict[str, str] = field(default_factory=dict)


def attribute(result: Result, document: StrategyDocument, cube: ChainCube | Mapping[str, ChainCube]) -> Attribution:
    """Split the gains of each trade and session of a run into the parts that greeks explain.

    Parameters
    ----------
    result : Result
    document : StrategyDocument
        That was run: it says which shares were held besides.
    cube : ChainCube or {symbol: ChainCube}
        What the run was made from, or more of the same history.

    Notes
    -----
    Greeks are raw (vega per 1.00 of volatility, theta per year, ACT/365). A point without a mark that can be believed
    is passed over, and the next one spans its gap. Where a single quote lacks a greek or the volatility its part is
    residual. Trades that ended unpriceable are left out; those still open are split up to their last mark.
    """
    import pandas as pd

    cubes = {cube.symbol: cube} if isinstance(cube, ChainCube) else dict(cube)
    for symbol in result.trades["symbol"].unique():
        if symbol not in cubes:
            raise InputError("cube", sorted(cubes), f"the cube of {symbol}, which the run traded")
    books = {symbol: _Marks(one) for symbol, one in cubes.items()}
    by_trade = dict(list(result.legs.groupby("trade")))
    rows, totals = list[pd.DataFrame](), list[dict[str, float]]()
    for place, trade in zip(result.trades.index, result.trades.to_dict("records"), strict=True):
        if math.isnan(trade["pnl"]):
            totals.append(dict.fromkeys((*PARTS, "pnl"), math.nan))
            continue
        legs: list[Record] = [*by_trade[place].to_dict("records")] if place in by_trade else []
        if shares := _shares_each(trade, legs, document):
            legs.append(_shares(trade, shares, split=_splits(trade, books[trade["symbol"]])))
        found = _of_trade(trade, legs, books[trade["symbol"]])
        rows.append(found)
        totals.append({**{part: float(found[part].sum()) for part in PARTS}, "pnl": trade["pnl"]})
    days = pd.concat(rows) if rows else pd.DataFrame(columns=["date", *PARTS])
    sessions = days.groupby("date", as_index=False)[list(PARTS)].sum()
    sessions["pnl"] = sessions[list(PARTS)].sum(axis=1)
    trades = pd.DataFrame(totals, columns=[*PARTS, "pnl"], index=result.trades.index)
    return _without_absent(sessions, trades, list(cubes.values()))


@dataclass(frozen=True, eq=False)
class _Path:
    # A leg at the points at which it is marked; `value` is per share.
    moment: Indices
    value: Floats
    spot: Floats
    greeks: dict[str, Floats]
    iv: Floats


class _Marks:
    # Looks up the quotes of contracts over time.
    def __init__(self, cube: ChainCube) -> None:
        self.cube = cube
        contracts = len(cube.strike)
        session = np.repeat(np.arange(cube.sessions), np.diff(cube.session_row))
        self._keys = session * contracts + np.asarray(cube.row_contract)
        names = (
            np.asarray(cube.classes, dtype=object)[np.asarray(cube.class_code)] if contracts else np.empty(0, object)
        )
        columns = (cube.expiry_day, cube.strike, cube.is_call, names, cube.multiplier)
        self._contract = {key: place for place, key in enumerate(zip(*(list(c) for c in columns), strict=True))}
        self._last = np.asarray(cube.session_moment[1:]) - 1

    def moment_at(self, us: int) -> int:
        return int(np.searchsorted(self.cube.moment_us, us, side="right")) - 1

    def session_of(self, moment: int | Indices) -> Any:
        return np.searchsorted(self.cube.session_moment, moment, side="right") - 1

    def path(self, leg: Record, first: int, last: int) -> _Path:
        cube = self.cube
        inner = self._last[(self._last > first) & (self._last < last)]
        moment = np.unique(np.concatenate([[first], inner, [last]])).astype(np.int64)
        spot = np.asarray(cube.spot[moment], dtype=np.float64)
        nothing = np.zeros(len(moment))
        if leg["right"] == "S":
            greeks = {"delta": nothing + 1.0, "gamma": nothing, "vega": nothing, "theta": nothing}
            return _Path(moment, spot, spot, greeks, nothing)
        quote = self._quotes(leg, moment)
        seen = quote >= 0
        safe = np.where(seen, quote, 0)
        seen &= (np.asarray(cube.flags[safe]) & BELIEVABLE) > 0
        mid = np.where(seen, (cube.bid[safe] + cube.ask[safe]) / 2, math.nan)
        kept = seen | (np.arange(len(moment)) == len(moment) - 1)
        columns = {name: self._column(name, safe, seen)[kept] for name in (*GREEKS, "iv")}
        return _Path(moment[kept], mid[kept], spot[kept], columns, columns.pop("iv"))

    def quoted(self, leg: Record, moment: int, price: float) -> bool:
        # Whether a leg ended at a price between the quotes, rather than by settlement or assignment.
        quote = int(self._quotes(leg, np.array([moment]))[0])
        if quote < 0 or not self.cube.flags[quote] & BELIEVABLE:
            return False
        return bool(self.cube.bid[quote] - 1e-9 <= price <= self.cube.ask[quote] + 1e-9)

    def _quotes(self, leg: Record, moment: Indices) -> Indices:
        day = int(np.datetime64(leg["expiry"], "D").astype(np.int64))
        key = (day, leg["strike"], leg["right"] == "C", leg["trading_class"], leg["multiplier"])
        contract = self._contract.get(key, -1)
        if contract < 0:
            return np.full(len(moment), -1, dtype=np.int64)
        session = self.session_of(moment)
        wanted = session * len(self.cube.strike) + contract
        row = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        found = self.cube.row_quote[row] + moment - self.cube.session_moment[session]
        quotes: Indices = np.where(self._keys[row] == wanted, found, -1).astype(np.int64)
        return quotes

    def _column(self, name: str, quote: Indices, seen: npt.NDArray[np.bool_]) -> Floats:
        column = getattr(self.cube, name)
        if column is None:
            return np.full(len(quote), math.nan)
        values: Floats = np.where(seen, np.asarray(column[quote], dtype=np.float64), math.nan)
        return values


def _shares(trade: Record, shares: float, *, split: float) -> Record:
    prices = {"open_price": trade["open_spot"], "close_price": trade["close_spot"]}
    when = {name: trade[name] for name in ("opened", "closed")}
    return {"right": "S", "qty": shares, "close_qty": shares * split, "multiplier": 1.0, **when, **prices}


def _shares_each(trade: Record, legs: list[Record], document: StrategyDocument) -> float:
    # How many are held with a unit; runs that were kept before this was written down had those of the document.
    if "shares" in trade:
        return float(trade["shares"] / trade["units"])
    return float(document.stock_qty * legs[0]["multiplier"])


def _splits(trade: Record, marks: _Marks) -> float:
    # What one share has become from the opening to the end of a trade.
    cube = marks.cube
    sessions = (marks.session_of(marks.moment_at(_us(trade[name]))) for name in ("opened", "closed"))
    first, last = (cube.session_day[session] for session in sessions)
    return float(np.prod(cube.split_ratio[(cube.split_day > first) & (cube.split_day <= last)]))


def _split(leg: Record) -> float:
    # How many contracts, or shares, one has become by the end.
    return float(leg["close_qty"] / leg["qty"])


def _of_trade(trade: Record, legs: list[Any], marks: _Marks) -> pd.DataFrame:
    import pandas as pd

    cube = marks.cube
    parts = {name: np.zeros(cube.sessions) for name in PARTS}
    for leg in legs:
        _add_leg(parts, trade, leg, marks)
    opened, ended = (marks.session_of(marks.moment_at(_us(trade[name]))) for name in ("opened", "closed"))
    parts["dividends"][ended] += trade["dividends"]
    parts["commission"][ended] -= trade["commission"]
    # What legs do not account for, such as a settlement's spot that differs from the quotes', is residual as well.
    parts["residual"][ended] += trade["pnl"] - sum(float(part.sum()) for part in parts.values())
    held = slice(int(opened), int(ended) + 1)
    day = np.asarray(cube.session_day[held], dtype="datetime64[D]").astype("datetime64[s]")
    return pd.DataFrame({"date": day, **{name: part[held] for name, part in parts.items()}})


def _add_leg(parts: dict[str, Floats], trade: Record, leg: Record, marks: _Marks) -> None:
    first, last = (marks.moment_at(_us(leg[name])) for name in ("opened", "closed"))
    size = leg["qty"] * leg["multiplier"] * trade["units"]
    path = marks.path(leg, first, max(last, first))
    session = marks.session_of(path.moment)
    value, spot = path.value.copy(), path.spot.copy()
    is_open = math.isnan(leg["close_price"])
    is_quoted = leg["right"] != "S" and not is_open and marks.quoted(leg, max(last, first), leg["close_price"])
    if not is_quoted and not is_open:
        value[-1] = leg["close_price"] * _split(leg)
        spot[-1] = (spot[-1] if math.isnan(trade["close_spot"]) else trade["close_spot"]) * _split(leg)
    parts["fills"][session[0]] += size * np.nan_to_num(path.value[0] - leg["open_price"])
    if is_quoted:
        parts["fills"][session[-1]] += size * (leg["close_price"] - value[-1])
    if len(value) < 2:
        return
    move, years = np.diff(spot), np.diff(marks.cube.moment_us[path.moment]) / _YEAR_US
    gains = {
        "delta": path.greeks["delta"][:-1] * move,
        "gamma": 0.5 * path.greeks["gamma"][:-1] * move**2,
        "vega": path.greeks["vega"][:-1] * np.diff(path.iv),
        "theta": path.greeks["theta"][:-1] * years,
    }
    residual = np.diff(value)
    for name, gain in gains.items():
        known = np.where(np.isnan(gain), 0.0, gain)
        np.add.at(parts[name], session[1:], size * known)
        residual = residual - known
    np.add.at(parts["residual"], session[1:], size * np.where(np.isnan(residual), 0.0, residual))


def _without_absent(sessions: pd.DataFrame, trades: pd.DataFrame, cubes: list[ChainCube]) -> Attribution:
    reasons: dict[str, str] = {}
    for name in GREEKS:
        needed = ("vega", "iv") if name == "vega" else (name,)
        absent = [column for column in needed if all(getattr(cube, column) is None for cube in cubes)]
        if absent:
            sessions[name] = trades[name] = math.nan
            reasons[name] = f"the cube has no {absent[0]}"
    return Attribution(sessions, trades, reasons)


def _us(moment: Any) -> int:
    # A leg that is still open has no closing: it is marked at the newest moment.
    return 2**62 if str(moment) == "NaT" else int(moment.value // 1000)
