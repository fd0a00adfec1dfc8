"""The simulated year is stored once, whole or not at all, and says what each market was like; then its past is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.workflows import history

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings
    from bifrost_lib.workflows import Desk

FIRST, WHOLE_FROM, LAST = date(2026, 4, 8), date(2026, 5, 14), date(2026, 5, 15)
SHORT: dict[str, Any] = {"symbols": ("SIM",), "first": FIRST, "whole_from": WHOLE_FROM, "last": LAST}
CLOSE = datetime(2026, 5, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    """A desk whose first seed was killed and whose second one ended."""
    from bifrost_lib import workflows
    from bifrost_lib.workflows import seeding

    with workflows.open_desk(settings=database_settings) as opened:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seeding._Market, "conditions", _killed)
            with pytest.raises(KeyboardInterrupt):
                workflows.seed_simulated_history(opened, **SHORT)
        assert workflows.list_symbols(opened).empty
        assert workflows.seed_simulated_history(opened, **SHORT) > 20_000
        yield opened


def _killed(_: Any) -> pd.DataFrame:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def past(desk: Desk) -> pd.DataFrame:
    found: pd.DataFrame = history.volatility_history(desk, "sim", at=CLOSE)
    return found


def test_a_second_seed_stores_nothing(desk: Desk) -> None:
    from bifrost_lib.workflows import seed_simulated_history

    assert seed_simulated_history(desk, **SHORT) == 0


def test_every_session_is_described_from_the_first_on(past: pd.DataFrame) -> None:
    assert len(past) == 28
    known = ["iv", "iv_rank", "iv_percentile", "realized_vol", "skew", "term_slope", "vol_index", "put_call_volume"]
    assert past[known].notna().all(axis=None)
    assert (past["iv_days"] == 252).all()
    assert set(past["source"]) == {"simulated"}
    assert np.allclose(past["premium"], past["iv"] - past["realized_vol"])
    assert past["iv_low"].isna().sum() == 19 and (past["iv_high"].dropna() == past["iv"].max()).all()


def test_the_turmoil_shows_in_every_measure(past: pd.DataFrame) -> None:
    at_worst = int(past["iv"].to_numpy().argmax())
    assert past["iv"].iloc[0] < 0.2 and past["iv"].max() > 0.4
    assert past["iv_rank"][at_worst] == 1.0
    assert past["term_slope"][at_worst] < 0 < past["term_slope"].iloc[0]
    assert past["skew"][at_worst] > 2 * past["skew"].iloc[0]
    assert int(past["realized_vol"].to_numpy().argmax()) > at_worst


def test_nothing_later_than_at_is_seen(desk: Desk, past: pd.DataFrame) -> None:
    earlier = history.volatility_history(desk, "SIM", at=CLOSE - timedelta(days=7))
    pd.testing.assert_frame_equal(earlier, past.iloc[: len(earlier)])
    with pytest.raises(NoDataError):
        history.volatility_history(desk, "SIM", at=datetime(2026, 4, 1, tzinfo=UTC))


def test_the_last_sessions_are_quoted_within_the_day(desk: Desk) -> None:
    from bifrost_lib.workflows import live

    moments = live.stored_moments(desk, "SIM")
    assert sum(moment.date() == LAST for moment in moments) == 13
    assert sum(moment.date() == FIRST for moment in moments) == 1


def test_telling_sessions_come_once_each(past: pd.DataFrame) -> None:
    named = history.telling_sessions(past)
    assert list(named)[:3] == ["newest", "1 week before", "1 month before"]
    assert named["newest"] == CLOSE
    assert len(set(named.values())) == len(named)


def test_smiles_of_several_sessions_lie_side_by_side(desk: Desk, past: pd.DataFrame) -> None:
    named = history.telling_sessions(past)
    smiles = history.smiles_through_time(desk, "SIM", named, tenor_days=30)
    summary = history.smile_summary(smiles).set_index("when")
    assert list(summary.index) == list(named)
    assert summary["dte"].between(26, 34).all()
    nearby = past.set_index("ts").loc[list(named.values())]
    assert np.allclose(summary["iv"], nearby["iv"], atol=0.015)
    assert (summary["put_25"] > summary["iv"]).all() and (summary["iv"] > summary["call_25"]).all()


def test_a_turmoil_turns_the_term_structure_over(desk: Desk, past: pd.DataFrame) -> None:
    terms = history.terms_through_time(desk, "SIM", history.telling_sessions(past))
    ends = terms.groupby("when")["iv"].agg(["first", "last"])
    assert ends.loc["highest IV", "first"] > ends.loc["highest IV", "last"] + 0.05
    assert ends.loc["lowest IV", "first"] < ends.loc["lowest IV", "last"]


def test_changes_join_the_contracts_of_two_chains(desk: Desk) -> None:
    from bifrost_lib.workflows import read_chain

    since = datetime(2026, 5, 14, 20, tzinfo=UTC)
    changes = history.changes_between(desk, "SIM", since=since, at=CLOSE)
    row = changes.iloc[len(changes) // 2]
    old, new = (read_chain(desk, "SIM", at=at, expiry=row["expiry"].date()) for at in (since, CLOSE))
    one, other = (
        chain[(chain["strike"] == row["strike"]) & (chain["right"] == row["right"])].iloc[0] for chain in (old, new)
    )
    assert row["open_interest_change"] == other["open_interest"] - one["open_interest"]
    assert row["mid_change"] == pytest.approx(other["mid"] - one["mid"])
    assert changes["volume_change"].isna().all()  # each session counts its own
    with pytest.raises(InputError) as caught:
        history.changes_between(desk, "SIM", since=CLOSE, at=since)
    assert caught.value.name == "since"


def test_large_changes_are_stored_as_the_collectors_store_them(desk: Desk) -> None:
    from bifrost_lib.store import option_changes

    noted = option_changes(desk.store.engine, "SIM", at=CLOSE, start=CLOSE - timedelta(days=3))
    assert len(noted) > 50 and set(noted["what"]) <= {"iv", "open_interest", "volume"}
    moved = noted[noted["what"] == "open_interest"]
    assert ((moved["new"] - moved["old"]).abs() >= 500).all()


def test_a_strategys_past_is_what_the_finder_says_at_each_moment(desk: Desk, past: pd.DataFrame) -> None:
    from bifrost_lib.workflows import find_strategies

    moments = history.sampled_moments(past, most=2)
    told: list[tuple[int, int]] = []
    found = history.strategy_history(desk, "SIM", "iron_condor", moments, tell=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)] and moments[-1] == CLOSE
    best = find_strategies(desk, "SIM", "iron_condor", top=1, at=moments[0]).candidates.records()[0]
    assert (found["premium"].iloc[0], found["pop"].iloc[0]) == (best["premium"], best["pop"])
    with pytest.raises(NoDataError):
        history.strategy_history(desk, "SIM", "iron_condor", [datetime(2020, 1, 2, tzinfo=UTC)])
