"""What ranks one candidate above another: weights, corrected probabilities, and the front that nothing beats."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import DocumentError, InputError
from bifrost_lib.strategies import PopCorrection, find_candidates, read_weights

from .conftest import legs_of

ALL = 10**6


def test_weights_move_the_ranking(chain):
    safe = find_candidates(chain, "iron_condor", weights={"pop": 1.0}, top=ALL).records()
    assert safe[0]["score"] == pytest.approx(100 * max(record["pop"] for record in safe))
    assert safe[0]["score_parts"]["liquidity"] == 0


def test_the_front_holds_what_nothing_beats(chain):
    found = find_candidates(chain, "iron_condor", dte=(37, 37), top=ALL)
    records, front = found.records(), found.front()

    def merits(record):
        capital, cost = record["max_loss"], record["slippage_cost"]
        return record["pop"], (record["ev"] - cost) / (capital + cost), -record["tail_loss"] / capital

    every = np.array([merits(record) for record in records])
    beaten = [
        bool(((every >= one).all(axis=1) & (every > one).any(axis=1)).any()) for one in (merits(r) for r in records)
    ]
    assert [record["on_front"] for record in records] == [not one for one in beaten]
    assert front and all(record["on_front"] for record in front)


@pytest.mark.parametrize(
    ("text", "name"),
    [("{pp: 1}", "document"), ("{pop: -1}", "pop"), ("[1]", "weights"), ("{}", "pop"), (": :", "weights")],
)
def test_weights_are_a_document_that_names_its_mistakes(text, name):
    with pytest.raises(DocumentError) as caught:
        read_weights(text)
    assert caught.value.name == name


def test_a_corrected_probability_counts_in_the_score(chain):
    """Where stated probabilities were too high, the score counts what they were worth, exactly."""
    correction = PopCorrection(-0.4, 0.8, 120)
    plain = find_candidates(chain, "iron_condor", top=400).records()
    learned = find_candidates(chain, "iron_condor", top=400, correction=correction).records()
    wanted = {}
    for record in plain:
        p = record["pop"]
        q = 1 / (1 + np.exp(0.4 - 0.8 * np.log(p / (1 - p))))
        assert record["pop_recalibrated"] is None
        wanted[legs_of(record)] = (q, record["score"] + 30 * (q - p))
    common = [record for record in learned if legs_of(record) in wanted]
    assert len(common) > 100
    for record in common:
        q, score = wanted[legs_of(record)]
        assert record["pop_recalibrated"] == pytest.approx(q, rel=1e-12)
        assert record["score"] == pytest.approx(score, rel=1e-12)
        assert sum(record["score_parts"].values()) == pytest.approx(record["score"])
    assert [record["score"] for record in learned] == sorted((r["score"] for r in learned), reverse=True)
    assert f"the probability is {learned[0]['pop_recalibrated']:.0%}" in learned[0]["why"]


def test_a_correction_keeps_the_order_of_probabilities():
    assert [PopCorrection(1.0, 2.0, 9)(p) for p in (0.0, 1.0)] == [0.0, 1.0]
    with pytest.raises(InputError, match="slope"):
        PopCorrection(0.0, -1.0, 9)
