"""The newest quote of a streamed contract is shown at once, never an older one over a newer one, and announced."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS, VENDOR_COLUMNS
from bifrost_lib.store import (
    FileKey,
    QuotePublisher,
    chain_moments,
    forget_quotes,
    ingestion,
    listen,
    live_quotes,
    option_chain,
    publish_quotes,
)
from bifrost_lib.store.columns import CONTRACT_COLUMNS, VALUE_COLUMNS, VENDOR_VALUES

SECOND = timedelta(seconds=1)


def publish(store, made, symbol, rows, **same):
    return publish_quotes(store, made.snapshots(rows, symbol=symbol, **same), source="test")


def test_the_newest_quote_is_shown(store, made, symbol):
    assert publish(store, made, symbol, made.chain_rows([90, 100])) == 4
    newer = {"ts": made.noon + SECOND, "strike": 90.0, "bid": 7.0, "quality": "one_sided"}
    assert publish(store, made, symbol, [newer]) == 1
    quotes = live_quotes(store.engine, symbol, at=made.noon + SECOND)
    check_frame(quotes, (*CHAIN_COLUMNS, *VENDOR_COLUMNS))
    assert quotes["strike"].tolist() == [90.0, 90.0, 100.0, 100.0]
    call = quotes.iloc[0]
    assert (call["bid"], call["quality"], call["ts"]) == (7.0, "one_sided", made.noon + SECOND)
    assert np.isnan(call["ask"])  # nothing of the older quote is left
    assert quotes.attrs == {"at": made.noon + SECOND, "as_of": made.noon + SECOND}


def test_vendor_columns_are_shown_too(store, made, symbol):
    frame = made.snapshots([{"bid": 1.0}], symbol=symbol).assign(
        ib_iv=0.2, ib_delta=0.5, ib_gamma=0.1, ib_vega=9.0, ib_theta=-3.0, market_data_type=pd.Categorical(["frozen"])
    )
    publish_quotes(store, frame, source="test")
    row = live_quotes(store.engine, symbol, at=made.noon).iloc[0]
    assert (row["ib_iv"], row["ib_theta"], row["market_data_type"]) == (0.2, -3.0, "frozen")
    assert publish(store, made, symbol, [{"bid": 1.0, "ts": made.noon + SECOND}]) == 1
    assert np.isnan(live_quotes(store.engine, symbol, at=made.noon + SECOND).iloc[0]["ib_iv"])


def test_an_older_quote_changes_nothing(store, made, symbol):
    publish(store, made, symbol, [{"bid": 2.0}])
    assert publish(store, made, symbol, [{"bid": 1.0, "ts": made.noon - SECOND}]) == 0
    assert publish(store, made, symbol, [{"bid": 1.0}]) == 0
    assert live_quotes(store.engine, symbol, at=made.noon)["bid"].tolist() == [2.0]


def test_of_several_quotes_of_one_contract_the_newest_counts(store, made, symbol):
    rows = [{"bid": float(k), "ts": made.noon + k * SECOND} for k in (1, 3, 2)]
    assert publish(store, made, symbol, rows) == 1
    assert live_quotes(store.engine, symbol, at=made.noon + 9 * SECOND)["bid"].tolist() == [3.0]


def test_nothing_later_nothing_expired_and_nothing_older_than_allowed(store, made, symbol):
    rows = [{"strike": 90.0, "bid": 1.0}, {"strike": 100.0, "bid": 2.0, "ts": made.noon + 60 * SECOND}]
    publish(store, made, symbol, [*rows, {"strike": 110.0, "bid": 3.0, "expiry": "2024-03-15"}])
    assert live_quotes(store.engine, symbol, at=made.noon + SECOND)["strike"].tolist() == [110.0, 90.0]
    after_expiry = made.noon + timedelta(hours=4)
    assert live_quotes(store.engine, symbol, at=after_expiry)["strike"].tolist() == [90.0, 100.0]
    recent = live_quotes(store.engine, symbol, at=made.noon + 61 * SECOND, max_age=2 * SECOND)
    assert recent["strike"].tolist() == [100.0]
    with pytest.raises(NoDataError):
        live_quotes(store.engine, symbol, at=made.noon - SECOND)
    with pytest.raises(InputError) as caught:
        live_quotes(store.engine, symbol, at=made.noon, max_age=-SECOND)
    assert caught.value.name == "max_age"


def test_a_symbol_that_is_unknown_needs_a_source(store, made, symbol):
    frame = made.snapshots([{"bid": 1.0}], symbol=symbol)
    with pytest.raises(InputError) as caught:
        publish_quotes(store, frame)
    assert caught.value.name == "symbol"
    publish_quotes(store, frame, source="simulated ib")
    assert publish_quotes(store, frame.assign(ts=frame["ts"] + SECOND)) == 1
    with pytest.raises(InputError) as caught:
        publish_quotes(store, frame, source="ib")
    assert caught.value.name == "source"


@pytest.mark.parametrize(("column", "value"), [("bid", np.inf), ("strike", 0.0)])
def test_quotes_that_cannot_be_are_refused(store, made, symbol, column, value):
    frame = made.snapshots([{"bid": 1.0}], symbol=symbol).assign(**{column: value})
    with pytest.raises(InputError) as caught:
        publish_quotes(store, frame, source="test")
    assert caught.value.name == f"frame.{column}"


def numbered(count, **named):
    """Return the numbers of `count` quotes, all missing but those that are named."""
    values = np.full((len(VALUE_COLUMNS) + len(VENDOR_VALUES), count), np.nan)
    for name, column in named.items():
        values[(*VALUE_COLUMNS, *VENDOR_VALUES).index(name)] = column
    return values


def test_contracts_that_stay_the_same_are_shown_as_frames_are(store, made, symbol):
    frame = made.snapshots(made.chain_rows([100, 90]), symbol=symbol)
    publisher = QuotePublisher(store, frame[["symbol", *CONTRACT_COLUMNS]], source="test")
    noon_us, unknown = int(made.noon.timestamp() * 1e6), np.array([-1, -1], dtype=np.int8)
    with listen(store, ["live_quotes"]) as listener:
        rows, ts = np.array([3, 0]), np.array([noon_us, noon_us + 1])
        values = numbered(2, bid=[1.5, 2.5], rho=[7.0, np.nan], ib_theta=[np.nan, -3.0])
        kinds = np.array([1, -1], dtype=np.int8)
        assert publisher.publish(rows, ts, values, np.array([0, 1], dtype=np.int8), kinds) == 2
        note = listener.wait(5.0)
        assert publisher.publish(rows, ts - 1, values, unknown, unknown) == 0  # older than what is shown
        assert listener.wait(0.05) is None
    newest = made.noon + timedelta(microseconds=1)
    assert note is not None and note.facts == {"symbol": symbol, "ts": newest.isoformat(), "rows": 2}
    shown = live_quotes(store.engine, symbol, at=newest)
    told = [frame.iloc[row][["strike", "right"]].tolist() for row in (3, 0)]
    assert sorted(shown[["strike", "right"]].to_numpy().tolist()) == sorted(told)
    by_bid = shown.set_index("bid")
    assert by_bid.loc[1.5, ["rho", "quality", "market_data_type"]].tolist() == [7.0, QUALITY_LABELS[0], "frozen"]
    assert by_bid.loc[2.5, ["ib_theta", "quality", "ts"]].tolist() == [-3.0, QUALITY_LABELS[1], newest]
    assert np.isnan(by_bid.loc[2.5, "rho"])


def test_a_publisher_refuses_what_names_no_contract_and_what_is_no_number(store, made, symbol):
    named = made.snapshots([{"bid": 1.0}], symbol=symbol)[["symbol", *CONTRACT_COLUMNS]]
    for refused, column in ((named.assign(strike=-1.0), "frame.strike"), (named, "symbol")):
        with pytest.raises(InputError) as caught:
            QuotePublisher(store, refused)
        assert caught.value.name == column
    publisher, one = QuotePublisher(store, named, source="test"), np.zeros(1, dtype=np.int8)
    with pytest.raises(InputError) as caught:
        publisher.publish(np.array([0]), np.array([1]), numbered(1, iv=np.inf), one, one)
    assert caught.value.name == "frame.iv"
    with pytest.raises(NoDataError):
        live_quotes(store.engine, symbol, at=made.noon)


def test_live_quotes_are_not_stored_in_time(store, made, symbol):
    publish(store, made, symbol, [{"bid": 1.0}])
    with pytest.raises(NoDataError):
        option_chain(store.engine, symbol)


def test_old_quotes_can_be_forgotten(store, made, symbol):
    publish(store, made, symbol, [{"strike": 90.0, "bid": 1.0}, {"strike": 91.0, "bid": 1.0, "ts": made.noon + SECOND}])
    assert forget_quotes(store, before=made.noon + SECOND) >= 1
    assert live_quotes(store.engine, symbol, at=made.noon + SECOND)["strike"].tolist() == [91.0]


def test_publishers_of_the_same_contracts_do_not_block_each_other(store, made, symbol):
    rows = made.chain_rows(range(50, 100))
    publish(store, made, symbol, rows)

    def push(worker):
        for k in range(5):
            ts = made.noon + (1 + k * 3 + worker) * SECOND
            publish(store, made, symbol, rows[:: 1 if worker else -1], ts=ts)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(push, range(3)))
    newest = made.noon + 15 * SECOND
    assert (live_quotes(store.engine, symbol, at=newest)["ts"] == newest).all()


def test_new_quotes_announce_themselves(store, made, symbol):
    with listen(store, ["live_quotes"]) as listener:
        publish(store, made, symbol, made.chain_rows([90, 100]))
        note = listener.wait(5.0)
        assert publish(store, made, symbol, made.chain_rows([90, 100])) == 0
        assert listener.wait(0.05) is None  # nothing was newer
    assert note is not None and note.channel == "live_quotes" and note.pid > 0
    assert json.loads(note.payload) == {"symbol": symbol, "ts": made.noon.isoformat(), "rows": 4}


def collect(store, made, symbol, batch, **same):
    key = FileKey(path=f"test {symbol}", sha256=batch, size=0, format="collected")
    with ingestion(store, key, source="test") as writer:
        writer.append(made.snapshots(made.chain_rows([90, 100]), symbol=symbol, **same))


def test_collected_snapshots_announce_themselves_when_they_are_committed(store, made, symbol):
    with listen(store, "option_snapshots") as listener:
        collect(store, made, symbol, f"{symbol} 1", ts=made.noon + SECOND)
        note = listener.wait(5.0)
        assert note is not None
        assert note.facts == {"symbol": symbol, "ts": (made.noon + SECOND).isoformat(), "rows": 4}
        made.ingest(store, symbol, made.snapshots([{"strike": 50.0}], symbol=symbol))  # a file is no collection
        assert listener.wait(0.05) is None
    assert len(chain_moments(store.engine, symbol, made.noon, made.noon + SECOND)) == 2


def test_a_page_shows_a_quote_soon_after_the_tick(store, made, symbol):
    """Published, announced, heard and read in less than 250 ms, as the desk asks; usually in a tenth of that."""
    rows = made.chain_rows(range(50, 100))
    publish(store, made, symbol, rows)
    live_quotes(store.engine, symbol, at=made.noon)
    took = []
    with listen(store, ["live_quotes"]) as listener:
        for k in range(1, 6):
            began = time.perf_counter()
            publish(store, made, symbol, rows, ts=made.noon + k * SECOND)
            assert listener.wait(5.0) is not None
            live_quotes(store.engine, symbol, at=made.noon + k * SECOND)
            took.append(time.perf_counter() - began)
    assert min(took) < 0.25


def test_a_coroutine_hears_without_holding_up_others(store, made, symbol):
    ticks = []

    async def others():
        while True:
            ticks.append(None)
            await asyncio.sleep(0.01)

    async def main():
        beside = asyncio.create_task(others())
        with listen(store, ["live_quotes"]) as listener:
            asyncio.get_running_loop().call_later(
                0.1, lambda: asyncio.ensure_future(asyncio.to_thread(publish, store, made, symbol, [{"bid": 1.0}]))
            )
            assert await listener.next(0.02) is None
            async for note in listener:
                heard = note
                break
        beside.cancel()
        return heard

    assert asyncio.run(main()).facts["symbol"] == symbol
    assert len(ticks) > 5


def test_a_listener_comes_back_and_says_that_it_was_away(store, made, symbol):
    with listen(store, ["live_quotes", "option_snapshots"]) as listener:
        pid = listener._connection.info.backend_pid
        with store.engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        missed = {note.channel for note in (listener.wait(5.0), listener.wait(5.0)) if note and note.pid == 0}
        assert missed == {"live_quotes", "option_snapshots"}
        publish(store, made, symbol, [{"bid": 1.0}])
        note = listener.wait(5.0)
        assert note is not None and note.facts["symbol"] == symbol


def test_a_closed_listener_ends_its_iteration(store):
    listener = listen(store, ["live_quotes"])
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(list, listener)
        time.sleep(0.05)
        listener.close()
        assert ended.result(timeout=5.0) == []


def test_a_listener_needs_a_channel(store):
    for channels in ([], [""]):
        with pytest.raises(InputError) as caught:
            listen(store, channels)
        assert caught.value.name == "channels"
