"""A candidate beside its own past, watched documents, and the reverse finder, on six simulated weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import session_close, sessions
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.settings import Settings
from bifrost_lib.sim import SOURCE, simulated_history
from bifrost_lib.store import (
    FileKey,
    Watch,
    document_hits,
    document_outcomes,
    ingestion,
    remove_document,
    save_corporate_actions,
    save_document,
    save_earnings,
    save_watch,
    saved_documents,
)
from bifrost_lib.strategies import Entry, EventWindow, Exits, payoff_at_expiry, strategy_named, value_before_expiry
from bifrost_lib.workflows import (
    Desk,
    compare_with_past,
    find_strategies,
    find_targets,
    histories,
    monitor_documents,
    open_desk,
    with_analytics,
)
from bifrost_lib.workflows.recording import due_close

FIRST, LAST = date(2026, 7, 8), date(2026, 8, 21)
NOW = session_close(LAST)
HELD = strategy_named("bull_put_spread").with_(dte={"low": 5, "target": 9, "high": 14}, exits=Exits())


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    """Six weeks of simulated closes of one symbol."""
    with open_desk(settings=database_settings, clock=SteppedClock(NOW)) as opened:
        key = FileKey(path="six weeks", sha256="0", size=0, format=SOURCE)
        with ingestion(opened.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(symbols=["SIM"], start=FIRST, end=LAST):
                writer.append(with_analytics(quotes))
        yield opened


def test_every_past_day_is_entered_once_and_ends_with_its_cash(desk):
    scan = find_strategies(desk, "SIM", HELD, at=NOW, top=2)
    past = compare_with_past(desk, scan)
    entries = past.entries.set_index("session")
    assert list(entries.index) == sessions(FIRST, date(2026, 8, 20))
    ended = entries[entries["pnl"].notna()]
    assert len(ended) >= 20
    assert (ended["ended"] <= NOW).all() and (ended["ended"] > ended["at"]).all()
    spots = dict(zip(entries.index, entries["spot"], strict=True))
    row = ended.iloc[0]
    final = spots[row["ended"].date()]
    expected = payoff_at_expiry(
        legs=[{**leg, "expiry": None} for leg in _bare(row["legs"])], spot=[final], premium=row["premium"]
    )
    assert row["pnl"] == pytest.approx(expected[0], abs=1e-6)
    assert len(document_outcomes(desk.store, "SIM", HELD.sha256)) == len(entries)


def _bare(legs):
    return [{name: leg[name] for name in ("right", "qty", "strike", "price")} for leg in legs]


def test_a_second_look_computes_nothing_again(desk, monkeypatch):
    scan = find_strategies(desk, "SIM", HELD, at=NOW, top=2)
    before = compare_with_past(desk, scan).entries

    def refuse(*_args, **_named):
        raise AssertionError("a day was computed again")

    monkeypatch.setattr("bifrost_lib.workflows.finder.past_entries.find_candidates", refuse)
    after = compare_with_past(desk, scan).entries
    assert after["pnl"].tolist() == pytest.approx(before["pnl"].tolist(), nan_ok=True)


def test_an_earlier_moment_knows_only_what_had_ended(desk):
    compare_with_past(desk, find_strategies(desk, "SIM", HELD, at=NOW, top=1))
    then = session_close(date(2026, 8, 3))
    past = compare_with_past(desk, find_strategies(desk, "SIM", HELD, at=then, top=1))
    assert past.entries["session"].max() < date(2026, 8, 3)
    ended = past.entries["ended"].dropna()
    assert (ended <= then).all() and len(ended) < len(past.entries)


def test_the_comparison_adds_up(desk):
    scan = find_strategies(desk, "SIM", HELD, at=NOW, top=3)
    past = compare_with_past(desk, scan)
    first = histories(desk, scan)[0]
    ended = past.entries[past.entries["pnl"].notna()]
    assert first["n"] == len(ended) and first["days"] == len(past.entries)
    assert 1 <= first["independent"] <= first["n"] / 2  # entries of a week overlap
    assert first["outcome"]["win_rate"] == pytest.approx((ended["pnl"] > 0).mean())
    assert first["outcome"]["win_low"] < first["outcome"]["win_rate"] < first["outcome"]["win_high"]
    quantiles = list(first["outcome"]["pnl_quantiles"].values())
    assert quantiles == sorted(quantiles)
    assert sum(first["outcome"]["ended_by"].values()) == first["n"]
    assert all(0 <= value <= 1 for value in first["percentile"].values())
    third = first["like_today"]["skew"]
    assert third["n"] == 0 or third["low"] <= third["now"] <= third["high"]


def test_exits_close_earlier_and_make_a_document_of_their_own(desk):
    managed = HELD.with_(exits=Exits(days_in_trade=2))
    assert managed.sha256 != HELD.sha256
    entries = compare_with_past(desk, find_strategies(desk, "SIM", managed, at=NOW, top=1)).entries
    ended = entries[entries["ended"].notna()]
    assert ((ended["ended"] - ended["at"]) <= timedelta(days=5)).all()
    assert (ended["exit_reason"] == "2 days in trade").mean() > 0.8


def _announce(desk, *rows):
    usual = {"symbol": "SIM", "time_of_day": "unknown", "known_assumed": False, "confirmed": True, "source": "t"}
    columns = ("fiscal_period", "report_date", "known_at")
    told = [usual | {"simulated": True} | dict(zip(columns, row, strict=True)) for row in rows]
    frame = pd.DataFrame(told).astype({"report_date": "datetime64[s]"})
    save_earnings(desk.store.engine, frame)


def test_a_window_around_earnings_is_kept_in_scans_and_in_the_past(desk):
    window = HELD.with_(entry=Entry(earnings=EventWindow(before=3, through_expiry=True)))
    early, moved = session_close(FIRST), session_close(date(2026, 7, 20))
    scan = find_strategies(desk, "SIM", window, at=NOW, top=1)
    assert scan.candidates.unchecked == ("earnings",) and scan.as_dict()["earnings"]["days"] is None
    past = compare_with_past(desk, scan)
    assert past.entries["earnings_days"].isna().all()
    assert past.beside(scan.candidates.records()[0])["earnings"] | {"like_today": None} == {
        "day": None, "time_of_day": None, "days": None, "reason": "earnings days are not known to the store",
        "through": None, "like_today": None,
    }  # fmt: skip

    # What was entered while nothing was known is looked at anew once something is.
    _announce(desk, ("Q2", "2026-08-05", early), ("Q2", "2026-07-29", moved), ("Q3", "2026-09-08", NOW))
    late = find_strategies(desk, "SIM", window, at=NOW, top=10**6)
    assert {record["dte"] for record in late.candidates.records()} <= set(range(5, 15))
    assert late.as_dict()["earnings"] == {"day": date(2026, 9, 8), "time_of_day": "unknown", "days": 18, "reason": None}
    assert late.candidates.unchecked == ()
    entries = compare_with_past(desk, late).entries.set_index("session")
    days = entries["earnings_days"]
    assert (days[date(2026, 7, 17)], days[date(2026, 7, 20)], days[date(2026, 7, 29)]) == (19.0, 9.0, 0.0)
    assert np.isnan(days[date(2026, 7, 30)])
    entered = entries[entries["legs"].notna()]
    assert not set(entered.index) & set(sessions(date(2026, 7, 26), date(2026, 7, 29)))
    assert "earnings on 2026-07-29, 1 days ahead" in entries["hindrance"][date(2026, 7, 28)]
    for session, legs in entered["legs"].items():
        believed = date(2026, 8, 5) if session < date(2026, 7, 20) else date(2026, 7, 29)
        assert not session <= believed <= date.fromisoformat(legs[0]["expiry"])
    near = session_close(date(2026, 7, 28))
    with pytest.raises(NoDataError, match="earnings on 2026-07-29, 1 days ahead"):
        find_strategies(desk, "SIM", window, at=near)
    kept = {"owner": "eve", "document_hash": window.sha256, "at": NOW, "monitored": True, "symbols": ["SIM"]}
    save_document(desk.store, window.model_dump(mode="json"), name="calm", **kept)
    (watched,) = monitor_documents(desk, "SIM", at=near)
    remove_document(desk.store, "calm", owner="eve")
    assert watched.found == 0 and "earnings on 2026-07-29" in watched.problem
    # What is entered without a window is told which of its past entries lived through a report as today's would.
    scan = find_strategies(desk, "SIM", HELD, at=NOW, top=1)
    past, told = compare_with_past(desk, scan), histories(desk, scan)[0]
    assert (told["earnings"]["days"], told["earnings"]["through"]) == (18, False)
    lived_through = past.entries.loc[past.entries["pnl"].notna(), "through_earnings"]
    assert 0 < told["earnings"]["like_today"]["n"] == (lived_through == False).sum() < told["n"]  # noqa: E712


def test_a_watched_document_hits_once_a_day(desk):
    save_watch(desk.store, Watch("SIM"))
    kept = {"owner": "ann", "document_hash": HELD.sha256, "at": NOW, "monitored": True}
    save_document(desk.store, HELD.model_dump(mode="json"), name="puts", **kept)
    save_document(desk.store, HELD.model_dump(mode="json"), name="never", least_score=100.0, **kept)
    never, puts = sorted(monitor_documents(desk, "sim", at=NOW), key=lambda one: one.name)
    assert (never.found, puts.found, len(puts.new)) == (0, 3, 3)
    assert [one.new for one in monitor_documents(desk, "SIM", at=NOW)] == [(), ()]
    hit = document_hits(desk.store).iloc[0]
    assert hit["candidate"]["legs"][0]["trading_class"] == "SIM" and hit["ts"] == NOW
    assert monitor_documents(desk, "SIM", at=session_close(FIRST) - timedelta(days=1))[0].problem
    assert len(saved_documents(desk.store, monitored=True)) == 2


def test_the_reverse_finder_serves_the_view_within_the_budget(desk):
    spot = find_strategies(desk, "SIM", HELD, at=NOW, top=1).spot
    by = date(2026, 9, 4)
    found = find_targets(desk, "SIM", price=1.04 * spot, by=by, budget=1000.0, max_loss=600.0, top=20, at=NOW)
    assert found.structures and found.considered > 10_000
    earned = [row["return_on_budget"] for row in found.structures]
    assert earned == sorted(earned, reverse=True)
    for row in found.structures:
        assert row["units"] >= 1 and row["capital_used"] <= 600.0 + 1e-9 and not row["max_loss_unbounded"]
        assert row["capital_used"] == pytest.approx(row["units"] * row["max_loss"])
        assert row["expiry"] >= by.isoformat()
    ending = [row for row in found.structures if {leg["expiry"] for leg in row["legs"]} == {by.isoformat()}]
    assert ending
    for row in ending:
        assert row["unit_profit"] == pytest.approx(_worth(row, [1.04 * spot], by)[0], abs=1e-6)
    # However little a collar can lose, its shares must be carried.
    collar = [strategy_named("collar")]
    (held,) = find_targets(desk, "SIM", price=1.04 * spot, by=by, budget=1e5, strategies=collar, at=NOW).structures
    assert 50 * spot <= held["capital"] and held["units"] == 1e5 // held["capital"]
    assert not find_targets(desk, "SIM", price=1.04 * spot, by=by, budget=49 * spot, strategies=collar).structures


def _worth(row, spots, by):
    elapsed = (session_close(by) - NOW).total_seconds() / (365 * 86400)
    return value_before_expiry(legs=row["legs"], spot=spots, elapsed=elapsed, premium=row["premium"], at=NOW)


def test_views_change_what_is_best(desk):
    spot = find_strategies(desk, "SIM", HELD, at=NOW, top=1).spot
    asked = {"by": date(2026, 9, 4), "budget": 2000.0, "at": NOW, "max_loss": 2000.0}
    up = find_targets(desk, "SIM", price=1.05 * spot, **asked).structures[0]
    down = find_targets(desk, "SIM", price=0.95 * spot, **asked).structures[0]
    calm = find_targets(desk, "SIM", between=(0.99 * spot, 1.01 * spot), iv_change=-0.05, **asked).structures[0]
    for row, sign in ((up, 1), (down, -1)):
        low, high = _worth(row, [0.95 * spot, 1.05 * spot], asked["by"])
        assert sign * (high - low) > 0
    low, high = calm["breakevens"][0], calm["breakevens"][-1]
    assert low < spot < high and calm["profit"] > 0
    # Nothing happens but that volatility falls by five points: what is sold gains.
    fallen = find_targets(desk, "SIM", iv_change=-0.05, **asked)
    assert (fallen.price, fallen.low, fallen.high) == (spot, spot, spot)
    assert fallen.structures[0]["profit"] > 0


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"budget": 0.0}, "budget"),
        ({"price": -1.0}, "price"),
        ({"price": None}, "price"),
        ({"between": (10.0, 5.0)}, "between"),
        ({"by": date(2026, 8, 1)}, "by"),
        ({"max_loss": float("nan")}, "max_loss"),
    ],
)
def test_a_wrong_view_is_named(desk, changes, name):
    asked = {"price": 500.0, "by": date(2026, 9, 4), "budget": 1000.0, "at": NOW}
    with pytest.raises(InputError) as caught:
        find_targets(desk, "SIM", **(asked | changes))
    assert caught.value.name == name


def test_a_close_is_due_half_an_hour_after_it():
    friday = session_close(date(2026, 8, 21))
    assert due_close(friday + timedelta(minutes=29)) == session_close(date(2026, 8, 20))
    assert due_close(friday + timedelta(minutes=30)) == friday
    assert due_close(friday + timedelta(days=2)) == friday


def test_a_window_around_dividends_is_kept_by_what_was_on_record(desk):
    window = HELD.with_(entry=Entry(ex_dividend=EventWindow(before=3, after=1)))
    assert find_strategies(desk, "SIM", window, at=NOW, top=1).candidates.unchecked == (
        "ex_dividend, since no dividend is on record",
    )
    compare_with_past(desk, find_strategies(desk, "SIM", window, at=NOW, top=1))

    def store_days(*days: date) -> None:
        paid = {"symbol": "SIM", "kind": "dividend", "value": 0.5, "source": "written"}
        save_corporate_actions(desk.store.engine, pd.DataFrame([{**paid, "ex_date": day} for day in days]))

    store_days(date(2026, 7, 29))
    scan = find_strategies(desk, "SIM", window, at=NOW, top=1)
    assert scan.candidates.unchecked == ("ex_dividend after 2026-07-29, since later days are not on record",)
    past = compare_with_past(desk, scan).entries.set_index("session")["hindrance"]
    assert "ex-dividend on 2026-07-29, today" in past[date(2026, 7, 29)]
    assert "ex-dividend on 2026-07-29, 1 days ago" in past[date(2026, 7, 30)]
    assert past[date(2026, 7, 28)] is None or "ex-dividend" not in past[date(2026, 7, 28)]  # nobody knew of it then
    # Announced for Monday: that is known on Friday, but not that it was known a week before.
    store_days(date(2026, 8, 24))
    with pytest.raises(NoDataError, match="ex-dividend on 2026-08-24, 3 days ahead"):
        find_strategies(desk, "SIM", window, at=NOW)
    assert find_strategies(desk, "SIM", window, at=NOW - timedelta(days=1), top=1).candidates.unchecked
