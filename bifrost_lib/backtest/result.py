"""What a backtest found: its trades with their legs, the account day by day, and what it was made from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.backtest.chains.cube import ChainCube

#: One row a trade; money in currency for all its units, net of commission in `pnl` alone. `carried`: moments at which
#: a leg had no price to believe. `shares` were held with it when it was opened, negative where sold short.
TRADE_COLUMNS: tuple[str, ...] = (
    *("symbol", "opened", "closed", "reason", "units", "premium", "pnl", "commission", "mae", "mfe", "margin"),
    *("max_profit", "max_loss", "dividends", "carried", "rolls", "open_spot", "close_spot", "open_iv", "dte"),
    "shares",
)
#: One row a leg that was held; a leg that was rolled has one for each contract. `qty` is per unit, prices per share,
#: `trade` the row of `trades`; `close_qty` and `close_strike` differ from what was opened after a split. A
#: `close_price` of 0 before expiry says that nobody bid.
LEG_COLUMNS: tuple[str, ...] = (
    *("trade", "leg", "right", "qty", "strike", "expiry", "trading_class", "opened", "closed"),
    *("open_price", "close_price", "open_delta", "multiplier", "contract"),
    *("close_qty", "close_strike"),
)
EQUITY_COLUMNS: tuple[str, ...] = ("ts", "equity", "margin", "active")
_INTERFACE = {
    "trades": ("opened", "closed", "reason", "premium", "pnl", "commission", "mae", "mfe"),
    "legs": ("right", "qty", "strike", "expiry", "open_price", "close_price"),
    "equity": ("ts", "equity", "margin"),
}


@dataclass(frozen=True, eq=False)
class Result:
    """A finished backtest.

    Parameters
    ----------
    document_hash, code_version : str
        With the digest of the chains what makes it repeatable to the bit.
    chains : tuple of ChainCube or str
        What was replayed, by symbol, or the digest of it.
    symbols : tuple of str
    start, end : date
        First and last session that was looked at.
    fills : str or float
    capital : float
    trades, legs, equity : DataFrame
        `TRADE_COLUMNS`, `LEG_COLUMNS`, `EQUITY_COLUMNS` (one row a session, at its last moment).
    skipped : dict
        Reason -> sessions on which no trade was opened for it.
    statistics : dict
    bands : DataFrame, optional
        Equity under other fills, costs and days of entry.
    settings : dict
        The other arguments of the run.
    """

    document_hash: str
    symbols: tuple[str, ...]
    start: date
    end: date
    fills: str | float
    capital: float
    code_version: str
    chains: tuple[ChainCube, ...] | str
    trades: pd.DataFrame
    legs: pd.DataFrame
    equity: pd.DataFrame
    skipped: dict[str, int]
    statistics: dict[str, Any] = field(default_factory=dict)
    bands: pd.DataFrame | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def cube_sha256(self) -> str:
        """Digest of the chains, several joined by a space; it is computed when it is asked for."""
        return self.chains if isinstance(self.chains, str) else " ".join(cube.sha256 for cube in self.chains)

    @property
    def pnl(self) -> float:
        """Gain of the account over the run, open trades at their last mark."""
        return float(self.equity["equity"].iloc[-1] - self.capital) if len(self.equity) else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain values; what is not known is None, moments and dates are ISO text."""
        legs = {place: self.legs[self.legs["trade"] == place] for place in self.trades.index}
        trades = _records(self.trades, _INTERFACE["trades"])
        for place, trade in zip(self.trades.index, trades, strict=True):
            trade["legs"] = _records(legs[place], _INTERFACE["legs"])
        return {
            "document_hash": self.document_hash,
            "symbols": list(self.symbols),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "fills": self.fills,
            "capital": self.capital,
            "code_version": self.code_version,
            "cube_sha256": self.cube_sha256,
            "trades": trades,
            "equity": _records(self.equity, _INTERFACE["equity"]),
            "skipped": self.skipped,
            "statistics": _plain(self.statistics),
        }


def _records(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    lists = [[_plain(value) for value in frame[name].tolist()] for name in columns]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "isoformat"):  # which NaT has too
        return None if str(value) == "NaT" else value.isoformat()
    return _plain(value.item()) if hasattr(value, "item") else str(value)
