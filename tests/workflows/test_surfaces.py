"""The surface of a whole chain: de-Americanised, arbitrage-free, and close to what is quoted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS, VOCABULARY
from bifrost_lib.pricing import american_price, calendar_crossings, price
from bifrost_lib.workflows import ingest_paths, open_desk, read_chain, volatility_surface

RATE, DIV_YIELD, SPOT, VOL = 0.05, 0.01, 100.0, 0.3


def chain(style: str) -> pd.DataFrame:
    """Quotes of one volatility, a cent wide, with the forwards that belong to them."""
    strike, tau, right = (grid.ravel() for grid in np.meshgrid(np.arange(60.0, 161.0, 4), [0.1, 0.5, 1.5], ["P", "C"]))
    value = (american_price if style == "american" else price)(
        spot=SPOT, strike=strike, tau=tau, vol=VOL, right=right, rate=RATE, div_yield=DIV_YIELD
    )
    columns = {
        "symbol": "XYZ", "strike": strike, "right": right, "style": style, "tau": tau, "spot": SPOT, "rate": RATE,
        "div_yield": DIV_YIELD, "forward": SPOT * np.exp((RATE - DIV_YIELD) * tau), "bid": value - 0.005,
        "ask": value + 0.005, "mid": value, "quality": "ok",
    }  # fmt: skip
    frame = pd.DataFrame(columns).reindex(columns=list(CHAIN_COLUMNS))
    return frame.astype({name: VOCABULARY[name].dtype for name in CHAIN_COLUMNS if frame[name].notna().any()})


@pytest.mark.parametrize("style", ["american", "european"])
def test_exercise_does_not_bend_the_surface(style):
    surface = volatility_surface(chain(style))
    k = np.linspace(-0.3, 0.3, 13)
    for tau in (0.1, 0.5, 1.5):
        np.testing.assert_allclose(surface.iv(tau=tau, log_moneyness=k), VOL, atol=2e-5)


def test_a_chain_of_two_underlyings_is_refused():
    both = pd.concat([chain("european"), chain("european").assign(symbol="ABC")])
    with pytest.raises(InputError) as caught:
        volatility_surface(both)
    assert caught.value.name == "chain"


@pytest.mark.samples
@pytest.mark.slow
def test_real_chains_lose_their_arbitrage_and_keep_their_level(samples, database_settings):
    files = sorted((samples / "options" / "yahoo_eod_mit" / "2026-08-12").glob("*.csv.gz"))
    with open_desk(settings=database_settings) as desk:
        reports = list(ingest_paths(desk, files))
        assert {report.state for report in reports} == {"stored"}, reports
        for symbol in ("SPY", "QQQ"):
            quotes = read_chain(desk, symbol)
            raw, kept = (volatility_surface(quotes, arbitrage=word) for word in ("allow", "remove"))
            assert calendar_crossings(raw.slices).crossed.any()
            assert np.diff(kept.slices.total_variance(np.sinh(np.linspace(-5, 5, 801))), axis=0).min() > -1e-10
            assert not kept.slices.has_butterfly_arbitrage.any()
            np.testing.assert_allclose(kept.atm_vol(kept.tau), raw.atm_vol(raw.tau), atol=0.012)  # a day to live: 0.98
            assert np.median(kept.rmse_vol) < 0.010  # wide quotes far out count little in the fit
