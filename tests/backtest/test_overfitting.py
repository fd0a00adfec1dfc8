"""The published examples of the Sharpe ratio's probability, its deflation, and overfitting by cross-validation."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from bifrost_lib.backtest.overfitting.cross_validation import probability_of_overfitting
from bifrost_lib.backtest.overfitting.sharpe_ratios import (
    deflate,
    deflated_sharpe_ratio,
    effective_trials,
    expected_max_sharpe,
    min_backtest_years,
    min_track_record,
    moments,
    probabilistic_sharpe,
)
from bifrost_lib.core.errors import InputError


def noise(sets: int, sessions: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((sets, sessions))


def families(sizes: tuple[int, ...], sessions: int, *, own: float = 0.3, seed: int = 1) -> np.ndarray:
    """Sets that follow as many independent strategies as there are sizes."""
    rng = np.random.default_rng(seed)
    rows = [base + own * rng.standard_normal(sessions) for base, size in zip(
        rng.standard_normal((len(sizes), sessions)), sizes, strict=True) for _ in range(size)]  # fmt: skip
    return np.array(rows)


def test_probabilistic_sharpe_of_the_paper():
    # Bailey and López de Prado (2012), section 4: two years of months, 0.458 a month; then a third year.
    assert probabilistic_sharpe(0.458, count=24) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(0.458, count=24, skew=-2.448, kurtosis=10.164) == pytest.approx(0.913, abs=5e-4)
    assert probabilistic_sharpe(0.458, count=36, skew=-2.448, kurtosis=10.164) == pytest.approx(0.953, abs=6e-4)


@pytest.mark.parametrize(
    ("per_year", "skew", "kurtosis", "years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_min_track_record_of_the_paper(per_year, skew, kurtosis, years):
    # Section 5: an annual ratio of 2 is above 1 with 95 % after so many years, by the frequency of the returns.
    length = min_track_record(2 / per_year**0.5, benchmark=1 / per_year**0.5, skew=skew, kurtosis=kurtosis)
    assert length / per_year == pytest.approx(years, abs=5e-3)


def test_min_track_record_is_where_the_probability_gets_there():
    length = min_track_record(0.1, benchmark=0.02, skew=-1.0, kurtosis=6.0, confidence=0.9)
    rounded = math.ceil(length)
    facts = {"benchmark": 0.02, "skew": -1.0, "kurtosis": 6.0}
    assert (
        probabilistic_sharpe(0.1, count=rounded, **facts) >= 0.9 > probabilistic_sharpe(0.1, count=rounded - 1, **facts)
    )
    assert math.isnan(min_track_record(0.01, benchmark=0.02))


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "probability"), [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)]
)
def test_deflated_sharpe_of_the_paper(trials, skew, kurtosis, probability):
    # Bailey and López de Prado (2014), "A numerical example": 2.5 a year over 1,250 days of 250 a year.
    found = deflated_sharpe_ratio(
        2.5 / 250**0.5, trials=trials, variance=0.5 / 250, count=1250, skew=skew, kurtosis=kurtosis
    )
    assert found == pytest.approx(probability, abs=5e-5)
    assert expected_max_sharpe(100, variance=0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


def test_best_of_trials_without_skill():
    # Bailey et al. (2014), Notices: 1.57 for ten trials over a year; five years of history bear no more than 45.
    assert expected_max_sharpe(10) == pytest.approx(1.57, abs=6e-3)
    assert min_backtest_years(45) <= 5.0 < min_backtest_years(46)
    assert expected_max_sharpe(1) == 0.0


def test_equivalent_trials_of_the_paper():
    # DSR, appendix: ρ + (1 - ρ) N; equal sets are one trial.
    x = families((30,), 4000, own=1.0)
    rho = np.corrcoef(x)[np.triu_indices(30, 1)].mean()
    assert effective_trials(x, method="correlation").count == pytest.approx(rho + (1 - rho) * 30, rel=1e-9)
    assert effective_trials(np.tile(x[0], (20, 1)), method="correlation").count == pytest.approx(1.0)
    assert effective_trials(np.tile(x[0], (20, 1))).count == 1.0


def test_clusters_count_strategies_and_not_their_variants():
    found = effective_trials(families((12, 3, 25, 8), 500))
    assert found.count == 4
    assert [len(set(found.labels[start:stop])) for start, stop in ((0, 12), (12, 15), (15, 40), (40, 48))] == [1] * 4
    assert effective_trials(noise(40, 500)).count == 40
    # The choice is made among all: variants that differ in skill are not hidden by their groups' averages.
    spread = families((20, 20), 500)
    spread[:20] += np.linspace(-0.3, 0.3, 20)[:, None]
    ratios = spread.mean(axis=1) / spread.std(axis=1, ddof=1)
    assert effective_trials(spread).variance == pytest.approx(ratios.var(ddof=1))


def test_the_best_of_noise_is_not_skill_and_skill_survives():
    x = noise(200, 750)
    lucky = deflate(x, method="all")
    assert lucky.psr > 0.95
    assert lucky.probability < 0.9
    x[7] += 0.25
    found = deflate(x, method="all")
    assert found.chosen == 7
    assert found.probability > 0.99
    assert deflate(x, method="all", tried=100_000).benchmark > found.benchmark


def test_sets_that_never_trade_are_no_trials():
    x = np.vstack([noise(3, 100), np.zeros((5, 100))])
    assert effective_trials(x, method="all").count == 3
    assert list(effective_trials(x).labels[3:]) == [-1] * 5
    silent = deflate(np.zeros((4, 50)))
    assert math.isnan(silent.probability)
    assert silent.reason
    assert math.isnan(probability_of_overfitting(np.zeros((4, 50)), blocks=4).probability)


def plain_cscv(x: np.ndarray, blocks: int) -> np.ndarray:
    """The paper's steps, written down one after the other."""
    parts = np.split(np.arange(x.shape[1]), blocks)
    logits = []
    for half in combinations(range(blocks), blocks // 2):
        seen = np.concatenate([parts[b] for b in half])
        unseen = np.concatenate([parts[b] for b in range(blocks) if b not in half])
        ratio = [x[:, rows].mean(axis=1) / x[:, rows].std(axis=1, ddof=1) for rows in (seen, unseen)]
        rank = (ratio[1] <= ratio[1][ratio[0].argmax()]).sum() / (len(x) + 1)
        logits.append(math.log(rank / (1 - rank)))
    return np.array(logits)


def test_overfitting_is_the_papers_steps():
    x = noise(9, 240, seed=3) + np.linspace(0, 0.1, 9)[:, None]
    found = probability_of_overfitting(x, blocks=6)
    assert found.logits == pytest.approx(plain_cscv(x, 6), abs=1e-12)
    assert found.probability == (found.logits <= 0).mean()
    assert len(probability_of_overfitting(noise(5, 200)).logits) == math.comb(16, 8)


def test_overfitting_knows_luck_from_skill():
    x = noise(50, 800, seed=5)
    assert probability_of_overfitting(x, blocks=10).probability == pytest.approx(0.5, abs=0.2)
    # With equal results over the whole time, what was won in one half was lost in the other (the paper's example).
    level = probability_of_overfitting(x - x.mean(axis=1, keepdims=True), blocks=10)
    assert level.probability > 0.95
    assert level.slope < -0.9
    x[11] += 0.5
    skilled = probability_of_overfitting(x, blocks=10)
    assert (skilled.probability, skilled.loss) == (0.0, 0.0)


def test_equal_sets_share_their_ranks():
    x = np.tile(noise(1, 120), (10, 1))
    found = probability_of_overfitting(x, blocks=4)
    assert found.probability == 1.0  # no better than the median, ever
    assert found.logits == pytest.approx(0.0)


def test_mistakes_are_named():
    with pytest.raises(InputError) as caught:
        probability_of_overfitting(noise(3, 20), blocks=16)
    assert caught.value.name == "blocks"
    bad = noise(3, 40)
    bad[1, 3] = math.nan
    for call in (lambda: probability_of_overfitting(bad, blocks=4), lambda: deflate(bad)):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.name == "daily"
    with pytest.raises(InputError) as caught:
        probabilistic_sharpe(1.0, count=1)
    assert caught.value.name == "count"


def test_moments_of_a_die():
    assert moments([1, 2, 3, 4, 5, 6]) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.7314285714))
