"""Volatility of a constant maturity, skew and slope: laws on known surfaces, real chains, and what is missing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.analytics import iv_at_tenor, skew_25_delta, term_slope
from bifrost_lib.core.errors import InputError

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(vol=st.floats(0.08, 0.9), tenor=st.floats(9, 100))
def test_a_flat_surface_has_one_volatility_and_neither_skew_nor_slope(chain_of, later, vol, tenor):
    chain, at = chain_of(vol), later(0)
    assert iv_at_tenor(chain, at=at, tenor_days=tenor).value == pytest.approx(vol, rel=1e-9)
    assert skew_25_delta(chain, at=at).value == pytest.approx(0.0, abs=1e-9)
    assert term_slope(chain, at=at).value == pytest.approx(0.0, abs=1e-9)


@FEW
@given(scale=st.floats(0.01, 100))
def test_the_unit_of_money_and_the_order_of_rows_do_not_matter(chain_of, later, scale):
    def vol(k, tau):
        return 0.2 - 0.1 * k + 0.3 * k * k + 0.05 * math.sqrt(tau)

    base, other = chain_of(vol), chain_of(vol, spot=100.0 * scale).sample(frac=1, random_state=1)
    for measure in (iv_at_tenor, skew_25_delta, term_slope):
        assert measure(other, at=later(0)).value == pytest.approx(measure(base, at=later(0)).value, rel=1e-9)


def test_total_variance_is_linear_between_expiries(chain_of, later):
    chain = chain_of(lambda k, tau: 0.2 if tau < 0.07 else 0.3, days=(20, 40))
    expected = math.sqrt((0.5 * 0.04 * 20 + 0.5 * 0.09 * 40) / 30)
    assert iv_at_tenor(chain, at=later(0)).value == pytest.approx(expected, rel=1e-9)
    assert iv_at_tenor(chain, at=later(0), tenor_days=20).value == pytest.approx(0.2, rel=1e-9)
    assert iv_at_tenor(chain, at=later(0), tenor_days=40).value == pytest.approx(0.3, rel=1e-9)


def test_the_maturity_counts_from_the_moment_asked_about(chain_of, later):
    chain = chain_of(lambda k, tau: 0.2 if tau < 0.07 else 0.3, days=(20, 40))
    assert iv_at_tenor(chain, at=later(10)).value == pytest.approx(0.3, rel=1e-9)
    assert "outside" in iv_at_tenor(chain, at=later(11)).reason


def test_nothing_later_is_looked_at(chain_of, later):
    chain = chain_of(0.2)
    tomorrow = chain_of(0.9).assign(ts=pd.Timestamp(later(1)))
    assert iv_at_tenor(pd.concat([chain, tomorrow]), at=later(0.5)).value == pytest.approx(0.2, rel=1e-9)
    assert iv_at_tenor(chain, at=later(-1)).reason == "no good quote"


def test_a_put_skew_is_positive_and_is_what_the_surface_says(chain_of, later):
    def vol(k, tau):
        return np.clip(0.2 - 0.15 * k / math.sqrt(tau), 0.05, 0.5)

    def of_delta(delta, sign, tau):  # fixed point: the strike whose forward delta is `delta`
        k = 0.0
        for _ in range(200):
            iv = vol(k, tau)
            k = iv * math.sqrt(tau) * (iv * math.sqrt(tau) / 2 - sign * -0.6744897501960817)
        return vol(k, tau)

    chain, tau = chain_of(vol, days=(15, 30, 45), step=0.0025), 30 / 365
    put, call = of_delta(0.25, -1, tau), of_delta(0.25, 1, tau)
    assert put > call
    assert skew_25_delta(chain, at=later(0)).value == pytest.approx(put - call, rel=2e-3)
    assert iv_at_tenor(chain, at=later(0), delta=0.25, right="P").value == pytest.approx(put, rel=1e-3)
    assert iv_at_tenor(chain, at=later(0), delta=0.25, right="C").value == pytest.approx(call, rel=1e-3)


def test_a_falling_term_structure_has_a_negative_slope(chain_of, later):
    chain = chain_of(lambda k, tau: math.sqrt(0.04 + 0.001 / tau))
    near, far = (iv_at_tenor(chain, at=later(0), tenor_days=days).value for days in (30, 90))
    assert term_slope(chain, at=later(0)).value == far - near < 0


def test_a_call_and_put_that_disagree_are_averaged(chain_of, later):
    chain = chain_of(0.2)
    chain["iv"] = np.where(chain["right"] == "C", math.sqrt(0.05), math.sqrt(0.03))
    assert iv_at_tenor(chain, at=later(0)).value == pytest.approx(0.2, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.assign(quality="stale"), "no good quote"),
        (lambda c: c.assign(iv=np.nan), "no good quote"),
        (lambda c: c[c["strike"] > 101], "both sides"),
        (lambda c: c[(c["strike"] > 150) | (c["strike"] < 60)], "standard deviations"),
        (lambda c: c[c["tau"] > 0.2], "outside the expiries"),
        (lambda c: c[c["tau"] < 0.05], "outside the expiries"),
    ],
)
def test_what_is_missing_has_a_reason(chain_of, later, change, reason):
    found = iv_at_tenor(change(chain_of(0.2)), at=later(0))
    assert math.isnan(found.value)
    assert reason in found.reason


def test_a_chain_without_wings_has_no_skew(chain_of, later):
    narrow = chain_of(0.2)
    narrow = narrow[narrow["strike"].between(98.5, 101.5)]
    assert math.isfinite(iv_at_tenor(narrow, at=later(0)).value)
    found = skew_25_delta(narrow, at=later(0))
    assert math.isnan(found.value)
    assert "delta of 0.25" in found.reason


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"tenor_days": 0.0}, "tenor_days"), ({"delta": 1.0}, "delta"), ({"delta": 0.2, "right": "X"}, "right")],
)
def test_refusals_name_the_argument(chain_of, later, arguments, name):
    with pytest.raises(InputError) as caught:
        iv_at_tenor(chain_of(0.2), at=later(0), **arguments)
    assert caught.value.name == name


def test_a_missing_column_and_a_naive_moment_are_refused(chain_of, later):
    with pytest.raises(InputError) as caught:
        iv_at_tenor(chain_of(0.2).drop(columns="iv"), at=later(0))
    assert caught.value.name == "chain.iv"
    with pytest.raises(InputError) as caught:
        skew_25_delta(chain_of(0.2), at=later(0).replace(tzinfo=None))
    assert caught.value.name == "at"
    with pytest.raises(InputError) as caught:
        term_slope(chain_of(0.2), at=later(0), far_days=30)
    assert caught.value.name == "far_days"


@pytest.mark.samples
@pytest.mark.parametrize("session", ["2026-08-13", "2026-08-20"])
def test_real_chains_of_two_funds(real_chain, session):
    at = pd.Timestamp(f"{session} 20:00", tz="UTC").to_pydatetime()
    chains = {symbol: real_chain(symbol, session) for symbol in ("SPY", "QQQ")}
    iv = {symbol: iv_at_tenor(chain, at=at).value for symbol, chain in chains.items()}
    skew = {symbol: skew_25_delta(chain, at=at).value for symbol, chain in chains.items()}
    assert 0.10 < iv["SPY"] < 0.14
    assert 0.16 < iv["QQQ"] < 0.21
    assert 0.02 < skew["SPY"] < 0.05
    assert 0.03 < skew["QQQ"] < 0.06
    assert term_slope(chains["SPY"], at=at).reason.startswith("90 days lie outside"), "these chains end at 84 days"
