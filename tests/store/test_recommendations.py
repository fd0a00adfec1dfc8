"""What was recommended is remembered whole, once, and as it was known at a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.store import (
    Mark,
    append_marks,
    document_hits,
    document_outcomes,
    list_recommendations,
    listen,
    record_hits,
    remove_document,
    save_document,
    save_outcomes,
    save_recommendations,
    saved_documents,
    settle_recommendation,
    spot_between,
    strategy_marks,
    watch_document,
)

DAY = timedelta(days=1)


def row(made, **changes: Any) -> dict[str, Any]:
    known = {
        "rank": 1, "legs": [{"right": "P", "qty": -1, "strike": 90.0, "expiry": "2024-04-19", "price": 1.5}],
        "premium": 150.0, "pop": 0.7, "ev": np.float64(3.5), "max_profit": 150.0, "max_loss": None,
        "breakevens": [88.5],
        "score": 61.0, "score_parts": {"pop": 61.0}, "candidate_hash": "c1", "expires": made.noon + 30 * DAY,
        "vol": float("nan"),
    }  # fmt: skip
    return known | changes


@pytest.fixture
def known(store, made, symbol):
    """A symbol that the store has data of."""
    made.ingest(store, symbol, made.snapshots(made.chain_rows([90, 100], spot=101.0), symbol=symbol))
    return symbol


def save(store, made, symbol, *rows, **changes):
    given = {
        "at": made.noon, "strategy": "short_put", "document": {"name": "short_put"}, "document_hash": "d1",
        "recommended": made.noon + timedelta(minutes=1), "by": "ann",
    }  # fmt: skip
    return save_recommendations(store, symbol, rows or [row(made)], **(given | changes))


def test_a_recommendation_is_kept_once_with_all_it_promised(store, made, known):
    (key,) = save(store, made, known)
    assert save(store, made, known, by="bob", recommended=made.noon + DAY) == [key]
    frame = list_recommendations(store, symbol=known)
    assert len(frame) == 1
    found = frame.iloc[0]
    assert (found["recommended_by"], found["origin"], found["state"]) == ("ann", "user", "open")
    assert (found["premium"], found["pop"], found["ev"]) == (150.0, 0.7, 3.5)
    assert np.isnan(found["max_loss"]) and np.isnan(found["pnl"])
    assert found["legs"][0]["strike"] == 90.0
    assert found["at"] == made.noon and str(frame["at"].dtype) == "datetime64[us, UTC]"


def test_what_was_settled_later_is_open_at_an_earlier_moment(store, made, known):
    (key,) = save(store, made, known)
    end = made.noon + 30 * DAY
    result = {"settled": end, "reason": "expired", "pnl": 150.0, "value": 0.0, "spot": 99.0}
    assert settle_recommendation(store, key, **result)
    assert not settle_recommendation(store, key, **(result | {"pnl": -1.0}))
    before, after = (list_recommendations(store, symbol=known, at=at).iloc[0] for at in (end - DAY, end))
    assert (before["state"], after["state"]) == ("open", "settled")
    assert np.isnan(before["pnl"]) and before["exit_reason"] is None
    assert (after["pnl"], after["exit_spot"], after["exit_reason"]) == (150.0, 99.0, "expired")
    assert len(list_recommendations(store, symbol=known, at=end - DAY, state="settled")) == 0
    assert len(list_recommendations(store, symbol=known, at=made.noon - DAY)) == 0


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"origin": "robot"}, "origin"), ({"by": " "}, "by"), ({"at": None}, "recommended")],
)
def test_a_wrong_argument_is_named_and_nothing_is_kept(store, made, known, changes, name):
    changes = {key: made.noon + DAY if value is None else value for key, value in changes.items()}
    with pytest.raises(InputError) as caught:
        save(store, made, known, **changes)
    assert caught.value.name == name
    assert len(list_recommendations(store, symbol=known)) == 0


def test_a_batch_is_kept_whole_or_not_at_all(store, made, known):
    with pytest.raises(InputError) as caught:
        save(store, made, known, row(made), row(made, premium=float("nan"), candidate_hash="c2"))
    assert caught.value.name == "rows.premium"
    assert len(list_recommendations(store, symbol=known)) == 0
    with pytest.raises(InputError):
        settle_recommendation(store, 10**9, settled=made.noon, reason="expired", pnl=0.0, value=0.0)


def test_a_mark_is_written_once_and_a_missing_one_gives_way(store, made, known):
    (key,) = save(store, made, known)
    absent = Mark(key, made.noon + DAY, reason="90P has no ask")
    assert append_marks(store, [absent]) == 1
    assert append_marks(store, [absent]) == 0
    seen = Mark(key, made.noon + DAY, made.noon + DAY, value=-120.0, pnl=30.0, spot=101.0, iv=0.2, delta=25.0)
    assert append_marks(store, [seen]) == 1
    assert (
        append_marks(store, [Mark(key, made.noon + DAY, reason="gone"), Mark(key, made.noon + 2 * DAY, reason="x")])
        == 1
    )
    frame = strategy_marks(store, at=made.noon + DAY, history_id=key)
    assert frame["pnl"].tolist() == [30.0] and frame["reason"].tolist() == [None]
    assert len(strategy_marks(store, history_id=key)) == 2
    with pytest.raises(InputError):
        append_marks(store, [Mark(key, made.noon + 3 * DAY)])  # neither value nor reason


def test_the_price_between_two_moments(store, made, symbol):
    rows = [{"ts": made.noon + n * timedelta(hours=1), "spot": 100.0 + n, "bid": 1.0, "ask": 1.1} for n in range(3)]
    made.ingest(store, symbol, made.snapshots(rows, symbol=symbol))
    start, end = made.noon, made.noon + timedelta(hours=1.5)
    assert spot_between(store.engine, symbol, start, end) == (made.noon + timedelta(hours=1), 101.0)
    assert spot_between(store.engine, symbol, start, end, first=True) == (made.noon, 100.0)
    assert spot_between(store.engine, symbol, end, end) is None


def test_a_document_is_kept_by_owner_and_name(store, made):
    key = save_document(
        store, {"a": 1}, name="mine", owner="ann", document_hash="1", at=made.noon, symbols=["spy", "SPY"]
    )
    assert save_document(store, {"a": 2}, name="mine", owner="ann", document_hash="2", at=made.noon) == key
    save_document(store, {"a": 3}, name="mine", owner="bob", document_hash="3", at=made.noon, monitored=True)
    (ann,) = saved_documents(store, owner="ann")
    assert (ann.document, ann.document_hash, ann.symbols, ann.monitored) == ({"a": 2}, "2", (), False)
    watch_document(store, "mine", owner="ann")
    assert [one.owner for one in saved_documents(store, monitored=True)] == ["ann", "bob"]
    with pytest.raises(UnknownNameError) as caught:
        remove_document(store, "mime", owner="ann")
    assert caught.value.nearest == "mine"
    remove_document(store, "mine", owner="ann")
    assert saved_documents(store, owner="ann") == []


def test_the_same_hit_is_written_once_a_day_and_announced(store, made, symbol):
    save_document(store, {"a": 1}, name=symbol, owner="eve", document_hash="1", at=made.noon, monitored=True)
    (document,) = saved_documents(store, owner="eve", name=symbol)
    hits = [{"candidate_hash": "c1", "score": 70.0, "legs": []}, {"candidate_hash": "c2", "score": float("nan")}]
    with listen(store, "document_hits") as listener:
        assert len(record_hits(store, document, symbol, hits, ts=made.noon)) == 2
        assert record_hits(store, document, symbol, hits, ts=made.noon + timedelta(hours=1)) == []
        assert len(record_hits(store, document, symbol, hits[:1], ts=made.noon + DAY)) == 1
        heard = [listener.wait(5.0), listener.wait(5.0)]
        assert [note.facts["hits"] for note in heard] == [2, 1]
    assert document_hits(store, owner="eve")["ts"].is_monotonic_decreasing
    assert len(document_hits(store, owner="eve", at=made.noon)) == 2


def test_an_outcome_is_final_and_unknown_before_it_ended(store, made, known):
    entry = {
        "session": made.noon.date(),
        "at": made.noon,
        "legs": [{"right": "P"}],
        "premium": 150.0,
        "seen": made.noon,
    }
    assert save_outcomes(store, known, "d1", [entry]) == 1
    ended = entry | {"pnl": -50.0, "ended": made.noon + DAY, "exit_reason": "stop", "seen": made.noon + 2 * DAY}
    assert save_outcomes(store, known, "d1", [ended]) == 1
    assert save_outcomes(store, known, "d1", [entry | {"seen": made.noon + 9 * DAY}]) == 0
    now, then = document_outcomes(store, known, "d1"), document_outcomes(store, known, "d1", at=made.noon)
    assert now["pnl"].tolist() == [-50.0] and now["exit_reason"].tolist() == ["stop"]
    assert np.isnan(then["pnl"].iloc[0]) and pd.isna(then["ended"].iloc[0])
    assert len(document_outcomes(store, known, "d2")) == 0
