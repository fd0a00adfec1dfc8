"""What the synthetic exchange shows of options at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.pricing import greeks, implied_vol
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.extremes import Extremes
from bifrost_lib.sim.market.option_activity import OptionActivity
from bifrost_lib.sim.market.sides import quote_sides, trade_prices
from bifrost_lib.sim.market.trading_day import TradingDay
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.universe import RATE
from bifrost_lib.sim.market.valuation import GREEK_NAMES, Valuation, Valuer, exercise_greeks

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CORRECTION_S = 30.0  # how long the greeks of early exercise are used
_YEAR_DAYS, _PER_POINT = 365.0, 100.0
_KINDS = ("open", "high", "low", "close", "last")
_IV, _DELTA, _PRICE, _PV_DIVIDEND, _GAMMA, _VEGA, _THETA, _UND_PRICE = range(8)


@dataclass
class _Kept:
    """One moment of each contract, with what was traded then; NaN where nothing is known yet."""

    moment: Floats
    price: Floats
    spot: Floats
    tau: Floats
    premium: Floats


class OptionBoard:
    """Quotes of options. What it keeps between calls is only what a fresh one would compute again."""

    def __init__(
        self,
        table: ContractTable,
        trails: Sequence[Trail],
        valuer: Valuer,
        activity: OptionActivity,
        extremes: Extremes,
    ) -> None:
        self._table, self._trails, self._valuer = table, trails, valuer
        self._activity, self._extremes = activity, extremes
        self._kept = {kind: _Kept(*(np.empty(0) for _ in fields(_Kept))) for kind in _KINDS}
        self._added, self._added_at = np.empty((len(GREEK_NAMES), 0)), np.empty(0)

    def show(self, rows: Ints, day: TradingDay) -> tuple[dict[str, Floats], Floats]:
        """Return values by column of a board, and computations (n, 4, 8), for rows of the table."""
        self._grow()
        table, keys = self._table, self._table.key[rows]
        moments = np.full(len(rows), day.second)
        found = self._valuer.at(rows, moments)
        sides = quote_sides(found, keys, moments, moments - day.opens if day.second >= day.opens else moments)
        totals = self._activity.session(rows, day)
        volume = np.floor(totals.volume * day.share)
        self._trade(rows, day, volume)
        last = self._kept["last"].price[rows]
        alive = table.expiry_s[rows] > day.second
        quoted = alive if day.is_open else np.zeros(len(rows), dtype=np.bool_)
        has_traded = (volume > 0) & alive
        marked = np.where(sides.bid > 0, (sides.bid + sides.ask) / 2, sides.ask / 2)
        values = {
            "bid": np.where(quoted, sides.bid, np.nan),
            "ask": np.where(quoted, sides.ask, np.nan),
            "bid_size": np.where(quoted, sides.bid_size, np.nan),
            "ask_size": np.where(quoted, sides.ask_size, np.nan),
            "last": np.where(has_traded, last, np.nan),
            "last_size": np.where(has_traded, 1.0 + (self._kept["last"].moment[rows] % 7.0), np.nan),
            "volume": np.where(alive, volume, np.nan),
            "option_volume": np.where(alive, volume, np.nan),
            "open_interest": np.where(alive, totals.open_interest, np.nan),
            "mark": np.where(alive, np.round(marked, 4), np.nan),
            "halted": np.zeros(len(rows)),
            "trade_count": np.where(alive, np.ceil(volume / 4), np.nan),
            "last_trade_s": np.where(has_traded, self._kept["last"].moment[rows], np.nan),
            "close": np.where(alive, self._kept["close"].price[rows], np.nan),
            **self._range(rows, has_traded),
        }
        return values, self._computations(rows, day, found, values, alive)

    def _range(self, rows: Ints, has_traded: npt.NDArray[np.bool_]) -> dict[str, Floats]:
        prices = {kind: self._kept[kind].price[rows] for kind in ("open", "high", "low", "last")}
        every = np.vstack(list(prices.values()))
        shown = {"open": prices["open"], "high": every.max(axis=0), "low": every.min(axis=0)}
        return {kind: np.where(has_traded, price, np.nan) for kind, price in shown.items()}

    def _trade(self, rows: Ints, day: TradingDay, volume: Floats) -> None:
        """Bring the last trade and the day's opening, high, low and previous close of contracts up to date."""
        index = self._table.underlying[rows]
        high, low = np.empty(len(rows)), np.empty(len(rows))
        for which in np.unique(index).tolist():
            mine = index == which
            until = day.closes if day.since == day.opens else day.opens
            high[mine], low[mine] = self._extremes.at(
                which, self._trails[which], since=day.since, until=until, second=day.second
            )
        is_call = self._table.is_call[rows]
        closed = self._trails[0].times.closes[day.close_session]
        self._price("open", rows, np.full(len(rows), float(day.since)), day)
        self._price("high", rows, np.where(is_call, high, low), day)
        self._price("low", rows, np.where(is_call, low, high), day)
        self._price("close", rows, np.full(len(rows), float(closed)), day)
        self._price("last", rows, self._activity.last_trade(rows, day, volume), day)

    def _price(self, kind: str, rows: Ints, moments: Floats, day: TradingDay) -> None:
        kept = self._kept[kind]
        stale = kept.moment[rows] != moments
        if not stale.any():
            return
        rows, moments = rows[stale], moments[stale]
        found = self._valuer.at(rows, moments, accuracy="fast")
        kept.moment[rows], kept.spot[rows], kept.tau[rows] = moments, found.spot, found.tau
        kept.premium[rows] = found.premium
        kept.price[rows] = trade_prices(found, self._table.key[rows], moments, np.full(len(rows), np.inf))

    def _computations(
        self, rows: Ints, day: TradingDay, found: Valuation, values: dict[str, Floats], alive: npt.NDArray[np.bool_]
    ) -> Floats:
        last = self._kept["last"]
        added = self._exercise(rows, day)
        spot = np.concatenate([found.spot, found.spot, last.spot[rows]])
        tau = np.concatenate([found.tau, found.tau, last.tau[rows]])
        premium = np.concatenate([found.premium, found.premium, last.premium[rows]])
        quoted = np.concatenate([values["bid"], values["ask"], values["last"]])
        quoted = np.where(quoted > 0, quoted, np.nan)
        common: dict[str, Any] = {
            "spot": spot, "strike": np.tile(found.strike, 3), "tau": tau,
            "right": np.tile(found.is_call.view(np.int8), 3), "div_yield": np.tile(found.shapes.div_yield, 3),
        }  # fmt: skip
        solved = implied_vol(price=quoted - premium, **common, rate=RATE)
        at_sides = greeks(**common, vol=solved, rate=RATE, names=GREEK_NAMES)
        size = len(rows)
        out = np.empty((size, 4, 8))
        for side in range(3):
            part = slice(side * size, (side + 1) * size)
            known = {name: at_sides[name][part] for name in GREEK_NAMES}
            _write(out[:, side], solved[part], quoted[part], spot[part], tau[part], found, known, added)
        _write(out[:, 3], found.iv, found.value, found.spot, found.tau, found, found.european, added)
        out[~alive] = np.nan
        return out

    def _exercise(self, rows: Ints, day: TradingDay) -> Floats:
        # The corrections of early exercise move slowly and cost more than all the rest, so each contract's are computed
        # at moments of its own and used until the next.
        phase = (self._table.key[rows] & np.uint64(1023)).astype(np.float64) / 1024
        moments = (np.floor(day.second / _CORRECTION_S + phase) - phase) * _CORRECTION_S
        stale = self._added_at[rows] != moments
        if stale.any():
            late = rows[stale]
            self._added[:, late] = exercise_greeks(self._valuer.at(late, moments[stale], accuracy="fast"))
            self._added_at[late] = moments[stale]
        return self._added[:, rows]

    def _grow(self) -> None:
        missing = len(self._table) - len(self._added_at)
        if missing:
            nothing = np.full(missing, np.nan)
            self._added_at = np.concatenate([self._added_at, nothing])
            self._added = np.hstack([self._added, np.zeros((len(GREEK_NAMES), missing))])
            for kept in self._kept.values():
                for field in fields(kept):
                    setattr(kept, field.name, np.concatenate([getattr(kept, field.name), nothing]))


def _write(
    out: Floats,
    iv: Floats,
    price: Floats,
    spot: Floats,
    tau: Floats,
    found: Valuation,
    known: dict[str, Floats],
    added: Floats,
) -> None:
    """Write one side's computations in IB's units; nothing where there is no volatility."""
    delta, gamma, vega, theta = (known[name] + added[place] for place, name in enumerate(GREEK_NAMES))
    out[:, _IV], out[:, _PRICE], out[:, _UND_PRICE] = iv, price, spot
    out[:, _DELTA] = np.clip(delta, -1.0, 1.0)
    out[:, _GAMMA], out[:, _VEGA] = np.maximum(gamma, 0.0), np.maximum(vega, 0.0) / _PER_POINT
    out[:, _THETA] = theta / _YEAR_DAYS
    out[:, _PV_DIVIDEND] = -spot * np.expm1(-found.shapes.div_yield * tau)
    out[np.isnan(iv)] = np.nan
