"""One candidate in full: its legs, cash, odds, margins, exposures and score as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.margins.regulation_t import cash_margin, reg_t_margin
from bifrost_lib.strategies.measures.returns import return_on_risk
from bifrost_lib.strategies.scanning.correction import PopCorrection
from bifrost_lib.strategies.scanning.ranking import Pick
from bifrost_lib.strategies.scanning.score import PARTS, score_parts
from bifrost_lib.strategies.scanning.wording import why

Floats = npt.NDArray[np.float64]
Record = dict[str, Any]

GREEKS = ("delta", "gamma", "theta", "vega")
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class Terms:
    """What all candidates of a scan have in common."""

    strategy: StrategyDocument
    points: Floats
    correction: PopCorrection | None
    fill: float
    naked_rate: float


@dataclass(frozen=True)
class _Quotes:
    """The quotes behind one candidate's option legs, as arrays of shape (legs,)."""

    strike: Floats
    price: Floats
    weight: Floats
    is_call: npt.NDArray[np.bool_]
    columns: Mapping[str, Floats]

    @classmethod
    def of(cls, pick: Pick, fill: float) -> _Quotes:
        search = pick.search
        rows = [pool.rows[i] for pool, i in zip(search.pools, pick.combo, strict=True)]
        columns = {
            name: np.array([quotes.columns[name][row] for quotes, row in zip(search.slices, rows, strict=True)])
            for name in search.near.columns
        }
        sign = np.sign([leg.qty for leg in search.legs])
        return cls(
            strike=columns["strike"],
            price=columns["mid"] + fill * sign * 0.5 * (columns["ask"] - columns["bid"]),
            weight=np.array([leg.qty * search.near.multiplier for leg in search.legs]),
            is_call=np.array([leg.right == "C" for leg in search.legs]),
            columns=columns,
        )


def record_of(rank: int, pick: Pick, terms: Terms) -> Record:
    """Return one candidate as `CandidateSet.records` describes it."""
    strategy, near, quotes = terms.strategy, pick.search.near, _Quotes.of(pick, terms.fill)
    value, shares = pick.value, strategy.stock_qty * near.multiplier
    recalibrated = None if terms.correction is None else terms.correction(value["pop"])
    parts = score_parts(
        value["pop"] if recalibrated is None else recalibrated,
        value["ev"], value["max_profit"], value["capital"], value["slippage_cost"], value["fit"],
    )  # fmt: skip
    score_points = {name: float(part * worth) for name, part, worth in zip(PARTS, parts, terms.points, strict=True)}
    max_profit, max_loss = _bounded(value["max_profit"]), _bounded(value["max_loss"])
    record: Record = {
        "rank": rank,
        "score": float(sum(score_points.values())),
        "legs": _legs(pick, strategy, quotes),
        "premium": value["premium"],
        "max_profit": max_profit,
        "max_loss": max_loss,
        "max_profit_unbounded": max_profit is None,
        "max_loss_unbounded": max_loss is None,
        "breakevens": list(pick.breakevens),
        "profit_ranges": _profit_ranges(pick, quotes, value["premium"], shares),
        "pop": value["pop"],
        "ev": value["ev"],
        "pop_recalibrated": recalibrated,
        "pop_surface": None,
        "ev_surface": None,
        "tail_loss": value["tail_loss"],
        "on_front": pick.on_front,
        "return_on_risk": return_on_risk(max_profit, max_loss),
        "annual_return": _annual(max_profit, value["capital"], near.dte),
        **_margins(pick, quotes, strategy, terms.naked_rate),
        **_greeks(quotes, strategy, near.multiplier),
        "dte": near.dte,
        "slippage_cost": value["slippage_cost"],
        **_liquidity(quotes),
        "multiplier": near.multiplier,
        "spot": near.spot,
        "forward": near.forward,
        "vol": near.vol,
        "rate": near.rate,
        "div_yield": near.div_yield,
        "tau": near.tau,
        "score_parts": score_points,
    }
    record["why"] = why(record)
    return record


def _legs(pick: Pick, strategy: StrategyDocument, quotes: _Quotes) -> list[Record]:
    prices = iter(zip(quotes.strike, quotes.price, pick.search.slices, quotes.columns["iv"], strict=True))
    legs: list[Record] = []
    for leg in strategy.legs:
        if leg.is_option:
            strike, price, source, iv = next(prices)
            found = {"strike": float(strike), "expiry": source.expiry.isoformat(), "price": float(price)}
            legs.append({"leg": leg.name, "right": leg.right, "qty": leg.qty, **found, "iv": float(iv)})
        else:
            found = {"strike": None, "expiry": None, "price": pick.search.near.spot}
            legs.append({"leg": leg.name, "right": "S", "qty": leg.qty, **found, "iv": None})
    return legs


def _margins(pick: Pick, quotes: _Quotes, strategy: StrategyDocument, naked_rate: float) -> dict[str, float]:
    near = pick.search.near
    found = reg_t_margin(
        strike=quotes.strike, price=quotes.price, qty=quotes.weight / near.multiplier, is_call=quotes.is_call,
        tau=np.array([source.tau for source in pick.search.slices]), stock=float(strategy.stock_qty),
        spot=near.spot, rate=naked_rate, multiplier=near.multiplier,
    )  # fmt: skip
    if strategy.margin == "cash":
        secured = cash_margin(quotes.strike, quotes.weight, quotes.is_call)
        return {"margin": secured, "maintenance_margin": secured}
    return {"margin": found.initial, "maintenance_margin": found.maintenance}


def _greeks(quotes: _Quotes, strategy: StrategyDocument, multiplier: float) -> dict[str, float | None]:
    net = {name: float(quotes.weight @ quotes.columns[name]) for name in GREEKS}
    net["delta"] += strategy.stock_qty * multiplier
    return {name: _known(value) for name, value in net.items()}


def _liquidity(quotes: _Quotes) -> dict[str, float | None]:
    columns = quotes.columns
    spread = (columns["ask"] - columns["bid"]) / columns["mid"]
    return {
        "min_open_interest": _known(float(columns["open_interest"].min())),
        "min_volume": _known(float(columns["volume"].min())),
        "max_relative_spread": _known(float(spread.max())),
    }


def _annual(max_profit: float | None, capital: float, dte: int) -> float | None:
    # Simple, not compounded; on the max loss, or on the margin where the loss has no bound.
    return max_profit / capital * DAYS_PER_YEAR / dte if max_profit is not None and capital > 0 and dte > 0 else None


def _profit_ranges(pick: Pick, quotes: _Quotes, premium: float, shares: float) -> list[list[float | None]]:
    # Between breakevens the sign does not change. With one expiry it is asked for in the middle, because a breakeven
    # may be a touch; with two, breakevens are crossings, so that the sign alternates from a price of zero on.
    edges = [0.0, *pick.breakevens]
    inside = premium + float(quotes.weight[~quotes.is_call] @ quotes.strike[~quotes.is_call]) > 0
    ranges: list[list[float | None]] = []
    for low, high in zip(edges, [*edges[1:], math.inf], strict=True):
        if pick.search.far is pick.search.near:
            middle = 2.0 * (low + quotes.strike.max()) if math.isinf(high) else 0.5 * (low + high)
            move = np.where(quotes.is_call, middle - quotes.strike, quotes.strike - middle)
            inside = premium + shares * middle + float(quotes.weight @ np.maximum(move, 0.0)) > 1e-6
        if inside:
            ranges.append([low or None, _bounded(high)])
        inside = not inside
    return ranges


def _bounded(value: float) -> float | None:
    return None if math.isinf(value) else value


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
