"""How sessions with gateways stand: the newest word of each holder, and none of those who are long gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import GatewaySession, end_gateway_session, gateway_sessions, note_gateway_session

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
SESSION = GatewaySession(
    holder="option_chain", host="127.0.0.1", port=4002, ts=NOW, state="ready", since=NOW - timedelta(hours=1),
    trouble="", simulated=False, login_lapses=NOW + timedelta(days=2), last_heard=NOW,
    data_type="live", lines_used=93, lines_total=100, lines_held={"sweep SPY": 90, "spot SPY": 3}, messages_per_s=44.5,
)  # fmt: skip


@pytest.fixture(autouse=True)
def nobody(store):
    yield
    for row in gateway_sessions(store).to_dict("records"):
        end_gateway_session(store, holder=row["holder"], host=row["host"], port=row["port"])


def test_nobody_holds_a_session(store):
    assert gateway_sessions(store).empty


def test_the_newest_word_of_each_holder_is_kept_whole(store):
    note_gateway_session(store, SESSION)
    note_gateway_session(store, replace(SESSION, holder="market_conditions", lines_used=0, lines_held={}))
    later = replace(
        SESSION, ts=NOW + timedelta(seconds=5), state="degraded", trouble="data farm usfarm does not answer"
    )
    note_gateway_session(store, later)
    found = gateway_sessions(store).set_index("holder")
    assert list(found.index) == ["market_conditions", "option_chain"]
    mine = found.loc["option_chain"]
    assert (mine["state"], mine["trouble"], mine["ts"]) == ("degraded", later.trouble, pd.Timestamp(later.ts))
    assert mine["lines_held"] == {"sweep SPY": 90, "spot SPY": 3} and mine["login_lapses"] == SESSION.login_lapses
    assert found.loc["market_conditions", "trouble"] == ""


def test_a_simulation_has_no_login_that_lapses(store):
    note_gateway_session(store, replace(SESSION, simulated=True, login_lapses=None, last_heard=None))
    (row,) = gateway_sessions(store).to_dict("records")
    assert row["simulated"] and pd.isna(row["login_lapses"]) and pd.isna(row["last_heard"])


def test_who_ends_in_good_order_leaves_nothing_and_who_vanished_is_forgotten_after_a_day(store):
    note_gateway_session(store, SESSION)
    note_gateway_session(store, replace(SESSION, holder="other", ts=NOW + timedelta(hours=23)))
    assert len(gateway_sessions(store)) == 2
    note_gateway_session(store, replace(SESSION, holder="other", ts=NOW + timedelta(hours=25)))
    assert list(gateway_sessions(store)["holder"]) == ["other"]
    end_gateway_session(store, holder="other", host="127.0.0.1", port=4002)
    assert gateway_sessions(store).empty


def test_moments_are_aware(store):
    with pytest.raises(InputError):
        note_gateway_session(store, replace(SESSION, ts=NOW.replace(tzinfo=None)))
