"""What a plain run found, in the tables that the engine under test returns; and its markets as cubes."""

from __future__ import annotations

import pandas as pd

from bifrost_lib.backtest import ChainCube
from tests.backtest.reference.engine import Outcome
from tests.backtest.reference.tape import Market
from tests.backtest.reference.trade import Held, Trade


def cube_of(market: Market) -> ChainCube:
    """Return a market as the cube that the engine under test reads."""
    actions = [(day, "split", ratio) for day, ratio in market.splits.items()]
    actions += [(day, "dividend", cash) for day, cash in market.dividends.items()]
    first = market.quotes.groupby(market.quotes["ts"].dt.tz_convert("America/New_York").dt.date)["ts"].min()
    known = [{"ts": first[day], **figures} for day, figures in market.conditions.items() if day in first.index]
    prices = [(day, *both) for day, both in market.prices.items()]
    learnt = pd.DataFrame(market.earnings, columns=["known_at", "fiscal_period", "report_date", "time_of_day"])
    learnt["known_at"] = pd.to_datetime(learnt["known_at"], utc=True)
    return ChainCube.from_frame(
        market.quotes,
        symbol=market.symbol,
        actions=_dated(pd.DataFrame(actions, columns=["ex_date", "kind", "value"]), "ex_date"),
        conditions=pd.DataFrame(known) if known else None,
        prices=_dated(pd.DataFrame(prices, columns=["date", "open", "close"]), "date") if prices else None,
        earnings=_dated(learnt, "report_date"),
    )


def _dated(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.assign(**{column: pd.to_datetime(frame[column]).astype("datetime64[s]")})


def trades_table(outcome: Outcome) -> pd.DataFrame:
    """Return one row for each trade, money for all its units."""
    return pd.DataFrame([_trade(one) for one in outcome.trades])


def _trade(trade: Trade) -> dict[str, object]:
    money = {
        "premium": trade.premium,
        "pnl": trade.pnl,
        "commission": trade.commission,
        "mae": trade.mae,
        "mfe": trade.mfe,
        "margin": trade.margin,
        "max_profit": trade.max_profit,
        "max_loss": trade.max_loss,
        "dividends": trade.dividends,
    }
    return {
        "symbol": trade.symbol,
        "opened": trade.opened,
        "closed": trade.closed,
        "reason": trade.reason,
        "units": trade.units,
        "carried": trade.carried,
        "rolls": sum(trade.rolled.values()),
        "open_spot": trade.open_spot,
        **{name: trade.units * value for name, value in money.items()},
    }


def legs_table(outcome: Outcome) -> pd.DataFrame:
    """Return one row for each leg that was held, by trade, moment of opening, and name."""
    rows = [
        _leg(number, held)
        for number, trade in enumerate(outcome.trades)
        for held in sorted((*trade.past_legs, *trade.legs), key=lambda one: (one.opened, one.leg.name))
    ]
    return pd.DataFrame(rows)


def _leg(number: int, held: Held) -> dict[str, object]:
    group, right, strike = held.first_contract or held.contract
    return {
        "trade": number,
        "leg": held.leg.name,
        "right": right,
        "qty": held.first_qty,
        "strike": strike,
        "close_qty": held.qty,
        "close_strike": held.contract.strike,
        "expiry": pd.Timestamp(group.expiry),
        "trading_class": group.trading_class,
        "multiplier": group.multiplier,
        "opened": held.opened,
        "closed": held.closed,
        "open_price": held.open_price,
        "close_price": held.close_price,
        "open_delta": held.open_delta,
    }


def equity_table(outcome: Outcome) -> pd.DataFrame:
    """Return one row for each day of the account."""
    return pd.DataFrame(outcome.equity)
