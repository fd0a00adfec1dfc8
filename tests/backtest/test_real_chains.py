"""Backtests on quotes that were really made, with figures worked out by hand from the files."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube, run
from bifrost_lib.feeds import open_feed
from bifrost_lib.strategies import AtStrike, Costs, DteRange, Exits, Leg, Sizing, StrategyDocument
from tests.backtest.reference.engine import run as plain_run
from tests.backtest.reference.tables import equity_table, legs_table, trades_table
from tests.backtest.reference.tape import Market

pytestmark = pytest.mark.samples
OPTIONS = "options/lean/option/usa"


def _quotes(path: Path, *, expiry: str, strikes: tuple[float, float]) -> pd.DataFrame:
    # The vendor has no deltas, and says nothing of a quote's worth but what its two sides say.
    frame = pd.concat([batch.quotes for batch in open_feed(path).batches()], ignore_index=True)
    frame = frame[(frame["expiry"] == pd.Timestamp(expiry)) & frame["strike"].between(*strikes)]
    columns = ["ts", "expiry", "strike", "right", "trading_class", "multiplier", "style", "settlement"]
    return frame[[*columns, "bid", "ask", "spot", "open_interest", "volume"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def apple(samples: Path) -> Path:
    """Two closes of Apple's options, 2014-06-06 and 2014-06-09: its shares were split seven for one between them."""
    return samples / OPTIONS / "daily" / "aapl_2014_quote_american.zip"


@pytest.fixture(scope="module")
def apple_actions(apple: Path) -> pd.DataFrame:
    """Splits and dividends from the factor file beside the quotes."""
    return open_feed(apple).corporate_actions()


def _document(*legs: Leg, exits: Exits, days: int) -> StrategyDocument:
    return StrategyDocument(
        name="by_hand",
        view="of the files",
        legs=legs,
        dte=DteRange(days, days, days),
        exits=exits,
        sizing=Sizing(contracts=1),
        costs=Costs(commission=0.65),
    )


def test_a_straddle_lives_through_the_split_of_apple(apple, apple_actions):
    # July 2014, bid and ask at the close: on 06-06 650C 17.40 / 17.60 and 650P 21.65 / 21.90; on 06-09, at 650 / 7,
    # 92.86C 2.91 / 2.97 and 92.86P 2.07 / 2.12. Two legs give away 0.66 of the spread:
    #   sold at 17.60 - 0.66 * 0.20 = 17.468 and 21.90 - 0.66 * 0.25 = 21.735: 100 * 39.203 = 3920.30
    #   bought at 2.91 + 0.66 * 0.06 = 2.9496 and 2.07 + 0.66 * 0.05 = 2.103: 700 * 5.0526 = 3536.82
    #   commission on 2 contracts, then on 14: 16 * 0.65 = 10.40
    quotes = _quotes(apple, expiry="2014-07-19", strikes=(80, 700))
    cube = ChainCube.from_frame(quotes, symbol="AAPL", actions=apple_actions)
    legs = Leg("call", "C", -1, AtStrike(650.0)), Leg("put", "P", -1, AtStrike(650.0))
    found = run(_document(*legs, exits=Exits(days_in_trade=1), days=43), cube)
    [trade] = found.trades.to_dict("records")
    assert trade["reason"] == "days in trade"
    assert trade["premium"] == pytest.approx(3920.30)
    assert trade["commission"] == pytest.approx(10.40)
    assert trade["pnl"] == pytest.approx(3920.30 - 3536.82 - 10.40)
    assert found.legs["strike"].tolist() == [650.0, 650.0]
    assert found.legs["open_price"].tolist() == pytest.approx([17.468, 21.735])
    assert found.legs["close_price"].tolist() == pytest.approx([2.9496, 2.103])
    assert (trade["open_spot"], trade["close_spot"]) == (645.57, 93.70)
    # The account of 06-06: the straddle would be bought back at 17.40 + 0.132 and 21.65 + 0.165.
    assert found.equity["equity"].tolist() == pytest.approx(
        [100_000 + 3920.30 - 3934.70 - 1.30, 100_000 + 3920.30 - 3536.82 - 10.40]
    )


def test_without_the_split_the_contracts_are_gone(apple):
    quotes = _quotes(apple, expiry="2014-07-19", strikes=(80, 700))
    legs = Leg("call", "C", -1, AtStrike(650.0)), Leg("put", "P", -1, AtStrike(650.0))
    found = run(_document(*legs, exits=Exits(days_in_trade=1), days=43), ChainCube.from_frame(quotes, symbol="AAPL"))
    [trade] = found.trades.to_dict("records")
    assert (trade["reason"], trade["carried"]) == ("open", 1), "650C is quoted no more, and nothing says why"


def test_a_put_that_nobody_bids_for_is_sold_for_nothing(apple, apple_actions):
    # June 13, at the close of 06-06: 590P and 555P 0.23 / 0.26, bought at 0.23 + 0.66 * 0.03 = 0.2498. On 06-09 the
    # latter, now 79.29P, has an ask of 0.01 and no bid.
    quotes = _quotes(apple, expiry="2014-06-13", strikes=(70, 700))
    row = quotes[(quotes["strike"] == 79.29) & (quotes["right"] == "P")]
    assert np.isnan(row["bid"]).all()
    assert row["ask"].tolist() == [0.01]
    legs = Leg("short_put", "P", -1, AtStrike(590.0)), Leg("long_put", "P", 1, AtStrike(555.0))
    cube = ChainCube.from_frame(quotes, symbol="AAPL", actions=apple_actions)
    found = run(_document(*legs, exits=Exits(days_in_trade=1), days=7), cube)
    [trade] = found.trades.to_dict("records")
    assert (trade["reason"], trade["carried"]) == ("days in trade", 0)
    assert found.legs["open_price"].tolist()[1] == pytest.approx(0.2498)
    assert found.legs["close_price"].tolist()[1] == 0.0
    back = found.legs["close_price"].tolist()[0]
    sold = quotes[(quotes["strike"] == 84.29) & (quotes["right"] == "P")].iloc[-1]
    assert sold["bid"] < back < sold["ask"]
    assert trade["pnl"] == pytest.approx(trade["premium"] - 700 * back - trade["commission"])


@pytest.fixture(scope="module")
def time_warner(samples: Path) -> pd.DataFrame:
    """Two days of Time Warner's June options around the money, by the minute."""
    folder = samples / OPTIONS / "minute" / "twx"
    days = [folder / f"{day}_quote_american.zip" for day in ("20140605", "20140606")]
    return pd.concat([_quotes(day, expiry="2014-06-21", strikes=(67.5, 72.5)) for day in days], ignore_index=True)


def test_a_straddle_on_time_warner_by_the_minute(time_warner):
    # 70C and 70P of June at 10:00 (the end of the bar of 09:59) of 06-05: 1.32 / 1.39 and 0.78 / 0.83; at 09:31 of
    # 06-06: 1.73 / 1.92 and 0.48 / 0.56. Shares at 70.54.
    #   sold at 1.39 - 0.66 * 0.07 = 1.3438 and 0.83 - 0.66 * 0.05 = 0.797: 214.08
    #   bought at 1.73 + 0.66 * 0.19 = 1.8554 and 0.48 + 0.66 * 0.08 = 0.5328: 238.82
    legs = Leg("call", "C", -1, AtStrike(70.0)), Leg("put", "P", -1, AtStrike(70.0))
    document = _document(*legs, exits=Exits(days_in_trade=1), days=16)
    cube = ChainCube.from_frame(time_warner, symbol="TWX")
    found = run(document, cube, entry_time=time(10, 0), end=date(2014, 6, 6))
    trade = found.trades.iloc[0]
    assert trade["opened"] == pd.Timestamp("2014-06-05 10:00", tz="America/New_York")
    assert trade["closed"] == pd.Timestamp("2014-06-06 09:31", tz="America/New_York")
    assert trade["open_spot"] == 70.54
    assert trade["premium"] == pytest.approx(214.08)
    assert trade["pnl"] == pytest.approx(214.08 - 238.82 - 4 * 0.65)
    assert found.legs["close_price"].tolist()[:2] == pytest.approx([1.8554, 0.5328])


def test_the_plain_engine_agrees_minute_by_minute(time_warner):
    wings = Leg("low", "P", 1, AtStrike(67.5)), Leg("high", "C", 1, AtStrike(72.5))
    legs = Leg("call", "C", -1, AtStrike(70.0)), Leg("put", "P", -1, AtStrike(70.0)), *wings
    document = _document(*legs, exits=Exits(days_in_trade=1), days=16).with_(dte=DteRange(10, 15, 20))
    quotes = time_warner.assign(delta=0.5, quality="ok", forward=np.nan)
    quotes.loc[quotes[["bid", "ask"]].isna().any(axis=1), "quality"] = "one_sided"
    found = run(document, ChainCube.from_frame(quotes, symbol="TWX"), entry_time=time(10, 0))
    plain = plain_run(document, Market("TWX", quotes), entry_time=time(10, 0))
    assert len(found.trades) == len(plain.trades) == 2
    for name in ("pnl", "mae", "mfe", "premium", "commission", "carried"):
        np.testing.assert_allclose(found.trades[name], trades_table(plain)[name], rtol=1e-9, err_msg=name)
    legs_found = found.legs.sort_values(["trade", "opened", "leg"])
    np.testing.assert_allclose(legs_found["open_price"], legs_table(plain)["open_price"], rtol=1e-9)
    np.testing.assert_allclose(found.equity["equity"], equity_table(plain)["equity"], rtol=1e-12)
