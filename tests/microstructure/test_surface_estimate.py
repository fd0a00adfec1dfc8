"""What held lines tell about the others: exact surfaces, honest errors, real chains."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.microstructure import (
    calibrate_surface,
    choose_lines,
    estimate_surface,
    held_out_error,
    typical_surface,
)
from bifrost_lib.microstructure.surface_model import places_of
from bifrost_lib.microstructure.surface_points import read_quotes


def test_a_surface_of_the_family_is_recovered_exactly(chain_of):
    chain = chain_of(half_spread=1e-7)
    model = replace(typical_surface(chain), curve=1e-6, peculiar=1e-6, nugget=1e-7, expiry_reach=1e6)
    quotes = read_quotes(chain, model.term)
    line = 0.3 * np.exp(-0.08 * places_of(quotes, model).across)
    chain = chain_of(vol=line[quotes.point], half_spread=1e-7)
    choice = choose_lines(chain, 3, model=model)
    estimate = estimate_surface(chain, choice.held, model=model)
    assert estimate.iv == pytest.approx(chain["iv"].to_numpy(), rel=1e-3)
    assert held_out_error(chain, choice).rmse < 1e-4


def test_a_flat_surface_is_flat_from_one_line(chain_of):
    chain = chain_of(vol=0.4)
    estimate = estimate_surface(chain, [30])
    assert estimate.iv == pytest.approx(0.4, rel=1e-6)
    assert estimate.sd[30] < 0.1 * np.median(estimate.sd)


def test_errors_on_drawn_surfaces_are_what_was_expected(drawn, model):
    ratios = []
    for seed in range(12):
        chain = drawn(model, seed)
        found = held_out_error(chain, choose_lines(chain, 25, model=model))
        assert found.strikes > 80
        ratios.append(found.ratio)
    assert 0.85 < np.exp(np.log(ratios).mean()) < 1.15


def test_calibration_finds_the_model_that_made_the_surface(drawn, model):
    chain = drawn(model, 1)
    found = calibrate_surface(chain)
    assert 0.5 < found.spread_share / model.spread_share < 2
    assert 0.5 < found.curve_reach / model.curve_reach < 2
    choice = choose_lines(chain, 30, model=found)
    assert 0.5 < held_out_error(chain, choice).ratio < 1.5
    assert calibrate_surface(chain) == found, "the draw of points has a seed"


def test_more_lines_know_more(drawn, model):
    chain = drawn(model, 2)
    errors = [held_out_error(chain, choose_lines(chain, lines, model=model)).rmse for lines in (5, 20, 60)]
    assert errors[0] > errors[1] > errors[2]


def test_only_held_quotes_are_looked_at(drawn, model):
    chain = drawn(model, 2)
    held = choose_lines(chain, 20, model=model).held
    blind = chain.copy()
    others = np.setdiff1d(np.arange(len(chain)), held)
    blind.loc[others, ["bid", "ask", "iv"]] = np.nan
    base, other = (estimate_surface(each, held, model=model) for each in (chain, blind))
    assert other.iv == pytest.approx(base.iv, rel=1e-12)
    assert other.sd == pytest.approx(base.sd, rel=1e-12)


def test_call_and_put_of_a_strike_have_one_estimate(drawn, model):
    chain = drawn(model, 2)
    chain["estimate"] = estimate_surface(chain, choose_lines(chain, 20, model=model).held, model=model).iv
    assert (chain.groupby(["expiry", "strike"])["estimate"].nunique() == 1).all()


def test_a_common_set_of_strikes_can_be_compared(drawn, model):
    chain = drawn(model, 2)
    choice = choose_lines(chain, 20, model=model)
    some = np.arange(0, len(chain), 5)
    assert 0 < held_out_error(chain, choice, among=some).strikes < held_out_error(chain, choice).strikes
    nothing = held_out_error(chain, choice, among=[int(choice.held[0])])
    assert nothing.strikes == 0
    assert math.isnan(nothing.rmse)


def test_refusals(chain_of, model):
    chain = chain_of()
    with pytest.raises(InputError) as caught:
        estimate_surface(chain, [len(chain)], model=model)
    assert caught.value.name == "held"
    with pytest.raises(InputError) as caught:
        held_out_error(chain.iloc[:-1], choose_lines(chain, 5, model=model))
    assert caught.value.name == "chain"
    with pytest.raises(InputError) as caught:
        calibrate_surface(chain, sample=10)
    assert caught.value.name == "sample"
    for call in (
        lambda: estimate_surface(chain, [], model=model),
        lambda: estimate_surface(chain.assign(bid=np.nan), [1, 2], model=model),
        lambda: calibrate_surface(chain.iloc[:20]),
    ):
        with pytest.raises(NoDataError):
            call()


def equally_spaced(chain, quotes, lines):
    """The out-of-the-money quotes nearest to equally spaced strikes, the same number in every expiry."""
    rows = quotes.best[quotes.informed]
    table = pd.DataFrame(
        {"row": rows, "expiry": quotes.expiry[quotes.informed], "strike": chain["strike"].to_numpy()[rows]}
    )
    chosen: list[int] = []
    for _, group in table.groupby("expiry"):
        count = max(1, lines // table["expiry"].nunique())
        targets = np.linspace(group["strike"].min(), group["strike"].max(), count + 2)[1:-1]
        for target in targets:
            free = group[~group["row"].isin(chosen)]
            chosen.append(int(free["row"].iloc[(free["strike"] - target).abs().to_numpy().argmin()]))
    return np.array(chosen)


@pytest.mark.samples
@pytest.mark.slow
@pytest.mark.parametrize("symbol", ["SPY", "QQQ"])
def test_the_choice_beats_simple_ones_on_the_next_days_real_chain(real_chain, symbol):
    model = calibrate_surface(real_chain(symbol, "2026-08-12"))
    chain = real_chain(symbol, "2026-08-13")
    quotes = read_quotes(chain, model.term)
    choice = choose_lines(chain, 45, model=model)
    outside = quotes.best[quotes.informed]
    near = outside[np.argsort(np.abs(quotes.log_moneyness[quotes.informed]), kind="stable")[:45]]
    rivals = {"near the money": near, "equally spaced": equally_spaced(chain, quotes, 45)}
    drawn = [np.random.default_rng(seed).choice(outside, 45, replace=False) for seed in range(5)]
    rivals |= {f"random {seed}": held for seed, held in enumerate(drawn)}
    unused = np.setdiff1d(np.arange(len(chain)), np.concatenate([choice.held, *rivals.values()]))
    ours = held_out_error(chain, choice, among=unused).rmse
    theirs = {
        name: held_out_error(chain, replace(choice, held=held), among=unused).rmse for name, held in rivals.items()
    }
    assert ours < 0.004, "less than 0.4 points of volatility"
    assert ours < min(theirs.values()), theirs
    assert ours < 0.8 * np.mean([error for name, error in theirs.items() if name.startswith("random")]), theirs
    assert ours < 0.8 * theirs["equally spaced"]
    assert ours < 0.1 * theirs["near the money"]
    assert 0.5 < held_out_error(chain, choice).ratio < 1.7
