"""The simulated history looks like a market: reproducible, consistent, and without free money."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import EXCHANGE_TZ, sessions, year_fractions
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import QUOTE_COLUMNS
from bifrost_lib.pricing import implied_vol, price
from bifrost_lib.sim import SIMULATED, simulated_history
from bifrost_lib.sim.market.universe import RATE

START, END = date(2026, 9, 1), date(2026, 9, 10)  # Labor Day, 7 September, lies within
LARGEST_TICK = 0.10


@pytest.fixture(scope="module")
def frames() -> list[pd.DataFrame]:
    return list(simulated_history(start=START, end=END))


@pytest.fixture(scope="module")
def quotes(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.astype({"symbol": str, "trading_class": str}) for frame in frames], ignore_index=True)


def of(quotes: pd.DataFrame, symbol: str) -> pd.DataFrame:
    """The last session's close of one symbol, with mid and tau."""
    rows: pd.DataFrame = quotes[(quotes["symbol"] == symbol) & (quotes["ts"] == quotes["ts"].max())].copy()
    rows["mid"] = (rows["bid"] + rows["ask"]) / 2
    stamps = rows["ts"].dt.tz_localize(None).to_numpy()
    rows["tau"] = year_fractions(stamps, rows["expiry"].to_numpy(), (rows["settlement"] == "AM").to_numpy())
    return rows


def test_the_same_arguments_give_the_same_bits() -> None:
    once, again = (pd.concat(simulated_history(start=END, end=END)) for _ in range(2))
    pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_another_seed_gives_another_history() -> None:
    one, other = (next(simulated_history(symbols=["SIMX"], start=END, end=END, seed=seed)) for seed in (1, 2))
    assert one["spot"].iloc[-1] != other["spot"].iloc[-1]


def test_a_symbol_does_not_depend_on_its_neighbours(frames: list[pd.DataFrame]) -> None:
    alone = list(simulated_history(symbols=["SIMT"], start=START, end=END))
    beside = [frame for frame in frames if frame["symbol"].iloc[0] == "SIMT"]
    for one, other in zip(alone, beside, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_longer_history_repeats_the_closes_of_a_shorter_one(frames: list[pd.DataFrame]) -> None:
    shorter = list(simulated_history(start=START, end=date(2026, 9, 3)))
    for one, other in zip(shorter, frames, strict=False):
        close = one[one["ts"] == one["ts"].max()].reset_index(drop=True)
        pd.testing.assert_frame_equal(close, other, check_exact=True)


def test_frames_have_the_vocabularys_columns_and_order(frames: list[pd.DataFrame]) -> None:
    assert [frame["symbol"].iloc[0] for frame in frames[:3]] == ["SIM", "SIMX", "SIMT"]
    for frame in frames:
        check_frame(frame, QUOTE_COLUMNS)
        put_first = frame.astype({"trading_class": str}).assign(is_call=frame["right"] == "C")
        keys = ["trading_class", "ts", "expiry", "strike", "is_call"]
        assert not put_first.duplicated(keys).any()
        pd.testing.assert_index_equal(put_first.sort_values(keys, kind="stable").index, frame.index)


def test_names_cannot_be_mistaken_for_real_ones(quotes: pd.DataFrame) -> None:
    assert quotes["symbol"].str.startswith("SIM").all()
    assert quotes["trading_class"].str.startswith("SIM").all()


def test_quotes_stand_at_closes_and_at_the_last_sessions_half_hours(quotes: pd.DataFrame) -> None:
    local = quotes["ts"].drop_duplicates().dt.tz_convert(EXCHANGE_TZ)
    assert sorted(local.dt.date.unique()) == sessions(START, END)
    assert set(local[local.dt.date < END].dt.time) == {time(16)}
    last = local[local.dt.date == END]
    assert len(last) == 13
    assert last.min().time() == time(10)
    assert last.max().time() == time(16)


def test_an_early_close_is_kept() -> None:
    frame = next(simulated_history(symbols=["SIMT"], start=date(2026, 11, 27), end=date(2026, 11, 27)))
    assert frame["ts"].max().tz_convert(EXCHANGE_TZ).time() == time(13)


def test_no_contract_is_quoted_once_it_has_expired(quotes: pd.DataFrame) -> None:
    stamps = quotes["ts"].dt.tz_localize(None).to_numpy()
    tau = year_fractions(stamps, quotes["expiry"].to_numpy(), (quotes["settlement"] == "AM").to_numpy())
    assert tau.min() > 0


def test_index_monthlies_settle_on_the_opening_and_weeklies_on_the_close(quotes: pd.DataFrame) -> None:
    index = quotes[quotes["symbol"] == "SIMX"].groupby("trading_class", observed=True)["settlement"].unique()
    assert {name: list(values) for name, values in index.items()} == {"SIMX": ["AM"], "SIMXW": ["PM"]}
    assert set(quotes.loc[quotes["symbol"] == "SIMX", "style"]) == {"european"}


@pytest.mark.parametrize("symbol", sorted(SIMULATED))
def test_mids_offer_no_arbitrage_across_strikes(quotes: pd.DataFrame, symbol: str) -> None:
    rows = of(quotes, symbol)
    for (_, right), chain in rows[rows["bid"] > 0].groupby(["expiry", "right"], observed=True):
        strike, mid = chain["strike"].to_numpy(), chain["mid"].to_numpy()
        slope = np.diff(mid) / np.diff(strike)
        room = LARGEST_TICK / np.diff(strike)
        assert np.all((slope if right == "C" else -slope) <= room)
        assert np.all(np.abs(slope) <= 1 + room)
        assert np.all(np.diff(slope) >= -(room[1:] + room[:-1]))


def test_european_mids_keep_put_call_parity(quotes: pd.DataFrame) -> None:
    rows = of(quotes, "SIMX").query("bid > 0")
    pairs = rows.pivot(index=["expiry", "strike"], columns="right", values=["mid", "tau", "spot"]).dropna()
    tau, spot = pairs["tau", "C"].astype(float), pairs["spot", "C"].astype(float)
    strike = pairs.index.get_level_values("strike").to_numpy()
    held = np.exp(-SIMULATED["SIMX"].div_yield * tau) * spot - np.exp(-RATE * tau) * strike
    assert len(pairs) > 200
    assert np.abs(pairs["mid", "C"] - pairs["mid", "P"] - held).max() <= LARGEST_TICK


def test_american_options_are_worth_their_early_exercise(quotes: pd.DataFrame) -> None:
    puts = of(quotes, "SIM").query("right == 'P' and bid > 0")
    arguments = {name: puts[name].to_numpy() for name in ("spot", "strike", "tau")}
    intrinsic = arguments["strike"] - arguments["spot"]
    assert np.all(puts["mid"] >= intrinsic - LARGEST_TICK)
    deep = intrinsic > 60
    european = price(**arguments, vol=0.16, right="P", rate=RATE, div_yield=SIMULATED["SIM"].div_yield)
    assert deep.sum() > 5
    assert np.all(puts["mid"].to_numpy()[deep] > european[deep])


def test_implied_vols_show_skew_and_term_structure(quotes: pd.DataFrame) -> None:
    rows = of(quotes, "SIMX").query("bid > 0")
    iv = implied_vol(
        price=rows["mid"].to_numpy(),
        spot=rows["spot"].to_numpy(),
        strike=rows["strike"].to_numpy(),
        tau=rows["tau"].to_numpy(),
        right=rows["right"].astype(str).to_numpy(),
        rate=RATE,
        div_yield=SIMULATED["SIMX"].div_yield,
    )
    month = rows.assign(iv=iv)[(rows["tau"] > 0.06) & (rows["tau"] < 0.12)]
    moneyness = month["strike"] / month["spot"]
    wing = month[(moneyness > 0.88) & (moneyness < 0.92) & (month["right"] == "P")]["iv"].mean()
    centre = month[(moneyness > 0.99) & (moneyness < 1.01)]["iv"].mean()
    upside = month[(moneyness > 1.04) & (moneyness < 1.06) & (month["right"] == "C")]["iv"].mean()
    assert 0.08 < upside < centre < wing < 0.5
    assert wing - centre > 0.05


def test_results_ahead_raise_the_implied_vol_of_expiries_behind_them() -> None:
    rows = of(next(simulated_history(symbols=["SIMT"], start=date(2026, 9, 30), end=date(2026, 9, 30))), "SIMT")
    calls = rows[(rows["right"] == "C") & (rows["bid"] > 0)]
    nearest = calls.loc[(calls["strike"] - calls["spot"]).abs().groupby(calls["expiry"]).idxmin()]
    iv = implied_vol(
        price=nearest["mid"].to_numpy(),
        spot=nearest["spot"].to_numpy(),
        strike=nearest["strike"].to_numpy(),
        tau=nearest["tau"].to_numpy(),
        right="C",
        rate=RATE,
    )
    by_expiry = dict(zip(nearest["expiry"].dt.date, iv, strict=True))
    assert by_expiry[date(2026, 10, 23)] > by_expiry[date(2026, 10, 16)] + 0.06  # results come on 22 October


@pytest.mark.parametrize("symbol", sorted(SIMULATED))
def test_spreads_are_on_ticks_and_tight_near_the_money(quotes: pd.DataFrame, symbol: str) -> None:
    rows = of(quotes, symbol)
    assert (rows["ask"] > rows["bid"]).all()
    small, large = SIMULATED[symbol].ticks
    for side in ("bid", "ask"):
        tick = np.where(rows[side] < 3.0, small, np.gcd(round(small * 100), round(large * 100)) / 100)
        assert np.allclose(rows[side] / tick, np.round(rows[side] / tick), atol=1e-9)
    deviation = np.abs(np.log(rows["strike"] / rows["spot"])) / np.sqrt(rows["tau"]) / SIMULATED[symbol].vol
    out = (rows["strike"] > rows["spot"]) == (rows["right"] == "C")
    width = (rows["ask"] - rows["bid"]) / rows["mid"]
    assert width[out & (deviation < 0.5)].median() < 0.06
    assert width[out & (deviation > 2.5)].median() > 3 * width[out & (deviation < 0.5)].median()


def test_nobody_bids_in_the_far_wings_and_only_there(quotes: pd.DataFrame) -> None:
    empty = quotes["bid"] == 0
    assert 0.02 < empty.mean() < 0.12
    assert (quotes.loc[empty, "bid_size"] == 0).all()
    assert (quotes.loc[~empty, "bid_size"] >= 1).all()
    assert (quotes.loc[empty, "ask"] <= 0.5).all()
    assert ((quotes["strike"] > quotes["spot"]) == (quotes["right"] == "C"))[empty].all()


def test_open_interest_moves_overnight_and_by_less_than_was_traded(quotes: pd.DataFrame) -> None:
    quotes = quotes.assign(day=quotes["ts"].dt.tz_convert(EXCHANGE_TZ).dt.date)
    contract = ["trading_class", "expiry", "strike", "right"]
    daily = quotes.groupby([*contract, "day"], observed=True)["open_interest"]
    assert (daily.nunique() == 1).all()
    held = daily.first().unstack("day")
    traded = quotes.groupby([*contract, "day"], observed=True)["volume"].max().unstack("day")
    change = held.diff(axis=1).iloc[:, 1:].to_numpy()
    assert np.nanmax(np.abs(change) - traded.iloc[:, :-1].to_numpy()) <= 0
    assert np.nanmax(np.abs(change)) > 0


def test_volume_grows_through_the_session_and_sits_near_the_money(quotes: pd.DataFrame) -> None:
    contract = ["trading_class", "expiry", "strike", "right"]
    last_day = quotes[quotes["ts"].dt.date == END]
    assert (last_day.groupby(contract, observed=True)["volume"].diff().dropna() >= 0).all()
    close = of(quotes, "SIM")
    near = (close["strike"] / close["spot"] - 1).abs() < 0.03
    assert close.loc[near, "volume"].mean() > 3 * close.loc[~near, "volume"].mean()
    assert close.loc[close["volume"] == 0, "last"].isna().all()


def test_an_unknown_symbol_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError) as caught:
        simulated_history(symbols=["SIMY"])
    assert caught.value.name == "symbol"
    assert caught.value.nearest is not None


def test_a_span_without_a_session_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulated_history(start=date(2026, 9, 5), end=date(2026, 9, 7))
    assert caught.value.name == "end"


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulated_history(seed=-1)
    assert caught.value.name == "seed"


def test_a_contract_of_a_thinner_chain_is_quoted_until_it_expires() -> None:
    """Whoever has bought it must be able to sell it, however far the spot has moved since."""
    first, last, whole_from = date(2026, 6, 10), date(2026, 7, 10), date(2026, 7, 11)
    seen: dict[tuple[object, ...], pd.Timestamp] = {}
    for frame in simulated_history(symbols=["SIM"], start=first, end=last, whole_from=whole_from, intraday=0):
        day = frame["ts"].iloc[0].tz_convert(EXCHANGE_TZ).tz_localize(None).normalize()
        here = set(frame[["expiry", "strike", "right"]].itertuples(index=False, name=None))
        gone = [contract for contract in seen if contract not in here]
        assert all(expiry <= day for expiry, *_ in gone)
        seen = dict.fromkeys(here, day)
    assert len(seen) < 1_500, "a chain of some strikes, not a whole one"
