"""Cubes say what their frames say, and a cut one knows nothing of what comes later."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import BELIEVABLE, FIT, ChainCube
from bifrost_lib.core.errors import InputError
from tests.backtest.written_markets import actions, chain, cube, earnings

JAN, FEB, MAR = "2024-01-31", "2024-02-16", "2024-03-15"
DAYS = {
    f"{JAN} 10:00": (100.0, {f"{FEB} 95P": (1.0, 1.2), f"{FEB} 105C": (0.9, np.nan)}),
    f"{JAN} 16:00": (101.0, {f"{FEB} 95P": (0.8, 1.0), f"{MAR} 95P": (2.0, 2.2)}),
    "2024-02-01 16:00": (102.0, {f"{FEB} 95P": (1.4, 1.2), f"{MAR} 100P": (3.0, 3.2)}),
}


def test_every_quote_lies_where_its_row_says():
    found = cube(DAYS)
    assert (found.sessions, len(found.moment_us), len(found.strike)) == (2, 3, 4)
    assert [found.contract_words(at) for at in range(4)] == [
        "XYZ 2024-02-16 105C", "XYZ 2024-02-16 95P", "XYZ 2024-03-15 95P", "XYZ 2024-03-15 100P",
    ]  # fmt: skip
    assert found.spot.tolist() == [100.0, 101.0, 102.0]
    assert (found.open_spot.tolist(), found.close_spot.tolist()) == ([100.0, 102.0], [101.0, 102.0])
    # The first session has two moments, so that each of its rows has two quotes; what was not quoted is NaN.
    rows = {found.row_contract[row]: found.row_quote[row] for row in range(found.session_row[1])}
    assert found.bid[rows[1] : rows[1] + 2].tolist() == [1.0, 0.8]
    np.testing.assert_array_equal(found.bid[rows[2] : rows[2] + 2], [np.nan, 2.0])
    assert found.flags[rows[1]] == BELIEVABLE | FIT
    assert found.flags[rows[0]] == 0  # no ask
    assert found.flags[found.row_quote[found.session_row[1]]] == 0  # crossed


def test_quality_and_settlement_are_the_sources():
    found = cube(DAYS, quality="below_intrinsic", settlement="AM", style="european")
    assert found.flags[found.row_quote[1]] == BELIEVABLE
    assert found.is_am.all()
    assert not found.is_american.any()
    stale = cube(DAYS, quality="stale")
    assert not stale.flags.any()


def test_a_cut_cube_is_the_cube_of_the_quotes_until_then():
    known = actions(("2024-02-01", "dividend", 0.5), ("2024-01-31", "split", 2.0))
    conditions = pd.DataFrame({"ts": pd.to_datetime(["2024-01-31", "2024-02-01"], utc=True), "iv_rank": [0.2, 0.9]})
    learnt = earnings(
        ("2024-01-30 12:00", "2023Q4", "2024-02-08", "unknown"), ("2024-01-31 16:00", "2023Q4", None, "unknown"),
        ("2024-01-31 16:01", "2024Q1", "2024-05-08", "before_open"),
        ("2024-01-31 16:02", "2023Q4", "2024-02-09", "during"),
    )  # fmt: skip
    whole = cube(DAYS, actions=known, conditions=conditions, earnings=learnt)
    early = {when: quotes for when, quotes in DAYS.items() if when.startswith(JAN)}
    alone = cube(early, actions=known.iloc[1:], conditions=conditions.iloc[:1], earnings=learnt[:2])
    assert "earnings_day" in dict(alone.arrays())
    cut = whole.between(end=date(2024, 1, 31))
    for (name, one), (other_name, other) in zip(cut.arrays(), alone.arrays(), strict=True):
        assert name == other_name
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert cut.sha256 == alone.sha256 != whole.sha256
    assert whole.conditions["iv_rank"].tolist() == [0.2, 0.9]
    # A later ex-date is news even where the sessions are all there.
    assert len(alone.between(end=date(2024, 1, 31)).dividend_day) == 0
    assert len(cube(early, actions=known).between().dividend_day) == 0
    # So is what is learnt after the last moment. A cube without earnings has the digest that it always had.
    assert cube(early, earnings=learnt).between().sha256 == cube(early, earnings=learnt[:2]).sha256
    assert not any(name.startswith("earnings") for name, _ in cube(early).arrays())
    tail = whole.between(start=date(2024, 2, 1))
    assert (tail.start, len(tail.strike), len(tail.bid)) == (date(2024, 2, 1), 2, 2)
    np.testing.assert_array_equal(tail.sg_row, [0, 1, 2])


def test_days_stand_for_their_closes():
    frame = chain(DAYS).assign(date=lambda rows: rows["ts"].dt.tz_convert("America/New_York").dt.date)
    frame = frame[frame["ts"].dt.hour == 21].drop(columns="ts")
    found = ChainCube.from_frame(frame.drop(columns="delta"), symbol="XYZ")
    assert pd.to_datetime(found.moment_us, unit="us").strftime("%d %H:%M").tolist() == ["31 21:00", "01 21:00"]
    assert np.isnan(found.delta).all()
    assert found.flags[0] == BELIEVABLE | FIT  # who has no deltas at all is not asked for them


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda frame: frame.drop(columns="bid"), "chain.bid"),
        (lambda frame: frame.drop(columns="ts"), "chain.ts"),
        (lambda frame: frame.assign(ts=frame["ts"].dt.tz_localize(None)), "chain.ts"),
        (lambda frame: frame.assign(right="X"), "chain.right"),
        (lambda frame: frame.assign(strike=0.0), "chain.strike"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "chain"),
        (lambda frame: frame.head(0), "chain"),
    ],
)
def test_a_frame_that_is_none_is_refused(spoil, name):
    with pytest.raises(InputError) as refused:
        ChainCube.from_frame(spoil(chain(DAYS)), symbol="XYZ")
    assert refused.value.name == name


def test_a_range_without_sessions_is_refused():
    with pytest.raises(InputError) as refused:
        cube(DAYS).between(date(2024, 2, 2), date(2024, 2, 9))
    assert refused.value.name == "start"
