"""American prices: published numbers, a slow tree, laws, edges and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import american_exercise_boundary, american_premium, american_price, price

# right, spot, strike, tau, vol, rate, div_yield and the value. The options are those of the sources named; the values
# are exact ones, to 1e-8, by QuantLib 1.44 (QdFp, tanh-sinh, 30 sweeps, 60 nodes), because the sources print the
# results of approximations. QuantLib's own "high precision" differs from these by up to 8e-7.
JU_1999 = [  # Ju, "An approximate formula for pricing American options", J. Derivatives 7(2), exhibits 3 and 6
    ("P", 40, 35, 0.0833, 0.2, 0.0488, 0, 0.0061912194),
    ("P", 40, 35, 0.5833, 0.2, 0.0488, 0, 0.4327984705),
    ("P", 40, 40, 0.3333, 0.2, 0.0488, 0, 1.5798169070),
    ("P", 40, 45, 0.0833, 0.2, 0.0488, 0, 5.0000000000),
    ("P", 40, 45, 0.5833, 0.2, 0.0488, 0, 5.2669870261),
    ("P", 40, 35, 0.3333, 0.3, 0.0488, 0, 0.6974970510),
    ("P", 40, 40, 0.0833, 0.3, 0.0488, 0, 1.3099298033),
    ("P", 40, 40, 0.5833, 0.3, 0.0488, 0, 3.1696509232),
    ("P", 40, 45, 0.3333, 0.3, 0.0488, 0, 5.7056139994),
    ("P", 40, 35, 0.0833, 0.4, 0.0488, 0, 0.2465563192),
    ("P", 40, 35, 0.5833, 0.4, 0.0488, 0, 2.1548815408),
    ("P", 40, 40, 0.3333, 0.4, 0.0488, 0, 3.3874693956),
    ("P", 40, 45, 0.0833, 0.4, 0.0488, 0, 5.2868052263),
    ("P", 40, 45, 0.5833, 0.4, 0.0488, 0, 7.3829672128),
    ("C", 80, 100, 3, 0.2, 0.03, 0.07, 2.5799553148),
    ("C", 90, 100, 3, 0.2, 0.03, 0.07, 5.1669651547),
    ("C", 100, 100, 3, 0.2, 0.03, 0.07, 9.0660315923),
    ("C", 110, 100, 3, 0.2, 0.03, 0.07, 14.4434013541),
    ("C", 120, 100, 3, 0.2, 0.03, 0.07, 21.4138758428),
    ("C", 80, 100, 3, 0.4, 0.03, 0.07, 11.3256825696),
    ("C", 90, 100, 3, 0.4, 0.03, 0.07, 15.7219718600),
    ("C", 100, 100, 3, 0.4, 0.03, 0.07, 20.7933297846),
    ("C", 110, 100, 3, 0.4, 0.03, 0.07, 26.4944313943),
    ("C", 120, 100, 3, 0.4, 0.03, 0.07, 32.7809872836),
    ("C", 80, 100, 3, 0.3, 1e-05, 0.07, 5.5179810316),
    ("C", 90, 100, 3, 0.3, 1e-05, 0.07, 8.8420126248),
    ("C", 100, 100, 3, 0.3, 1e-05, 0.07, 13.1426340756),
    ("C", 110, 100, 3, 0.3, 1e-05, 0.07, 18.4537146575),
    ("C", 120, 100, 3, 0.3, 1e-05, 0.07, 24.7913141222),
    ("C", 80, 100, 3, 0.3, 0.07, 0.03, 12.1452082898),
    ("C", 90, 100, 3, 0.3, 0.07, 0.03, 17.3683190111),
    ("C", 100, 100, 3, 0.3, 0.07, 0.03, 23.3484081657),
    ("C", 110, 100, 3, 0.3, 0.07, 0.03, 29.9635030151),
    ("C", 120, 100, 3, 0.3, 0.07, 0.03, 37.1033446781),
]
HAUG_1998 = [  # Haug, "The Complete Guide to Option Pricing Formulas", 1st ed., p. 24 and p. 27
    ("C", 90, 100, 0.1, 0.15, 0.1, 0.1, 0.0204984661),
    ("C", 110, 100, 0.1, 0.15, 0.1, 0.1, 10.0105274767),
    ("C", 100, 100, 0.1, 0.25, 0.1, 0.1, 3.1269025392),
    ("C", 90, 100, 0.1, 0.35, 0.1, 0.1, 0.9482388182),
    ("C", 110, 100, 0.1, 0.35, 0.1, 0.1, 11.1725984820),
    ("C", 100, 100, 0.5, 0.15, 0.1, 0.1, 4.0685008856),
    ("C", 90, 100, 0.5, 0.25, 0.1, 0.1, 2.7224575106),
    ("C", 110, 100, 0.5, 0.25, 0.1, 0.1, 13.0014542560),
    ("C", 100, 100, 0.5, 0.35, 0.1, 0.1, 9.4737520134),
    ("P", 90, 100, 0.1, 0.15, 0.1, 0.1, 10.0005719188),
    ("P", 110, 100, 0.1, 0.15, 0.1, 0.1, 0.0407976706),
    ("P", 100, 100, 0.1, 0.25, 0.1, 0.1, 3.1269025392),
    ("P", 90, 100, 0.1, 0.35, 0.1, 0.1, 10.8837813104),
    ("P", 110, 100, 0.1, 0.35, 0.1, 0.1, 1.2387652319),
    ("P", 100, 100, 0.5, 0.15, 0.1, 0.1, 4.0685008856),
    ("P", 90, 100, 0.5, 0.25, 0.1, 0.1, 12.4300709407),
    ("P", 110, 100, 0.5, 0.25, 0.1, 0.1, 3.2984220496),
    ("P", 100, 100, 0.5, 0.35, 0.1, 0.1, 9.4737520134),
    ("P", 100, 100, 0.5, 0.15, 0, 0, 4.2294392341),
    ("C", 42, 40, 0.75, 0.35, 0.04, 0.08, 5.3090577642),
    ("P", 36, 40, 1, 0.2, 0.06, 0, 4.4866743566),
    ("C", 100, 100, 1, 0.0021, 0.05, 0.05, 0.0805893487),
    ("C", 100, 100, 1, 0.0001, 0.05, 0.05, 0.0038375887),
    ("C", 99.99, 100, 1, 0.0001, 0.05, 0.05, 0.0007968186),
    ("C", 110, 100, 1, 0.0001, 0.05, 0.05, 10.0000000000),
    ("P", 100, 110, 1, 0.0001, 0.05, 0.05, 10.0000000000),
    ("P", 110, 100, 1, 10, 0.05, 0.05, 99.2034985619),
]
ANDERSEN_2016 = [  # Andersen, Lake, Offengenden, "High-performance American option pricing", premiums of section 6
    ("P", 100, 100, 1, 0.25, 0.05, 0.05, 9.5694452989),
    ("P", 100, 100, 1, 0.25, 0.075, 0.05, 8.5849357364),
]
PUBLISHED = JU_1999 + HAUG_1998 + ANDERSEN_2016


def _columns(rows):
    right, *numbers = map(np.array, zip(*rows, strict=True))
    names = ("spot", "strike", "tau", "vol", "rate", "div_yield")
    *arguments, value = numbers
    return {"right": right, **dict(zip(names, arguments, strict=True))}, value


@pytest.mark.parametrize(
    ("accuracy", "rms", "worst"), [("fast", 2e-4, 1e-3), ("default", 5e-6, 3e-5), ("accurate", 4e-9, 1e-8)]
)
def test_published_options(accuracy, rms, worst):
    options, value = _columns(PUBLISHED)
    error = american_price(**options, accuracy=accuracy) - value
    assert np.sqrt(np.mean(error**2)) < rms
    assert np.abs(error).max() < worst


def test_published_premiums():
    # Andersen, Lake and Offengenden (2016) print 0.106952703 and 0.367111143 for the two puts
    options, _ = _columns(ANDERSEN_2016)
    premium = american_premium(**options, accuracy="accurate")
    np.testing.assert_allclose(premium, [0.106952703, 0.367111143], atol=2e-9)


def test_longstaff_schwartz_put():
    # Longstaff and Schwartz (2001), table 1: finite differences with 50 dates a year give 4.478 for this put
    assert american_price(spot=36, strike=40, tau=1, vol=0.2, right="P", rate=0.06) == pytest.approx(4.478, abs=0.01)


def _tree(spot, strike, tau, vol, right, rate, div_yield, steps):
    """Cox, Ross and Rubinstein's tree whose last step is the European formula (Broadie and Detemple 1996)."""
    dt = tau / steps
    up = math.exp(vol * math.sqrt(dt))
    grow = (math.exp((rate - div_yield) * dt) - 1 / up) / (up - 1 / up)
    sign = 1.0 if right == "C" else -1.0
    level = np.arange(-steps + 1, steps, 2, dtype=float)
    s = spot * up**level
    value = price(spot=s, strike=strike, tau=dt, vol=vol, right=right, rate=rate, div_yield=div_yield)
    value = np.maximum(value, sign * (s - strike))
    while value.size > 1:
        level = level[:-1] + 1
        value = math.exp(-rate * dt) * (grow * value[1:] + (1 - grow) * value[:-1])
        value = np.maximum(value, sign * (spot * up**level - strike))
    return float(value[0])


@pytest.mark.parametrize("right", ["C", "P"])
@pytest.mark.parametrize(
    ("spot", "tau", "vol", "rate", "div_yield"),
    [
        (95.0, 0.5, 0.2, 0.05, 0.03),
        (105.0, 1.0, 0.4, 0.02, 0.06),
        (100.0, 2.0, 0.3, 0.08, 0.08),
        (100.0, 1.0, 0.25, 0.03, -0.02),  # a dividend yield below zero, as hard-to-borrow fees imply for calls
        (100.0, 1.0, 0.25, -0.02, 0.03),
        (100.0, 1.0, 0.25, -0.02, -0.01),
        (100.0, 1.0, 0.25, 0.0, -0.03),
        (100.0, 1.0, 0.25, -0.03, 0.0),
        (85.0, 1.0, 0.1, -0.01, -0.02),  # two boundaries that do not meet
        (60.0, 5.0, 0.3, -0.01, -0.02),  # two boundaries that meet before expiry
    ],
)
def test_agrees_with_a_tree(spot, tau, vol, rate, div_yield, right):
    option = {"strike": 100.0, "tau": tau, "vol": vol, "right": right, "rate": rate, "div_yield": div_yield}
    coarse, fine = (_tree(spot, **option, steps=steps) for steps in (500, 1000))
    assert american_price(spot=spot, **option) == pytest.approx(2 * fine - coarse, abs=1e-3)


OPTION = {
    "spot": st.floats(20, 400),
    "tau": st.floats(1 / 365, 5),
    "vol": st.floats(0.03, 1.5),
    "right": st.sampled_from("CP"),
    "rate": st.floats(0, 0.15),
    "div_yield": st.floats(0, 0.15),
}


@given(**OPTION)
@settings(max_examples=150, deadline=None)
def test_bounds(spot, tau, vol, right, rate, div_yield):
    option = {"spot": spot, "strike": 100.0, "tau": tau, "right": right, "rate": rate, "div_yield": div_yield}
    american, european = american_price(vol=vol, **option), price(vol=vol, **option)
    intrinsic = max(spot - 100.0 if right == "C" else 100.0 - spot, 0.0)
    assert american >= european - 1e-12
    assert american >= intrinsic - 1e-12
    assert american <= (spot if right == "C" else 100.0) + 1e-12
    assert american_premium(vol=vol, **option) == pytest.approx(american - european, abs=1e-10)


@given(**OPTION)
@settings(max_examples=150, deadline=None)
def test_a_call_is_a_put_on_exchanged_arguments(spot, tau, vol, right, rate, div_yield):
    other = "P" if right == "C" else "C"
    here = american_price(spot=spot, strike=90, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
    there = american_price(spot=90, strike=spot, tau=tau, vol=vol, right=other, rate=div_yield, div_yield=rate)
    assert here == pytest.approx(there, rel=1e-14)


@given(**OPTION)
@settings(max_examples=100, deadline=None)
def test_rises_with_volatility_and_time(spot, tau, vol, right, rate, div_yield):
    option = {"spot": spot, "strike": 100.0, "right": right, "rate": rate, "div_yield": div_yield}
    slack = 1e-3  # what two presets may differ by where an option passes from one to the other
    vols = vol * np.array([0.5, 0.8, 1.0, 1.01, 1.3, 2.0])
    assert (np.diff(american_price(vol=vols, tau=tau, **option)) > -slack).all()
    assert (np.diff(american_price(vol=vol, tau=tau * np.array([0.3, 0.9, 1.0, 1.5]), **option)) > -slack).all()


@given(**OPTION)
@settings(max_examples=100, deadline=None)
def test_convex_in_strike(spot, tau, vol, right, rate, div_yield):
    strikes = spot * np.linspace(0.6, 1.6, 41)
    value = american_price(
        spot=spot, strike=strikes, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield, accuracy="accurate"
    )
    assert (np.diff(value, 2) > -1e-6 * spot).all()
    assert (np.diff(value) * (1 if right == "P" else -1) > -1e-9 * spot).all()


@given(**OPTION)
@settings(max_examples=60, deadline=None)
def test_the_boundary_is_where_exercise_becomes_right(spot, tau, vol, right, rate, div_yield):
    assume((rate if right == "P" else div_yield) > 1e-4)
    option = {"strike": 100.0, "tau": tau, "vol": vol, "right": right, "rate": rate, "div_yield": div_yield}
    boundary = american_exercise_boundary(**option)
    sign = 1.0 if right == "C" else -1.0
    exercised = american_price(spot=boundary * (1 + sign * 1e-9), **option)
    assert exercised == pytest.approx(sign * (boundary - 100.0), abs=3e-9 * boundary)
    held = american_price(spot=boundary * (1 - sign * 0.02), **option)
    assert held >= sign * (boundary * (1 - sign * 0.02) - 100.0)


def test_boundary_where_exercise_is_never_right():
    option = {"strike": 100.0, "tau": 1.0, "vol": 0.2}
    assert american_exercise_boundary(**option, right="C", rate=0.05) == math.inf
    assert american_exercise_boundary(**option, right="P", rate=0.0, div_yield=0.02) == 0.0


def test_two_boundaries_are_refused_by_name():
    with pytest.raises(InputError) as refused:
        american_exercise_boundary(strike=100, tau=1, vol=0.2, right="P", rate=-0.01, div_yield=-0.02)
    assert refused.value.name == "rate"


@pytest.mark.parametrize(("option", "expected"), [
    # trees of 3,000 and 6,000 steps, extrapolated, the European option as control; boundaries meet within the life
    ((100.0, 71.869, 4.87397, 0.16215, "C", -0.06698, -0.04776), 32.725869),
    ((100.0, 84.22563, 5.47945, 0.12341, "P", -0.02568, -0.0365), 3.785800),
    ((100.0, 87.38514, 3.54521, 0.0492, "C", -0.06579, -0.06054), 14.149665),
    ((100.0, 28.35122, 2.6137, 0.30972, "C", -0.07942, -0.04983), 79.115920),
])  # fmt: skip
@pytest.mark.parametrize("accuracy", ["fast", "default", "accurate"])
def test_two_boundaries_that_meet(option, expected, accuracy):
    names = ("spot", "strike", "tau", "vol", "right", "rate", "div_yield")
    found = american_price(**dict(zip(names, option, strict=True)), accuracy=accuracy)
    assert found == pytest.approx(expected, abs=6e-5)


def test_between_two_boundaries_finer_nodes_change_little():
    rng = np.random.default_rng(12)
    size = 400
    option = {
        "spot": 100.0, "strike": 100.0 * np.exp(rng.normal(0, 0.3, size)), "tau": np.exp(rng.uniform(-4, 2, size)),
        "vol": np.exp(rng.uniform(np.log(0.02), np.log(1.5), size)), "right": "P",
        "rate": rng.uniform(-0.04, -0.001, size), "div_yield": rng.uniform(-0.08, -0.04, size),
    }  # fmt: skip
    finest = american_price(**option, accuracy="accurate")
    np.testing.assert_allclose(american_price(**option, accuracy="default"), finest, atol=3e-5)
    np.testing.assert_allclose(american_price(**option, accuracy="fast"), finest, atol=3e-4)


def test_boundary_at_expiry():
    option = {"strike": 100.0, "tau": 1e-9, "vol": 0.2, "right": "P"}
    assert american_exercise_boundary(**option, rate=0.05, div_yield=0.02) == pytest.approx(100.0, rel=1e-4)
    assert american_exercise_boundary(**option, rate=0.02, div_yield=0.05) == pytest.approx(40.0, rel=1e-4)


def test_without_reason_to_exercise_it_is_european():
    option = {"spot": np.array([80.0, 100.0, 120.0]), "strike": 100.0, "tau": 0.7, "vol": 0.3}
    for right, rate, div_yield in (("C", 0.05, 0.0), ("P", 0.0, 0.05), ("P", -0.01, 0.02), ("C", 0.05, -0.02)):
        terms = {"right": right, "rate": rate, "div_yield": div_yield}
        np.testing.assert_allclose(american_price(**option, **terms), price(**option, **terms), rtol=1e-13)
        assert (american_premium(**option, **terms) == 0.0).all()


def test_zero_volatility_is_the_best_exercise_on_the_only_path():
    times = np.linspace(0, 40, 400_001)
    for right, rate, div_yield, years in (
        ("P", 0.01, 0.5, 40),
        ("C", 0.05, 0.01, 1),
        ("P", 0.05, 0.01, 1),
        ("C", 0.1, 0.2, 5),
    ):
        t = times * years / 40
        sign = 1 if right == "C" else -1
        best = np.maximum(sign * (110 * np.exp(-div_yield * t) - 100 * np.exp(-rate * t)), 0).max()
        option = {"spot": 110, "strike": 100, "tau": years, "right": right, "rate": rate, "div_yield": div_yield}
        assert american_price(vol=0.0, **option) == pytest.approx(best, abs=1e-6)
        for vol in (1e-13, 1e-8, 1e-6, 1e-4):
            assert american_price(vol=vol, **option) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("right", ["C", "P"])
def test_extremes_stay_within_bounds(right):
    vol, tau, spot = (
        a.ravel()
        for a in np.meshgrid([1e-4, 1e-3, 0.01, 0.1, 1, 3, 10], [1 / 365, 0.1, 1, 10], [1, 50, 99.99, 100, 130, 1e4])
    )
    sign = 1 if right == "C" else -1
    for rate, div_yield in ((0.05, 0.05), (0.05, 0.0), (0.001, 0.2), (0.5, 0.02), (1e-5, 1e-5), (0.03, -0.02)):
        terms = {"right": right, "rate": rate, "div_yield": div_yield}
        value = american_price(spot=spot, strike=100.0, tau=tau, vol=vol, **terms)
        careful = american_price(spot=spot, strike=100.0, tau=tau, vol=vol, **terms, accuracy="accurate")
        assert (value >= np.maximum(sign * (spot - 100.0), 0)).all()
        most = np.where(right == "C", spot * np.exp(np.maximum(-div_yield, 0) * tau), 100.0)
        assert (value <= most * (1 + 1e-12)).all()
        np.testing.assert_allclose(value, careful, atol=3e-4 if div_yield >= 0 else 1e-3, rtol=1e-5)


def test_nan_and_infinity_give_nan():
    option = {"spot": 100.0, "strike": 100.0, "tau": 1.0, "vol": 0.2, "right": "P", "rate": 0.05, "div_yield": 0.01}
    for name in ("spot", "strike", "tau", "vol", "rate", "div_yield"):
        for bad in (math.nan, math.inf):
            values = american_price(**option | {name: np.array([option[name], bad])})
            assert values[0] > 0 and math.isnan(values[1])


def test_expired_is_intrinsic():
    spot = np.array([90.0, 100.0, 110.0])
    np.testing.assert_allclose(american_price(spot=spot, strike=100, tau=0, vol=0.2, right="P", rate=0.05), [10, 0, 0])
    np.testing.assert_allclose(american_price(spot=spot, strike=100, tau=0, vol=0.2, right="C", rate=0.05), [0, 0, 10])


def test_shapes_broadcast():
    value = american_price(spot=[[90.0], [110.0]], strike=100, tau=[0.1, 0.5, 1.0], vol=0.2, right="P", rate=0.03)
    assert value.shape == (2, 3)
    alone = american_price(spot=90.0, strike=100, tau=0.5, vol=0.2, right="P", rate=0.03)
    assert np.ndim(alone) == 0 and alone == value[0, 1]
    assert american_price(spot=np.array([]), strike=100, tau=1, vol=0.2, right="C").shape == (0,)


@pytest.mark.parametrize(
    ("name", "bad"), [("spot", 0.0), ("strike", -1.0), ("tau", -0.1), ("vol", -0.2), ("right", "X")]
)
def test_refusals_name_the_argument(name, bad):
    option = {"spot": 100.0, "strike": 100.0, "tau": 1.0, "vol": 0.2, "right": "P"}
    with pytest.raises(InputError) as refused:
        american_price(**option | {name: bad})
    assert refused.value.name == name


def test_an_unknown_accuracy_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError) as refused:
        american_price(spot=1, strike=1, tau=1, vol=1, right="P", accuracy="acurate")
    assert refused.value.name == "accuracy" and refused.value.nearest == "accurate"
