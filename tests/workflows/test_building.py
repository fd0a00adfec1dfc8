"""What the builder says of picked legs is what `evaluate` and `price` say, and its pictures agree with both."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.pricing import greeks, price
from bifrost_lib.strategies import evaluate, find_candidates, read_document
from bifrost_lib.workflows import (
    Market,
    build_structure,
    export_structure,
    leg_details,
    market_of,
    scenario_curves,
    scenario_map,
    start_legs,
)

AT = datetime(2026, 9, 30, 20, tzinfo=UTC)
NEAR, FAR = "2026-10-30", "2026-12-18"
SPOT, RATE, DIVIDENDS = 500.0, 0.04, 0.012
DTE = {NEAR: 30, FAR: 79}
STRIKES = np.arange(400.0, 605.0, 5.0)


def smile(strike: Any, expiry: str) -> Any:
    return {NEAR: 0.16, FAR: 0.19}[expiry] + 4e-6 * (strike - 480.0) ** 2


def listed(expiry: str, right: str) -> pd.DataFrame:
    """Quotes a nickel either side of the model's value, so that every answer is known."""
    tau = DTE[expiry] / 365
    terms: dict[str, Any] = {
        "spot": SPOT, "strike": STRIKES, "tau": tau, "vol": smile(STRIKES, expiry), "right": right, "rate": RATE,
        "div_yield": DIVIDENDS,
    }  # fmt: skip
    mid = price(**terms)
    block = pd.DataFrame({"strike": STRIKES, "mid": mid, "bid": mid - 0.05, "ask": mid + 0.05, "iv": terms["vol"]})
    return block.assign(
        **greeks(**terms), right=right, expiry=pd.Timestamp(expiry).as_unit("s"), tau=tau, dte=DTE[expiry], spot=SPOT,
        rate=RATE, div_yield=DIVIDENDS, forward=SPOT * math.exp((RATE - DIVIDENDS) * tau), symbol="XYZ",
        trading_class="XYZ", style="european", settlement="PM", multiplier=100.0, last=mid, bid_size=10.0,
        ask_size=10.0, volume=100.0, open_interest=1000.0, quality="ok", ts=pd.Timestamp(AT),
    )  # fmt: skip


@pytest.fixture(scope="module")
def chain() -> pd.DataFrame:
    frame = pd.concat([listed(expiry, right) for expiry in DTE for right in ("C", "P")], ignore_index=True)
    frame = frame.sort_values(["expiry", "strike", "right"], ignore_index=True)
    lonely = (frame["expiry"] == NEAR) & (frame["strike"] == 400.0) & (frame["right"] == "C")
    frame.loc[lonely, ["bid", "mid"]] = np.nan
    frame.loc[lonely, "quality"] = "one_sided"
    frame = frame.astype(
        dict.fromkeys(("symbol", "trading_class", "right", "style", "settlement", "quality"), "category")
    )
    frame = frame[list(CHAIN_COLUMNS)]
    frame.attrs = {"symbol": "XYZ", "at": AT, "as_of": AT, "source": "made", "spot": SPOT}
    return frame


@pytest.fixture(scope="module")
def market(chain: pd.DataFrame) -> Market:
    return market_of(chain)


def pick(right: str, qty: int, strike: float, expiry: str = NEAR, **more: Any) -> dict[str, Any]:
    return {"right": right, "qty": qty, "strike": strike, "expiry": expiry, "trading_class": "XYZ", **more}


CONDOR = [pick("P", 1, 470), pick("P", -1, 480), pick("C", -1, 520), pick("C", 1, 530)]
CALENDAR = [pick("P", -1, 490), pick("P", 1, 490, FAR)]
COVERED = [{"right": "S", "qty": 1}, pick("C", -1, 520)]


@pytest.mark.parametrize("picks", [CONDOR, CALENDAR, COVERED, [pick("C", -3, 520), pick("C", 2, 530, FAR)]])
def test_measures_are_those_of_evaluate_to_the_digit(market: Market, picks: list[dict[str, Any]]) -> None:
    built = build_structure(market, picks)
    near = market.slices[0]
    legs = [
        {"right": one["right"], "qty": one["qty"], "price": SPOT}
        if one["right"] == "S"
        else one
        | {
            "price": float(price(
                spot=SPOT, strike=one["strike"], tau=DTE[one["expiry"]] / 365, vol=smile(one["strike"], one["expiry"]),
                right=one["right"], rate=RATE, div_yield=DIVIDENDS,
            )),
            "iv": smile(one["strike"], one["expiry"]), "tau": DTE[one["expiry"]] / 365,
        }
        for one in picks
    ]  # fmt: skip
    later = built.terms["later"]
    assert later is None or later == pytest.approx((RATE, DIVIDENDS))
    direct = evaluate(legs=legs, spot=SPOT, vol=near.vol, rate=near.rate, div_yield=near.div_yield, later=later)
    for name in ("premium", "max_profit", "max_loss", "breakevens", "pop", "ev", "margin", "delta", "vega"):
        assert built.measures[name] == direct[name], name
    assert built.measures["max_loss_unbounded"] is (picks[0]["qty"] == -3)
    assert near.vol == pytest.approx(smile(near.forward, NEAR), abs=1e-4)


def test_each_leg_pays_its_share_of_the_spread_and_ones_own_price_goes_before(market: Market) -> None:
    mid, crossed = (build_structure(market, CONDOR, fill=fill) for fill in (0.0, 1.0))
    assert crossed.measures["premium"] == pytest.approx(mid.measures["premium"] - 4 * 0.05 * 100)
    assert mid.measures["slippage_cost"] == pytest.approx(4 * 0.05 * 100)
    own = build_structure(market, [pick("C", 1, 520, price=3.25)], fill=1.0)
    assert own.measures["premium"] == -325.0


def test_what_cannot_be_built_is_said_once_and_by_name(market: Market) -> None:
    with pytest.raises(InputError, match="at least one leg"):
        build_structure(market, [])
    with pytest.raises(InputError, match=r"521 call 2026-10-30.*not listed"):
        build_structure(market, [pick("C", 1, 521)])
    with pytest.raises(InputError, match=r"400 call 2026-10-30.*one_sided"):
        build_structure(market, [pick("C", 1, 400)])
    assert build_structure(market, [pick("C", 1, 400, price=101.0)]).measures["premium"] == -10_100.0
    with pytest.raises(InputError) as refused:
        build_structure(market, CONDOR * 4)
    assert refused.value.name == "legs"


def test_a_chain_without_a_usable_quote_is_no_market(chain: pd.DataFrame) -> None:
    dead = chain.assign(quality="no_quote")
    dead.attrs = chain.attrs
    with pytest.raises(NoDataError, match="XYZ"):
        market_of(dead)


def test_a_catalogue_structure_is_a_start(market: Market) -> None:
    legs = start_legs(market, "iron_condor")
    assert sorted((leg["right"], leg["qty"]) for leg in legs) == [("C", -1), ("C", 1), ("P", -1), ("P", 1)]
    assert build_structure(market, legs).measures["max_loss"] > 0
    assert start_legs(market, "covered_call")[0] == {"right": "S", "qty": 1, "strike": None, "expiry": None}


@pytest.mark.parametrize("picks", [CONDOR, CALENDAR])
def test_curves_end_where_the_measures_say(market: Market, picks: list[dict[str, Any]]) -> None:
    built = build_structure(market, picks)
    frame = scenario_curves(built).frame
    at_breakevens = np.interp(built.measures["breakevens"], frame["spot"], frame["pnl_at_expiry"])
    assert len(at_breakevens) == 2
    assert at_breakevens == pytest.approx(0.0, abs=1e-6)
    assert frame["pnl_at_expiry"].max() == pytest.approx(built.measures["max_profit"], rel=2e-3)
    assert frame["pnl_at_expiry"].min() >= -built.measures["max_loss"] - 1e-6
    here = frame.loc[frame["spot"] == SPOT]
    assert here["pnl_now"].to_numpy() == pytest.approx(0.0, abs=1e-8)  # bought at the model's value


def test_the_later_leg_is_valued_with_its_own_volatility_at_the_nearer_expiry(market: Market) -> None:
    built = build_structure(market, CALENDAR)
    frame = scenario_curves(built, days=30, vol_shift=0.02).frame
    later = price(
        spot=frame["spot"], strike=490.0, tau=(79 - 30) / 365, vol=smile(490.0, FAR) + 0.02, right="P",
        rate=market.slices[0].rate, div_yield=market.slices[0].div_yield,
    )  # fmt: skip
    expected = built.measures["premium"] + 100 * (later - np.maximum(490.0 - frame["spot"], 0.0))
    inside = later > 490.0 - frame["spot"]
    assert frame["pnl_then"][inside].to_numpy() == pytest.approx(expected[inside].to_numpy(), abs=1e-8)


@pytest.mark.parametrize("quantity", ["profit", "delta", "vega"])
def test_a_map_holds_the_curves_of_its_rows(market: Market, quantity: str) -> None:
    built = build_structure(market, CONDOR)
    by_day = scenario_map(built, quantity=quantity, axis="days", vol_shift=0.03)
    by_vol = scenario_map(built, quantity=quantity, axis="vol_shift", days=12)
    then = "pnl_then" if quantity == "profit" else "then"
    for row in (0, 20):
        curve = scenario_curves(built, quantity=quantity, days=float(by_day.other[row]), vol_shift=0.03).frame
        assert by_day.values[row] == pytest.approx(np.interp(by_day.spot, curve["spot"], curve[then]), rel=0.02, abs=6)
    row = int(np.argmin(np.abs(by_vol.other - 0.05)))
    at_spot = scenario_curves(built, quantity=quantity, days=12, vol_shift=0.05).at_spot
    assert np.interp(SPOT, by_vol.spot, by_vol.values[row]) == pytest.approx(at_spot, rel=0.02, abs=0.5)
    assert scenario_curves(built, quantity="delta").at_spot == pytest.approx(built.measures["delta"])


def test_details_add_up_to_the_structure(market: Market) -> None:
    built = build_structure(market, [*CONDOR, {"right": "S", "qty": -1}])
    details = leg_details(built)
    for name in ("delta", "gamma", "theta", "vega"):
        assert sum(leg[name] for leg in details) == pytest.approx(built.measures[name], rel=1e-12)
    short_put, stock = details[1], details[-1]
    assert [leg["touch"] for leg in details[:-1] if leg["qty"] < 0] == [
        one["probability"] for one in built.measures["prob_touch"]
    ]
    assert 0.1 < short_put["itm"] < short_put["touch"] < 0.6
    assert (stock["itm"], stock["touch"], stock["delta"]) == (None, None, -100.0)


def test_a_document_finds_its_own_structure_again(market: Market) -> None:
    for picks in (CONDOR, CALENDAR, COVERED):
        built = build_structure(market, picks)
        export = export_structure(built)
        document = read_document(export.yaml)
        assert read_document(export.json) == document
        found = find_candidates(market.chain, document).records()[0]
        assert [(leg["right"], leg["qty"], leg["strike"], leg["expiry"]) for leg in found["legs"]] == [
            (leg["right"], leg["qty"], leg["strike"], leg["expiry"]) for leg in built.legs
        ]
        loose = read_document(export.by_delta)
        assert {leg.rule.by for leg in loose.legs if leg.rule} == {"delta"}


def test_a_structure_that_no_document_can_say_is_refused_with_the_reason(market: Market) -> None:
    export = export_structure(build_structure(market, [{"right": "S", "qty": 1}]))
    assert (export.yaml, export.json) == ("", "")
    assert "near expiry" in export.reason


def test_the_legs_are_a_table(market: Market) -> None:
    export = export_structure(build_structure(market, [*CALENDAR, {"right": "S", "qty": 1}]))
    rows = list(csv.DictReader(io.StringIO(export.csv)))
    assert [(row["right"], row["qty"], row["expiry"]) for row in rows] == [
        ("P", "-1", NEAR), ("P", "1", FAR), ("S", "1", ""),
    ]  # fmt: skip
    assert float(rows[1]["price"]) == pytest.approx((float(rows[1]["bid"]) + float(rows[1]["ask"])) / 2)
