"""The field's terms, once: the same names in arguments, frames, database columns and JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One word of the vocabulary: its pandas dtype in frames, its unit and its meaning."""

    dtype: str
    unit: str
    help: str


MONEY = "currency per share"

VOCABULARY: dict[str, Term] = {
    # time
    "ts": Term("datetime64[us, UTC]", "UTC", "moment of the observation"),
    "at": Term("datetime64[us, UTC]", "UTC", "as-of time of a read: nothing later is used"),
    "expiry": Term("datetime64[s]", "date", "expiration date, exchange calendar"),
    "dte": Term("int64", "calendar days", "days from the exchange date of `ts` to `expiry`"),
    "tau": Term("float64", "years, ACT/365F", "time from `ts` to the moment of expiry"),
    # contract
    "symbol": Term("category", "", "underlying symbol"),
    "trading_class": Term("category", "", "option root, for example SPXW"),
    "strike": Term("float64", MONEY, "strike price"),
    "right": Term("category", "", "C or P"),
    "style": Term("category", "", "american or european"),
    "settlement": Term("category", "", "PM (session close) or AM (session open) on the expiry date"),
    "multiplier": Term("float64", "shares", "shares per contract"),
    # quote
    "bid": Term("float64", MONEY, "best bid"),
    "ask": Term("float64", MONEY, "best ask"),
    "mid": Term("float64", MONEY, "(bid + ask) / 2 where both sides are quoted"),
    "last": Term("float64", MONEY, "last trade"),
    "bid_size": Term("float64", "contracts", "size at the bid"),
    "ask_size": Term("float64", "contracts", "size at the ask"),
    "volume": Term("float64", "contracts", "traded in the session so far"),
    "open_interest": Term("float64", "contracts", "open contracts after the previous session"),
    "spot": Term("float64", MONEY, "price of the underlying"),
    "quality": Term("category", "", "first reason why the quote is less than perfect, or ok"),
    # implied
    "forward": Term("float64", MONEY, "forward implied by put-call parity"),
    "rate": Term("float64", "decimal, continuous, annual", "interest rate"),
    "div_yield": Term("float64", "decimal, continuous, annual", "dividend yield, borrow included"),
    "vol": Term("float64", "decimal, annual", "volatility, an input"),
    "iv": Term("float64", "decimal, annual", "volatility, solved from a price"),
    # greeks, raw
    "delta": Term("float64", "per 1.00 of spot", "d price / d spot"),
    "gamma": Term("float64", "per 1.00 of spot", "d delta / d spot"),
    "vega": Term("float64", "per 1.00 vol", "d price / d vol"),
    "theta": Term("float64", "per year", "d price / d calendar time"),
    "rho": Term("float64", "per 1.00 rate", "d price / d rate"),
    "vanna": Term("float64", "per 1.00 vol", "d delta / d vol"),
    "volga": Term("float64", "per 1.00 vol", "d vega / d vol"),
    "charm": Term("float64", "per year", "d delta / d calendar time"),
    # what the vendor computed, in the units of ours
    "ib_iv": Term("float64", "decimal, annual", "IB's implied volatility of the model price"),
    "ib_delta": Term("float64", "per 1.00 of spot", "IB's delta"),
    "ib_gamma": Term("float64", "per 1.00 of spot", "IB's gamma"),
    "ib_vega": Term("float64", "per 1.00 vol", "IB's vega"),
    "ib_theta": Term("float64", "per year", "IB's theta"),
    "market_data_type": Term("category", "", "live, frozen, delayed or delayed_frozen"),
    # the market of one underlying
    "iv_rank": Term("float64", "0..1", "where iv stands between the lowest and the highest of the past year"),
    "iv_percentile": Term("float64", "0..1", "share of the past year's days on which iv was lower"),
    "iv_days": Term("float64", "days", "days that iv_rank and iv_percentile rest on"),
    "realized_vol": Term("float64", "decimal, annual", "volatility of the underlying's returns"),
    "skew": Term("float64", "decimal, annual", "iv of the put less iv of the call, both at 25 delta, 30 days"),
    "term_slope": Term("float64", "decimal, annual", "iv at 90 days less iv at 30 days, at the money"),
    "put_call_volume": Term("float64", "ratio", "volume of puts over volume of calls"),
    "put_call_open_interest": Term("float64", "ratio", "open interest of puts over open interest of calls"),
    "vol_index": Term("float64", "percent, annual", "volatility index of the chain, VIX style, 30 days"),
    # positions and structures
    "qty": Term("int64", "contracts, signed", "positive long, negative short"),
    "price": Term("float64", MONEY, "price at which a leg is assumed to trade"),
    "premium": Term("float64", "currency", "net credit (> 0) or debit (< 0) of the structure"),
    "max_profit": Term("float64", "currency", "largest profit at expiry; null when unbounded"),
    "max_loss": Term("float64", "currency, >= 0", "largest loss at expiry; null when unbounded"),
    "breakevens": Term("object", MONEY, "spot prices at which profit at expiry is zero"),
    "pop": Term("float64", "0..1", "probability of a profit at expiry"),
    "ev": Term("float64", "currency", "expected profit at expiry"),
    "return_on_risk": Term("float64", "decimal", "max_profit / max_loss"),
    "margin": Term("float64", "currency", "initial margin requirement"),
    "score": Term("float64", "0..100", "weighted rank score"),
    "rank": Term("int64", "", "1 is best"),
    "pnl": Term("float64", "currency", "profit or loss"),
    "equity": Term("float64", "currency", "account value"),
    "drawdown": Term("float64", "decimal, <= 0", "distance from the running maximum"),
    "var": Term("float64", "currency, >= 0 is a loss", "value at risk"),
}

RIGHTS: tuple[str, str] = ("C", "P")
STYLES: tuple[str, str] = ("american", "european")
SETTLEMENTS: tuple[str, str] = ("PM", "AM")

#: What a feed delivers, one row per quote.
QUOTE_COLUMNS: tuple[str, ...] = (
    "ts",
    "symbol",
    "trading_class",
    "expiry",
    "strike",
    "right",
    "style",
    "settlement",
    "multiplier",
    "bid",
    "ask",
    "last",
    "bid_size",
    "ask_size",
    "volume",
    "open_interest",
    "spot",
)

#: What ingestion adds to a quote before it is stored.
ANALYTIC_COLUMNS: tuple[str, ...] = (
    "forward",
    "rate",
    "div_yield",
    "iv",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "quality",
)

#: What a collector adds to a snapshot: the gateway's own greeks, and what kind of data it sent. Files have none.
VENDOR_COLUMNS: tuple[str, ...] = ("ib_iv", "ib_delta", "ib_gamma", "ib_vega", "ib_theta", "market_data_type")

#: IB's market-data types by their number in the protocol.
MARKET_DATA_TYPES: dict[int, str] = {1: "live", 2: "frozen", 3: "delayed", 4: "delayed_frozen"}

#: When on its day a company reports.
EARNINGS_TIMES: tuple[str, ...] = ("unknown", "before_open", "during", "after_close")

SNAPSHOT_COLUMNS: tuple[str, ...] = QUOTE_COLUMNS + ANALYTIC_COLUMNS

#: What a chain read returns, sorted by expiry, strike, right; `tau`, `dte` and `mid` are derived from the row.
CHAIN_COLUMNS: tuple[str, ...] = (*SNAPSHOT_COLUMNS, "mid", "tau", "dte")

#: The numbers of `market_conditions`, one row per underlying and moment; all may be missing.
CONDITION_COLUMNS: tuple[str, ...] = (
    *("spot", "bid", "ask", "volume", "rate", "div_yield", "iv", "iv_rank", "iv_percentile", "iv_days"),
    *("realized_vol", "skew", "term_slope", "put_call_volume", "put_call_open_interest", "vol_index"),
)
