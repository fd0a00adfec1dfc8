"""Small markets with everything in them that goes wrong in real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bifrost_lib.core.calendar import EXCHANGE_TZ, expiry_moment, session_close, session_open, sessions
from bifrost_lib.core.vocabulary import EARNINGS_TIMES
from tests.backtest.reference.tape import Learnt, Market

Random = np.random.Generator

#: Times of day at which a chain is known; None is the close.
DAYS: tuple[tuple[time | None, ...], ...] = (
    (None,),
    (None,),
    (time(15, 45),),
    (time(10), time(15, 45)),
    (time(9, 30), time(12), None),
    (time(10), time(12, 30), time(14), time(15, 55)),
)
#: class, style, settlement and multiplier of the classes that an expiry may have.
STOCK_CLASSES = (("ABC", "american", "PM", 100.0), ("ABC1", "american", "PM", 100.0), ("ABC", "american", "PM", 10.0))
INDEX_CLASSES = (("SPX", "european", "AM", 100.0), ("SPXW", "european", "PM", 100.0))
DEFECTS = ("one_sided", "one_sided", "no_quote", "crossed", "stale", "below_intrinsic")
CONDITIONS = ("iv_rank", "vol_index", "skew", "term_slope")


@dataclass
class Listing:
    """The contracts of one expiry and class, and from when on they are listed."""

    expiry: date
    trading_class: str
    style: str
    settlement: str
    multiplier: float
    strikes: np.ndarray
    since: np.ndarray
    vol: float


def random_market(rng: Random, *, symbol: str | None = None, near: Market | None = None) -> Market:
    """Return a market of a few sessions to sixty, which begins about when `near` does."""
    symbol = symbol or str(rng.choice(["ABC", "ABC", "SPX"]))
    year = sessions(date(2023, 6, 1), date(2024, 6, 28))
    count = int(rng.integers(4, 61)) if rng.random() < 0.2 else int(rng.integers(4, 25))
    first = int(rng.integers(0, len(year) - count))
    if near is not None:
        began = near.quotes["ts"].min().date()
        first = sum(day < began for day in year[: len(year) - count]) // 5 * 5
    days = [day for day in year[first : first + count] if rng.random() > 0.02] or year[first : first + 1]
    times = DAYS[int(rng.integers(len(DAYS)))] if count < 30 else DAYS[int(rng.integers(3))]
    spot = float(rng.uniform(20, 400))
    listings = _listings(rng, symbol, days[0], days[-1], spot)
    splits = _split(rng, symbol, days)
    dividends = {day: float(rng.uniform(0.1, 3)) for day in days[1:] if rng.random() < 0.06}
    quotes = _quotes(rng, days, times, spot, listings, splits)
    prices: dict[date, tuple[float, float]] = {}
    if rng.random() < 0.3:
        last = quotes.groupby(quotes["ts"].dt.tz_convert(EXCHANGE_TZ).dt.date)["spot"].last()
        prices = {day: (last[day] * 0.99, last[day] * 1.01) for day in last.index if not math.isnan(last[day])}
    conditions = {day: {name: _condition(rng, name) for name in CONDITIONS} for day in days}
    earnings = _earnings(rng.spawn(1)[0], days)  # of its own, so that the rest stays what it was
    return Market(symbol, quotes, splits, dividends, prices, conditions, earnings)


def _earnings(rng: Random, days: list[date]) -> list[Learnt]:
    """Return what is learnt of some reports: days that move, are withdrawn, or are known only afterwards."""
    first, span = days[0] - timedelta(days=20), (days[-1] - days[0]).days + 50
    found = [Learnt(datetime.combine(first - timedelta(days=80), time(), EXCHANGE_TZ), "none", None, "unknown")]
    for number in range(int(rng.integers(1, 5))):
        day = first + timedelta(days=int(rng.integers(0, span)))
        for _ in range(int(rng.integers(1, 4))):
            known = datetime.combine(day, time(), EXCHANGE_TZ) - timedelta(hours=float(rng.uniform(-200, 1200)))
            told = None if rng.random() < 0.1 else day + timedelta(days=int(rng.integers(-6, 7)))
            found.append(Learnt(known, f"Q{number}", told, str(rng.choice(EARNINGS_TIMES))))
    return sorted(found, key=lambda one: one.known_at)


def _listings(rng: Random, symbol: str, first: date, last: date, spot: float) -> list[Listing]:
    horizon = sessions(first + timedelta(days=2), last + timedelta(days=25))
    classes = INDEX_CLASSES if symbol == "SPX" else STOCK_CLASSES
    found = []
    for place in sorted(rng.choice(len(horizon), size=min(int(rng.integers(2, 6)), len(horizon)), replace=False)):
        here = classes if rng.random() < 0.25 else classes[:1] if rng.random() < 0.7 else classes[1:2]
        for name, style, settlement, multiplier in here:
            size = int(rng.integers(10, 26))
            step = _round_step(spot * rng.uniform(0.4, 1.0) / size)
            strikes = (round(spot / step) - size // 2 + np.arange(size)) * step
            strikes = strikes[strikes > 0]
            late = rng.random(2 * len(strikes)) < 0.1
            since = np.where(late, rng.integers(1, 15, size=2 * len(strikes)), 0)
            vol = float(rng.uniform(0.15, 0.6))
            found.append(Listing(horizon[place], name, style, settlement, multiplier, strikes, since, vol))
    return found


def _round_step(step: float) -> float:
    return next((one for one in (0.5, 1.0, 2.5, 5.0, 10.0) if one >= step), 20.0)


def _split(rng: Random, symbol: str, days: list[date]) -> dict[date, float]:
    if symbol == "SPX" or len(days) < 6 or rng.random() > 0.35:
        return {}
    return {days[int(rng.integers(2, len(days) - 1))]: float(rng.choice([2.0, 3.0, 4.0, 7.0, 1.5]))}


def _quotes(
    rng: Random,
    days: list[date],
    times: tuple[time | None, ...],
    spot: float,
    listings: list[Listing],
    splits: dict[date, float],
) -> pd.DataFrame:
    chains, daily_vol, ratio = [], rng.uniform(0.01, 0.04), 1.0
    vanished = [np.zeros(2 * len(one.strikes), dtype=bool) for one in listings]
    for number, day in enumerate(days):
        ratio *= splits.get(day, 1.0)
        spot /= splits.get(day, 1.0)
        for moment in _moments(day, times):
            spot *= math.exp(daily_vol * rng.normal() / math.sqrt(len(times)))
            shown = math.nan if rng.random() < 0.02 else spot
            for one, gone in zip(listings, vanished, strict=True):
                if one.expiry >= day:
                    quoted = (one.since <= number) & ~gone & (rng.random(len(gone)) > 0.03)
                    forward = math.nan if rng.random() < 0.1 else spot * rng.uniform(0.99, 1.01)
                    chain = _chain(rng, moment, spot, one, ratio) | {"spot": shown, "forward": forward}
                    chains.append({name: np.broadcast_to(value, len(gone))[quoted] for name, value in chain.items()})
        # A contract that is not quoted may come back after a few days.
        for place, gone in enumerate(vanished):
            vanished[place] = gone ^ (rng.random(len(gone)) < np.where(gone, 0.4, 0.02))
    return _frame(rng, chains)


def _frame(rng: Random, chains: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    columns = {name: np.concatenate([chain[name] for chain in chains]) for name in chains[0]}
    frame = pd.DataFrame(_spoiled(rng, columns))
    frame["ts"] = pd.to_datetime(frame["ts"], unit="us", utc=True).astype("datetime64[us, UTC]")
    frame["expiry"] = frame["expiry"].astype("datetime64[s]")
    return frame


def _moments(day: date, times: tuple[time | None, ...]) -> list[datetime]:
    opens, closes = session_open(day), session_close(day)
    found = [closes if one is None else datetime.combine(day, one, EXCHANGE_TZ) for one in times]
    return sorted({one for one in found if opens <= one <= closes}) or [closes]


def _chain(rng: Random, moment: datetime, spot: float, listing: Listing, ratio: float) -> dict[str, Any]:
    """Return the quotes of one expiry and class: Black-Scholes with noise, no rate, and a flat smile."""
    strike = np.round(np.tile(listing.strikes, 2) / ratio, 2)
    is_call = np.arange(len(strike)) < len(listing.strikes)
    expires = expiry_moment(listing.expiry, listing.settlement)
    years = max((expires - moment).total_seconds() / (365 * 86400), 1e-4)
    total = listing.vol * math.sqrt(years) * rng.uniform(0.9, 1.1)
    d1 = np.log(spot / strike) / total + total / 2
    call = spot * ndtr(d1) - strike * ndtr(d1 - total)
    fair = np.where(is_call, call, call - spot + strike)
    fair = np.maximum(fair * (1 + 0.02 * rng.normal(size=len(fair))), 0.0) + 0.02 * rng.random(len(fair))
    half = (0.005 + 0.04 * fair) * rng.uniform(0.1, 1.5, size=len(fair))
    return {
        "ts": int(moment.timestamp() * 1_000_000),
        "expiry": np.datetime64(listing.expiry, "s"),
        "strike": strike,
        "right": np.where(is_call, "C", "P"),
        "trading_class": listing.trading_class,
        "multiplier": listing.multiplier,
        "style": listing.style,
        "settlement": listing.settlement,
        "bid": np.maximum(fair - half, 0.0),
        "ask": fair + half,
        "delta": ndtr(d1) - ~is_call + 0.01 * rng.normal(size=len(fair)),
        "is_expired": moment >= expires,
    }


def _spoiled(rng: Random, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the quotes with the defects that quotes have, and the quality that says so."""
    size = len(columns["bid"])
    bid, ask, delta = (columns[name].copy() for name in ("bid", "ask", "delta"))
    draw = rng.random(size)
    quality = np.full(size, "ok", dtype=object)
    for place, name in enumerate(DEFECTS):
        quality[(draw >= 0.01 * place) & (draw < 0.01 * (place + 1))] = name
    is_one_sided, is_first = quality == "one_sided", rng.random(size) < 0.5
    bid[(quality == "no_quote") | (is_one_sided & is_first)] = np.nan
    ask[(quality == "no_quote") | (is_one_sided & ~is_first)] = np.nan
    crossed = quality == "crossed"
    bid[crossed], ask[crossed] = ask[crossed], bid[crossed]
    delta[rng.random(size) < 0.02] = np.nan
    quality[columns["is_expired"]] = "expired"
    interest = np.where(rng.random(size) < 0.1, np.nan, rng.integers(0, 500, size=size))
    found = columns | {"bid": bid, "ask": ask, "delta": delta, "quality": quality, "open_interest": interest}
    found["volume"] = rng.integers(0, 50, size=size).astype(float)
    del found["is_expired"]
    return found


def _condition(rng: Random, name: str) -> float:
    if rng.random() < 0.1:
        return math.nan
    return float({"iv_rank": rng.random(), "vol_index": rng.uniform(10, 40)}.get(name, rng.normal() * 0.05))
