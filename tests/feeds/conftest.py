"""Chain files of every format, built from one small chain so that each test says only what differs."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bifrost_lib.feeds import Batch, Feed

OPTIONSDX_HEADER = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], "
    "[EXPIRE_UNIX], [DTE], [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST], [C_SIZE], "
    "[C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], [P_THETA], "
    "[P_RHO], [P_IV], [P_VOLUME], [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]"
)
CBOE_HEADER = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size_1545,"
    "bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,bid_size_eod,bid_eod,ask_size_eod,ask_eod,"
    "underlying_bid_eod,underlying_ask_eod,vwap,open_interest,delivery_code"
)
YAHOO_HEADER = (
    "contractSymbol,expiry,type,strike,lastPrice,bid,ask,volume,openInterest,impliedVolatility,inTheMoney,"
    "lastTradeDate,spot,session"
)


def optionsdx_line(
    *,
    strike: str = "400.000000",
    call: tuple[str, str] = ("5.10", "5.30"),
    put: tuple[str, str] = ("4.20", "4.40"),
    unix: str = "1672779600",
    expiry: str = "2023-01-20",
    spot: str = "380.820000",
) -> str:
    """A line of 2023-01-03 16:00 New York by default."""
    return (
        f"{unix}, 2023-01-03 16:00, 2023-01-03, 16.000000, {spot}, {expiry}, 1674248400, 17.000000, 0.5, 0.01, 0.4,"
        f" -0.1, 0.02, 0.21, 120.000000, 5.200000, 12 x 34, {call[0]}, {call[1]}, {strike}, {put[0]}, {put[1]}, 5 x 6,"
        " 0.000000,"
        " -0.5, 0.01, 0.4, -0.1, -0.02, 0.22, , 19.2, 0.05"
    )


def cboe_line(
    *,
    symbol: str = "^SPX",
    day: str = "2022-03-15",
    root: str = "SPXW",
    expiry: str = "2022-04-14",
    strike: str = "4250.000",
    right: str = "C",
    bid: str = "101.5000",
    ask: str = "102.3000",
) -> str:
    """A line of an end-of-day summary."""
    return (
        f"{symbol},{day},{root},{expiry},{strike},{right},0.0000,0.0000,0.0000,0.0000,15,20,100.1000,21,100.9000,"
        f"4255.1000,4255.5000,30,{bid},31,{ask},4262.2500,4262.6500,0.0000,512,"
    )


def yahoo_line(
    *,
    occ: str = "SPY260918C00665000",
    expiry: str = "2026-09-18",
    right: str = "C",
    strike: str = "665.0",
    bid: str = "108.92",
    ask: str = "112.36",
    last: str = "97.35",
    session: str = "2026-08-12",
    spot: str = "772.489990234375",
) -> str:
    """A line of a chain as Yahoo's column names have it."""
    quote = f"{occ},{expiry},{right},{strike},{last},{bid},{ask},3.0,12.0,0.31,True"
    return f"{quote},2026-08-04 13:33:06+00:00,{spot},{session}"


def write_zip(path: Path, members: dict[str, str]) -> Path:
    """Write an archive with these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def collect(feed: Feed) -> SimpleNamespace:
    """Read a feed to its end; checks what must hold for every batch of every feed."""
    batches: list[Batch] = []
    for batch in feed.batches():
        assert batch.rows_read == len(batch.quotes) + len(batch.rejects)
        assert 0 <= batch.fraction <= 1
        batches.append(batch)
    frames = [batch.quotes for batch in batches if len(batch.quotes)]
    for frame in frames:
        _check_order(frame)
    return SimpleNamespace(
        batches=batches,
        frames=frames,
        quotes=pd.concat([frame.astype({"symbol": str, "trading_class": str}) for frame in frames], ignore_index=True)
        if frames
        else batches[-1].quotes,
        rows_read=sum(batch.rows_read for batch in batches),
        rejects=[reject for batch in batches for reject in batch.rejects],
        reasons=dict(Counter(reject.reason for batch in batches for reject in batch.rejects)),
    )


def _check_order(frame: pd.DataFrame) -> None:
    keys = pd.DataFrame(
        {
            "symbol": frame.symbol.astype(str),
            "trading_class": frame.trading_class.astype(str),
            "ts": frame.ts,
            "expiry": frame.expiry,
            "strike": frame.strike,
            "is_call": frame.right == "C",
        }
    )
    columns = list(keys.columns)
    assert keys.equals(keys.sort_values(columns, kind="stable").reset_index(drop=True))
    assert not keys.duplicated(columns).any()


@pytest.fixture(scope="session")
def files() -> SimpleNamespace:
    """Builders of chain files, and `collect` to read a feed."""
    return SimpleNamespace(
        OPTIONSDX_HEADER=OPTIONSDX_HEADER,
        CBOE_HEADER=CBOE_HEADER,
        YAHOO_HEADER=YAHOO_HEADER,
        optionsdx_line=optionsdx_line,
        cboe_line=cboe_line,
        yahoo_line=yahoo_line,
        write_zip=write_zip,
        collect=collect,
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a header and lines as a file of the given name."""

    def write_text(name: str, *lines: str, end: str = "\n") -> Path:
        path = tmp_path / name
        path.write_bytes((end.join(lines) + end).encode())
        return path

    return write_text
