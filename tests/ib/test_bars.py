"""Daily bars as frames."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bifrost_lib.ib.bars import duration_text, frame_of_daily_bars


def _bar(day: str, close: float, volume: float = 100.0) -> Any:
    return SimpleNamespace(date=day, open=close, high=close, low=close, close=close, volume=volume)


def test_a_bar_is_known_when_its_session_closes():
    bars = [_bar("20261120", 3.0), _bar("20261119", 2.0), _bar("20251128", 1.0, -1.0)]
    frame = frame_of_daily_bars(bars, now=datetime(2026, 11, 20, 15, tzinfo=UTC))
    assert frame["ts"].dtype == "datetime64[us, UTC]"
    assert list(frame["ts"]) == [
        datetime(2025, 11, 28, 18, tzinfo=UTC),  # the day after Thanksgiving closes at 13:00
        datetime(2026, 11, 19, 21, tzinfo=UTC),
        datetime(2026, 11, 20, 15, tzinfo=UTC),  # still trading: known as of now
    ]
    assert list(frame["close"]) == [1.0, 2.0, 3.0]
    assert np.isnan(frame["volume"][0])


def test_no_bars_are_an_empty_frame_with_its_columns():
    frame = frame_of_daily_bars([], now=datetime(2026, 11, 20, tzinfo=UTC))
    assert list(frame) == ["ts", "open", "high", "low", "close", "volume"] and len(frame) == 0


@pytest.mark.parametrize(("days", "text"), [(1, "1 D"), (365, "365 D"), (366, "2 Y"), (730, "2 Y"), (731, "3 Y")])
def test_durations(days, text):
    assert duration_text(days) == text
