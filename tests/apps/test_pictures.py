"""What live pages show: what is stored, what streams on top of it, and what changed since."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import NoDataError, UnknownNameError
from bifrost_lib.workflows import live

if TYPE_CHECKING:
    from apps.panel.boards import Boards
    from bifrost_lib.workflows import Desk

KEY = ["expiry", "strike", "right"]
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def no_quotes_left(desk: Desk) -> None:
    from bifrost_lib.store import forget_quotes

    forget_quotes(desk.store, before=desk.clock.now() + timedelta(days=1))


def test_a_newer_quote_replaces_the_stored_one_and_no_other(desk: Desk, requote: Any) -> None:
    from bifrost_lib.store import publish_quotes

    before = live.chain_picture(desk, "SIM")
    quotes = requote(0.5)
    publish_quotes(desk.store, quotes, source="simulated")
    after = live.chain_picture(desk, "SIM")
    assert (before.streamed, after.streamed) == (0, 4)
    assert after.as_of == quotes["ts"].iloc[0].to_pydatetime()
    assert after.spot == pytest.approx(before.spot + 0.5)
    joined = before.chain.merge(after.chain, on=KEY, suffixes=("_old", "_new"))
    assert len(joined) == len(before.chain) == len(after.chain)
    moved = joined["mid_new"] - joined["mid_old"]
    assert sorted(moved[moved.abs() > 1e-9].round(9)) == [0.5] * 4
    assert list(after.chain.dtypes) == list(before.chain.dtypes)


def test_what_is_much_older_than_the_newest_quote_says_so(desk: Desk) -> None:
    stored, fresh = live.chain_picture(desk, "SIM"), timedelta(minutes=15)
    held = stored.chain["quality"].copy()
    for late, stale in ((timedelta(0), 0), (timedelta(seconds=1), len(held) - 4)):
        quotes = stored.chain.head(4).assign(ts=pd.Timestamp(stored.as_of + fresh + late).as_unit("us"))
        shown = live.overlaid(stored, quotes, fresh=fresh).chain["quality"]
        assert (shown == "stale").sum() == stale and shown.head(4).equals(held.head(4))
    assert stored.chain["quality"].equals(held)  # others look at it as well


def test_an_older_quote_changes_nothing(desk: Desk, requote: Any) -> None:
    from bifrost_lib.store import publish_quotes

    stored = live.chain_picture(desk, "SIM")
    publish_quotes(desk.store, requote(0.5, ts=stored.as_of - timedelta(seconds=1)), source="simulated")
    assert live.chain_picture(desk, "SIM").chain["mid"].equals(stored.chain["mid"])


def test_the_past_knows_nothing_of_the_stream(desk: Desk, requote: Any) -> None:
    from bifrost_lib.store import publish_quotes

    moments = live.stored_moments(desk, "SIM")
    publish_quotes(desk.store, requote(0.5), source="simulated")
    past = live.chain_picture(desk, "SIM", at=moments[3])
    assert (past.as_of, past.at, past.streamed) == (moments[3], moments[3], 0)
    assert (past.chain["ts"] <= pd.Timestamp(moments[3])).all()
    assert moments == sorted(moments) and len(moments) > 10
    with pytest.raises(NoDataError):
        live.chain_picture(desk, "SIM", at=moments[0] - timedelta(days=1))


def test_changes_are_told_contract_by_contract(desk: Desk, requote: Any) -> None:
    from bifrost_lib.store import publish_quotes

    before = live.chain_picture(desk, "SIM")
    publish_quotes(desk.store, requote(-0.25), source="simulated")
    after = live.chain_picture(desk, "SIM")
    expiry = after.expiries[2]
    rows = live.chain_since(after.of_expiry(expiry), before)
    moved = rows[rows["ts"] == pd.Timestamp(after.as_of)]
    assert moved["mid_change"].to_numpy() == pytest.approx(np.full(4, -0.25))
    still = rows[(rows["ts"] < pd.Timestamp(after.as_of)) & rows["mid"].notna()]
    assert (still["mid_change"] == 0).all()
    unknown = live.chain_since(after.of_expiry(expiry), None)
    assert unknown["mid_change"].isna().all()


def test_an_expiry_is_summed_up_at_its_forward(desk: Desk) -> None:
    picture = live.chain_picture(desk, "SIM")
    summary = live.expiry_summary(picture, picture)
    assert list(summary["expiry"].dt.date) == picture.expiries
    assert (summary["iv_change"].dropna() == 0).all()
    row = summary.iloc[3]
    rows = picture.of_expiry(picture.expiries[3])
    assert row["open_interest"] == rows["open_interest"].sum()
    # Brenner and Subrahmanyam (1988): a straddle at the forward costs about 0.8 forward iv sqrt(tau).
    rule = 0.798 * row["forward"] * row["iv"] * np.sqrt(rows["tau"].iloc[0])
    assert row["move"] == pytest.approx(rule, rel=0.05)


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("previous close", "2026-11-18 11:00", "2026-11-17 16:00"),
        ("previous close", "2026-11-18 17:00", "2026-11-17 16:00"),
        ("previous close", "2026-11-18 08:00", "2026-11-17 16:00"),
        ("previous close", "2026-11-20 16:00", "2026-11-19 16:00"),
        ("previous close", "2026-11-22 11:00", "2026-11-20 16:00"),
        ("open", "2026-11-18 11:00", "2026-11-18 09:30"),
        ("open", "2026-11-18 08:00", "2026-11-17 09:30"),
        ("1 hour ago", "2026-11-18 11:00", "2026-11-18 10:00"),
    ],
)
def test_a_reference_is_a_moment(name: str, at: str, expected: str) -> None:
    here, there = (datetime.fromisoformat(text).replace(tzinfo=EXCHANGE_TZ).astimezone(UTC) for text in (at, expected))
    assert live.reference_moment(name, here) == there


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        live.reference_moment("5 minute ago", datetime(2026, 11, 18, tzinfo=UTC))


def test_a_published_quote_reaches_those_who_watch_and_nobody_else(desk: Desk, boards: Boards, requote: Any) -> None:
    from bifrost_lib.store import publish_quotes

    arrived, arrived_again = threading.Event(), threading.Event()
    seen = list[live.ChainPicture]()

    def watcher(picture: live.ChainPicture) -> None:
        seen.append(picture)
        if picture.as_of >= quotes["ts"].iloc[0]:
            arrived.set()

    def later_watcher(picture: live.ChainPicture) -> None:
        if picture.as_of >= newer["ts"].iloc[0]:
            arrived_again.set()

    def broken(_: live.ChainPicture) -> None:
        raise ValueError("this page is broken")

    quotes = requote(0.75)
    ends = [boards.feed.watch("SIM", broken), boards.feed.watch("sim", watcher)]
    publish_quotes(desk.store, quotes, source="simulated")
    assert arrived.wait(PATIENCE_S)
    newest = boards.feed.picture("SIM")
    assert any(newest is one for one in seen) and newest.as_of == quotes["ts"].iloc[0].to_pydatetime()
    for end in ends:
        end()
    assert boards.feed.watchers() == 0
    newer = requote(1.0)
    end = boards.feed.watch("SIM", later_watcher)
    publish_quotes(desk.store, newer, source="simulated")
    assert arrived_again.wait(PATIENCE_S)
    end()
    assert max(picture.as_of for picture in seen) == newest.as_of


def test_operations_see_runs_gaps_and_ages(desk: Desk, requote: Any) -> None:
    from bifrost_lib.store import Gap, RunOutcome, Watch, begin_run, finish_run, publish_quotes, record_gap, save_watch

    now = desk.clock.now()
    run = begin_run(desk.store, collector="option_chain", source="simulated", symbol="SIM", started=now)
    outcome = RunOutcome(expected=10, received=8, missing={"timed_out": 2}, rows_stored=8, lines_peak=7, seconds=1.5)
    finish_run(desk.store, run, outcome, finished=now)
    record_gap(desk.store, run, Gap(first_ts=now, last_ts=now, reason="timed_out", expected=10, received=8))
    save_watch(desk.store, Watch("SIM", cadence_s=60.0))
    quotes = requote(0.0)
    publish_quotes(desk.store, quotes, source="simulated")
    picture = live.operations_picture(desk)
    assert picture.completeness == pytest.approx(0.8)
    assert list(picture.gaps["reason"]) == ["timed_out"]
    (watched,) = picture.watches.to_dict("records")
    assert watched["late"] and watched["quote_ts"] == quotes["ts"].iloc[0]
    assert picture.services.iloc[0]["state"] == "stopped"
    assert picture.size_bytes > 1e6 and picture.rows["option_snapshots"] > 1000
