"""Changes that someone should see."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.workflows.collection.changes import (
    CHANGE_COLUMNS,
    KEY,
    THRESHOLDS,
    ContractKey,
    Seen,
    joined,
    listing_changes,
    seen_in,
)
from bifrost_lib.workflows.collection.changes import value_changes as changes_of

MORNING = datetime(2026, 11, 18, 15, tzinfo=UTC)
NOON = MORNING + timedelta(hours=2)


def chain(ts: datetime, strikes: list[float], **columns: Any) -> dict[ContractKey, Seen]:
    contracts = [OptionContract("SPY", date(2026, 12, 18), strike, "C") for strike in strikes]
    frame = pd.DataFrame({name: [getattr(one, name) for one in contracts] for name in KEY})
    frame["expiry"] = frame["expiry"].astype("datetime64[s]")
    frame["ts"] = pd.DatetimeIndex([ts] * len(strikes)).as_unit("us")
    frame["quality"] = "ok" if columns.get("is_good", True) else "wide"
    return seen_in(frame.assign(**{name: columns.get(name, np.nan) for name in THRESHOLDS}))


def value_changes(before: dict[ContractKey, Seen], after: dict[ContractKey, Seen]) -> pd.DataFrame:
    return changes_of(before, after, symbol="SPY")


def told(changes: pd.DataFrame) -> list[tuple[float, str, float, float]]:
    return list(zip(changes["strike"], changes["what"], changes["old"], changes["new"], strict=True))


@pytest.mark.parametrize(
    ("what", "old", "new", "is_large"),
    [
        ("iv", 0.20, 0.24, True),
        ("iv", 0.20, 0.22, False),  # two points
        ("iv", 0.90, 0.94, False),  # less than a tenth
        ("iv", np.nan, 0.24, False),
        ("open_interest", 1000.0, 1600.0, True),
        ("open_interest", 1600.0, 1000.0, True),
        ("open_interest", 10.0, 400.0, False),
        ("open_interest", 10_000.0, 11_000.0, False),
        ("open_interest", 0.0, 500.0, True),
        ("volume", 500.0, 1600.0, True),
        ("volume", 10_000.0, 12_000.0, False),
    ],
)
def test_a_move_must_be_large_in_its_own_unit_and_beside_the_old_value(
    what: str, old: float, new: float, is_large: bool
) -> None:
    changes = value_changes(chain(MORNING, [500.0], **{what: old}), chain(NOON, [500.0], **{what: new}))
    assert told(changes) == ([(500.0, what, old, new)] if is_large else [])
    assert tuple(changes.columns) == CHANGE_COLUMNS


def test_each_contract_is_compared_with_itself() -> None:
    before = chain(MORNING, [490.0, 500.0, 510.0], iv=[0.2, 0.3, 0.4])
    after = chain(NOON, [500.0, 510.0, 520.0], iv=[0.2, 0.41, 0.9])
    assert told(value_changes(before, after)) == [(500.0, "iv", 0.3, 0.2)]


def test_a_bad_quote_does_not_move_volatility() -> None:
    before, after = chain(MORNING, [500.0], iv=0.2), chain(NOON, [500.0], iv=0.4, is_good=False)
    assert told(value_changes(before, after)) == []


def test_volume_starts_again_every_morning() -> None:
    yesterday = MORNING - timedelta(days=1)
    changes = value_changes(chain(yesterday, [500.0], volume=50_000.0), chain(NOON, [500.0], volume=100.0))
    assert told(changes) == []


def test_time_does_not_run_backwards() -> None:
    assert told(value_changes(chain(NOON, [500.0], iv=0.2), chain(MORNING, [500.0], iv=0.4))) == []
    assert told(value_changes(chain(NOON, [500.0], iv=0.2), chain(NOON, [500.0], iv=0.4))) == []


def test_what_is_listed_is_told_from_what_was_not_asked_for() -> None:
    def contract(strike: float, day: int = 18) -> OptionContract:
        return OptionContract("SPY", date(2026, 12, day), strike, "C")

    before = [contract(500.0), contract(505.0), contract(500.0, day=11)]
    after = [contract(505.0), contract(510.0), contract(500.0, day=24)]
    changes = listing_changes(before, after, since=MORNING, ts=NOON)
    assert list(zip(changes["strike"], changes["what"], strict=True)) == [(510.0, "listed"), (500.0, "delisted")]
    assert changes["old"].isna().all()
    assert len(listing_changes(before, before, since=MORNING, ts=NOON)) == 0


def test_listings_of_puts_and_moves_of_calls_are_told_together() -> None:
    put = OptionContract("SPY", date(2026, 12, 18), 90.0, "P")
    call = OptionContract("SPY", date(2026, 12, 18), 100.0, "C")
    listed = listing_changes([call], [call, put], since=MORNING, ts=NOON)
    moved = value_changes(chain(MORNING, [100.0], iv=[0.2]), chain(NOON, [100.0], iv=[0.3]))
    both = joined(listed, moved)
    assert both is not None
    assert both.dtypes.astype(str).tolist() == moved.dtypes.astype(str).tolist()
    assert list(zip(both["right"], both["what"], strict=True)) == [("P", "listed"), ("C", "iv")]
    assert joined(None, moved) is moved
    assert joined(listed, None) is listed
    assert joined(None, None) is None
