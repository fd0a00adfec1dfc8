"""Earnings days are known from the moment on at which they were learnt; a day that moves is a new row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import earnings_announcements, save_earnings

LEARNT = datetime(2026, 7, 1, 14, tzinfo=UTC)


def told(symbol: str, *rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "symbol": symbol, "fiscal_period": "2026Q2", "report_date": pd.Timestamp("2026-07-23"),
        "time_of_day": "after_close", "known_at": LEARNT, "known_assumed": False, "confirmed": False,
        "source": "vendor", "simulated": False,
    }  # fmt: skip
    return pd.DataFrame([usual | row for row in rows or ({},)])


def days(frame: pd.DataFrame) -> list[str]:
    return [str(day)[:10] for day in frame["report_date"]]


def test_a_day_that_moves_is_known_as_it_was_believed_at_each_moment(store, symbol):
    moved = {"report_date": pd.Timestamp("2026-07-30"), "known_at": LEARNT + timedelta(days=9), "confirmed": True}
    then = {"fiscal_period": "2026Q3", "report_date": pd.Timestamp("2026-10-22"), "known_at": LEARNT}
    gone = {"report_date": pd.NaT, "known_at": LEARNT + timedelta(days=20)}
    everything = told(symbol, moved, {}, gone, then)
    assert save_earnings(store.engine, everything) == 4
    assert save_earnings(store.engine, everything) == 0

    def known(at: datetime) -> list[str]:
        return days(earnings_announcements(store.engine, symbol, at=at))

    assert known(LEARNT - timedelta(microseconds=1)) == []
    assert known(LEARNT) == ["2026-07-23", "2026-10-22"]
    assert known(LEARNT + timedelta(days=9)) == ["2026-07-30", "2026-10-22"]
    assert known(LEARNT + timedelta(days=20)) == ["2026-10-22", "NaT"]
    assert len(earnings_announcements(store.engine, symbol, versions=True)) == 4


def test_of_two_words_of_one_moment_the_confirmed_one_counts(store, symbol):
    second = {"report_date": pd.Timestamp("2026-07-28"), "source": "another", "confirmed": True}
    save_earnings(store.engine, told(symbol, second, {}))
    assert days(earnings_announcements(store.engine, symbol)) == ["2026-07-28"]
    assert days(earnings_announcements(store.engine, [symbol], versions=True)) == ["2026-07-23", "2026-07-28"]


def test_what_was_recorded_stays_and_what_was_assumed_is_replaced(store, symbol):
    assumed = {"known_assumed": True, "known_at": LEARNT - timedelta(days=5)}
    assert save_earnings(store.engine, told(symbol, assumed)) == 1
    earlier = {**assumed, "report_date": pd.Timestamp("2026-07-20"), "known_at": LEARNT - timedelta(days=8)}
    assert save_earnings(store.engine, told(symbol, earlier)) == 1
    assert days(earnings_announcements(store.engine, symbol, versions=True)) == ["2026-07-20"]
    # A file of final days: what it leaves out between its first and its last day is gone, what is earlier stays.
    final = [
        {**assumed, "fiscal_period": f"on {day}", "report_date": pd.Timestamp(day)}
        for day in ("2025-01-20", "2025-04-21", "2025-07-22", "2025-10-23")
    ]
    assert save_earnings(store.engine, told(symbol, *final)) == 4
    corrected = {**final[2], "fiscal_period": "on 2025-07-29", "report_date": pd.Timestamp("2025-07-29")}
    assert save_earnings(store.engine, told(symbol, final[1], corrected, final[3])) == 1
    found = days(earnings_announcements(store.engine, symbol))
    assert found == ["2025-01-20", "2025-04-21", "2025-07-29", "2025-10-23", "2026-07-20"]
    save_earnings(store.engine, told(symbol))
    with pytest.raises(InputError, match="vendor is on record with 2026-07-23 after_close estimated") as caught:
        save_earnings(store.engine, told(symbol, {"fiscal_period": "2026Q3"}, {"time_of_day": "before_open"}))
    assert caught.value.name == "announcements.known_at"
    assert "2026Q3" not in set(earnings_announcements(store.engine, symbol)["fiscal_period"])


@pytest.mark.parametrize(
    ("change", "name"),
    [({"time_of_day": "noon"}, "time_of_day"), ({"fiscal_period": " "}, "fiscal_period"),
     ({"known_at": None}, "known_at"), ({"known_at": datetime(2026, 7, 1)}, "known_at"), ({"source": None}, "source")],  # noqa: DTZ001
)  # fmt: skip
def test_announcements_that_cannot_be_are_refused(store, symbol, change, name):
    with pytest.raises(InputError) as caught:
        save_earnings(store.engine, told(symbol, {}, {"fiscal_period": "2026Q3", **change}))
    assert caught.value.name == f"announcements.{name}"
    assert earnings_announcements(store.engine, symbol).empty
    with pytest.raises(InputError) as caught:
        save_earnings(store.engine, told(symbol).drop(columns="confirmed"))
    assert caught.value.name == "announcements.confirmed"
