"""Long batches on several cores: every element once, in whole blocks, with what one core gives."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.pricing import american_dividend_price, american_implied_vol, american_price, fit_svi, parts
from bifrost_lib.pricing.parts import in_parts


@given(st.integers(0, 5_000), st.integers(1, 700), st.sampled_from([1, 64, 128]), st.integers(1, 9))
def test_slices_make_up_the_range_in_whole_blocks(size, least, block, threads):
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_allowed_threads", lambda: threads)
        assert in_parts(lambda rows: taken.append(rows) or 1, size, least=least, block=block) == 1
    taken.sort(key=lambda rows: rows.start)
    assert [rows.start for rows in taken] == [0, *(rows.stop for rows in taken[:-1])]
    assert taken[-1].stop == size
    if len(taken) > 1:
        assert all(rows.start % block == 0 for rows in taken)
        assert all(rows.stop - rows.start >= least for rows in taken[:-1])


def test_a_thread_that_is_held_up_holds_up_nobody(monkeypatch):
    monkeypatch.setattr(parts, "_allowed_threads", lambda: 2)
    others_are_done, done = threading.Event(), []

    def run(rows):
        if rows.start == 0:  # waits for the end of everything else, which therefore the other thread must do
            assert others_are_done.wait(30)
        done.append(rows)
        if sum(one.stop - one.start for one in done if one.start) == 1_000 - first.stop:
            others_are_done.set()
        return 2 if rows.start else 4

    first = parts._slices(1_000, 2, 10, 1)[0]
    assert in_parts(run, 1_000, least=10, block=1) == 6


def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(parts, "_allowed_threads", lambda: 2)
    raised_elsewhere = threading.Event()

    def run(rows):
        if threading.current_thread() is threading.main_thread():
            assert raised_elsewhere.wait(30)
            return 0
        raised_elsewhere.set()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_parts(run, 1_000, least=10, block=1)


def test_several_cores_give_what_one_gives(monkeypatch):
    rng = np.random.default_rng(4)
    size = 3_000
    option = {
        "spot": rng.uniform(70, 130, size), "strike": 100.0, "tau": rng.uniform(0.05, 2.0, size),
        "right": rng.random(size) < 0.5, "rate": rng.uniform(-0.03, 0.06, size),
        "div_yield": rng.uniform(-0.05, 0.05, size), "accuracy": "fast",
    }  # fmt: skip
    vol = rng.uniform(0.1, 0.6, size)
    few = {name: value[:16] if np.ndim(value) else value for name, value in option.items()}
    cash = {**few, "vol": 0.3, "dividend_taus": [0.1, 0.4], "dividends": [1.0, 2.0]}
    k = np.linspace(-0.4, 0.3, 11)
    w = 0.02 + 0.1 * np.hypot(k, rng.uniform(0.1, 0.4, (200, 1))) + rng.normal(0, 1e-4, (200, 11))

    def everything():
        value = american_price(**option, vol=vol)
        slices = fit_svi(log_moneyness=k, total_variance=w)
        iv = american_implied_vol(**option, price=value)
        return value, iv, american_dividend_price(**cash), slices.a, slices.least_g

    monkeypatch.setattr(parts, "_allowed_threads", lambda: 1)
    alone = everything()
    monkeypatch.setattr(parts, "_allowed_threads", lambda: 3)
    for ours, expected in zip(everything(), alone, strict=True):
        np.testing.assert_array_equal(ours, expected)
