"""The parametrisations of SVI: published numbers, and that conversions undo each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import (
    durrleman_g,
    jump_wings_to_raw,
    natural_to_raw,
    raw_to_jump_wings,
    raw_to_natural,
    svi_total_variance,
)

# Gatheral & Jacquier (2014), examples 3.1 (Axel Vogt's slice) and 5.1, tau = 1
VOGT = {"a": -0.0410, "b": 0.1331, "rho": 0.3060, "m": 0.3586, "sigma": 0.4153}
VOGT_JUMP_WINGS = {
    "v": 0.017426252555159116,
    "psi": -0.1752111408091251,
    "p": 0.6997381041168087,
    "c": 1.3167982189863865,
    "v_tilde": 0.011624903235477872,
}


def test_published_total_variance():
    w = svi_total_variance(log_moneyness=[-1.5, 0.4, -0.8, 0.8], **VOGT)
    assert w == pytest.approx([0.1367819611, 0.01623656962, 0.0756291293, 0.05764411607], rel=1e-9)
    iv = np.sqrt(svi_total_variance(log_moneyness=[-0.2, 0.7], **VOGT))
    assert iv == pytest.approx([0.1699864855, 0.210857945], rel=1e-9)


def test_published_g():
    g = durrleman_g(log_moneyness=[-1.5, 0.0, 0.9], **VOGT)
    assert g == pytest.approx([0.2478306953, 1.038649731, -0.03268513071], rel=1e-9)


def test_published_jump_wings_both_ways():
    found = raw_to_jump_wings(**VOGT, tau=1.0)
    assert found._asdict() == pytest.approx(VOGT_JUMP_WINGS, rel=1e-13)
    assert jump_wings_to_raw(**VOGT_JUMP_WINGS, tau=1.0)._asdict() == pytest.approx(VOGT, rel=1e-12)


def test_published_repaired_slice():
    raw = jump_wings_to_raw(**(VOGT_JUMP_WINGS | {"c": 0.8564763}), tau=1.0)
    assert durrleman_g(log_moneyness=0.9, **raw._asdict()) == pytest.approx(0.01074175286, abs=1e-6)  # c* has 7 digits


raws = st.fixed_dictionaries(
    {
        "least": st.floats(1e-4, 0.3),
        "b": st.floats(0.01, 1.0),
        "rho": st.floats(-0.98, 0.98),
        "m": st.floats(-0.5, 0.5),
        "sigma": st.floats(0.01, 1.0),
    }
)


def _raw(drawn):
    least = drawn.pop("least")
    return {"a": least - drawn["b"] * drawn["sigma"] * np.sqrt(1 - drawn["rho"] ** 2)} | drawn


@given(raws)
def test_natural_parameters_undo(drawn):
    raw = _raw(dict(drawn))
    natural = raw_to_natural(**raw)
    assert natural_to_raw(**natural._asdict())._asdict() == pytest.approx(raw, rel=1e-9, abs=1e-12)
    k = np.linspace(-1, 1, 9)
    delta, mu, rho, omega, zeta = natural
    inside = np.sqrt((zeta * (k - mu) + rho) ** 2 + 1 - rho**2)
    written = delta + omega / 2 * (1 + zeta * rho * (k - mu) + inside)
    assert written == pytest.approx(svi_total_variance(log_moneyness=k, **raw), rel=1e-9)


@given(raws, st.floats(0.01, 3.0))
def test_jump_wings_undo_and_mean_what_they_say(drawn, tau):
    raw = _raw(dict(drawn))
    wings = raw_to_jump_wings(**raw, tau=tau)
    assert wings.v * tau == pytest.approx(svi_total_variance(log_moneyness=0.0, **raw), rel=1e-12)
    step = np.array([1e-5, 5e-6])
    above, below = (np.sqrt(svi_total_variance(log_moneyness=sign * step, **raw)) for sign in (1, -1))
    wide, narrow = (above - below) / (2 * step)
    skew = (4 * narrow - wide) / 3  # a sharp bottom bends within one step: its square is taken out
    assert wings.psi == pytest.approx(skew, rel=1e-6, abs=1e-6)
    lean = raw["rho"] - raw["m"] / np.hypot(raw["m"], raw["sigma"])
    assume(abs(lean) > 1e-2)  # without skew the curvature is lost
    assert jump_wings_to_raw(**wings._asdict(), tau=tau)._asdict() == pytest.approx(raw, rel=1e-6, abs=1e-8)


def test_jump_wings_without_a_slice_are_nan():
    wings = VOGT_JUMP_WINGS | {"psi": np.array([0.0, 0.9, -0.4, -0.1752])}
    assert np.isnan(jump_wings_to_raw(**wings, tau=1.0).sigma).tolist() == [True, True, True, False]
    assert np.isnan(raw_to_jump_wings(**(VOGT | {"a": -1.0}), tau=1.0).v)


def test_nan_stays_and_shapes_broadcast():
    w = svi_total_variance(log_moneyness=[[0.0], [np.nan]], **(VOGT | {"m": [0.1, 0.2, 0.3]}))
    assert w.shape == (2, 3)
    assert np.isnan(w[1]).all()
    assert np.isfinite(w[0]).all()
    assert np.isnan(durrleman_g(log_moneyness=0.0, **(VOGT | {"a": -1.0})))


@pytest.mark.parametrize(("name", "value"), [("b", -0.1), ("rho", 1.1), ("sigma", 0.0), ("m", "x"), ("tau", 0.0)])
def test_raw_parameters_outside_their_domain(name, value):
    with pytest.raises(InputError) as caught:
        raw_to_jump_wings(**(VOGT | {"tau": 1.0} | {name: value}))
    assert caught.value.name == name


@pytest.mark.parametrize(("name", "value"), [("v", 0.0), ("p", -1.0), ("c", -1.0), ("v_tilde", 0.5), ("tau", -1.0)])
def test_jump_wings_outside_their_domain(name, value):
    with pytest.raises(InputError) as caught:
        jump_wings_to_raw(**(VOGT_JUMP_WINGS | {"tau": 1.0} | {name: value}))
    assert caught.value.name == name


@pytest.mark.parametrize(("name", "value"), [("rho", 1.0), ("omega", -1.0), ("zeta", 0.0)])
def test_natural_parameters_outside_their_domain(name, value):
    good = {"delta": 0.0, "mu": 0.0, "rho": 0.0, "omega": 0.1, "zeta": 1.0}
    with pytest.raises(InputError) as caught:
        natural_to_raw(**(good | {name: value}))
    assert caught.value.name == name


def test_shapes_that_do_not_broadcast():
    with pytest.raises(InputError) as caught:
        svi_total_variance(log_moneyness=np.zeros(3), **(VOGT | {"a": np.zeros(2)}))
    assert caught.value.name == "shape"
