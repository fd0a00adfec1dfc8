"""Chains whose surfaces are drawn from the model, and real ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.microstructure import SurfaceModel, typical_surface
from bifrost_lib.pricing import greeks, price

DAYS = (9, 30, 58, 121, 240)


def make_chain(*, vol: Any = 0.25, scale: float = 100.0, half_spread: float = 0.02, strikes: int = 25) -> pd.DataFrame:
    """Return a chain of calls and puts; `vol` is a number, or one per row before the rows were made."""
    parts = []
    for number, days in enumerate(DAYS):
        tau = days / 365.0
        strike = scale * np.exp(0.25 * math.sqrt(tau) * np.linspace(-4, 3, strikes))
        for right in ("C", "P"):
            parts.append(pd.DataFrame({"expiry": number, "strike": strike, "right": right, "tau": tau}))
    chain = pd.concat(parts, ignore_index=True)
    iv = np.broadcast_to(vol, len(chain))
    given: dict[str, Any] = {
        "spot": scale,
        "strike": chain["strike"],
        "tau": chain["tau"],
        "vol": iv,
        "right": chain["right"],
    }
    mid = np.maximum(price(**given), 1e-9 * scale)
    half = np.minimum(half_spread * scale / 100, 0.9 * mid)
    return chain.assign(
        expiry=np.datetime64("2026-09-01", "s") + chain["expiry"].to_numpy() * np.timedelta64(7, "D"),
        trading_class="XYZ", settlement="PM", multiplier=100.0, forward=scale, iv=iv, bid=mid - half, ask=mid + half,
        vega=greeks(**given)["vega"], quality="ok",
    )  # fmt: skip


def drawn_chain(model: SurfaceModel, seed: int) -> pd.DataFrame:
    """Return a chain whose surface, and the noise of its quotes, are one draw of the model around 25 %."""
    from bifrost_lib.microstructure.surface_model import places_of
    from bifrost_lib.microstructure.surface_points import read_quotes

    chain = make_chain()
    quotes = read_quotes(chain, model.term)
    places = places_of(quotes, model)
    covariance = model.covariance(places, places) - 1.0  # less the free level
    values, vectors = np.linalg.eigh(covariance)
    rng = np.random.default_rng(seed)
    draw = vectors @ (np.sqrt(np.maximum(values, 0)) * rng.standard_normal(len(values)))
    variance = model.quote_variance(quotes)
    noise = np.sqrt(np.where(np.isfinite(variance), variance, 0.0)) * rng.standard_normal(len(chain))
    return make_chain(vol=0.25 * np.exp(draw[quotes.point] + noise))


@pytest.fixture
def chain_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes a chain of given volatilities."""
    return make_chain


@pytest.fixture
def model() -> SurfaceModel:
    """A model of a moderately varied surface."""
    term = typical_surface(make_chain()).term
    return SurfaceModel(term, level=0.1, slope=0.05, curve=0.1, curve_reach=3.0, expiry_reach=3.0)


@pytest.fixture
def drawn() -> Callable[[SurfaceModel, int], pd.DataFrame]:
    """Return a function that draws a chain from a model."""
    return drawn_chain


@pytest.fixture(scope="session")
def real_chain(samples: Path) -> Callable[[str, str], pd.DataFrame]:
    """Return a function that reads a fund's chain at the close of a session, with what ingestion adds to it."""
    from bifrost_lib.core.calendar import year_fractions
    from bifrost_lib.feeds import open_feed
    from bifrost_lib.workflows import with_analytics

    def read(symbol: str, session: str) -> pd.DataFrame:
        feed = open_feed(samples / "options" / "yahoo_eod_mit" / session / f"{symbol}.csv.gz")
        batches = [with_analytics(batch.quotes) for batch in feed.batches() if len(batch.quotes)]
        chain = pd.concat(batches, ignore_index=True)
        naive = chain["ts"].dt.tz_localize(None).to_numpy()
        is_am = (chain["settlement"] == "AM").to_numpy()
        found: pd.DataFrame = chain.assign(tau=year_fractions(naive, chain["expiry"].to_numpy(), is_am))
        return found

    return read
