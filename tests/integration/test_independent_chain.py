"""A chain of known volatility goes in by csv; what comes out is checked against formulas written here with scipy."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

SPOT, RATE, DIV_YIELD = 412.37, 0.0431, 0.0127
QUOTED = "2023-03-15 16:00"
EXPIRIES = ("2023-03-31", "2023-04-21", "2023-06-16", "2024-01-19")


def smile(strike, tau):
    x = np.log(strike / SPOT)
    return 0.21 - 0.12 * x + 0.25 * x * x + 0.01 * np.sqrt(tau)


def black_scholes(strike, tau, vol, sign):
    d1 = (np.log(SPOT / strike) + (RATE - DIV_YIELD + vol**2 / 2) * tau) / (vol * np.sqrt(tau))
    d2 = d1 - vol * np.sqrt(tau)
    spot_part = SPOT * np.exp(-DIV_YIELD * tau) * norm.cdf(sign * d1)
    return sign * (spot_part - strike * np.exp(-RATE * tau) * norm.cdf(sign * d2))


def write_chain(path: Path) -> pd.DataFrame:
    strikes = np.arange(330.0, 495.0, 5.0)
    rows = []
    for expiry, strike in itertools.product(EXPIRIES, strikes):
        tau = (date.fromisoformat(expiry) - date(2023, 3, 15)).days / 365
        tau -= 0.0 if expiry < "2023-03-12" or expiry < "2023-11-05" else -1 / 24 / 365  # back to winter time
        vol = smile(strike, tau)
        call, put = (black_scholes(strike, tau, vol, sign) for sign in (+1, -1))
        rows.append((QUOTED, SPOT, expiry, strike, call * 0.99, call * 1.01, put * 0.99, put * 1.01, vol, tau))
    names = ["[QUOTE_READTIME]", "[UNDERLYING_LAST]", "[EXPIRE_DATE]", "[STRIKE]", "[C_BID]", "[C_ASK]", "[P_BID]",
             "[P_ASK]", "vol", "tau"]  # fmt: skip
    chain = pd.DataFrame(rows, columns=names)
    epoch = int(pd.Timestamp(QUOTED, tz="America/New_York").timestamp())
    written = chain.drop(columns=["vol", "tau"])
    written.insert(0, "[QUOTE_UNIXTIME]", epoch)
    written.to_csv(path, index=False)
    return chain


@pytest.fixture(scope="module")
def truth(home: Path) -> pd.DataFrame:
    return write_chain(home / "acme_eod_202303.txt")


@pytest.fixture
def rows(bifrost, home, truth) -> pd.DataFrame:
    bifrost("ingest", home / "acme_eod_202303.txt", "--symbol", "ACME", "--format", "optionsdx", "--json")
    found = bifrost("chain", "ACME", "--at", "2023-03-15T20:00Z", "--json")
    assert found["spot"] == SPOT
    frame = pd.DataFrame(found["rows"])
    return frame.merge(truth, left_on=["expiry", "strike"], right_on=["[EXPIRE_DATE]", "[STRIKE]"], suffixes=("", "_"))


def test_implied_volatility_is_the_one_that_made_the_prices(rows, truth):
    assert len(rows) == 2 * len(truth)
    assert (rows["quality"] == "ok").all()
    np.testing.assert_allclose(rows["tau"], rows["tau_"], rtol=1e-12)
    telling = np.maximum(rows["vega"], 0) > 1e-2
    assert telling.mean() > 0.8
    assert np.abs(rows["iv"] - rows["vol"])[telling].max() < 1e-6


def test_forward_rate_and_yield_come_back_from_parity(rows):
    np.testing.assert_allclose(rows["forward"], SPOT * np.exp((RATE - DIV_YIELD) * rows["tau"]), rtol=1e-9)
    np.testing.assert_allclose(rows["rate"], RATE, atol=1e-7)
    np.testing.assert_allclose(rows["div_yield"], DIV_YIELD, atol=1e-7)


def test_greeks_are_the_closed_form(rows):
    sign = np.where(rows["right"] == "C", 1.0, -1.0)
    s, k, t, v, r, q = SPOT, rows["strike"], rows["tau"], rows["iv"], rows["rate"], rows["div_yield"]
    d1 = (np.log(s / k) + (r - q + v**2 / 2) * t) / (v * np.sqrt(t))
    d2 = d1 - v * np.sqrt(t)
    carried, discounted = s * np.exp(-q * t), k * np.exp(-r * t)
    expected = {
        "delta": sign * np.exp(-q * t) * norm.cdf(sign * d1),
        "gamma": np.exp(-q * t) * norm.pdf(d1) / (s * v * np.sqrt(t)),
        "vega": carried * norm.pdf(d1) * np.sqrt(t),
        "rho": sign * discounted * t * norm.cdf(sign * d2),
        "theta": -carried * norm.pdf(d1) * v / (2 * np.sqrt(t))
        + sign * (q * carried * norm.cdf(sign * d1) - r * discounted * norm.cdf(sign * d2)),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(rows[name], values, rtol=1e-8, atol=1e-12, err_msg=name)


def test_an_iron_condor_is_worth_what_arithmetic_says(bifrost, rows):
    found = bifrost("scan", "ACME", "--strategy", "iron_condor", "--dte", "20:60", "--top", "5", "--json")
    assert found["symbol"] == "ACME"
    assert [candidate["rank"] for candidate in found["candidates"]] == [1, 2, 3, 4, 5]
    mids = rows.set_index(["expiry", "strike", "right"])["mid"]
    for candidate in found["candidates"]:
        legs = candidate["legs"]
        assert sorted(leg["qty"] for leg in legs) == [-1, -1, 1, 1]
        credit = -sum(leg["qty"] * mids[leg["expiry"], leg["strike"], leg["right"]] for leg in legs)
        strike = {(leg["right"], leg["qty"]): leg["strike"] for leg in legs}
        widest = max(strike["P", -1] - strike["P", 1], strike["C", 1] - strike["C", -1])
        assert candidate["premium"] == pytest.approx(100 * credit, rel=1e-12)
        assert candidate["max_profit"] == pytest.approx(100 * credit, rel=1e-12)
        assert candidate["max_loss"] == pytest.approx(100 * (widest - credit), rel=1e-12)
        assert candidate["breakevens"] == pytest.approx([strike["P", -1] - credit, strike["C", -1] + credit], rel=1e-12)
        assert candidate["return_on_risk"] == pytest.approx(credit / (widest - credit), rel=1e-12)
        assert 0 < candidate["pop"] < 1


def test_ingesting_again_changes_nothing(bifrost, home, rows):
    again = bifrost("ingest", home / "acme_eod_202303.txt", "--symbol", "ACME", "--format", "optionsdx", "--json")
    (report,) = again["files"]
    assert report["rows_stored"] == 0
    assert report["rows_read"] == len(rows)


def test_mistakes_are_one_line(bifrost, home, rows):
    assert "ACME" in bifrost("chain", "ACNE", fails=True)
    assert "iron_condor" in bifrost("scan", "ACME", "--strategy", "iron_condr", fails=True)
    assert "2023-03-15" in bifrost("chain", "ACME", "--at", "2020-01-01T00:00Z", fails=True)
    assert "scan" in bifrost("scn", fails=True)
    assert "no-such-file" in bifrost("ingest", home / "no-such-file.csv", fails=True)
