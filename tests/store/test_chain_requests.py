"""A request for a fresh chain is served once, whatever becomes of the worker that took it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import (
    RunOutcome,
    begin_run,
    finish_request,
    finish_run,
    list_requests,
    listen,
    request_chain,
    take_request,
)

NOON = datetime(2024, 3, 15, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def empty_queue(store):
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM collection_requests"))


def test_requests_are_taken_in_order_and_finished(store, symbol):
    second = request_chain(store, symbol, requested_by="page", at=NOON + MINUTE)
    first = request_chain(store, "SPX", requested_by="amy", at=NOON, expiries=[date(2024, 4, 19), date(2024, 3, 22)])
    taken = take_request(store, worker="w", at=NOON + 2 * MINUTE)
    assert taken is not None
    assert (taken.request_id, taken.symbol, taken.requested_by, taken.attempts) == (first, "SPX", "amy", 1)
    assert taken.expiries == (date(2024, 3, 22), date(2024, 4, 19)) and taken.requested == NOON
    run_id = begin_run(store, collector="c", source="test", symbol="SPX", started=NOON)
    finish_run(store, run_id, RunOutcome(0, 0), finished=NOON)
    assert finish_request(store, first, at=NOON + 3 * MINUTE, run_id=run_id)
    assert not finish_request(store, first, at=NOON + 3 * MINUTE)
    other = take_request(store, worker="w", at=NOON + 3 * MINUTE)
    assert other is not None and (other.request_id, other.expiries) == (second, ())
    assert take_request(store, worker="w", at=NOON + 3 * MINUTE) is None


def test_nothing_is_taken_before_it_was_asked_for(store, symbol):
    request_chain(store, symbol, requested_by="page", at=NOON)
    assert take_request(store, worker="w", at=NOON - MINUTE) is None


def test_who_asks_for_what_is_waiting_shares_it(store, symbol):
    first = request_chain(store, symbol, requested_by="amy", at=NOON)
    assert request_chain(store, symbol, requested_by="bob", at=NOON + MINUTE) == first
    assert request_chain(store, symbol, requested_by="bob", at=NOON, expiries=[date(2024, 4, 19)]) != first
    assert take_request(store, worker="w", at=NOON + MINUTE) is not None
    assert request_chain(store, symbol, requested_by="bob", at=NOON + MINUTE) != first


def test_a_dead_workers_request_is_taken_again_and_given_up_in_the_end(store, symbol):
    request_id = request_chain(store, symbol, requested_by="page", at=NOON)
    at = NOON
    for attempt in (1, 2, 3):
        taken = take_request(store, worker=f"w{attempt}", at=at, lease=MINUTE)
        assert taken is not None and taken.attempts == attempt and taken.lease_until == at + MINUTE
        assert take_request(store, worker="other", at=at + MINUTE / 2) is None
        at += MINUTE
    assert take_request(store, worker="w4", at=at) is None
    listed = list_requests(store, at=at).set_index("request_id").loc[request_id]
    assert listed["problem"] == "given up after 3 attempts" and listed["finished"] == at


def test_workers_that_come_at_once_take_different_requests(store, symbol):
    asked = {request_chain(store, f"{symbol}{n}", requested_by="page", at=NOON) for n in range(6)}
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda n: take_request(store, worker=f"w{n}", at=NOON), range(8)))
    found = [request.request_id for request in taken if request]
    # A worker that meets another one skips what that one holds; nobody gets the same twice.
    assert len(found) == len(set(found)) and set(found) <= asked
    while (request := take_request(store, worker="last", at=NOON)) is not None:
        found.append(request.request_id)
    assert set(found) == asked


def test_requests_are_announced_and_so_is_their_end(store, symbol):
    with listen(store, ["collection_requests"]) as listener:
        request_id = request_chain(store, symbol, requested_by="page", at=NOON)
        finish_request(store, request_id, at=NOON, problem="no such symbol")
        heard = [listener.wait(5.0), listener.wait(5.0)]
    assert [note.facts["state"] for note in heard if note] == ["waiting", "failed"]


def test_the_queue_is_listed_as_it_was_known(store, symbol):
    request_id = request_chain(store, symbol, requested_by="page", at=NOON)
    take_request(store, worker="w", at=NOON + MINUTE)
    finish_request(store, request_id, at=NOON + 2 * MINUTE, problem="late")
    then, later, now = (list_requests(store.engine, at=NOON + k * MINUTE).iloc[0] for k in (0, 1, 2))
    assert pd.isna(then["taken"]) and pd.isna(then["finished"])
    assert later["worker"] == "w" and pd.isna(later["problem"])
    assert now["problem"] == "late"
    assert list_requests(store, at=NOON - MINUTE).empty


def test_requests_that_cannot_be_are_refused(store):
    for attempt, name in (
        (lambda: request_chain(store, " ", requested_by="page", at=NOON), "symbol"),
        (lambda: request_chain(store, "SPX", requested_by="", at=NOON), "requested_by"),
        (lambda: request_chain(store, "SPX", requested_by="a", at=NOON.replace(tzinfo=None)), "at"),
        (lambda: take_request(store, worker="w", at=NOON, lease=timedelta(0)), "lease"),
        (lambda: finish_request(store, 10**9, at=NOON), "request_id"),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert caught.value.name == name
