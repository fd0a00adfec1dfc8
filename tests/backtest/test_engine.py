"""Trades worked out by hand: fills, exits, settlement, assignment, splits, margin and the account."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import run, sweep
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import (
    AtStrike,
    ByDelta,
    Costs,
    DteRange,
    Entry,
    EventWindow,
    Exits,
    Leg,
    Roll,
    Sizing,
    StrategyDocument,
    Target,
)
from tests.backtest.written_markets import actions, cube, earnings

FREE = Costs(commission=0.0)
FEB, MAR = "2024-02-16", "2024-03-15"


def document(*legs, **fields):
    words = {"name": "tried", "view": "any", "dte": DteRange(1, 20, 60), "costs": FREE}
    return StrategyDocument(legs=legs, **{**words, **fields})


def put(strike, qty=-1, name="put", **fields):
    return Leg(name, "P", qty, AtStrike(strike), **fields)


def call(strike, qty=-1, name="call", **fields):
    return Leg(name, "C", qty, AtStrike(strike), **fields)


PUT_SPREAD = (put(95.0, name="sold"), put(90.0, 1, name="bought"))
SPREAD_DAYS = {
    "2024-02-01": (100.0, {f"{FEB} 95P": (2.00, 2.20), f"{FEB} 90P": (0.80, 1.00)}),
    "2024-02-02": (101.0, {f"{FEB} 95P": (1.60, 1.80), f"{FEB} 90P": (0.60, 0.80)}),
    "2024-02-05": (104.0, {f"{FEB} 95P": (0.70, 0.90), f"{FEB} 90P": (0.30, 0.40)}),
    FEB: (93.0, {f"{FEB} 95P": (1.90, 2.10), f"{FEB} 90P": (0.00, 0.05)}),
}


def test_a_spread_held_to_expiry_pays_premium_less_intrinsic_value_and_commission():
    # Two legs give away 0.66 of the spread: sold at 2.20 - 0.66 * 0.20 = 2.068, bought at 0.80 + 0.132 = 0.932.
    found = run(document(*PUT_SPREAD, cash="credit", costs=Costs(commission=0.65)), cube(SPREAD_DAYS))
    (trade,) = found.trades.to_dict("records")
    assert trade["premium"] == pytest.approx(113.6)
    assert (trade["reason"], trade["closed"]) == ("expired", pd.Timestamp(f"{FEB} 21:00", tz="UTC"))
    assert trade["commission"] == pytest.approx(1.30)  # expiry is free
    assert trade["pnl"] == pytest.approx(113.6 - 200.0 - 1.30)  # 95 - 93 on a hundred shares
    assert trade["max_profit"] == pytest.approx(113.6)
    assert trade["max_loss"] == pytest.approx(500.0 - 113.6)
    assert trade["margin"] == pytest.approx(500.0)
    # Best on the third day: bought back at 0.70 + 0.132 and sold at 0.40 - 0.066.
    assert trade["mfe"] == pytest.approx(113.6 - 100.0 * (0.832 - 0.334))
    assert trade["mae"] == pytest.approx(113.6 - 200.0)
    assert found.equity["equity"].tolist() == pytest.approx(
        [
            100_000 + 113.6 - 100 * (2.132 - 0.868) - 1.3,
            100_000 + 113.6 - 100 * (1.732 - 0.668) - 1.3,
            100_000 + 113.6 - 100 * (0.832 - 0.334) - 1.3,
            100_000 + 113.6 - 200.0 - 1.3,
        ]
    )
    assert found.equity["margin"].tolist() == [500.0, 500.0, 500.0, 0.0]
    assert found.legs["close_price"].tolist() == [2.0, 0.0]
    # Shut on the last day, and nothing is left to open that day.
    assert found.skipped == {"max_active": 2, "no expiry": 1}


@pytest.mark.parametrize(("share", "reason"), [(0.62, "take profit"), (0.63, "expired")])
def test_a_profit_is_taken_at_the_first_close_that_reaches_it(share, reason):
    # At mid the credit of 1.20 costs 1.00 to buy back on the second day, and 0.45 on the third: 0.75 of it is kept.
    found = run(document(*PUT_SPREAD, exits=Exits(take_profit=Target(share))), cube(SPREAD_DAYS), fills="mid")
    trade = found.trades.iloc[0]
    assert trade["reason"] == reason
    if reason == "take profit":
        assert trade["pnl"] == pytest.approx(75.0)
        assert trade["closed"] == pd.Timestamp("2024-02-05 21:00", tz="UTC")


def test_nothing_is_assumed_where_a_side_is_missing():
    days = {**SPREAD_DAYS, "2024-02-05": (104.0, {f"{FEB} 95P": (0.70, np.nan), f"{FEB} 90P": (0.30, 0.40)})}
    found = run(document(*PUT_SPREAD, exits=Exits(take_profit=Target(0.1), dte=12)), cube(days), fills="worst")
    trade = found.trades.iloc[0]
    # Due by the calendar on the third day, but without a price until the last, on which it settles.
    assert (trade["reason"], trade["carried"]) == ("expired", 1)
    assert found.equity["equity"].iloc[2] == found.equity["equity"].iloc[1]


def test_chains_are_digested_when_somebody_asks():
    market = cube(SPREAD_DAYS)
    found = run(document(*PUT_SPREAD), market)
    assert "sha256" not in vars(market)
    assert found.to_json()["cube_sha256"] == found.cube_sha256 == market.sha256


@pytest.mark.parametrize("bid", [np.nan, 0.0])
def test_where_nobody_bids_a_leg_is_sold_for_nothing_and_bought_at_its_share_of_the_ask(bid):
    # Twelve days before expiry: 95P is bought back at 0.66 * 0.10, and 90P is abandoned although 0.05 is asked.
    days = {**SPREAD_DAYS, "2024-02-05": (104.0, {f"{FEB} 95P": (bid, 0.10), f"{FEB} 90P": (bid, 0.05)})}
    found = run(document(*PUT_SPREAD, exits=Exits(dte=11)), cube(days))
    trade = found.trades.iloc[0]
    assert (trade["reason"], trade["carried"]) == ("dte", 0)
    assert found.legs["close_price"].tolist() == pytest.approx([0.066, 0.0])
    assert trade["pnl"] == pytest.approx(113.6 - 6.6)


def test_where_nobody_bids_no_leg_is_opened():
    days = {**SPREAD_DAYS, "2024-02-01": (100.0, {f"{FEB} 95P": (2.00, 2.20), f"{FEB} 90P": (0.0, 0.05)})}
    found = run(document(*PUT_SPREAD), cube(days))
    assert found.skipped["no legs"] == 1


def test_the_stop_comes_before_the_calendar():
    days = {**SPREAD_DAYS, "2024-02-05": (90.0, {f"{FEB} 95P": (5.80, 6.00), f"{FEB} 90P": (2.00, 2.20)})}
    found = run(
        document(*PUT_SPREAD, exits=Exits(stop=Target(1.0), take_profit=Target(0.5), dte=11)), cube(days), fills="mid"
    )
    trade = found.trades.iloc[0]
    assert trade["reason"] == "stop"
    assert trade["pnl"] == pytest.approx(120.0 - 380.0)


def test_index_options_settle_at_the_opening():
    days = {
        "2024-02-14": (100.0, {f"{FEB} 95P": (1.0, 1.0)}),
        FEB: (97.0, {f"{FEB} 95P": (0.0, 0.01), f"{MAR} 95P": (2.0, 2.1)}),
    }
    prices = pd.DataFrame({"date": pd.to_datetime(["2024-02-14", FEB]), "open": [99.0, 92.0], "close": [100.0, 97.0]})
    found = run(document(put(95.0)), cube(days, settlement="AM", style="european", prices=prices))
    trade = found.trades.iloc[0]
    assert trade["pnl"] == pytest.approx(100.0 - 300.0)  # 92 at the opening, though it closed at 97
    assert trade["closed"] == pd.Timestamp(f"{FEB} 14:30", tz="UTC")


def test_a_covered_call_collects_its_dividend_and_splits():
    days = {
        "2024-02-01": (100.0, {f"{FEB} 105C": (1.50, 1.50)}),
        "2024-02-05": (51.0, {f"{FEB} 52.5C": (0.50, 0.50)}),
        FEB: (54.0, {f"{FEB} 52.5C": (1.50, 1.50)}),
    }
    shares = Leg("shares", "S", 1)
    known = actions(("2024-02-02", "dividend", 1.0), ("2024-02-05", "split", 2.0), (FEB, "dividend", 0.25))
    trade = run(document(shares, call(105.0)), cube(days, actions=known)).trades.iloc[0]
    # Ex-dates without a session of their own act on the next one, splits first: 200 shares by then.
    assert trade["dividends"] == pytest.approx(200 * 1.0 + 200 * 0.25)
    assert trade["premium"] == pytest.approx(150.0 - 10_000.0)
    assert trade["pnl"] == pytest.approx(150.0 - 10_000.0 + 200 * 54.0 - 200 * 1.5 + 250.0)


def test_a_split_without_the_new_contract_cannot_be_priced():
    days = {
        "2024-02-01": (100.0, {f"{FEB} 105C": (1.50, 1.50)}),
        "2024-02-05": (51.0, {f"{FEB} 50C": (2.0, 2.1)}),
    }
    found = run(document(call(105.0)), cube(days, actions=actions(("2024-02-05", "split", 2.0))))
    trade = found.trades.iloc[0]
    assert trade["reason"] == "unpriceable: split"
    assert np.isnan(trade["pnl"])
    assert found.equity["equity"].iloc[-1] == found.equity["equity"].iloc[0]


def test_a_call_is_exercised_for_a_dividend_that_exceeds_its_time_value():
    days = {
        "2024-02-01": (100.0, {f"{FEB} 100C": (2.0, 2.0)}),
        "2024-02-02": (110.0, {f"{FEB} 100C": (10.1, 10.3)}),
        "2024-02-05": (110.0, {f"{FEB} 100C": (10.1, 10.3)}),
    }
    known = actions(("2024-02-05", "dividend", 0.5))
    trade = run(document(call(100.0)), cube(days, actions=known)).trades.iloc[0]
    assert (trade["reason"], trade["pnl"]) == ("assigned", pytest.approx(200.0 - 1000.0))
    european = run(document(call(100.0)), cube(days, actions=known, style="european")).trades.iloc[0]
    assert european["reason"] == "open"


def test_a_naked_put_ties_up_a_fifth_of_the_shares():
    # Regulation T: premium + 20 % of 100 less 5 out of the money = 1.50 + 15.00 a share.
    days = {"2024-02-01": (100.0, {f"{FEB} 95P": (1.5, 1.5)}), "2024-02-02": (100.0, {f"{FEB} 95P": (1.5, 1.5)})}
    found = run(document(put(95.0)), cube(days))
    assert found.trades["margin"].tolist() == pytest.approx([1_650.0])
    assert run(document(put(95.0)), cube(days), capital=1_600.0).skipped == {"capital": 2}
    assert run(document(put(95.0), margin="cash"), cube(days)).trades["margin"].tolist() == [9_500.0]
    half = document(put(95.0), sizing=Sizing(capital_share=0.5))
    assert run(half, cube(days), capital=10_000.0).trades["units"].tolist() == [3]


def test_a_broad_index_ties_up_less():
    days = {"2024-02-01": (100.0, {f"{FEB} 95P": (1.5, 1.5)})}
    assert run(document(put(95.0)), cube(days, symbol="SPX")).trades["margin"].tolist() == pytest.approx([1_150.0])


def test_a_calendar_sells_its_later_leg_when_the_first_expires():
    days = {
        "2024-02-01": (100.0, {f"{FEB} 100C": (2.0, 2.2), f"{MAR} 100C": (3.6, 3.8)}),
        FEB: (101.0, {f"{FEB} 100C": (1.0, 1.1), f"{MAR} 100C": (3.0, 3.2)}),
    }
    legs = (call(100.0, name="near"), call(100.0, 1, name="far", expiry="far"))
    found = run(document(*legs, gap=DteRange(14, 28, 40), costs=Costs(commission=1.0)), cube(days), fills="worst")
    trade = found.trades.iloc[0]
    assert trade["premium"] == pytest.approx(-180.0)  # 2.00 received, 3.80 paid
    assert trade["max_loss"] == pytest.approx(180.0)
    assert trade["margin"] == 0.0  # covered by a call that outlives it
    assert trade["commission"] == pytest.approx(3.0)  # two to open, one to close
    assert trade["pnl"] == pytest.approx(-180.0 - 100.0 + 300.0 - 3.0)


def test_a_tested_put_is_rolled_to_the_next_expiry_and_its_cash_joins_the_premium():
    days = {
        "2024-02-01": (100.0, {f"{FEB} 95P": (1.0, 1.0), f"{MAR} 95P": (2.0, 2.0)}),
        "2024-02-02": (94.0, {f"{FEB} 95P": (3.0, 3.0), f"{MAR} 95P": (4.5, 4.5)}),
        "2024-02-05": (99.0, {f"{FEB} 95P": (1.0, 1.0), f"{MAR} 95P": (2.2, 2.2)}),
    }
    exits = Exits(roll=(Roll("tested", strikes="same", only_for_credit=True),), take_profit=Target(0.1))
    costs = Costs(commission=1.0)
    found = run(document(put(95.0), dte=DteRange(1, 15, 60), exits=exits, costs=costs), cube(days))
    trade = found.trades.iloc[0]
    assert (trade["rolls"], trade["reason"]) == (1, "take profit")
    assert trade["premium"] == pytest.approx(100.0 - 300.0 + 450.0)
    assert trade["commission"] == pytest.approx(4.0)
    assert trade["pnl"] == pytest.approx(250.0 - 220.0 - 4.0)
    assert found.legs["expiry"].dt.strftime("%Y-%m-%d").tolist()[:2] == [FEB, MAR]
    # Where it does not bring cash it is not done.
    days["2024-02-02"][1][f"{MAR} 95P"] = (2.9, 2.9)
    assert run(document(put(95.0), dte=DteRange(1, 15, 60), exits=exits), cube(days)).trades["rolls"].iloc[0] == 0


def test_symbols_share_one_account():
    days = {"2024-02-01": (100.0, {f"{FEB} 95P": (1.5, 1.5)}), "2024-02-02": (100.0, {f"{FEB} 95P": (1.0, 1.0)})}
    cubes = {name: cube(days, symbol=name) for name in ("BBB", "AAA")}
    found = run(document(put(95.0), sizing=Sizing(max_active=2)), cubes)
    assert found.trades["symbol"].tolist() == ["AAA", "BBB"]
    assert found.symbols == ("AAA", "BBB")
    assert found.equity["equity"].tolist() == pytest.approx([100_000.0, 100_100.0])
    poor = run(document(put(95.0), sizing=Sizing(max_active=2)), cubes, capital=2_000.0)
    assert poor.trades["symbol"].tolist() == ["AAA"]
    assert poor.skipped == {"capital": 3}


def test_entries_wait_for_their_time_and_for_what_is_asked():
    days = {
        "2024-02-01 10:00": (100.0, {f"{FEB} 95P": (1.0, 1.0)}),
        "2024-02-01 15:00": (100.0, {f"{FEB} 95P": (2.0, 2.0)}),
        "2024-02-02 15:00": (100.0, {f"{FEB} 95P": (3.0, 3.0)}),
    }
    market = cube(days)
    assert run(document(put(95.0)), market, entry_time=time(12)).trades["premium"].tolist() == [100.0]
    assert run(document(put(95.0)), market, entry_offset=1).trades["premium"].tolist() == [300.0]
    late = run(document(put(95.0)), market, entry_time=time(9, 45))
    assert (len(late.trades), late.skipped) == (0, {"no moment": 2})
    friday = run(document(put(95.0), entry=Entry(weekdays=("fri",))), market)
    assert (friday.trades["premium"].tolist(), friday.skipped) == ([300.0], {"weekday": 1})
    gated = run(document(put(95.0)), market, entry_allowed=np.array([False, True]))
    assert (gated.trades["premium"].tolist(), gated.skipped) == ([300.0], {"signal": 1})


def test_a_sweep_is_the_runs_of_its_documents():
    documents = [
        document(*PUT_SPREAD, sizing=Sizing(max_active=active), exits=Exits(take_profit=Target(share)))
        for share in (0.1, 0.6, 0.9)
        for active in (1, 3)
    ]
    market = cube(SPREAD_DAYS)
    found = sweep(documents, market)
    for row, one in enumerate(documents):
        alone = run(one, market)
        assert np.cumsum(found.daily[row]) + 100_000.0 == pytest.approx(alone.equity["equity"].to_numpy(), abs=1e-9)
        assert found.summary["trades"].iloc[row] == len(alone.trades)
        assert found.summary["pnl"].iloc[row] == pytest.approx(alone.trades["pnl"].sum())
    again = sweep(documents[2:3], market)
    np.testing.assert_array_equal(again.daily[0], found.daily[2])
    assert found.sessions.tolist() == [date.fromisoformat(day) for day in SPREAD_DAYS]


def test_a_run_repeats_to_the_bit_and_says_what_it_was_made_from():
    market = cube(SPREAD_DAYS)
    one, two = (run(document(*PUT_SPREAD), market) for _ in range(2))
    assert one.to_json() == two.to_json()
    assert (one.cube_sha256, one.start) == (market.sha256, date(2024, 2, 1))
    told = one.to_json()["trades"][0]
    assert told["legs"][0] == {
        "right": "P", "qty": -1, "strike": 95.0, "expiry": f"{FEB}T00:00:00", "open_price": pytest.approx(2.068),
        "close_price": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"fills": "best"}, "fills"),
        ({"fills": 1.5}, "fills"),
        ({"capital": 0.0}, "capital"),
        ({"entry_offset": -1}, "entry_offset"),
        ({"start": date(2030, 1, 1)}, "start"),
        ({"entry_allowed": np.ones(3, dtype=bool)}, "entry_allowed"),
    ],
)
def test_what_is_asked_wrongly_is_named(changes, name):
    with pytest.raises(InputError) as refused:
        run(document(*PUT_SPREAD), cube(SPREAD_DAYS), **changes)
    assert refused.value.name == name


ON_MONDAY = ("2024-01-20 12:00", "2024Q1", "2024-02-05", "after_close")
AVOID, THROUGH = EventWindow(before=4), EventWindow(through_expiry=True)


@pytest.mark.parametrize(
    ("window", "learnt", "entered"),
    [
        (AVOID, [ON_MONDAY], []),
        # Moved on Friday morning, or a minute after its close: then Friday still believes in Monday.
        (AVOID, [ON_MONDAY, ("2024-02-02 10:00", "2024Q1", "2024-02-20", "unknown")], ["02", "05"]),
        (AVOID, [ON_MONDAY, ("2024-02-02 16:01", "2024Q1", "2024-02-20", "unknown")], ["05"]),
        (AVOID, [ON_MONDAY, ("2024-02-02 10:00", "2024Q1", None, "unknown")], ["02", "05"]),
        # On its own day a report before the open is over; while nothing at all is known, nothing is entered.
        (AVOID, [("2024-01-20 12:00", "2024Q1", "2024-02-05", "before_open")], ["05"]),
        (AVOID, [("2024-02-02 10:00", "2024Q1", "2024-03-20", "unknown")], ["02", "05"]),
        (AVOID, [("2020-01-01 10:00", "none", None, "unknown")], ["01", "02", "05"]),
        (EventWindow(after=1), [("2024-01-20 12:00", "2024Q1", "2024-02-01", "during")], ["01", "05"]),
        (EventWindow(before=3, entry="only"), [ON_MONDAY], ["02", "05"]),
        (EventWindow(after=9, through_expiry=True, entry="only"), [(*ON_MONDAY[:2], "2024-01-25", "during")],
         ["01", "02"]),
        # What is reported after the close of the day of expiry comes too late for these options.
        (THROUGH, [(*ON_MONDAY[:2], FEB, "after_close")], ["01", "02", "05"]),
        (THROUGH, [(*ON_MONDAY[:2], FEB, "before_open")], []),
        (THROUGH, [ON_MONDAY, ("2024-02-02 16:01", "2024Q1", "2024-02-20", "unknown")], ["05"]),
        (EventWindow(through_expiry=True, entry="only"), [ON_MONDAY], ["01", "02", "05"]),
    ],
)  # fmt: skip
def test_entries_know_of_earnings_what_was_announced_by_then(window, learnt, entered):
    days = {day: quotes for day, quotes in SPREAD_DAYS.items() if day != FEB}
    asked = document(*PUT_SPREAD, entry=Entry(earnings=window), sizing=Sizing(max_active=5))
    found = run(asked, cube(days, earnings=earnings(*learnt)))
    assert [f"{opened:%d}" for opened in found.trades["opened"]] == entered
    assert found.skipped == ({"earnings": 3 - len(entered)} if len(entered) < 3 else {})


def test_an_expiry_that_lives_through_an_event_is_passed_over_for_one_that_does_not():
    # March is nearer to the target of 43 days, February comes before the report, and a dividend before either.
    quotes = {f"{FEB} 95P": (2.00, 2.20), f"{MAR} 95P": (3.00, 3.20)}
    days = {"2024-02-01": (100.0, quotes), "2024-02-05": (100.0, quotes)}
    known = {"earnings": earnings(("2024-01-20 12:00", "2024Q1", "2024-02-20", "unknown"))}
    paid = {"actions": actions(("2024-02-05", "dividend", 0.5)), **known}
    plain = document(put(95.0), dte=DteRange(1, 43, 60))
    avoiding, wanting, never = (
        plain.with_(entry=Entry(**{event: EventWindow(through_expiry=True, entry=way)}))
        for event, way in (("earnings", "avoid"), ("earnings", "only"), ("ex_dividend", "avoid"))
    )
    for asked, expiry in ((plain, MAR), (avoiding, FEB), (wanting, MAR)):
        assert run(asked, cube(days, **known)).legs["expiry"].tolist() == [pd.Timestamp(expiry)]
    assert run(never, cube(days, **paid)).skipped == {"ex_dividend": 1}  # on the day itself it is over
    # Sets that differ in nothing else do not share what they choose.
    swept = sweep([plain, avoiding, wanting], cube(days, **known))
    assert swept.summary["max_margin"].nunique() == 2


def test_windows_that_no_cube_can_answer_are_refused():
    asked = document(*PUT_SPREAD, entry=Entry(earnings=EventWindow(before=3)))
    unheard = earnings(("2024-02-16 16:01", "2024Q1", "2024-02-20", "unknown"))
    for known in (None, unheard):
        with pytest.raises(InputError, match="XYZ: nothing was known of their days until 2024-02-16") as refused:
            run(asked, cube(SPREAD_DAYS, earnings=known))
        assert refused.value.name == "document.entry.earnings"
    many = document(Leg("sold", "P", -70, ByDelta(-0.3)), call(105.0, -70))
    with pytest.raises(InputError) as refused:
        run(many, cube(SPREAD_DAYS))
    assert refused.value.name == "document.legs"
