"""A made-up chain: Black-Scholes-Merton prices on a smile, quoted a few cents wide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import expiry_moment, year_fraction
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS, VOCABULARY
from bifrost_lib.pricing import greeks, price

AT = datetime(2026, 8, 12, 20, tzinfo=UTC)
MakeChain = Callable[..., pd.DataFrame]


def _chain(
    *, symbol: str = "SIM", spot: float = 200.0, step: float = 2.5, width: float = 0.35, rate: float = 0.04,
    div_yield: float = 0.01, days: tuple[int, ...] = (9, 23, 37, 51, 65, 93), half_spread: float = 0.02,
    flat: float = 0.0,
) -> pd.DataFrame:  # fmt: skip
    strikes = np.arange(np.ceil(spot * (1 - width) / step), spot * (1 + width) / step) * step
    frames = []
    for count in days:
        expiry = date(2026, 8, 12) + timedelta(days=count)
        tau = year_fraction(AT, expiry)
        assert expiry_moment(expiry) > AT
        strike, right = np.repeat(strikes, 2), np.tile(["C", "P"], len(strikes))
        forward = spot * np.exp((rate - div_yield) * tau)
        x = np.log(strike / forward)
        vol = np.full(len(x), flat) if flat else 0.22 - 0.25 * x + 0.5 * x**2 + 0.02 * np.sqrt(tau)
        known: dict[str, Any] = {"spot": spot, "strike": strike, "tau": tau, "vol": vol, "right": right, "rate": rate}
        fair = price(**known, div_yield=div_yield)
        each = greeks(**known, div_yield=div_yield)
        frames.append(
            pd.DataFrame(
                {
                    "ts": pd.Timestamp(AT), "symbol": symbol, "trading_class": symbol, "expiry": pd.Timestamp(expiry),
                    "strike": strike, "right": right, "style": "american", "settlement": "PM", "multiplier": 100.0,
                    "bid": fair - half_spread, "ask": fair + half_spread, "last": np.nan, "bid_size": 10.0,
                    "ask_size": 10.0, "volume": 50.0, "open_interest": 1000.0 - np.abs(strike - spot), "spot": spot,
                    "forward": forward, "rate": rate, "div_yield": div_yield, "iv": vol,
                    **{name: each[name] for name in ("delta", "gamma", "vega", "theta", "rho")},
                    "quality": np.where(fair > half_spread, "ok", "one_sided"), "mid": fair, "tau": tau, "dte": count,
                }
            )
        )  # fmt: skip
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.astype({column: VOCABULARY[column].dtype for column in CHAIN_COLUMNS})
    frame["quality"] = frame["quality"].cat.set_categories(QUALITY_LABELS)
    frame.attrs = {"at": AT, "as_of": AT, "source": "test"}
    return frame[list(CHAIN_COLUMNS)]


@pytest.fixture(scope="session")
def make_chain() -> MakeChain:
    """Build a chain; keyword arguments change its underlying, grid and spreads."""
    return _chain


@pytest.fixture(scope="session")
def chain() -> pd.DataFrame:
    """Six expiries of a stock at 200."""
    return _chain()


def legs_of(record):
    """Tell the legs of one record of candidates."""
    return tuple((leg["right"], leg["qty"], leg["strike"], leg["expiry"]) for leg in record["legs"])
