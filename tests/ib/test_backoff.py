"""Pauses between attempts, and the ids to try."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.ib.backoff import CLIENT_IDS, Backoff, ClientIds


@given(st.integers(0, 2**32), st.floats(0.1, 10), st.floats(10, 300))
def test_pauses_double_up_to_the_cap(seed, first, cap):
    backoff = Backoff(first, cap, random=Random(seed))
    pauses = [backoff.pause() for _ in range(40)]
    assert all(min(cap, first * 2**n) <= pause <= min(cap, 1.25 * first * 2**n) for n, pause in enumerate(pauses))
    assert pauses[-1] == cap


def test_a_success_begins_anew_and_a_seed_repeats():
    backoff, twin = Backoff(random=Random(7)), Backoff(random=Random(7))
    assert [backoff.pause() for _ in range(5)] == [twin.pause() for _ in range(5)]
    backoff.succeeded()
    assert backoff.pause() < 1.3


def test_two_clients_do_not_come_back_in_step():
    assert Backoff(random=Random(1)).pause() != Backoff(random=Random(2)).pause()


def test_roles_share_no_id():
    ids = [number for pool in CLIENT_IDS.values() for number in pool]
    assert len(ids) == len(set(ids)) and 0 not in ids  # id 0 would bind orders that are typed into TWS


def test_ids_go_round_until_all_are_refused():
    ids = ClientIds("orders")
    tried = []
    while not ids.exhausted:
        tried.append(ids.current)
        ids.refused()
    assert tried == list(range(20, 30))
    ids.accepted()
    assert not ids.exhausted


def test_unknown_role():
    with pytest.raises(UnknownNameError) as error:
        ClientIds("collectors")
    assert error.value.nearest == "collector"
