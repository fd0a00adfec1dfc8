"""What a structure ties up, and what it may earn on that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifrost_lib.strategies.margins.regulation_t import EQUITY_RATE, INDEX_RATE, reg_t_margin
from bifrost_lib.strategies.measures.exposure import DAYS_PER_YEAR
from bifrost_lib.strategies.measures.liquidity import liquidity_of, slippage_of
from bifrost_lib.strategies.measures.positions import Legs
from bifrost_lib.strategies.measures.stress import portfolio_margin
from bifrost_lib.strategies.measures.valuation import Position


def return_on_risk(max_profit: float | None, max_loss: float | None) -> float | None:
    """Return max_profit / max_loss; None where either is unbounded or nothing is at risk."""
    return max_profit / max_loss if max_profit is not None and max_loss else None


def margins(position: Position, *, broad_index: bool) -> dict[str, float]:
    """Return the initial and maintenance margins of Regulation T, and the worst of ten price moves, in currency."""
    held, market = position.held, position.market
    found = reg_t_margin(
        strike=held.strike, price=market.price, qty=held.qty, is_call=held.is_call, tau=held.tau, stock=held.stock,
        spot=market.spot, rate=INDEX_RATE if broad_index else EQUITY_RATE, multiplier=market.multiplier,
    )  # fmt: skip
    stressed = portfolio_margin(held, market, broad_index=broad_index)
    return {"margin": found.initial, "maintenance_margin": found.maintenance, "portfolio_margin": stressed}


def returns(found: Mapping[str, Any], near: float, reasons: dict[str, str]) -> dict[str, float | None]:
    """Return what may be earned on the risk, on the margin and a year; `found` has profit, risk and margin."""
    profit, risk, margin = found["max_profit"], found["max_loss"], found["margin"]
    on_risk, on_margin = return_on_risk(profit, risk), return_on_risk(profit, margin)
    annual = on_margin if risk is None else on_risk
    years = max(near, 1.0 / DAYS_PER_YEAR)
    nothing = "the profit has no bound" if profit is None else "the loss has no bound" if risk is None else None
    if on_risk is None:
        reasons["return_on_risk"] = nothing or "nothing is at risk"
    if on_margin is None:
        reasons["return_on_margin"] = "the profit has no bound" if profit is None else "no margin is needed"
    if annual is None:
        reasons["annual_return"] = nothing or "nothing is at risk"
    return {
        "return_on_risk": on_risk,
        "return_on_margin": on_margin,
        "annual_return": None if annual is None else annual / years,
    }


def trading(held: Legs, multiplier: float, found: Mapping[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    """Return what crossing half of the spreads costs, and how liquid that makes a structure, 0 to 1."""
    cost = slippage_of(held, multiplier)
    if cost is None:
        reasons["slippage_cost"] = reasons["liquidity"] = "needs bid and ask of every option"
        return {"slippage_cost": None, "liquidity": None}
    capital = found["margin"] if found["max_loss"] is None else found["max_loss"]
    return {"slippage_cost": cost, "liquidity": liquidity_of(cost, found["max_profit"], capital)}
