"""What is collected is rows that anyone may edit while the collectors run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import Watch, listen, remove_watch, save_watch, watchlist


def of(store, symbol):
    return next((watch for watch in watchlist(store) if watch.symbol == symbol), None)


def test_a_watch_is_kept_changed_and_removed(store, symbol):
    watch = Watch(symbol, enabled=True, expiries=4, strikes=0, min_dte=1, max_dte=60, cadence_s=90.0, priority=3)
    save_watch(store, watch)
    found = of(store, symbol)
    assert found is not None and found.updated is not None and replace(found, updated=None) == watch
    save_watch(store, replace(watch, enabled=False, market_conditions=False, cadence_s=30.0))
    assert symbol not in [one.symbol for one in watchlist(store.engine, enabled_only=True)]
    changed = of(store, symbol)
    assert changed is not None and (changed.cadence_s, changed.market_conditions) == (30.0, False)
    assert remove_watch(store, symbol) and not remove_watch(store, symbol)
    assert of(store, symbol) is None


def test_the_list_begins_with_the_highest_priority(store, symbol):
    for name, priority in (("A", 1), ("B", 5), ("C", 1)):
        save_watch(store, Watch(symbol + name, priority=priority))
    mine = [watch.symbol for watch in watchlist(store) if watch.symbol.startswith(symbol)]
    assert mine == [symbol + name for name in "BAC"]


def test_edits_are_announced(store, symbol):
    with listen(store, ["collection_watchlist"]) as listener:
        save_watch(store, Watch(symbol))
        remove_watch(store, symbol)
        heard = [listener.wait(5.0), listener.wait(5.0)]
    assert [note.facts for note in heard if note] == [{"symbol": symbol}] * 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"symbol": " "}, "watch.symbol"), ({"expiries": 0}, "watch.expiries"), ({"strikes": -1}, "watch.strikes"),
        ({"min_dte": -1}, "watch.min_dte"), ({"min_dte": 9, "max_dte": 8}, "watch.max_dte"),
        ({"cadence_s": 0.0}, "watch.cadence_s"), ({"cadence_s": float("nan")}, "watch.cadence_s"),
    ],
)  # fmt: skip
def test_numbers_without_sense_are_refused(store, symbol, change, name):
    with pytest.raises(InputError) as caught:
        save_watch(store, replace(Watch(symbol), **change))
    assert caught.value.name == name
    assert of(store, symbol) is None
