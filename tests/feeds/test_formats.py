"""Each vendor's layout: known lines become known quotes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import FileFormatError, InputError, UnknownNameError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import QUOTE_COLUMNS
from bifrost_lib.feeds import discover, load_mapping, open_feed

Write = Callable[..., Path]


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def test_optionsdx_gives_a_put_and_a_call_per_line(files: SimpleNamespace, write: Write) -> None:
    path = write("spy_eod_202301.txt", files.OPTIONSDX_HEADER, files.optionsdx_line())
    feed = open_feed(path)
    got = files.collect(feed)
    assert feed.format == feed.source == "optionsdx"
    assert got.rows_read == 2
    check_frame(got.frames[0], QUOTE_COLUMNS)
    put, call = got.quotes.to_dict("records")
    assert (put["right"], call["right"]) == ("P", "C")
    assert call["ts"] == at("2023-01-03 21:00")
    assert (call["symbol"], call["trading_class"], call["style"], call["settlement"]) == (
        "SPY",
        "SPY",
        "american",
        "PM",
    )
    assert (call["expiry"], call["strike"], call["spot"]) == (pd.Timestamp("2023-01-20"), 400.0, 380.82)
    assert (call["bid"], call["ask"], call["last"], call["volume"]) == (5.10, 5.30, 5.20, 120.0)
    assert (call["bid_size"], call["ask_size"]) == (12.0, 34.0)
    assert (put["bid"], put["ask"], put["bid_size"]) == (4.20, 4.40, 5.0)
    assert np.isnan(put["volume"])
    assert np.isnan(put["last"]), "a last trade of 0 means that there was none"
    assert np.isnan(put["open_interest"])


def test_cboe_end_of_day_is_read_at_the_close_or_at_1545(files: SimpleNamespace, write: Write) -> None:
    path = write("UnderlyingOptionsEODQuotes_2022-03-15.csv", files.CBOE_HEADER, files.cboe_line())
    feed = open_feed(path)
    assert (feed.format, feed.source) == ("cboe", "cboe")
    assert "15:45" in feed.note
    row = files.collect(feed).quotes.iloc[0]
    assert (row.symbol, row.trading_class, row["style"], row.settlement) == ("SPX", "SPXW", "european", "PM")
    assert row.ts == at("2022-03-15 20:00")
    assert (row.bid, row.ask, row.bid_size, row.volume, row.open_interest) == (101.5, 102.3, 30, 15, 512)
    assert row.spot == pytest.approx(4262.45, abs=1e-12)
    early = files.collect(open_feed(path, format="cboe_1545")).quotes.iloc[0]
    assert early.ts == at("2022-03-15 19:45")
    assert (early.bid, early.ask) == (100.1, 100.9)
    assert early.spot == pytest.approx(4255.3, abs=1e-12)


def test_the_1545_snapshot_of_a_short_day_is_15_minutes_before_its_close(files: SimpleNamespace, write: Write) -> None:
    path = write("short.csv", files.CBOE_HEADER, files.cboe_line(day="2022-11-25", expiry="2022-12-16"))
    assert files.collect(open_feed(path)).quotes.ts[0] == at("2022-11-25 18:00")
    assert files.collect(open_feed(path, format="cboe_1545")).quotes.ts[0] == at("2022-11-25 17:45")


def test_cboe_intervals_carry_their_own_time_in_new_york(files: SimpleNamespace, write: Write) -> None:
    header = (
        "underlying_symbol,quote_datetime,root,expiration,strike,option_type,open,high,low,close,trade_volume,"
        "bid_size,bid,ask_size,ask,underlying_bid,underlying_ask,open_interest"
    )
    line = "AAPL,2022-07-05 09:31:00,AAPL,2022-07-15,140.000,P,0,0,0,0,0,5,2.31,6,2.35,139.9,140.0,1200"
    row = files.collect(open_feed(write("UnderlyingOptionsIntervals_60sec.csv", header, line))).quotes.iloc[0]
    assert row.ts == at("2022-07-05 13:31")
    assert (row.symbol, row.right, row.bid, row.ask_size) == ("AAPL", "P", 2.31, 6)


def test_yahoo_names_take_the_symbol_from_the_contract(files: SimpleNamespace, write: Write) -> None:
    row = files.collect(open_feed(write("chain.csv", files.YAHOO_HEADER, files.yahoo_line()))).quotes.iloc[0]
    assert (row.symbol, row.trading_class, row.right, row.strike) == ("SPY", "SPY", "C", 665.0)
    assert (row.bid, row.ask, row["last"], row.spot) == (108.92, 112.36, 97.35, 772.489990234375)
    assert row.ts == at("2026-08-12 20:00")


def test_yahoo_without_contract_columns_reads_the_occ_symbol(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "2026-08-12.csv",
        "contractSymbol,lastPrice,bid,ask,volume,openInterest",
        "SPXW260918P05500000,1.5,1.4,1.6,3,4",
    )
    with pytest.raises(FileFormatError, match="strike") as caught:
        open_feed(path, format="yahoo")
    assert caught.value.path == path
    mapping = path.with_name("occ.toml")
    mapping.write_text(
        "[columns]\nocc_symbol='contractSymbol'\nbid='bid'\nask='ask'\n[time]\nfile_name='(?P<time>.{10})'", "utf-8"
    )
    row = files.collect(open_feed(path, format=str(mapping))).quotes.iloc[0]
    assert (row.symbol, row.trading_class, row.right, row.strike) == ("SPX", "SPXW", "P", 5500.0)
    assert row.expiry == pd.Timestamp("2026-09-18")
    assert row.settlement == "PM"


BARCHART = 'Strike,Moneyness,Bid,Mid,Ask,Last,Change,%Change,Volume,"Open Int","OI Chg",IV,Delta,Type,"Last Trade"'


def test_barchart_stacked_is_dated_by_its_footer_and_named_by_its_file(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "amd-options-exp-2025-12-19-monthly-stacked-10-22-2025.csv",
        BARCHART,
        '25.00,+89.07%,203.10,204.00,204.90,209.72,unch,unch,0,"1,419",unch,211.22%,0.9989,Call,10/08/25',
        '230.00,-0.56%,14.10,14.20,14.30,14.25,unch,unch,"2,001",38,unch,55.00%,0.49,Call,10/22/25',
        '480.00,+109.85%,250.25,251.28,252.30,N/A,+2.45,+1.02%,3,3,+3,91.30%,-0.9888,Put,"09:40 ET"',
        '"Downloaded from Barchart.com as of 10-22-2025 12:27pm CDT"',
    )
    got = files.collect(open_feed(path))
    assert got.rows_read == 3
    assert set(got.quotes.symbol) == {"AMD"}
    assert set(got.quotes.ts) == {at("2025-10-22 17:27")}
    assert set(got.quotes.expiry) == {pd.Timestamp("2025-12-19")}
    assert list(got.quotes.open_interest) == [1419, 38, 3]
    assert np.isnan(got.quotes["last"].iloc[2])
    assert set(got.quotes.spot) == {228.73}, "the price that all moneyness figures allow"


def test_barchart_side_by_side_has_calls_left_of_the_strike(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "amd-options-exp-2025-12-19-monthly-side-by-side-10-22-2025.csv",
        'Type,Last,Bid,Ask,Volume,"Open Int",Strike,Type,Last,Bid,Ask,Volume,"Open Int"',
        'Call,14.25,14.10,14.30,100,"1,200",230.00,Put,12.00,11.90,12.10,50,60',
    )
    feed = open_feed(path)
    got = files.collect(feed)
    assert (feed.format, feed.source) == ("barchart_side_by_side", "barchart")
    put, call = got.quotes.to_dict("records")
    assert (call["bid"], call["open_interest"], put["bid"], put["ask"]) == (14.10, 1200, 11.90, 12.10)
    assert call["ts"] == at("2025-10-22 20:00"), "the date of the file's name stands for the close"


def test_own_column_names_come_back_as_they_are(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "chain.csv",
        "ts,symbol,expiry,strike,right,style,settlement,multiplier,bid,ask,spot",
        "2024-03-01T15:00:00Z,XYZ,2024-03-15,50,C,european,AM,10,1.0,1.1,51",
    )
    row = files.collect(open_feed(path)).quotes.iloc[0]
    assert (row.symbol, row["style"], row.settlement, row.multiplier) == ("XYZ", "european", "AM", 10)


def test_a_users_mapping_reads_a_vendor_never_seen(files: SimpleNamespace, write: Write) -> None:
    mapping = write(
        "acme.toml",
        'name = "acme"',
        'delimiter = ";"',
        'decimal = ","',
        'thousands = "."',
        "[columns]",
        'date = "Datum"',
        'time = "Uhrzeit"',
        'symbol = "Basiswert"',
        'expiry = "Verfall"',
        'strike = "Basispreis"',
        'right = "Art"',
        'bid = "Geld"',
        'ask = "Brief"',
        "[time]",
        'formats = ["%d.%m.%Y"]',
        'zone = "Europe/Berlin"',
        "[expiry]",
        'formats = ["%d.%m.%Y"]',
        "[rights]",
        'call = "Kauf"',
        'put = "Verkauf"',
        "[constants]",
        "multiplier = 50.0",
    )
    path = write(
        "odd.csv",
        "Datum;Uhrzeit;Basiswert;Verfall;Basispreis;Art;Geld;Brief",
        "15.03.2022;15:30:00;ABC;14.04.2022;1.250,5;Kauf;10,25;10,75",
        "15.03.2022;15:30:00;ABC;14.04.2022;1.250,5;Verkauf;1,25;1,75",
    )
    feed = open_feed(path, format=str(mapping))
    put, call = files.collect(feed).quotes.to_dict("records")
    assert feed.source == "acme"
    assert call["ts"] == at("2022-03-15 14:30")
    assert (call["strike"], call["bid"], call["ask"], call["multiplier"]) == (1250.5, 10.25, 10.75, 50.0)
    assert (put["right"], put["bid"]) == ("P", 1.25)


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[columns]\nstrikes = 'K'", "strikes", "strike"),
        ("layoot = 'one_contract'", "layoot", "layout"),
        ("[time]\nformat = ['iso']", "format", "formats"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(write: Write, text: str, key: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_mapping(write("bad.toml", text))
    assert caught.value.value == key
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[time]\nzone = 'Mars/Base'", "time.zone"),
        ("[time]\nformats = ['%Q']", "time.formats"),
        ("[time]\ndate_only = 'noon'", "time.date_only"),
        ("[symbol]\nfile_name = '(?P<name>x)'", "symbol.file_name"),
        ("layout = 'diagonal'", "layout"),
        ("delimiter = ',,'", "delimiter"),
        ("columns = 3", "columns"),
        ("[calls]\nbid = 'b'", "layout"),
        ("not toml", "mapping"),
    ],
)
def test_a_mapping_that_cannot_be_says_which_key(write: Write, text: str, name: str) -> None:
    with pytest.raises(InputError) as caught:
        load_mapping(write("bad.toml", text))
    assert caught.value.name.startswith(name)


def test_an_unknown_layout_names_the_columns_and_the_nearest_format(write: Write) -> None:
    path = write("odd.csv", "underlying_symbol,expiration,strike,px", "A,2024-01-19,5,1")
    with pytest.raises(FileFormatError, match=r"nearest, cboe.*option_type.*px.*MAPPING\.toml"):
        open_feed(path)


def test_a_missing_symbol_asks_for_it(files: SimpleNamespace, write: Write) -> None:
    path = write("202301.txt", files.OPTIONSDX_HEADER, files.optionsdx_line())
    with pytest.raises(InputError, match="--symbol") as caught:
        files.collect(open_feed(path))
    assert caught.value.name == "symbol"
    assert set(files.collect(open_feed(path, symbol="qqq")).quotes.symbol) == {"QQQ"}


def test_an_unknown_format_names_the_known_ones(write: Write) -> None:
    with pytest.raises(UnknownNameError) as caught:
        open_feed(write("x.csv", "a"), format="optiondx")
    assert caught.value.nearest == "optionsdx"


def test_a_folder_is_read_in_order_and_says_what_it_cannot_read(files: SimpleNamespace, write: Write) -> None:
    write("b_eod_202301.txt", files.OPTIONSDX_HEADER, files.optionsdx_line())
    write("a_eod_202301.csv", files.OPTIONSDX_HEADER, files.optionsdx_line())
    path = write("notes.csv", "some,thing", "1,2")
    write("readme.md", "not a chain")
    feeds = discover([path.parent])
    assert [feed.path.name for feed in feeds] == ["a_eod_202301.csv", "b_eod_202301.txt", "notes.csv"]
    assert isinstance(feeds[2].problem, FileFormatError)
    with pytest.raises(FileFormatError):
        list(feeds[2].batches())


def test_the_fingerprint_depends_on_the_contents_alone(files: SimpleNamespace, write: Write) -> None:
    one = write("a_eod_202301.csv", files.OPTIONSDX_HEADER, files.optionsdx_line())
    before = open_feed(one).sha256()
    assert open_feed(write("b_eod_202301.csv", files.OPTIONSDX_HEADER, files.optionsdx_line())).sha256() == before
    assert open_feed(write("a_eod_202301.csv", files.OPTIONSDX_HEADER)).sha256() != before


def test_the_example_in_the_documentation_is_a_mapping_that_works(files: SimpleNamespace, write: Write) -> None:
    from bifrost_lib.feeds import mapping as documented

    example = str(documented.__doc__).split("::\n", 1)[1].split("\nWords of a row", 1)[0]
    mapping = write("acme.toml", *(line.removeprefix("    ") for line in example.splitlines()))
    path = write(
        "snapshot.csv",
        "Snapshot,Underlying,Expiration,Strike Px,C/P,Best Bid,Best Ask,Stock Price",
        "15.03.2022 20:00,ABC,14.04.2022,50,put,1.0,1.1,51",
        "13.03.2022,ABC,14.04.2022,50,call,1.0,1.1,51",
        "14.03.2022,ABC,14.04.2022,50,call,1.0,1.1,51",
    )
    got = files.collect(open_feed(path, format=str(mapping)))
    assert got.reasons == {"bad_date": 2}, "a bare date is not in its formats"
    assert got.quotes.ts[0] == at("2022-03-15 19:00")


def test_every_built_in_mapping_is_described_and_can_be_chosen_by_name() -> None:
    from bifrost_lib.feeds import built_in_mappings
    from bifrost_lib.feeds.detection import candidates

    for name, mapping in built_in_mappings().items():
        assert mapping.help, name
        assert mapping.detect, name
        assert candidates(name)[0] == mapping


def test_headers_with_call_and_put_in_them_are_side_by_side(files: SimpleNamespace, write: Write) -> None:
    path = write(
        "chain.csv",
        "Symbol,Date,Expiration,Strike,Call Bid,Call Ask,Put Bid,Put Ask,Spot",
        "ABC,2022-03-15,2022-04-14,50,2.0,2.1,1.0,1.1,51",
        "ABC,2022-03-15,2022-04-14,55,,,4.0,4.1,51",
    )
    got = files.collect(open_feed(path))
    assert got.reasons == {"blank_side": 1}
    assert list(zip(got.quotes.strike, got.quotes.right, got.quotes.bid, strict=True)) == [
        (50, "P", 1.0),
        (50, "C", 2.0),
        (55, "P", 4.0),
    ]


def test_a_file_named_twice_is_read_once(files: SimpleNamespace, write: Write) -> None:
    path = write("spy_eod_202301.txt", files.OPTIONSDX_HEADER, files.optionsdx_line())
    assert len(discover([path, path.parent, str(path)])) == 1
