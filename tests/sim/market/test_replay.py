"""A replay shows exactly the stored quotes, each from its moment on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError
from bifrost_lib.feeds import open_feed
from bifrost_lib.sim import ReplayMarket, replay_from_parquet, simulated_history
from bifrost_lib.sim.exchange import COMPUTATION_COLUMNS

DAY = date(2026, 9, 30)
MODEL = 3
SHOWN = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")


@pytest.fixture(scope="module")
def frames() -> list[pd.DataFrame]:
    """Thirteen half hours of a fund and an index."""
    return list(simulated_history(symbols=["SIM", "SIMX"], start=DAY, end=DAY))


def contract_ids(market: ReplayMarket, frame: pd.DataFrame) -> list[int]:
    symbol = str(frame["symbol"].iloc[0])
    found = {
        (one.trading_class, one.expiry, one.strike, one.right): one.con_id for one in market.instruments.options(symbol)
    }
    keys = zip(frame["trading_class"], frame["expiry"].dt.date, frame["strike"], frame["right"], strict=True)
    return [found[key] for key in keys]


def test_each_stored_quote_is_shown_exactly(frames: list[pd.DataFrame]) -> None:
    clock = SteppedClock(datetime(2026, 9, 30, 14, tzinfo=UTC))
    market = ReplayMarket(frames[::-1], clock)
    assert market.span == (frames[0]["ts"].min(), frames[0]["ts"].max())
    for moment in sorted(frames[0]["ts"].unique())[:-1]:  # at the close those that expire that day are gone
        clock.advance(moment.to_pydatetime() - clock.now())
        for frame in frames:
            rows = frame[frame["ts"] == moment]
            board = market.quotes(contract_ids(market, rows)).values
            for name in SHOWN:
                np.testing.assert_array_equal(board[name], rows[name].to_numpy(), err_msg=name)
            under = market.instruments.underlying(str(rows["symbol"].iloc[0]))
            assert under
            assert market.quotes([under.con_id]).values["last"][0] == rows["spot"].iloc[0]


def test_a_quote_stands_until_the_next_and_none_is_shown_before_the_first(frames: list[pd.DataFrame]) -> None:
    first = frames[0]["ts"].min()
    clock = SteppedClock((first - pd.Timedelta(seconds=1)).to_pydatetime())
    market = ReplayMarket(frames, clock)
    rows = frames[0][frames[0]["ts"] == first]
    asked = contract_ids(market, rows)
    assert np.isnan(market.quotes(asked).values["ask"]).all()
    clock.advance(timedelta(minutes=29))
    np.testing.assert_array_equal(market.quotes(asked).values["ask"], rows["ask"].to_numpy())


def test_stored_greeks_are_shown_as_the_models_and_missing_ones_not_at_all(frames: list[pd.DataFrame]) -> None:
    moment = frames[0]["ts"].min()
    frame = frames[0][frames[0]["ts"] == moment].reset_index(drop=True)
    plain = ReplayMarket([frame], SteppedClock(moment.to_pydatetime()))
    assert np.isnan(plain.quotes(contract_ids(plain, frame)).computations).all()
    greeks = frame.assign(iv=0.2, delta=0.4, gamma=0.01, vega=50.0, theta=-36.5)
    greeks.loc[3:, "iv"] = np.nan
    market = ReplayMarket([greeks], SteppedClock(moment.to_pydatetime()))
    found = market.quotes(contract_ids(market, frame)).computations
    assert np.isnan(found[:, :MODEL]).all()
    assert np.isnan(found[3:]).all()
    for name, expected in (("iv", 0.2), ("delta", 0.4), ("gamma", 0.01), ("vega", 0.5), ("theta", -0.1)):
        assert found[:3, MODEL, COMPUTATION_COLUMNS.index(name)] == pytest.approx(expected)
    assert found[0, MODEL, COMPUTATION_COLUMNS.index("und_price")] == frame["spot"].iloc[0]


def test_bars_come_from_the_stored_sides(frames: list[pd.DataFrame]) -> None:
    clock = SteppedClock(datetime(2026, 9, 30, 19, tzinfo=UTC))
    market = ReplayMarket(frames, clock)
    frame = frames[1]
    one = frame[frame["ts"] == frame["ts"].max()].iloc[200]
    con_id = contract_ids(market, frame[frame["ts"] == frame["ts"].max()])[200]
    same = (frame["expiry"] == one["expiry"]) & (frame["strike"] == one["strike"]) & (frame["right"] == one["right"])
    known = frame[same & (frame["trading_class"] == one["trading_class"]) & (frame["ts"] <= clock.now())]
    start = datetime(2026, 9, 30, tzinfo=UTC)
    found = market.bars(
        con_id, what="MIDPOINT", start=start, end=start + timedelta(days=1), bar_s=86_400, regular_hours=True
    )
    mids = ((known["bid"] + known["ask"]) / 2).to_numpy()
    assert (found.open[0], found.high[0], found.low[0], found.close[0]) == (mids[0], mids.max(), mids.min(), mids[-1])
    hourly = market.bars(
        con_id, what="BID_ASK", start=start, end=start + timedelta(days=1), bar_s=3_600, regular_hours=True
    )
    assert hourly.high.max() == known["ask"].max()
    assert hourly.low.min() == known["bid"].min()
    trades = market.bars(
        con_id, what="TRADES", start=start, end=start + timedelta(days=1), bar_s=86_400, regular_hours=True
    )
    assert trades.volume[0] == known["volume"].max()
    assert market.first_moment(con_id) == known["ts"].min()


def test_instruments_are_those_of_the_frames_and_keep_their_con_ids(frames: list[pd.DataFrame]) -> None:
    clock = SteppedClock(datetime(2026, 9, 30, 14, tzinfo=UTC))
    one, other = ReplayMarket(frames, clock), ReplayMarket(frames[:1], clock)
    assert one.instruments.options("SIM") == other.instruments.options("SIM")
    index = one.instruments.options("SIMX")
    assert {(found.style, found.settlement) for found in index} == {("european", "AM"), ("european", "PM")}
    assert len({found.con_id for found in index}) == len(index)
    with pytest.raises(KeyError):
        one.quotes([4711])


def test_parquet_files_are_played(frames: list[pd.DataFrame], tmp_path: Path) -> None:
    for frame in frames:
        frame.to_parquet(tmp_path / f"{frame['symbol'].iloc[0]}.parquet")
    clock = SteppedClock(datetime(2026, 9, 30, 15, tzinfo=UTC))
    market, direct = replay_from_parquet(tmp_path, clock), ReplayMarket(frames, clock)
    asked = [one.con_id for one in direct.instruments.options("SIMX")]
    np.testing.assert_array_equal(market.quotes(asked).values["bid"], direct.quotes(asked).values["bid"])


def test_frames_without_a_column_or_without_rows_are_refused(frames: list[pd.DataFrame]) -> None:
    clock = SteppedClock(datetime(2026, 9, 30, 14, tzinfo=UTC))
    with pytest.raises(InputError) as missing:
        ReplayMarket([frames[0].drop(columns="bid")], clock)
    assert missing.value.name == "frame.bid"
    with pytest.raises(InputError) as nothing:
        ReplayMarket([], clock)
    assert nothing.value.name == "frames"


@pytest.mark.samples
def test_a_real_session_of_minutes_plays_as_a_live_feed(samples: Path) -> None:
    path = samples / "options/lean/option/usa/minute/twx/20140605_quote_american.zip"
    frames = [batch.quotes for batch in open_feed(path).batches()]
    rows = pd.concat(frames).sort_values("ts", kind="stable")
    clock = SteppedClock(datetime(2014, 6, 5, 13, 30, tzinfo=UTC))
    market = ReplayMarket(frames, clock)
    assert market.is_open(clock.now())
    known = {}
    for one in market.instruments.options("TWX"):
        known[one.expiry, one.strike, one.right] = one.con_id
    asked = list(known.values())
    assert len(asked) > 50
    keys = list(zip(rows["expiry"].dt.date, rows["strike"], rows["right"], strict=True))
    rows = rows.assign(con_id=[known[key] for key in keys])
    for minutes in (0, 1, 17, 200, 390):
        clock.advance(datetime(2014, 6, 5, 13, 30, tzinfo=UTC) + timedelta(minutes=minutes) - clock.now())
        newest = rows[rows["ts"] <= clock.now()].groupby("con_id").tail(1).set_index("con_id").reindex(asked)
        board = market.quotes(asked).values
        for name in SHOWN:
            np.testing.assert_array_equal(board[name], newest[name].to_numpy(dtype=float), err_msg=name)
        told = market.quotes([_underlying_id(market, "TWX")]).values["last"][0]
        spots = rows[(rows["ts"] <= clock.now()) & rows["spot"].notna()]["spot"]
        assert told == spots.iloc[-1] if len(spots) else np.isnan(told)


def _underlying_id(market: ReplayMarket, symbol: str) -> int:
    found = market.instruments.underlying(symbol)
    assert found
    return found.con_id
