"""Markets that come from files: a replayed history, and a script of instruments and numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.contracts import class_convention
from bifrost_lib.core.errors import FileFormatError, InputError
from bifrost_lib.sim.exchange import BOARD_COLUMNS, COMPUTATION_SIDES, Market
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.book import option_instrument
from bifrost_lib.sim.market.profiles import PENNY_OPTION_RULE, PENNY_RULE, RULES
from bifrost_lib.sim.market.scripted import ScriptedMarket


def first_moment(path: Path) -> datetime:
    """Return the moment of the first quote of a history, at which its replay begins."""
    import pandas as pd

    _check(path)
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise FileFormatError(path, "a folder without Parquet files")
    try:
        first = min(pd.read_parquet(file, columns=["ts"])["ts"].min() for file in files)
    except (ValueError, OSError, KeyError) as exc:
        raise FileFormatError(path, f"no quotes in Parquet ({exc})") from None
    moment: datetime = pd.Timestamp(first).to_pydatetime()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def open_replay(path: Path, clock: Clock) -> Market:
    """Return a market that plays the quotes of a Parquet file, or of a folder of them."""
    from bifrost_lib.sim import replay_from_parquet

    _check(path)
    return replay_from_parquet(path, clock)


def open_script(path: Path | None, clock: Clock, *, always_open: bool) -> ScriptedMarket:
    """Return the market of a script, or an empty one that the control plane fills.

    Parameters
    ----------
    path : Path or None
        JSON, or TOML by its ending: ``{"instruments": [{"symbol": "SPY", "con_id": 756733, "bid": 500.0}, {"symbol":
        "SPY", "expiry": "2026-12-18", "strike": 500, "right": "C", "con_id": 1, "model": {"iv": 0.2}}]}``.

    Raises
    ------
    FileFormatError
        If the file is no such script.
    """
    market = ScriptedMarket(clock, always_open=always_open)
    if path is None:
        return market
    _check(path)
    try:
        text = path.read_text("utf-8")
        script = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        entries = list(script["instruments"])
    except (ValueError, KeyError, TypeError) as exc:
        raise FileFormatError(path, f"no script of instruments ({exc})") from None
    for entry in entries:
        try:
            add_instrument(market, entry)
        except InputError as exc:
            raise FileFormatError(path, str(exc)) from None
    return market


def add_instrument(market: ScriptedMarket, facts: Mapping[str, Any]) -> Instrument:
    """Add one instrument of a script, and show the numbers that stand beside it.

    Raises
    ------
    InputError
        If a fact is missing or cannot be read.
    """
    book = market.instruments
    symbol = str(facts.get("symbol", ""))
    if not symbol:
        raise InputError("symbol", symbol, "the symbol of an instrument")
    con_id = int(_number("con_id", facts.get("con_id", _next_con_id(market))))
    found = _option(market, symbol, con_id, facts) if "strike" in facts else _underlying(symbol, con_id, facts)
    book.add(found)
    market.set(con_id, **{name: _number(name, facts[name]) for name in BOARD_COLUMNS if name in facts})
    for side in COMPUTATION_SIDES:
        if isinstance(facts.get(side), Mapping):
            market.set_computation(con_id, side, **{key: _number(key, value) for key, value in facts[side].items()})
    return found


def _underlying(symbol: str, con_id: int, facts: Mapping[str, Any]) -> Instrument:
    is_index = facts.get("sec_type", "STK") == "IND"
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type="IND" if is_index else "STK",
        exchange="CBOE" if is_index else "SMART",
        primary_exchange=str(facts.get("primary_exchange", "CBOE" if is_index else "ARCA")),
        currency="USD",
        local_symbol=symbol,
        trading_class="" if is_index else symbol,
        long_name=str(facts.get("long_name", symbol)),
        market_rule_id=PENNY_RULE,
        ticks=RULES[PENNY_RULE],
        stock_type="" if is_index else str(facts.get("stock_type", "COMMON")),
        valid_exchanges=("CBOE",) if is_index else ("SMART", "ARCA", "NASDAQ", "NYSE"),
    )


def _option(market: ScriptedMarket, symbol: str, con_id: int, facts: Mapping[str, Any]) -> Instrument:
    under = market.instruments.underlying(symbol)
    if under is None:
        raise InputError("symbol", symbol, "the symbol of an underlying that was added before its options")
    try:
        expiry = date.fromisoformat(str(facts.get("expiry", "")))
    except ValueError:
        raise InputError("expiry", facts.get("expiry"), "a date such as 2026-12-18") from None
    right = str(facts.get("right", "")).upper()
    if right not in ("C", "P"):
        raise InputError("right", facts.get("right"), "C or P")
    trading_class = str(facts.get("trading_class", symbol))
    convention = class_convention(trading_class)
    return option_instrument(
        under,
        con_id=con_id,
        trading_class=trading_class,
        expiry=expiry,
        strike=_number("strike", facts["strike"]),
        right=right,
        style=convention.style,
        settlement=convention.settlement,
        rule=PENNY_OPTION_RULE,
        multiplier=_number("multiplier", facts.get("multiplier", 100)),
    )


def _next_con_id(market: ScriptedMarket) -> int:
    taken = [one.con_id for under in market.instruments.underlyings() for one in (
        under, *market.instruments.options(under.symbol))]  # fmt: skip
    return max(taken, default=0) + 1


def _check(path: Path) -> None:
    if not path.exists():
        raise FileFormatError(path, "there is no such file")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(name, value, "a number") from None
