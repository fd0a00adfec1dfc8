"""Windows around earnings and dividends: what is ahead, what is past, and which expiries live through it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import (
    CATALOG,
    DividendCalendar,
    EarningsCalendar,
    EarningsReport,
    Entry,
    EventWindow,
    find_candidates,
)

TODAY = date(2026, 8, 12)  # of the made-up chain, a Wednesday; its expiries are 9, 23, 37, 51, 65 and 93 days away


def report(days: int, time_of_day: str = "unknown") -> EarningsReport:
    return EarningsReport(TODAY + timedelta(days=days), time_of_day)


def test_a_report_of_today_is_over_only_if_it_came_before_the_open():
    before, after, never = EventWindow(before=1), EventWindow(after=1), EarningsCalendar(())
    for time_of_day in ("unknown", "during", "after_close"):
        today = EarningsCalendar([report(0, time_of_day)])
        assert today.days_to_next(TODAY) == 0
        assert today.near(before, TODAY) and not today.near(after, TODAY)
        assert today.until(TODAY + timedelta(days=9), TODAY)
    over = EarningsCalendar([report(0, "before_open")])
    assert over.days_to_next(TODAY) is None
    assert over.near(after, TODAY) and not over.near(before, TODAY)
    assert not over.until(TODAY + timedelta(days=9), TODAY)
    assert not never.near(EventWindow(before=9, after=9), TODAY) and never.next_report(TODAY) is None
    with pytest.raises(InputError) as caught:
        report(0, "noon")
    assert caught.value.name == "time_of_day"


def test_windows_count_calendar_days_to_the_next_and_since_the_last():
    known = EarningsCalendar([report(9), report(-4), report(80)])
    assert known.days_to_next(TODAY) == 9
    assert known.near(EventWindow(before=9), TODAY) == report(9)
    assert known.near(EventWindow(before=8, after=4), TODAY) == report(-4)
    assert known.near(EventWindow(before=8, after=3), TODAY) is None
    assert known.near(EventWindow(through_expiry=True), TODAY) is None
    # What is reported after the close of the day of an expiry is not in its options any more.
    expiry = TODAY + timedelta(days=9)
    assert known.until(expiry, TODAY) == report(9)
    assert EarningsCalendar([report(9, "after_close")]).until(expiry, TODAY) is None
    assert EarningsCalendar([report(9, "before_open")]).until(expiry, TODAY)


def scanned(chain, window: EventWindow, *reports: EarningsReport):
    document = CATALOG["iron_condor"].with_(entry=Entry(earnings=window))
    return find_candidates(chain, document, dte=(5, 60), top=10**6, earnings=EarningsCalendar(reports))


def test_a_scan_is_refused_with_the_day_of_the_report(chain):
    avoid, only = EventWindow(before=7, after=2), EventWindow(before=7, after=2, entry="only")
    with pytest.raises(NoDataError, match="not entered: earnings on 2026-08-18 after the close, 6 days ahead"):
        scanned(chain, avoid, report(6, "after_close"))
    with pytest.raises(NoDataError, match="earnings on 2026-08-10, 2 days ago"):
        scanned(chain, avoid, report(-2), report(90))
    with pytest.raises(NoDataError, match="no earnings near: the next are on 2026-11-10"):
        scanned(chain, only, report(90))
    with pytest.raises(NoDataError, match="the next are not announced"):
        scanned(chain, only, report(-9))
    assert scanned(chain, avoid, report(8)).unchecked == ()
    assert len(scanned(chain, only, report(6))) and len(scanned(chain, only, report(-2)))


def test_expiries_after_a_report_are_left_out_or_the_only_ones(chain):
    def days(found) -> set[int]:
        return {record["dte"] for record in found.records()}

    avoided = scanned(chain, EventWindow(through_expiry=True), report(30))
    assert days(avoided) == {9, 23}
    assert avoided.skipped["2026-09-18 SIM"] == "earnings on 2026-09-11, before the expiry"
    wanted = scanned(chain, EventWindow(through_expiry=True, entry="only"), report(30))
    assert days(wanted) == {37, 51}
    assert wanted.skipped["2026-08-21 SIM"] == "no earnings before the expiry"
    # Near by its days, too: then every expiry will do.
    assert 9 in days(scanned(chain, EventWindow(after=3, through_expiry=True, entry="only"), report(-2)))
    with pytest.raises(NoDataError, match="2026-09-18 SIM: earnings on 2026-08-14, before the expiry"):
        scanned(chain, EventWindow(through_expiry=True), report(2))


def test_what_nobody_knows_is_told_and_who_never_reports_is_let_in(chain):
    document = CATALOG["iron_condor"].with_(entry=Entry(earnings=EventWindow(before=7)))
    assert find_candidates(chain, document).unchecked == ("earnings",)
    assert find_candidates(chain, document, earnings=EarningsCalendar(())).unchecked == ()
    (told,) = find_candidates(chain, document, earnings=EarningsCalendar([report(-20)])).unchecked
    assert told == "earnings after those of 2026-07-23, which are not announced"


def ex_dividend(chain, window: EventWindow, *days: int):
    document = CATALOG["iron_condor"].with_(entry=Entry(ex_dividend=window))
    known = DividendCalendar(TODAY + timedelta(days=count) for count in days)
    return find_candidates(chain, document, dte=(5, 60), top=10**6, dividends=known)


def test_windows_around_dividends_are_kept_in_scans(chain):
    around = EventWindow(before=3, after=2)
    for days in (0, 3, -2):  # the ex-dividend day itself is on either side
        with pytest.raises(NoDataError, match=f"not entered: ex-dividend on {TODAY + timedelta(days=days)}"):
            ex_dividend(chain, around, days, 90)
    assert ex_dividend(chain, around, 4, -3).unchecked == ()
    with pytest.raises(NoDataError, match="no ex-dividend days near: the next are on 2026-09-11"):
        ex_dividend(chain, EventWindow(before=3, entry="only"), 30)
    # A day that is an expiry's own comes before its end; today's is over for what is bought today.
    through = ex_dividend(chain, EventWindow(through_expiry=True), 0, 37)
    assert {record["dte"] for record in through.records()} == {9, 23}
    assert through.skipped["2026-09-18 SIM"] == "ex-dividend on 2026-09-18, before the expiry"
    wanted = ex_dividend(chain, EventWindow(through_expiry=True, entry="only"), 37)
    assert {record["dte"] for record in wanted.records()} == {37, 51}


def test_what_nobody_knows_of_dividends_is_told_with_its_reason(chain):
    document = CATALOG["iron_condor"].with_(entry=Entry(ex_dividend=EventWindow(after=5)))
    assert find_candidates(chain, document).unchecked == ("ex_dividend, since no dividend is on record",)
    assert ex_dividend(chain, EventWindow(after=5), -20).unchecked == ()
    (told,) = ex_dividend(chain, EventWindow(before=5), -20).unchecked
    assert told == "ex_dividend after 2026-07-23, since later days are not on record"
