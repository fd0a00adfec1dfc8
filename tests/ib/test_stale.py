"""Contracts that fall silent while others go on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.ib.stale import StaleDetector


def _run(detector: StaleDetector, con_id: int, every_s: float, start: float, end: float) -> None:
    moment = start
    while moment < end:
        detector.heard(con_id, moment)
        moment += every_s


def test_a_silent_contract_among_talking_ones_is_stale_once():
    detector = StaleDetector(factor=20.0, least_s=60.0)
    _run(detector, 1, 1.0, 0.0, 100.0)
    _run(detector, 2, 1.0, 0.0, 165.0)
    assert detector.stale(120.0) == []
    assert detector.stale(164.0) == [1]
    assert detector.stale(164.5) == []  # only after twice the silence
    _run(detector, 2, 1.0, 165.0, 225.0)
    assert detector.stale(224.0) == [1]


def test_a_slow_contract_may_be_slow():
    detector = StaleDetector(factor=20.0, least_s=60.0)
    _run(detector, 1, 30.0, 0.0, 300.0)
    _run(detector, 2, 1.0, 0.0, 800.0)
    assert detector.stale(799.0) == []


def test_when_nobody_ticks_the_market_may_be_closed():
    detector = StaleDetector(factor=20.0, least_s=60.0)
    _run(detector, 1, 1.0, 0.0, 100.0)
    _run(detector, 2, 1.0, 0.0, 100.0)
    assert detector.stale(600.0) == []
    assert sorted(detector.stale(1300.0)) == [1, 2]
    assert detector.stale(1400.0) == []


def test_forgotten_contracts_are_not_stale():
    detector = StaleDetector(factor=20.0, least_s=60.0)
    _run(detector, 1, 1.0, 0.0, 10.0)
    _run(detector, 2, 1.0, 0.0, 500.0)
    detector.forget(1)
    assert detector.stale(499.0) == []


@given(st.lists(st.floats(0.01, 5.0), min_size=2, max_size=100))
def test_who_ticks_is_never_stale(intervals):
    detector, now = StaleDetector(), 0.0
    for interval in intervals:
        now += interval
        detector.heard(1, now)
        detector.heard(2, now)
        assert detector.stale(now) == []
