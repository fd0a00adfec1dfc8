"""European prices and greeks: published numbers, the NumPy twin, laws, edges and refusals."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import GREEKS, greeks, price

ATM = {"spot": 100.0, "strike": 100.0, "tau": 1.0, "vol": 0.2, "rate": 0.05}

PUBLISHED = [
    # Hull, "Options, Futures and Other Derivatives", 9th ed., example 15.6
    ({"spot": 42, "strike": 40, "tau": 0.5, "vol": 0.2, "rate": 0.1, "right": "C"}, 4.76, 0.005),
    ({"spot": 42, "strike": 40, "tau": 0.5, "vol": 0.2, "rate": 0.1, "right": "P"}, 0.81, 0.005),
    # Hull, chapter 19: the running example of the greeks
    ({"spot": 49, "strike": 50, "tau": 0.3846, "vol": 0.2, "rate": 0.05, "right": "C"}, 2.4005, 5e-5),
    # Haug, "The Complete Guide to Option Pricing Formulas" (1998), pp. 2-8
    ({"spot": 60, "strike": 65, "tau": 0.25, "vol": 0.3, "rate": 0.08, "right": "C"}, 2.1334, 5e-5),
    (
        {"spot": 100, "strike": 95, "tau": 0.5, "vol": 0.2, "rate": 0.1, "div_yield": 0.05, "right": "P"},
        2.4648,
        5e-5,
    ),
    # Haug (1998), Black-76: an option on a futures price
    ({"spot": 19, "strike": 19, "tau": 0.75, "vol": 0.28, "rate": 0.1, "div_yield": 0.1, "right": "C"}, 1.7011, 5e-5),
]


@pytest.mark.parametrize(("arguments", "published", "tolerance"), PUBLISHED)
def test_published_prices(arguments, published, tolerance):
    assert price(**arguments) == pytest.approx(published, abs=tolerance)


def test_hulls_greeks():
    found = greeks(spot=49, strike=50, tau=0.3846, vol=0.2, rate=0.05, right="C")
    printed = {"delta": (0.522, 5e-4), "gamma": (0.066, 5e-4), "vega": (12.1, 0.05), "rho": (8.91, 5e-3)}
    for name, (value, tolerance) in printed.items():
        assert found[name] == pytest.approx(value, abs=tolerance), name
    assert found["theta"] == pytest.approx(-4.31, abs=0.01)


def test_haugs_table(samples):
    source = samples.parent / "reference" / "haug_bs.csv"
    if not source.exists():
        pytest.skip("the table of published values is not beside the sample data")
    table = pd.read_csv(source)
    found = price(
        spot=table["spot"],
        strike=table["strike"],
        tau=table["T"],
        vol=table["vol"],
        right=table["type"].str[0],
        rate=table["r"],
        div_yield=table["q"],
    )
    np.testing.assert_allclose(found, table["exact_bs"], atol=6e-11)
    np.testing.assert_allclose(found, table["published"], atol=6e-5)


def test_prices_and_greeks_equal_the_twin(twin, quotes):
    np.testing.assert_allclose(price(**quotes), twin.price(**quotes), rtol=1e-12, atol=1e-11)
    found, expected = greeks(**quotes), twin.greeks(**quotes)
    assert tuple(found) == GREEKS
    for name, values in found.items():
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(values, expected[name], rtol=1e-11, atol=1e-13 * scale, err_msg=name)


@pytest.mark.parametrize(("name", "of", "by", "sign"), [
    ("delta", "price", "spot", 1), ("vega", "price", "vol", 1), ("theta", "price", "tau", -1),
    ("rho", "price", "rate", 1), ("gamma", "delta", "spot", 1), ("vanna", "delta", "vol", 1),
    ("volga", "vega", "vol", 1), ("charm", "delta", "tau", -1), ("speed", "gamma", "spot", 1),
    ("zomma", "gamma", "vol", 1), ("color", "gamma", "tau", -1),
])  # fmt: skip
@pytest.mark.parametrize("right", ["C", "P"])
def test_each_greek_is_the_derivative_it_claims_to_be(name, of, by, sign, right):
    at = {"spot": 97.0, "strike": 103.0, "tau": 0.4, "vol": 0.27, "rate": 0.03, "div_yield": 0.015, "right": right}
    step = 1e-4 * at[by]

    def value(x):
        moved = {**at, by: x}
        return price(**moved) if of == "price" else greeks(**moved)[of]

    slope = (
        8 * (value(at[by] + step) - value(at[by] - step)) - value(at[by] + 2 * step) + value(at[by] - 2 * step)
    ) / (12 * step)
    assert greeks(**at)[name] == pytest.approx(sign * slope, rel=1e-8)


def _exact(spot, strike, tau, vol, is_call):
    spot, strike, tau, vol = mp.mpf(spot), mp.mpf(strike), mp.mpf(tau), mp.mpf(vol)
    s = vol * mp.sqrt(tau)
    d1 = mp.log(spot / strike) / s + s / 2
    sign = 1 if is_call else -1
    return sign * (spot * mp.ncdf(sign * d1) - strike * mp.ncdf(sign * (d1 - s))), d1, s


def test_both_tails_keep_their_digits():
    # what the doubles nearest to the arguments allow: d price / price = d1 * (error of ln(spot / strike)) / s
    with mp.workdps(60):
        for moneyness in (0.2, 0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0, 4.0):
            for tau in (1 / 365, 0.1, 2.0):
                for vol in (0.05, 0.2, 1.0, 3.0):
                    is_call = moneyness >= 1
                    exact, d1, s = _exact(100.0, 100.0 * moneyness, tau, vol, is_call)
                    if exact < 1e-290:
                        continue
                    found = price(spot=100.0, strike=100.0 * moneyness, tau=tau, vol=vol, right="C" if is_call else "P")
                    allowed = 2.2e-16 * (8 + 2 * float(d1 * d1) + 2 * abs(float(d1)) / float(s) + 5 / float(s))
                    assert abs(float(mp.mpf(float(found)) / exact - 1)) < allowed, (moneyness, tau, vol)


OPTIONS = {
    "spot": st.floats(1, 1000),
    "strike": st.floats(1, 1000),
    "tau": st.floats(1e-4, 5),
    "vol": st.floats(0.01, 3),
    "rate": st.floats(-0.05, 0.2),
    "div_yield": st.floats(-0.05, 0.2),
}


@given(**OPTIONS)
@settings(max_examples=150, deadline=None)
def test_parity_and_bounds(spot, strike, tau, vol, rate, div_yield):
    same = {"spot": spot, "strike": strike, "tau": tau, "vol": vol, "rate": rate, "div_yield": div_yield}
    call, put = price(**same, right="C"), price(**same, right="P")
    asset, cash = spot * np.exp(-div_yield * tau), strike * np.exp(-rate * tau)
    rounding = 1e-14 * (asset + cash)
    assert call - put == pytest.approx(asset - cash, abs=rounding)
    assert max(asset - cash, 0) - rounding <= call <= asset + rounding
    assert max(cash - asset, 0) - rounding <= put <= cash + rounding
    assert price(**{**same, "vol": vol * 1.01}, right="C") >= call - rounding


@pytest.mark.parametrize("zero", ["tau", "vol"])
@pytest.mark.parametrize(("right", "sign"), [("C", 1), ("P", -1)])
def test_without_time_or_volatility_the_forward_decides(zero, right, sign):
    arguments = {"tau": 0.5, "vol": 0.3, "rate": 0.04, "div_yield": 0.01, "right": right, zero: 0.0}
    strikes = np.array([50.0, 99.0, 101.0, 300.0])
    found = price(spot=100.0, strike=strikes, **arguments)
    asset, cash = 100 * np.exp(-0.01 * arguments["tau"]), strikes * np.exp(-0.04 * arguments["tau"])
    np.testing.assert_allclose(found, np.maximum(sign * (asset - cash), 0), rtol=1e-14)
    slopes = greeks(spot=100.0, strike=strikes, **arguments)
    np.testing.assert_allclose(slopes["delta"], sign * (sign * (asset - cash) > 0) * asset / 100, rtol=1e-14)
    assert (slopes["gamma"] == 0).all()
    assert all(np.isfinite(values).all() for values in slopes.values())


@pytest.mark.parametrize("name", ["spot", "strike", "tau", "vol", "rate", "div_yield"])
def test_nan_stays_nan_and_alone(name):
    arguments = {**ATM, "div_yield": 0.0, "right": "C"}
    arguments[name] = np.array([arguments[name], np.nan, arguments[name]])
    for values in (price(**arguments), *greeks(**arguments).values()):
        np.testing.assert_array_equal(np.isnan(values), [False, True, False])


@pytest.mark.parametrize(("name", "wrong"), [
    ("spot", 0.0), ("spot", -1.0), ("strike", 0.0), ("tau", -0.1), ("vol", -0.2), ("right", "X"), ("spot", "dear"),
])  # fmt: skip
@pytest.mark.parametrize("function", [price, greeks])
def test_a_value_outside_its_domain_is_named(function, name, wrong):
    with pytest.raises(InputError) as refused:
        function(**{**ATM, "right": "C", name: wrong})
    assert refused.value.name == name
    assert refused.value.value == wrong


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(InputError) as refused:
        price(**{**ATM, "strike": np.ones(3), "vol": np.ones(2)}, right="C")
    assert refused.value.name == "shape"


@pytest.mark.parametrize("right", [
    np.array(["C", "P", "P"]),
    np.array(["C", "P", "P"], dtype=object),
    np.array([b"C", b"P", b"P"]).astype("U5"),
    ["C", "P", "P"],
    pd.Series(["C", "P", "P"]),
    pd.Series(["C", "P", "P"], dtype="category"),
    pd.Categorical(["C", "P", "P"], categories=["P", "X", "C"]),
    np.array([True, False, False]),
    np.array([1, 0, 0], dtype=np.int8),
    [1, 0, 0],
], ids=lambda right: type(right).__name__ + str(getattr(right, "dtype", "")))  # fmt: skip
def test_every_way_of_writing_a_right(right):
    expected = [price(**ATM, right=one) for one in "CPP"]
    np.testing.assert_array_equal(price(**ATM, right=right), expected)


@pytest.mark.parametrize("right", [
    ["C", "c"], "call", [2, 0], [-1, 0], pd.Categorical(["C", None]), pd.Categorical(["C", "X"]), [None, "C"], [0.5, 1],
], ids=str)  # fmt: skip
def test_an_unknown_right_is_refused(right):
    with pytest.raises(InputError) as refused:
        price(**ATM, right=right)
    assert refused.value.name == "right"


def test_scalars_give_scalars_and_arrays_broadcast():
    assert isinstance(price(**ATM, right="C"), float)
    grid = price(**{**ATM, "strike": np.array([[90.0], [110.0]]), "vol": np.array([0.1, 0.2, 0.3])}, right="C")
    assert grid.shape == (2, 3)
    assert grid[1, 2] == price(**{**ATM, "strike": 110.0, "vol": 0.3}, right="C")
    assert price(**{**ATM, "strike": np.empty(0)}, right="C").shape == (0,)


def test_views_and_read_only_arrays_are_taken_as_they_are():
    strikes = np.arange(60.0, 140.0)
    every_other = strikes[::2]
    frozen = every_other.copy()
    frozen.flags.writeable = False
    expected = price(**{**ATM, "strike": every_other.copy()}, right="C")
    for given_strikes in (every_other, frozen, pd.Series(frozen), every_other.tolist(), every_other.astype(np.int64)):
        np.testing.assert_array_equal(price(**{**ATM, "strike": given_strikes}, right="C"), expected)


def test_a_result_does_not_depend_on_its_place(quotes):
    together = greeks(**quotes, names=("price", "delta", "vega"))
    for start, size in ((0, 1), (5, 1), (127, 2), (300, 700)):
        apart = {name: values[start : start + size] for name, values in quotes.items()}
        for name, values in greeks(**apart, names=("price", "delta", "vega")).items():
            np.testing.assert_array_equal(values, together[name][start : start + size])


def test_only_the_wanted_greeks_are_returned():
    found = greeks(**ATM, right="C", names=("gamma", "price"))
    assert tuple(found) == ("gamma", "price")
    assert found["price"] == price(**ATM, right="C")
    assert found["gamma"] == greeks(**ATM, right="C")["gamma"]
    with pytest.raises(InputError) as refused:
        greeks(**ATM, right="C", names=("delta", "gama"))
    assert refused.value.name == "names"
    assert refused.value.nearest == "gamma"


def test_threads_give_what_one_thread_gives(monkeypatch):
    rng = np.random.default_rng(4)
    options = {**ATM, "strike": rng.uniform(50, 200, 300_001), "right": rng.random(300_001) < 0.5}
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = price(**options), greeks(**options, names=("gamma",))["gamma"]
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    np.testing.assert_array_equal(price(**options), alone[0])
    np.testing.assert_array_equal(greeks(**options, names=("gamma",))["gamma"], alone[1])
    options["strike"][299_999] = -1.0
    with pytest.raises(InputError) as refused:
        price(**options)
    assert refused.value.name == "strike"
    assert refused.value.value == -1.0


def test_greeks_write_where_they_are_told_to(quotes):
    names = ("price", "vega", "color")
    expected = greeks(**quotes, names=names)
    shape = expected["price"].shape
    rows = np.full((3, *shape), np.nan)
    named = {name: np.full(shape, np.nan) for name in names}
    found = greeks(**quotes, names=names, out=rows)
    greeks(**quotes, names=names, out=named)
    for row, name in zip(rows, names, strict=True):
        np.testing.assert_array_equal(row, expected[name], err_msg=name)
        np.testing.assert_array_equal(named[name], expected[name], err_msg=name)
        assert np.shares_memory(found[name], row)
    single = np.empty(2)
    assert (
        greeks(**ATM, right="C", names=("delta", "price"), out=single)["price"] == single[1] == price(**ATM, right="C")
    )


@pytest.mark.parametrize("out", [
    np.empty((2, 3)), np.empty((2, 4), dtype=np.float32), np.empty((4, 2)).T, {"price": np.empty(4)},
    {"price": np.empty(4), "vega": np.empty(3)}, "memory",
], ids=["shape", "dtype", "layout", "missing", "short", "text"])  # fmt: skip
def test_memory_that_does_not_fit_is_refused(out):
    with pytest.raises(InputError) as refused:
        greeks(**ATM | {"spot": np.full(4, 100.0)}, right="C", names=("price", "vega"), out=out)
    assert refused.value.name == "out"


def test_results_keep_their_memory_while_anyone_holds_one_of_them():
    count = 200_000  # large enough for memory to be used again
    given = {**ATM, "spot": np.linspace(50.0, 150.0, count), "right": "C"}
    first = greeks(**given, names=("price", "delta"))["delta"]
    kept = first.copy()
    second = greeks(**given | {"vol": 0.9}, names=("price", "delta"))["delta"]
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)
    place = second.ctypes.data
    del second
    again = greeks(**given, names=("price", "delta"))["delta"]
    assert again.ctypes.data == place
    np.testing.assert_array_equal(again, kept)


def test_rounding_never_takes_a_price_below_what_the_forward_is_worth():
    assert price(**ATM | {"tau": 1e-308}, right="C") >= 0.0
    rng = np.random.default_rng(1)
    spot, tau = np.full(20_000, 100.0), 10 ** rng.uniform(-12, -2, 20_000)
    found = price(spot=spot, strike=100.0, tau=tau, vol=rng.uniform(0.001, 1.0, 20_000), right=rng.random(20_000) < 0.5)
    assert (found >= 0.0).all()


def test_what_is_masked_or_none_is_missing():
    spot = np.ma.array([100.0, 100.0], mask=[False, True])
    for found in (price(**ATM | {"spot": spot}, right="C"), price(**ATM | {"spot": [100.0, None]}, right="C")):
        np.testing.assert_array_equal(found, [price(**ATM, right="C"), np.nan])
