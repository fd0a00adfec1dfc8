"""The pass over a batch of quotes: what it recovers, what it leaves missing, and the reason it gives."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing import greeks, price, quote_analytics


def _analyse(chain, **changes):
    return quote_analytics(
        **({name: values for name, values in chain.items() if name != "vol"} | {"american": False} | changes)
    )


@pytest.mark.parametrize("american", [False, True, "each"])
def test_what_went_in_comes_out(european_chain, american):
    chain = european_chain(half_spread=1e-9)
    flags = np.arange(len(chain["strike"])) % 3 == 0 if american == "each" else american
    found = _analyse(chain, american=flags)
    right = np.where(chain["is_call"], "C", "P")
    truth = {"spot": chain["spot"], "strike": chain["strike"], "tau": chain["tau"], "right": right,
             "rate": 0.05, "div_yield": 0.01, "vol": chain["vol"]}  # fmt: skip
    np.testing.assert_allclose(found.forward, 100 * np.exp(0.04 * chain["tau"]), rtol=1e-12)
    np.testing.assert_allclose(found.rate, 0.05, atol=1e-11)
    np.testing.assert_allclose(found.div_yield, 0.01, atol=1e-11)
    vega = greeks(**truth)["vega"]
    carried = (found.quality == Quality.OK) & (vega > 1e-3)
    assert carried.sum() > 100
    np.testing.assert_allclose(found.iv[carried], chain["vol"][carried], atol=1e-9)


def test_greeks_are_the_closed_form_of_what_is_returned(european_chain):
    chain = european_chain(half_spread=0.02)
    found = _analyse(chain)
    solved = ~np.isnan(found.iv)
    assert solved.sum() > 100
    expected = greeks(
        spot=chain["spot"][solved],
        strike=chain["strike"][solved],
        tau=chain["tau"][solved],
        vol=found.iv[solved],
        right=chain["is_call"][solved],
        rate=found.rate[solved],
        div_yield=found.div_yield[solved],
    )
    for name in ("delta", "gamma", "vega", "theta", "rho"):
        np.testing.assert_allclose(getattr(found, name)[solved], expected[name], rtol=1e-10, atol=1e-14, err_msg=name)
    mid = 0.5 * (chain["bid"] + chain["ask"])[solved]
    again = price(
        spot=found.forward[solved], strike=chain["strike"][solved], tau=chain["tau"][solved], vol=found.iv[solved],
        right=chain["is_call"][solved], rate=found.rate[solved], div_yield=found.rate[solved],
    )  # fmt: skip
    np.testing.assert_allclose(again, mid, rtol=1e-12, atol=1e-12)


FLAWS = [
    ({"bid": np.nan, "ask": np.nan}, Quality.NO_QUOTE, False),
    ({"bid": 0.0, "ask": 0.0}, Quality.NO_QUOTE, False),
    ({"bid": np.nan}, Quality.ONE_SIDED, False),
    ({"bid": 0.0}, Quality.ONE_SIDED, False),
    ({"ask": np.nan}, Quality.ONE_SIDED, False),
    ({"bid": 9.0, "ask": 8.5}, Quality.CROSSED, True),
    ({"bid": 0.01, "ask": 0.02}, Quality.BELOW_INTRINSIC, False),
    ({"bid": 100.0, "ask": 101.0}, Quality.ABOVE_MAXIMUM, False),
    ({"bid": 0.0, "ask": 1.0, "spot": np.nan}, Quality.ONE_SIDED, False),
    ({"bid": 9.0, "ask": 8.5, "spot": np.nan}, Quality.CROSSED, True),
]


@pytest.mark.parametrize(("changes", "reason", "has_iv"), FLAWS)
def test_the_first_flaw_is_the_reason_and_stays_alone(european_chain, changes, reason, has_iv):
    chain = european_chain(half_spread=0.01)
    row = int(np.flatnonzero((chain["strike"] == 95.0) & chain["is_call"] & (chain["group"] == 1))[0])
    clean = _analyse(chain)
    for name, value in changes.items():
        chain[name][row] = value
    found = _analyse(chain)
    assert Quality(int(found.quality[row])) is reason
    assert np.isnan(found.iv[row]) != has_iv
    others = np.arange(len(chain["strike"])) != row
    np.testing.assert_array_equal(found.quality[others], clean.quality[others])
    np.testing.assert_allclose(found.iv[others], clean.iv[others], rtol=1e-6)


def test_without_spot_forward_and_volatility_remain(european_chain):
    chain = european_chain(half_spread=0.01)
    with_spot = _analyse(chain)
    for unknown in (np.nan, 0.0):
        found = _analyse(chain, spot=np.full(len(chain["strike"]), unknown))
        np.testing.assert_array_equal(found.iv, with_spot.iv)
        np.testing.assert_array_equal(found.forward, with_spot.forward)
        solved = with_spot.quality == Quality.OK
        assert (found.quality[solved] == Quality.NO_SPOT).all()
        for name in ("div_yield", "delta", "gamma", "vega", "theta", "rho"):
            assert np.isnan(getattr(found, name)).all(), name


def test_expired_quotes_have_nothing(european_chain):
    chain = european_chain(taus=(0.1, 0.2, 0.25), half_spread=1e-9)
    chain["tau"][chain["group"] == 0], chain["tau"][chain["group"] == 1] = -1 / 365, 0.0
    over = chain["tau"] <= 0
    chain["bid"][over], chain["ask"][over] = 1.0, 1.1
    found = _analyse(chain)
    assert (found.quality[over] == Quality.EXPIRED).all()
    assert np.isnan(found.iv[over]).all()
    assert (found.quality[~over] == Quality.OK).mean() > 0.8


def test_an_expiry_without_pairs_borrows_from_its_neighbours(european_chain):
    chain = european_chain(taus=(0.1, 0.25, 0.5, 1.0), half_spread=1e-9)
    lonely = ((chain["group"] == 1) | (chain["group"] == 3)) & ~chain["is_call"]
    chain["bid"][lonely] = chain["ask"][lonely] = np.nan
    found = _analyse(chain)
    np.testing.assert_allclose(found.forward, 100 * np.exp(0.04 * chain["tau"]), rtol=1e-10)
    np.testing.assert_allclose(found.rate, 0.05, atol=2e-3)
    calls = chain["is_call"] & (chain["group"] == 1) & (chain["strike"] >= 100) & (chain["strike"] < 120)
    np.testing.assert_allclose(found.iv[calls], chain["vol"][calls], rtol=1e-2)


def test_nobody_to_borrow_from(european_chain):
    chain = european_chain(taus=(0.25,), half_spread=1e-9)
    chain["bid"][~chain["is_call"]] = np.nan
    found = _analyse(chain)
    assert (found.quality[chain["is_call"]] == Quality.NO_FORWARD).all()
    assert (found.quality[~chain["is_call"]] == Quality.ONE_SIDED).all()
    assert np.isnan(found.iv).all()


def test_batches_of_many_moments_are_independent(european_chain):
    parts = [european_chain(spot=spot, rate=rate, first_group=10 * number, half_spread=1e-9)
             for number, (spot, rate) in enumerate(((100.0, 0.05), (90.0, -0.01), (110.0, 0.09)))]  # fmt: skip
    whole = _analyse({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    alone = [_analyse(part) for part in parts]
    for name in ("forward", "rate", "div_yield", "iv", "delta", "theta", "quality"):
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate([getattr(one, name) for one in alone]))


def test_empty_batch():
    empty = np.empty(0)
    found = quote_analytics(
        group=empty,
        tau=empty,
        strike=empty,
        is_call=empty.astype(bool),
        bid=empty,
        ask=empty,
        spot=empty,
        american=True,
    )
    assert found.iv.shape == found.quality.shape == (0,)


@pytest.mark.parametrize(("name", "change"), [
    ("strike", lambda chain: chain["strike"].__setitem__(3, -1.0)),
    ("strike", lambda chain: chain["strike"].__setitem__(3, 200.0)),
    ("spot", lambda chain: chain.update(spot=chain["spot"][:-1])),
    ("is_call", lambda chain: chain.update(is_call=np.full(len(chain["strike"]), 7))),
])  # fmt: skip
def test_a_batch_that_is_not_what_it_says_is_refused(european_chain, name, change):
    chain = european_chain()
    change(chain)
    with pytest.raises(InputError) as refused:
        _analyse(chain)
    assert refused.value.name == ("right" if name == "is_call" else name)


@pytest.mark.samples
def test_a_real_chain_has_sensible_numbers(samples):
    archive = samples / "options/lean/option/usa/daily/aapl_2014_quote_american.zip"
    rows = []
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            *_, right, strike, expiry = name.removesuffix(".csv").split("_")
            for line in io.TextIOWrapper(opened.open(name), "ascii"):
                fields = line.strip().split(",")
                if fields[0].startswith("20140606"):
                    rows.append((expiry, int(strike) / 1e4, right == "call", fields[4], fields[9]))
    frame = pd.DataFrame(rows, columns=["expiry", "strike", "is_call", "bid", "ask"])
    frame = frame.sort_values(["expiry", "strike", "is_call"], ignore_index=True)
    tau = (pd.to_datetime(frame["expiry"]) - pd.Timestamp("2014-06-06")).dt.days / 365
    found = quote_analytics(
        group=frame.groupby("expiry").ngroup(), tau=tau, strike=frame["strike"], is_call=frame["is_call"],
        bid=pd.to_numeric(frame["bid"]) / 1e4, ask=pd.to_numeric(frame["ask"]) / 1e4, spot=np.full(len(frame), 645.57),
        american=True,
    )  # fmt: skip
    live = tau.to_numpy() > 0.15  # several months: short expiries hardly know their rate
    carry = (found.rate - found.div_yield)[live]
    assert (found.quality == Quality.OK).mean() > 0.75
    assert -0.015 < np.nanmedian(carry) < -0.005
    assert np.nanmin(found.rate[live]) > -0.01
    assert np.nanmax(found.rate[live]) < 0.02
    near = live & (np.abs(np.log(frame["strike"] / 645.57)) < 0.05)
    assert np.nanmin(found.iv[near]) > 0.20
    assert np.nanmax(found.iv[near]) < 0.30
