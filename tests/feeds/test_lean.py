"""LEAN archives built here: joining, carrying forward, moments, spot, damage."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.feeds import discover, open_feed
from bifrost_lib.feeds.lean_names import parse_member

MINUTE = "Data/option/usa/minute/xyz/20220315"


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="America/New_York").tz_convert("UTC")


def member(kind: str, right: str = "call", strike: int = 500000, expiry: str = "20220414", symbol: str = "xyz") -> str:
    return f"20220315_{symbol}_minute_{kind}_american_{right}_{strike}_{expiry}.csv"


@pytest.fixture
def tree(files: SimpleNamespace, tmp_path: Path) -> Path:
    """One session of one underlying by the minute: quotes, trades, open interest and the equity."""
    quotes = "\n".join(
        [
            "34200000,10000,10500,9900,10100,5,11000,11500,10900,11100,6",  # 09:30: 1.01 x 1.11
            "34260000,,,,,0,11200,11200,11200,11200,7",  # 09:31: the bid did not update
            "34320000,10300,10300,10300,10300,8,,,,,0",  # 09:32: the ask did not update
            "57540000,9000,9000,9000,9000,1,9500,9500,9500,9500,2",  # 15:59
        ]
    )
    puts = "34200000,,,,,0,20000,20000,20000,20000,3\n"
    files.write_zip(tmp_path / f"{MINUTE}_quote_american.zip", {member("quote"): quotes, member("quote", "put"): puts})
    trades = "34260000,10800,10900,10700,10800,10\n34380000,10200,10200,10200,10200,5\n"
    files.write_zip(tmp_path / f"{MINUTE}_trade_american.zip", {member("trade"): trades})
    interest = {
        member("openinterest"): "23400000,77\n",
        member("openinterest", strike=900000): "23400000,1234\n",
    }
    files.write_zip(tmp_path / f"{MINUTE}_openinterest_american.zip", interest)
    equity = tmp_path / "Data/equity/usa"
    bars = "34200000,499000,500000,498000,499500,100\n34260000,499500,500500,499500,500100,100\n"
    files.write_zip(equity / "minute/xyz/20220315_trade.zip", {"20220315_xyz_minute_trade.csv": bars})
    files.write_zip(equity / "daily/xyz.zip", {"xyz.csv": "20220315 00:00,500000,510000,490000,505000,1000\n"})
    factors = equity / "factor_files/xyz.csv"
    factors.parent.mkdir(parents=True)
    factors.write_text("20200101,0.99,0.5,1\n20220314,0.99,0.5,100\n20501231,1,1,0\n")
    return tmp_path


def test_a_minute_bar_is_known_at_its_end_and_blank_sides_carry_on(files: SimpleNamespace, tree: Path) -> None:
    got = files.collect(open_feed(tree / f"{MINUTE}_quote_american.zip"))
    call = got.quotes[(got.quotes.right == "C") & (got.quotes.strike == 50)].set_index("ts")
    assert list(call.index) == [at(f"2022-03-15 {time}") for time in ("09:31", "09:32", "09:33", "09:34", "16:00")]
    assert call.bid.tolist() == [1.01, 1.01, 1.03, 1.03, 0.90]
    assert call.ask.tolist() == [1.11, 1.12, 1.12, 1.12, 0.95]
    assert call.bid_size.tolist() == [5, 5, 8, 8, 1]
    assert call.ask_size.tolist() == [6, 7, 7, 7, 2]


def test_trades_and_open_interest_join_their_quotes(files: SimpleNamespace, tree: Path) -> None:
    got = files.collect(open_feed(tree / f"{MINUTE}_quote_american.zip"))
    call = got.quotes[(got.quotes.right == "C") & (got.quotes.strike == 50)]
    np.testing.assert_array_equal(call["last"], [np.nan, 1.08, 1.08, 1.02, 1.02])
    assert call.volume.tolist() == [0, 10, 10, 15, 15], "09:34 is a trade of its own, without a quote of that minute"
    assert call.open_interest.tolist() == [77] * 5
    assert got.rows_read == 7
    assert got.reasons == {"unmatched_open_interest": 1}, "nothing else is known of the strike of 90 that day"
    assert "1234" in got.rejects[0].text


def test_a_side_never_quoted_is_missing(files: SimpleNamespace, tree: Path) -> None:
    got = files.collect(open_feed(tree / f"{MINUTE}_quote_american.zip"))
    put = got.quotes[got.quotes.right == "P"].iloc[0]
    assert np.isnan(put.bid)
    assert put.ask == 2.0
    assert (put["style"], put.settlement, put.symbol, put.multiplier) == ("american", "PM", "XYZ", 100)


def test_spot_is_the_underlyings_price_known_at_that_moment(files: SimpleNamespace, tree: Path) -> None:
    got = files.collect(open_feed(tree / f"{MINUTE}_quote_american.zip"))
    spot = got.quotes[(got.quotes.right == "C") & (got.quotes.strike == 50)].set_index("ts").spot
    assert spot[at("2022-03-15 09:31")] == 49.95, "the bar of 09:30, not the one that begins at 09:31"
    assert spot[at("2022-03-15 09:32")] == 50.01
    assert spot[at("2022-03-15 09:34")] == 50.01
    assert spot[at("2022-03-15 16:00")] == 50.5, "at the close the daily file knows it"


def test_open_interest_alone_is_read_alone(files: SimpleNamespace, tree: Path) -> None:
    for kind in ("quote", "trade"):
        (tree / f"{MINUTE}_{kind}_american.zip").unlink()
    got = files.collect(open_feed(tree / f"{MINUTE}_openinterest_american.zip"))
    assert got.quotes.open_interest.tolist() == [77, 1234]
    assert set(got.quotes.ts) == {at("2022-03-15 06:30")}
    assert got.quotes[["bid", "ask", "last", "volume", "spot"]].isna().all(axis=None)


def test_the_archives_of_a_set_are_one_feed_whichever_is_named(tree: Path) -> None:
    feeds = discover([tree])
    assert [feed.path.name for feed in feeds] == ["20220315_quote_american.zip"]
    assert [part.name.split("_")[1] for part in feeds[0].parts] == ["quote", "trade", "openinterest"]
    by_trade = open_feed(tree / f"{MINUTE}_trade_american.zip")
    assert by_trade.parts == feeds[0].parts
    assert by_trade.path.name == "20220315_trade_american.zip"
    assert by_trade.sha256() == feeds[0].sha256()


def test_a_lone_trade_archive_is_read_alone(files: SimpleNamespace, tree: Path) -> None:
    (tree / f"{MINUTE}_quote_american.zip").unlink()
    (tree / f"{MINUTE}_openinterest_american.zip").unlink()
    got = files.collect(open_feed(tree / f"{MINUTE}_trade_american.zip"))
    assert got.quotes["last"].tolist() == [1.08, 1.02]
    assert got.quotes.volume.tolist() == [10, 15]
    assert got.quotes[["bid", "ask", "open_interest"]].isna().all(axis=None)


def test_daily_rows_are_known_at_the_close_and_carry_nothing_over_night(files: SimpleNamespace, tmp_path: Path) -> None:
    name = "xyz_quote_american_call_500000_20220414.csv"
    rows = "20220314 00:00,1,1,1,10000,5,1,1,1,11000,6\n20220315 00:00,,,,,0,1,1,1,12000,6\n"
    path = files.write_zip(tmp_path / "option/usa/daily/xyz_2022_quote_american.zip", {name: rows})
    got = files.collect(open_feed(path))
    assert list(got.quotes.ts) == [at("2022-03-14 16:00"), at("2022-03-15 16:00")]
    assert got.quotes.bid[0] == 1.0
    assert np.isnan(got.quotes.bid[1])
    assert got.quotes.volume.isna().all(), "without a trade archive nothing is known of the volume"


def test_hour_bars_end_an_hour_later_and_index_prices_are_in_chicago_time(
    files: SimpleNamespace, tmp_path: Path
) -> None:
    name = "spxw_quote_european_put_42000000_20220414.csv"
    path = files.write_zip(
        tmp_path / "indexoption/usa/hour/spxw_2022_quote_european.zip",
        {name: "20220315 09:00,1,1,1,500000,5,1,1,1,510000,6\n"},
    )
    bars = "20220315 08:00,1,1,1,4250.5,5\n20220315 09:00,1,1,1,4300.5,5\n"
    files.write_zip(tmp_path / "index/usa/hour/spx.zip", {"spx.csv": bars})
    row = files.collect(open_feed(path)).quotes.iloc[0]
    assert row.ts == at("2022-03-15 10:00")
    assert (row.symbol, row.trading_class, row["style"], row.settlement) == ("SPX", "SPXW", "european", "PM")
    assert (row.strike, row.bid, row.spot) == (4200.0, 50.0, 4250.5)


def test_ticks_of_one_millisecond_are_one_observation(files: SimpleNamespace, tmp_path: Path) -> None:
    base = tmp_path / "option/usa/tick/xyz"
    names = {kind: f"20220315_xyz_tick_{kind}_american_call_500000_20220414.csv" for kind in ("quote", "trade")}
    quotes = "34200000,10000,5,11000,6,C,0\n34200000,10100,7,,,C,0\n34200001,,,11100,8,C,0\n"
    files.write_zip(base / "20220315_quote_american.zip", {names["quote"]: quotes})
    trades = "34200000,10500,2,C,,0\n34200000,10600,3,C,,0\n"
    files.write_zip(base / "20220315_trade_american.zip", {names["trade"]: trades})
    got = files.collect(open_feed(base / "20220315_quote_american.zip"))
    assert list(got.quotes.ts) == [at("2022-03-15 09:30"), at("2022-03-15 09:30:00.001")]
    assert got.quotes.bid.tolist() == [1.01, 1.01]
    assert got.quotes.ask.tolist() == [1.10, 1.11]
    assert got.quotes["last"].tolist() == [1.06, 1.06]
    assert got.quotes.volume.tolist() == [5, 5]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("34260000,1,1,1,x,5,1,1,1,11000,6", "bad_number"),
        ("34260000,1,1,1,-10000,5,1,1,1,11000,6", "negative_price"),
        ("34260000,1,1,1,10000,-5,1,1,1,11000,6", "negative_size"),
        ("34260000,1,1,1,10000,5,1,1,1", "wrong_columns"),
        ("noon,1,1,1,10000,5,1,1,1,11000,6", "bad_date"),
        ("86400000,1,1,1,10000,5,1,1,1,11000,6", "bad_date"),
        (",1,1,1,10000,5,1,1,1,11000,6", "missing_date"),
        ("34200000,1,1,1,10000,5,1,1,1,11000,6", "duplicate"),
        ("34200000,1,1,1,10001,5,1,1,1,11000,6", "conflicting_duplicate"),
        ("34260000,1,1,1,10\x00000,5,1,1,1,11000,6", "embedded_nul"),
    ],
)
def test_damaged_rows_are_counted_with_their_member(
    files: SimpleNamespace, tmp_path: Path, row: str, reason: str
) -> None:
    good = "34200000,1,1,1,10000,5,1,1,1,11000,6"
    members = {member("quote", "put"): good, member("quote"): f"{good}\n{row}\n"}
    path = files.write_zip(tmp_path / f"{MINUTE}_quote_american.zip", members)
    got = files.collect(open_feed(path))
    assert (got.rows_read, got.reasons) == (3, {reason: 1})
    assert (got.rejects[0].member, got.rejects[0].line) == (member("quote"), 2)


def test_members_that_name_no_contract_and_rows_after_expiry_are_refused(
    files: SimpleNamespace, tmp_path: Path
) -> None:
    good = "34200000,1,1,1,10000,5,1,1,1,11000,6"
    members = {
        "readme.csv": "a\nb\n",
        member("quote", strike=0): good,
        member("quote", expiry="20220314"): good,
        member("quote"): good,
    }
    got = files.collect(open_feed(files.write_zip(tmp_path / f"{MINUTE}_quote_american.zip", members)))
    assert got.reasons == {"bad_member_name": 3, "expired": 1}
    assert len(got.quotes) == 1


def test_daily_rows_outside_sessions_are_refused(files: SimpleNamespace, tmp_path: Path) -> None:
    rows = "20220313 00:00,1,1,1,10000,5,1,1,1,11000,6\n20229914 00:00,1,1,1,10000,5,1,1,1,11000,6\n"
    name = "xyz_quote_american_call_500000_20220414.csv"
    path = files.write_zip(tmp_path / "option/usa/daily/xyz_2022_quote_american.zip", {name: rows})
    assert files.collect(open_feed(path)).reasons == {"not_a_session": 1, "bad_date": 1}


def test_a_damaged_archive_says_which_member(files: SimpleNamespace, tree: Path) -> None:
    path = tree / f"{MINUTE}_quote_american.zip"
    data = bytearray(path.read_bytes())
    place = data.index(b"_call_") + 60
    data[place : place + 20] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(FileFormatError) as caught:
        files.collect(open_feed(path))
    assert caught.value.member == member("quote")
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFormatError, match="cut off"):
        files.collect(open_feed(path))


def test_an_archive_in_an_archive_is_read(files: SimpleNamespace, tmp_path: Path) -> None:
    inner = files.write_zip(tmp_path / "inner.zip", {member("quote"): "34200000,1,1,1,10000,5,1,1,1,11000,6\n"})
    outer = tmp_path / f"{MINUTE}_quote_american.zip.zip"
    outer.parent.mkdir(parents=True)
    import zipfile

    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("20220315_quote_american.zip", inner.read_bytes())
    assert len(files.collect(open_feed(outer)).quotes) == 1


@pytest.mark.usefixtures("tree")
def test_splits_and_dividends_come_with_the_feed(tree: Path) -> None:
    feed = discover([tree])[0]
    actions = feed.corporate_actions().to_dict("records")
    assert [(row["kind"], str(row["ex_date"]), row["value"]) for row in actions] == [
        ("split", "2022-03-15", 2.0),
        ("dividend", "2022-03-15", 1.0),
    ]


def test_a_universe_takes_its_spot_from_its_first_line(files: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "option/usa/universes/xyz"
    folder.mkdir(parents=True)
    header = (
        "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,delta,gamma,vega,theta,rho"
    )
    lines = [
        ",,,50,51,49,50.25,1000,,,,,,,",
        "20220414,50,C,1,1,1,1.25,7,70,0.2,0.5,0,0,0,0",
        "20220414,50,P,0,0,0,0,0,,0,0,0,0,0,0",
    ]
    path = folder / "20220315.csv"
    path.write_text("\n".join([header, *lines]))
    got = files.collect(open_feed(path))
    put, call = got.quotes.to_dict("records")
    assert got.rows_read == 2
    assert (call["symbol"], call["last"], call["volume"], call["open_interest"], call["spot"]) == (
        "XYZ",
        1.25,
        7,
        70,
        50.25,
    )
    assert call["ts"] == at("2022-03-15 16:00")
    assert np.isnan(put["last"])


def test_member_names_of_all_resolutions() -> None:
    daily = parse_member("brk.b_trade_american_put_3000000_20220414.csv")
    assert daily is not None
    assert (daily.symbol, daily.strike, daily.is_call, daily.day) == ("BRK.B", 300.0, False, None)
    minute = parse_member(member("quote", strike=725))
    assert minute is not None
    assert (minute.strike, minute.resolution) == (0.0725, "minute")
    assert parse_member("xyz_quote_american_call_1_20229999.csv") is None
