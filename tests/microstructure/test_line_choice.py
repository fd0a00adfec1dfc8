"""The choice of lines: laws of what is held, and that each step is the best one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.microstructure import choose_lines, typical_surface
from bifrost_lib.microstructure.line_choice import weighted_rms
from bifrost_lib.microstructure.surface_model import posterior
from bifrost_lib.microstructure.surface_points import read_quotes

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def contracts(chain, rows):
    return set(chain.iloc[rows][["expiry", "strike", "right"]].itertuples(index=False, name=None))


@FEW
@given(lines=st.integers(1, 60), seed=st.integers(0, 99))
def test_more_lines_never_increase_the_expected_error(chain_of, model, lines, seed):
    chain = chain_of()
    interest = np.random.default_rng(seed).uniform(0, 2, len(chain))
    found = choose_lines(chain, lines, model=model, interest=interest)
    assert len(found.held) == len(set(found.held)) == lines
    assert len(found.path) == lines + 1
    assert (np.diff(found.path) <= 1e-12).all()
    assert found.expected_after < found.expected_before


def test_fewer_lines_are_the_first_of_many(chain_of, model):
    many = choose_lines(chain_of(), 40, model=model)
    assert choose_lines(chain_of(), 15, model=model).held.tolist() == many.held[:15].tolist()


@FEW
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(drawn, model, seed):
    chain = drawn(model, seed)
    shuffled = chain.sample(frac=1, random_state=seed)
    base, other = (choose_lines(each, 20, model=model) for each in (chain, shuffled))
    assert contracts(chain, base.held) == contracts(shuffled, other.held)
    assert other.expected_after == pytest.approx(base.expected_after, rel=1e-9)


@FEW
@given(scale=st.floats(1, 5000))
def test_the_unit_of_money_does_not_matter(chain_of, model, scale):
    base, other = (choose_lines(chain_of(scale=each), 12, model=model) for each in (100.0, scale))
    assert other.expected_after == pytest.approx(base.expected_after, rel=1e-6)


def error_of(chain, rows, model):
    """Weighted variance over all contracts, computed from scratch."""
    quotes = read_quotes(chain, model.term)
    sd = (quotes.level * posterior(quotes, model, np.array(rows, dtype=np.int64))[1])[quotes.point]
    return weighted_rms(sd, quotes.vega[quotes.point])


def test_each_step_is_the_best_of_all(drawn, model):
    chain = drawn(model, 3)
    held = choose_lines(chain, 6, model=model).held.tolist()
    outside = read_quotes(chain, model.term).best.tolist()
    for step in range(6):
        errors = {row: error_of(chain, [*held[:step], row], model) for row in outside if row not in held[:step]}
        assert errors[held[step]] <= min(errors.values()) * (1 + 1e-4)


def test_the_path_is_the_error_computed_from_scratch(drawn, model):
    chain = drawn(model, 4)
    found = choose_lines(chain, 30, model=model)
    for count in (0, 1, 7, 30):
        assert found.path[count] == pytest.approx(error_of(chain, found.held[:count], model), rel=0.03)


def test_greed_is_near_the_best_pair(drawn, model):
    chain = drawn(model, 5).iloc[::3].reset_index(drop=True)
    outside = [row for row in read_quotes(chain, model.term).best.tolist() if row >= 0]
    best = min(error_of(chain, [a, b], model) for a in outside[::2] for b in outside[::2] if a < b)
    assert error_of(chain, choose_lines(chain, 2, model=model).held, model) < 1.15 * best


def test_what_is_forced_is_held_first(chain_of, model):
    chain = chain_of()
    chain.loc[7, ["bid", "iv"]] = np.nan  # a position whose contract nobody quotes
    chain.loc[7, "quality"] = "one_sided"
    forced = [3, 7, 200]
    found = choose_lines(chain, 10, model=model, forced=forced)
    assert set(found.held[:3]) == set(forced)
    assert choose_lines(chain, 3, model=model, forced=forced).held.tolist() == found.held[:3].tolist()
    free = choose_lines(chain, 10, model=model)
    assert free.path[-1] <= found.path[-1]
    assert not set(forced) <= set(free.held)


def test_the_out_of_the_money_side_is_taken_once_per_strike(chain_of, model):
    chain = chain_of()
    held = chain.iloc[choose_lines(chain, 100, model=model).held]
    assert not held.duplicated(["expiry", "strike"]).any()
    outside = np.where(held["right"] == "C", held["strike"] >= held["forward"], held["strike"] <= held["forward"])
    assert outside.all()


def test_all_lines_hold_everything(chain_of, model):
    chain = chain_of()
    chain.loc[5, "bid"] = np.nan
    found = choose_lines(chain, len(chain) + 10, model=model)
    assert sorted(found.held) == list(range(len(chain)))
    told = np.isfinite(read_quotes(chain, model.term).log_iv[found.held])
    assert not told[-1]
    assert (np.diff(told.astype(int)) <= 0).all(), "what has no quote comes last"
    assert math.isnan(found.expected_after), "nothing is left over"
    none = choose_lines(chain, 0, model=model)
    assert none.held.size == 0
    assert none.expected_after == none.expected_before


def test_interest_draws_the_lines(chain_of, model):
    chain = chain_of()
    watched = (chain["expiry"] == chain["expiry"].min()).to_numpy()
    found = choose_lines(chain, 10, model=model, interest=watched.astype(float))
    base = choose_lines(chain, 10, model=model)
    assert watched[found.held].sum() > watched[base.held].sum()
    assert found.sd[watched].max() < base.sd[watched].max()
    assert (found.weight[~watched] == 0).all()


def test_contracts_without_a_place_are_nan_and_never_chosen(chain_of, model):
    chain = chain_of()
    chain.loc[chain["strike"] < 80, "forward"] = np.nan
    found = choose_lines(chain, 20, model=model)
    lost = (chain["strike"] < 80).to_numpy()
    assert np.isnan(found.sd[lost]).all()
    assert np.isfinite(found.sd[~lost]).all()
    assert not lost[found.held].any()


def test_refusals_name_the_argument(chain_of, model):
    chain = chain_of()
    for arguments, name in (
        ({"lines": -1}, "lines"),
        ({"lines": 1, "forced": [1, 2]}, "forced"),
        ({"lines": 5, "forced": [len(chain)]}, "forced"),
        ({"lines": 5, "interest": np.ones(3)}, "interest"),
        ({"lines": 5, "interest": -np.ones(len(chain))}, "interest"),
    ):
        with pytest.raises(InputError) as caught:
            choose_lines(chain, model=model, **arguments)
        assert caught.value.name == name
    with pytest.raises(InputError) as caught:
        choose_lines(chain.drop(columns="forward"), 5)
    assert caught.value.name == "chain.forward"
    with pytest.raises(NoDataError):
        choose_lines(chain.assign(iv=np.nan), 5)


def test_typical_parameters_serve_where_none_are_given(chain_of):
    found = choose_lines(chain_of(vol=0.4), 10)
    assert found.model == typical_surface(chain_of(vol=0.4))
    assert np.exp(found.model.term.log_vol) == pytest.approx(0.4)
