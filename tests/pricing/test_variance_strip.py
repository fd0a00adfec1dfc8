"""Variance and skewness of an option strip: CBOE's printed examples, the limits they are built for, and poor quotes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import skew_index, strip_moments, strip_terms, strip_variance, vix_index
from bifrost_lib.pricing.variance_strip import corrections

# Mids of the options in the sample calculation of Cboe's white paper, as runs "first strike + step: mids".
NEAR = """
1370+5: .2 .125 .15 .225 .225 .125 .125; 1410+10: .225 .225; 1425+5: .175 .225 .275 .175 .225 .2 .25 .25 .25 .25
.2 .25 .35 .175 .275 .325 .325 .3 .3 .35 .35 .325 .375 .375 .375 .5 .425 .425 .425 .475 .55 .525 .525 .525 .525
.675 .575 .625 .625 .625 .675 .675 .725 .725 .775 .675 .825 .825 .875 .875 .925 .975 1.025 1.025 1.075 1.125
1.125 1.175 1.225 1.275 1.325 1.375 1.425 1.475 1.55 1.6 1.675 1.75 1.825 1.9 2 2.075 2.175 2.25 2.375 2.525
2.625 2.775 2.95 3.075 3.3 3.45 3.65 3.9 4.1 4.35 4.65 4.95 5.25 5.6 6 6.4 6.85 7.35 7.9 8.3 9 9.65 10.6 11.4
12.1 13.25 14.15 15.25 16.55 18.25 19.75 22.775 21.05 18.1 15.25 12.75 10.45 8.45 6.65 4.95 3.8 2.875 2.025 1.45
1.125 .725 .525 .5 .4 .25 .325 .225 .175 .15 .15 .25 .225 .1 .2 .1; 2125+0: .1
"""
NEXT = """
1275+50: .075 .15; 1350+25: .15 .175 .2 .25 .3 .35 .4; 1510+10: .425 .45; 1525+5: .475 .5; 1540+10: .525 .55;
1555+5: .575 .6 .625 .65 .675 .675 .7 .725 .75 .775 .8 .825 .85 .875 .9 .95 .975 1 1.025 1.075 1.1 1.15 1.2
1.225 1.275 1.325 1.375 1.425 1.475 1.525 1.6 1.675 1.725 1.8 1.85 1.925 2 2.1 2.175 2.275 2.375 2.475 2.575
2.725 2.825 3 3.1 3.25 3.45 3.6 3.8 3.95 4.2 4.4 4.65 4.9 5.15 5.45 5.75 6.05 6.45 6.75 7.15 7.65 8.15 8.6 9.2
9.75 10.4 11.1 11.8 12.6 13.45 14.4 15.4 16.4 17.6 18.8 20.2 21.6 23.2 26.1 24.15 21.1 18.3 15.7 13.3 11.1 9.15
7.4 5.85 4.65 3.55 2.7 2.05 1.55 1.15 .875 .675 .575; 2060+10: .35 .25; 2075+25: .2 .15 .1 .1; 2200+0: .075
"""


def _paper_term(text: str, *, minutes: float, rate: float, pairs: dict[float, tuple[float, float]]) -> Any:
    mids: dict[float, float] = {}
    for run in text.replace("\n", " ").split(";"):
        place, values = run.split(":")
        first, step = (float(part) for part in place.split("+"))
        mids |= {first + step * i: float(value) for i, value in enumerate(values.split())}
    strike = np.array(sorted(mids))
    mid = np.array([mids[k] for k in strike])
    call, put = np.where(strike > 1960, mid, np.nan), np.where(strike < 1960, mid, np.nan)
    for k, (c, p) in pairs.items():
        call[strike == k], put[strike == k] = c, p
    return {"strike": strike, "call_mid": call, "put_mid": put, "minutes": minutes, "rate": rate}


def _paper(near_minutes, far_minutes, near_rate, far_rate):
    near = _paper_term(NEAR, minutes=near_minutes, rate=near_rate, pairs={1960: (24.25, 21.30), 1965: (21.05, 23.15)})
    far = _paper_term(NEXT, minutes=far_minutes, rate=far_rate, pairs={1960: (27.30, 24.90)})
    return {"near": near, "far": far}


def _normal_cdf(x):
    return 0.5 * np.array([math.erfc(-value / math.sqrt(2)) for value in np.atleast_1d(x)])


def _undiscounted(forward, strike, total_vol):
    d1 = np.log(forward / strike) / total_vol + total_vol / 2
    call = forward * _normal_cdf(d1) - strike * _normal_cdf(d1 - total_vol)
    return call, call - forward + strike


def _dense(*, parts, days, rate=0.03, forward=100.0, step=0.1):
    """Mids of an underlying whose price is a mixture of lognormals: weight, forward and vol of each part."""
    tau = days / 365
    strike = np.arange(20.0, 300.0, step)
    assert sum(weight * center for weight, center, _ in parts) == pytest.approx(forward)
    sides = sum(
        weight * math.exp(-rate * tau) * np.array(_undiscounted(center, strike, vol * math.sqrt(tau)))
        for weight, center, vol in parts
    )
    call, put = np.maximum(sides, 1e-300)
    return {"strike": strike, "call_mid": call, "put_mid": put, "minutes": days * 1440.0, "rate": rate}


@pytest.mark.parametrize(
    ("near_minutes", "far_minutes", "near_rate", "far_rate", "published"),
    [(34484, 44954, 0.00031664, 0.00028797, 13.927842), (35924, 46394, 0.000305, 0.000286, 13.685821)],
)
def test_vix_white_papers(near_minutes, far_minutes, near_rate, far_rate, published):
    assert vix_index(**_paper(near_minutes, far_minutes, near_rate, far_rate)) == pytest.approx(published, abs=5e-7)


def test_vix_white_paper_forward_center_and_contributions():
    near = strip_variance(**_paper(35924, 46394, 0.000305, 0.000286)["near"])
    assert near.forward == pytest.approx(1962.89996, abs=5e-6)
    assert near.center_strike == 1960
    assert near.contribution[0] == pytest.approx(5 * 0.2 / 1370**2, rel=1e-4)  # the paper prints 0.0000005328
    assert near.contribution[-1] == pytest.approx(25 * 0.1 / 2125**2, rel=1e-4)  # and 0.0000005536
    assert near.spacing[near.strike == 2100] == 15.0
    assert near.reason == ""


def test_skew_paper_corrections():
    # Cboe, "The CBOE SKEW Index" (2010): forward 1106.85, center strike 1105.
    first, second, _ = corrections(1106.85, 1105.0, "cboe")
    assert first == pytest.approx(1.40e-6, abs=5e-9)
    assert second == pytest.approx(-4.2e-6, abs=5e-8)


@pytest.mark.parametrize("center", [95.0, 99.0, 100.0])
def test_exact_corrections_are_the_payoffs_first_order_expansion(center):
    log_center, excess = math.log(center / 100), 100 / center - 1
    expected = [log_center**n + n * log_center ** (n - 1) * excess for n in (1, 2, 3)]
    assert corrections(100.0, center, "exact") == pytest.approx(expected, rel=1e-12, abs=1e-18)


@pytest.mark.parametrize("vol", [0.12, 0.35])
def test_flat_volatility_is_recovered_and_not_skewed(vol):
    near, far = (_dense(parts=[(1.0, 100.0, vol)], days=days) for days in (24, 38))
    assert strip_variance(**near).variance == pytest.approx(vol**2, rel=3e-4)
    assert vix_index(near=near, far=far) == pytest.approx(100 * vol, rel=3e-4)
    assert skew_index(near=near, far=far) == pytest.approx(100.0, abs=0.02)


def test_error_shrinks_with_the_square_of_the_spacing():
    errors = []
    for step in (1.0, 0.5, 0.25):
        term = _dense(parts=[(1.0, 100.0, 0.2)], days=30, step=step)
        errors.append(abs(strip_variance(**term).variance - 0.04))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("forward_off_grid", [0.0, 0.73])
def test_moments_of_a_mixture_of_lognormals(forward_off_grid):
    forward, tau = 100.0 + forward_off_grid, 30 / 365
    low = 0.88 * forward
    parts = [(0.1, low, 0.45), (0.9, (forward - 0.1 * low) / 0.9, 0.15)]
    term = _dense(parts=parts, days=30, forward=forward, step=0.05)
    found = strip_moments(term=term, correction="exact")
    means = [math.log(center / forward) - vol**2 * tau / 2 for _, center, vol in parts]
    variances = [vol**2 * tau for _, _, vol in parts]
    raw = [
        sum(p[0] * m for p, m in zip(parts, means, strict=True)),
        sum(p[0] * (m**2 + v) for p, m, v in zip(parts, means, variances, strict=True)),
        sum(p[0] * (m**3 + 3 * m * v) for p, m, v in zip(parts, means, variances, strict=True)),
    ]
    skewness = (raw[2] - 3 * raw[0] * raw[1] + 2 * raw[0] ** 3) / (raw[1] - raw[0] ** 2) ** 1.5
    assert skewness < -1
    assert (found.first, found.second, found.third) == pytest.approx(tuple(raw), rel=2e-4)
    assert found.skewness == pytest.approx(skewness, rel=1e-3)
    assert strip_moments(term=term).skewness == pytest.approx(skewness, rel=1e-2)


def test_skew_is_linear_in_time_between_the_expiries():
    parts = [(0.2, 90.0, 0.4), (0.8, 102.5, 0.2)]
    near, far = _dense(parts=parts, days=24, step=1.0), _dense(parts=parts, days=38, step=1.0)
    first, second = (100 - 10 * strip_moments(term=term).skewness for term in (near, far))
    assert skew_index(near=near, far=far, days=24) == pytest.approx(first, rel=1e-12)
    assert skew_index(near=near, far=far, days=31) == pytest.approx((first + second) / 2, rel=1e-12)
    assert first > second > 100


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.001, 1000), vol=st.floats(0.05, 0.8))
def test_the_unit_of_money_does_not_matter(scale, vol):
    near, far = (_dense(parts=[(1.0, 100.0, vol)], days=days, step=2.5) for days in (20, 40))
    scaled = [term | {name: term[name] * scale for name in ("strike", "call_mid", "put_mid")} for term in (near, far)]
    assert vix_index(near=scaled[0], far=scaled[1]) == pytest.approx(vix_index(near=near, far=far), rel=1e-9)


def _quotes():
    strike = np.arange(80.0, 121.0, 5.0)
    call, put = _undiscounted(101.0, strike, 0.1)
    half = 0.01
    return {
        "strike": strike,
        "call_bid": call - half,
        "call_ask": call + half,
        "put_bid": put - half,
        "put_ask": put + half,
        "minutes": 40_000.0,
    }


def test_two_strikes_without_a_bid_end_a_side_and_one_does_not():
    quotes = _quotes()
    quotes["put_bid"][[3, 1, 0]] = [0.0, np.nan, 0.0]
    quotes["call_bid"][[6, 7]] = 0.0
    found = strip_variance(**quotes)
    assert found.strike.tolist() == [90, 100, 105]
    assert found.spacing.tolist() == [10, 7.5, 5]
    assert found.center_strike == 100
    assert found.mid[1] == pytest.approx((quotes["call_bid"][4] + quotes["put_bid"][4]) / 2 + 0.01)


def test_order_of_strikes_does_not_matter_and_a_given_forward_is_used():
    quotes = _quotes()
    shuffled = {k: v[::-1] if isinstance(v, np.ndarray) else v for k, v in quotes.items()}
    assert strip_variance(**shuffled).variance == strip_variance(**quotes).variance
    assert strip_variance(**quotes, forward=106.0).center_strike == 105
    assert strip_variance(**quotes, forward=105.0).center_strike == 105


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"call_bid": np.zeros(9)}, "both options"),
        ({"forward": 79.0}, "at or below the forward"),
        ({"forward": 84.0}, "one side"),
        ({"forward": 106.0, "call_bid": np.array([20.0, 15, 10, 5, 2, 0, 1, 0.5, 0.1])}, "center strike"),
    ],
)
def test_no_strip_is_nan_with_a_reason(change, reason):
    quotes = _quotes() | change
    found = strip_variance(**quotes)
    assert math.isnan(found.variance)
    assert reason in found.reason
    assert math.isnan(vix_index(near=quotes, far=_quotes() | {"minutes": 50_000.0}))
    assert math.isnan(strip_moments(term=quotes).skewness)


def test_terms_are_taken_from_a_chain():
    near, far = (_quotes() | {"minutes": minutes} for minutes in (40_000.0, 50_000.0))
    rows: dict[str, list[Any]] = {name: [] for name in ("strike", "right", "bid", "ask", "minutes")}
    for minutes in (90_000.0, 40_000.0, 50_000.0, 10_000.0):
        for right, side in (("P", "put"), ("C", "call")):
            rows["strike"] += near["strike"].tolist()
            rows["right"] += [right] * 9
            rows["bid"] += near[f"{side}_bid"].tolist()
            rows["ask"] += near[f"{side}_ask"].tolist()
            rows["minutes"] += [minutes] * 9
    chain = {name: np.array(values) for name, values in rows.items()}
    found = strip_terms(**chain)
    assert [term["minutes"] for term in found] == [40_000, 50_000]
    assert vix_index(near=found[0], far=found[1]) == vix_index(near=near, far=far)
    assert [term["minutes"] for term in strip_terms(**chain, days=2.0)] == [10_000, 40_000]
    assert [term["minutes"] for term in strip_terms(**chain, days=200.0)] == [50_000, 90_000]
    with pytest.raises(InputError) as caught:
        strip_terms(**(chain | {"minutes": np.full(72, 40_000.0)}))
    assert caught.value.name == "minutes"
    with pytest.raises(InputError) as caught:
        strip_terms(**(chain | {"strike": np.full(72, 100.0)}))
    assert caught.value.name == "strike"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"minutes": 0.0}, "minutes"),
        ({"minutes": math.nan}, "minutes"),
        ({"rate": math.inf}, "rate"),
        ({"forward": -1.0}, "forward"),
        ({"strike": np.full(9, 100.0)}, "strike"),
        ({"call_bid": np.ones(8)}, "call_bid"),
        ({"call_bid": None}, "quotes"),
        ({"call_mid": np.ones(9)}, "quotes"),
    ],
)
def test_refusals_name_the_argument(change, name):
    with pytest.raises(InputError) as caught:
        strip_variance(**(_quotes() | change))
    assert caught.value.name == name


def test_indices_refuse_wrong_terms():
    near, far = _quotes(), _quotes() | {"minutes": 50_000.0}
    for arguments, name in (
        ({"near": far, "far": near}, "far"),
        ({"near": near, "far": far, "days": 0.0}, "days"),
        ({"near": near | {"bids": 1}, "far": far}, "term"),
    ):
        with pytest.raises(InputError) as caught:
            vix_index(**arguments)
        assert caught.value.name == name
    with pytest.raises(InputError) as caught:
        skew_index(near=near, far=far, correction="mine")
    assert caught.value.name == "correction"


@pytest.mark.samples
@pytest.mark.parametrize("session", ["2026-08-13", "2026-08-20"])
def test_real_chains_of_two_funds(samples, session):
    import pandas as pd

    found = {}
    for symbol in ("SPY", "QQQ"):
        chain = pd.read_csv(samples / "options" / "yahoo_eod_mit" / session / f"{symbol}.csv.gz")
        days = (pd.to_datetime(chain["expiry"]) - pd.Timestamp(session)).dt.days
        chain, days = chain[days > 0], days[days > 0]
        near, far = strip_terms(
            strike=chain["strike"],
            right=chain["type"],
            bid=chain["bid"],
            ask=chain["ask"],
            minutes=days * 1440.0,
            rate=0.036,
        )
        assert near["minutes"] <= 30 * 1440 < far["minutes"]
        found[symbol] = vix_index(near=near, far=far), skew_index(near=near, far=far)
        at_forward = chain.iloc[(chain["strike"] - strip_variance(**near).forward).abs().to_numpy().argsort()[:1]]
        assert abs(at_forward["strike"].iloc[0] / chain["spot"].iloc[0] - 1) < 0.01
    # Large stocks that fall faster than they rise; those of the Nasdaq move more and are skewed less.
    assert 13 < found["SPY"][0] < 17
    assert 20 < found["QQQ"][0] < 24
    assert 120 < found["QQQ"][1] < found["SPY"][1] < 145
