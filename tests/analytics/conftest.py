"""Chains made of a known surface, and real ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.pricing import price

AT = datetime(2026, 8, 12, 20, tzinfo=UTC)
DAYS = (9, 23, 37, 65, 100)


def surface_chain(
    vol: Callable[[Any, float], Any] | float = 0.2,
    *,
    days: tuple[float, ...] = DAYS,
    spot: float = 100.0,
    rate: float = 0.03,
    step: float = 0.01,
    half_spread: float = 1e-6,
) -> pd.DataFrame:
    """Return a chain whose volatility is a function of (log-moneyness, tau), priced exactly."""
    parts = []
    for day in days:
        tau = day / 365.0
        forward = spot * math.exp(rate * tau)
        strike = spot * np.arange(0.5, 1.6, step)
        for right in ("C", "P"):
            k = np.log(strike / forward)
            iv = np.broadcast_to(vol(k, tau) if callable(vol) else vol, k.shape)
            mid = price(spot=spot, strike=strike, tau=tau, vol=iv, right=right, rate=rate)
            half = half_spread * spot
            parts.append(
                pd.DataFrame(
                    {
                        "expiry": np.datetime64(AT.date()) + np.timedelta64(math.ceil(day), "D"),
                        "strike": strike, "right": right, "bid": np.maximum(mid - half, 0.0), "ask": mid + half,
                        "iv": iv, "forward": forward, "tau": tau, "volume": 10.0, "open_interest": 100.0,
                    }
                )
            )  # fmt: skip
    chain = pd.concat(parts, ignore_index=True)
    return chain.assign(
        ts=pd.Timestamp(AT), trading_class="XYZ", settlement="PM", multiplier=100.0, spot=spot, rate=rate, quality="ok"
    )


@pytest.fixture
def chain_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes a chain of a known surface, seen on 2026-08-12 at 20:00 UTC."""
    return surface_chain


@pytest.fixture(scope="session")
def real_chain(samples: Path) -> Callable[[str, str], pd.DataFrame]:
    """Return a function that reads a fund's chain at the close of a session, with what ingestion adds to it."""
    from bifrost_lib.core.calendar import year_fractions
    from bifrost_lib.feeds import open_feed
    from bifrost_lib.workflows import with_analytics

    def read(symbol: str, session: str) -> pd.DataFrame:
        feed = open_feed(samples / "options" / "yahoo_eod_mit" / session / f"{symbol}.csv.gz")
        chain = pd.concat([with_analytics(batch.quotes) for batch in feed.batches() if len(batch.quotes)])
        naive = chain["ts"].dt.tz_localize(None).to_numpy()
        is_am = (chain["settlement"] == "AM").to_numpy()
        found: pd.DataFrame = chain.assign(tau=year_fractions(naive, chain["expiry"].to_numpy(), is_am))
        return found

    return read


@pytest.fixture
def later() -> Callable[[float], datetime]:
    """Return a function that gives the moment some days after the chain's."""
    return lambda days: AT + timedelta(days=days)
