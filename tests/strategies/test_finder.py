"""Candidates from a chain: none forgotten, none wrong, all explained."""

from __future__ import annotations

import itertools
import json
import math
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError, UnknownNameError
from bifrost_lib.pricing import fit_surface
from bifrost_lib.strategies import (
    CATALOG,
    WEIGHTS,
    Entry,
    Filters,
    Range,
    evaluate,
    find_candidates,
)

from .conftest import legs_of

ALL = 10**6


def _measured(record, **changes):
    """Measure a record's legs anew, from the legs, premium and distribution that it states."""
    near = min(leg["expiry"] for leg in record["legs"] if leg["expiry"])
    legs = [
        {key: leg[key] for key in ("right", "qty", "strike", "price")}
        | ({"iv": leg["iv"]} if leg["iv"] and leg["expiry"] != near else {})
        | ({"tau": record["tau"] if leg["expiry"] == near else changes["far_tau"]} if leg["expiry"] else {})
        for leg in record["legs"]
    ]
    market = {name: record[name] for name in ("spot", "vol", "rate", "div_yield", "tau", "multiplier", "premium")}
    return evaluate(legs=legs, **market)


@pytest.mark.parametrize("name", sorted(name for name, found in CATALOG.items() if not found.has_two_expiries))
def test_every_strategy_is_found_and_measured_exactly(chain, name):
    found = find_candidates(chain, name, top=5)
    assert 0 < found.considered == found.admissible
    records = found.records()
    assert [record["rank"] for record in records] == list(range(1, len(records) + 1))
    assert [record["score"] for record in records] == sorted((record["score"] for record in records), reverse=True)
    for record in records:
        again = _measured(record)
        assert record["breakevens"] == pytest.approx(again["breakevens"], rel=1e-12)
        for measure in ("max_profit", "max_loss", "pop", "ev", "return_on_risk"):
            expected = again[measure]
            assert record[measure] == (None if expected is None else pytest.approx(expected, rel=1e-10, abs=1e-9))
        assert record["max_loss_unbounded"] == again["max_loss_unbounded"]
        assert record["max_profit_unbounded"] == again["max_profit_unbounded"]
        cash = sum(-leg["qty"] * leg["price"] for leg in record["legs"]) * record["multiplier"]
        assert record["premium"] == pytest.approx(cash, rel=1e-12)
        if CATALOG[name].margin == "reg_t":
            assert record["margin"] == pytest.approx(again["margin"], rel=1e-12)


@pytest.mark.parametrize("name", ["call_calendar", "put_calendar", "call_diagonal"])
def test_calendars_are_measured_at_the_near_expiry(chain, name):
    taus = dict(zip(chain["expiry"].dt.strftime("%Y-%m-%d"), chain["tau"], strict=True))
    for record in find_candidates(chain, name, top=5).records():
        near, far = sorted({leg["expiry"] for leg in record["legs"]})
        again = _measured(record, far_tau=taus[far])
        for measure in ("max_profit", "max_loss", "pop", "ev", "margin", "breakevens"):
            # A candidate's expected value comes from a coarser grid than that of `evaluate`.
            assert record[measure] == pytest.approx(again[measure], rel=1e-5, abs=0.01)
        assert 14 <= (pd.Timestamp(far) - pd.Timestamp(near)).days <= 60


@pytest.mark.parametrize("name", ["iron_condor", "collar", "call_calendar"])
def test_records_are_json_and_parts_add_up_to_the_score(chain, name):
    for record in find_candidates(chain, name).records():
        json.dumps(record, allow_nan=False)
        assert sum(record["score_parts"].values()) == record["score"]
        assert set(record["score_parts"]) == set(WEIGHTS)
        assert 0 <= record["score"] <= 100
        assert f"{record['score']:.1f}" in record["why"]


def _brute_force_condors(chain, dte):
    """All admissible iron condors of one expiry, by the document's rules spelt out."""
    quotes = chain[(chain["dte"] == dte) & (chain["quality"] == "ok")]
    spot = quotes["spot"].iloc[0]
    puts, calls = (quotes[quotes["right"] == right].set_index("strike")["delta"] for right in "PC")

    def wings(strikes, short, sign):
        beyond = sorted((k for k in strikes if sign * (k - short) > 0), key=lambda k: sign * k)
        return [k for n, k in enumerate(beyond) if n < 2 or abs(k - short) <= 0.05 * spot + 1e-9]

    put_sides = [(k, w) for k in puts.index[(puts >= -0.35) & (puts <= -0.08)] for w in wings(puts.index, k, -1)]
    call_sides = [(k, w) for k in calls.index[(calls >= 0.08) & (calls <= 0.35)] for w in wings(calls.index, k, +1)]
    return {(*put, *call) for put, call in itertools.product(put_sides, call_sides)}


def test_enumeration_is_complete(chain):
    found = find_candidates(chain, "iron_condor", dte=(37, 37), top=ALL)
    strikes = [tuple(leg["strike"] for leg in record["legs"]) for record in found.records()]
    assert len(strikes) == len(set(strikes)) == found.considered
    assert set(strikes) == _brute_force_condors(chain, 37)


def test_butterflies_are_all_the_symmetric_ones(make_chain):
    chain = make_chain(days=(37,), step=5.0)
    found = find_candidates(chain, "call_butterfly", top=ALL)
    strikes = {tuple(leg["strike"] for leg in record["legs"]) for record in found.records()}
    forward, spot = chain["forward"].iloc[0], 200.0
    ok = set(chain.loc[(chain["right"] == "C") & (chain["quality"] == "ok"), "strike"])
    expected = {
        (body, body - width, body + width)
        for body in ok
        if abs(body / forward - 1) <= 0.04
        for width in (5.0, 10.0, 15.0, 20.0)
        if width <= 0.10 * spot and {body - width, body + width} <= ok
    }
    assert strikes == expected


def test_top_are_the_best_of_all(chain):
    everything = find_candidates(chain, "iron_condor", top=ALL).records()
    best = find_candidates(chain, "iron_condor", top=7).records()
    assert [record["legs"] for record in best] == [record["legs"] for record in everything[:7]]


def test_greeks_are_those_of_the_quotes(chain):
    record = find_candidates(chain, "collar", top=1).records()[0]
    quotes = chain.set_index(["expiry", "strike", "right"])
    for greek in ("delta", "gamma", "theta", "vega"):
        total = 100.0 if greek == "delta" else 0.0
        for leg in record["legs"][1:]:
            total += 100 * leg["qty"] * quotes.loc[(pd.Timestamp(leg["expiry"]), leg["strike"], leg["right"]), greek]
        assert record[greek] == pytest.approx(total, rel=1e-12)


def test_slippage_is_half_the_spread_of_every_contract(make_chain):
    chain = make_chain(half_spread=0.05)
    mid = find_candidates(chain, "call_ratio_spread", top=1).records()[0]
    assert mid["slippage_cost"] == pytest.approx(3 * 0.05 * 100)
    crossed = find_candidates(chain, "iron_condor", dte=(37, 37), top=ALL, fill=1.0).records()
    at_mid = find_candidates(chain, "iron_condor", dte=(37, 37), top=ALL).records()
    paid = {tuple(leg["strike"] for leg in record["legs"]): record["premium"] for record in crossed}
    for record in at_mid:
        key = tuple(leg["strike"] for leg in record["legs"])
        if key in paid:
            assert paid[key] == pytest.approx(record["premium"] - record["slippage_cost"], abs=1e-9)


def test_only_good_quotes_become_legs(chain):
    spoilt = chain.copy()
    bad = spoilt["strike"].isin([180.0, 210.0])
    spoilt.loc[bad, "quality"] = "crossed"
    found = find_candidates(spoilt, "iron_condor", top=ALL)
    assert not {leg["strike"] for record in found.records() for leg in record["legs"]} & {180.0, 210.0}
    days = spoilt["dte"].between(20, 60)
    assert found.excluded["quality"] == int((days & (spoilt["quality"] != "ok")).sum())


def test_filters_exclude_and_count_what_is_too_small_or_unknown(chain):
    spoilt = chain.copy()
    spoilt.loc[spoilt["strike"] < 180, "open_interest"] = np.nan
    found = find_candidates(spoilt, "iron_condor", top=ALL, filters=Filters(min_open_interest=970))
    assert all(record["min_open_interest"] >= 970 for record in found.records())
    assert min(leg["strike"] for record in found.records() for leg in record["legs"]) >= 180
    assert found.excluded["open interest"] > 0
    tight = find_candidates(chain, "iron_condor", top=ALL, filters=Filters(max_relative_spread=0.05))
    assert all(record["max_relative_spread"] <= 0.05 for record in tight.records())


def test_nothing_after_at_is_used(chain):
    with pytest.raises(InputError) as caught:
        find_candidates(chain, "iron_condor", at=chain.attrs["at"] - timedelta(minutes=1))
    assert caught.value.name == "chain.ts"


def test_classes_of_one_expiry_are_not_mixed(make_chain):
    monthly, weekly = make_chain(symbol="SPX", spot=200.0), make_chain(symbol="SPX", spot=200.0, step=5.0)
    weekly["trading_class"] = pd.Categorical(["SPXW"] * len(weekly))
    weekly["strike"] += 1.0
    both = pd.concat([monthly, weekly], ignore_index=True)
    both[["symbol", "trading_class"]] = both[["symbol", "trading_class"]].astype("category")
    both.attrs = monthly.attrs
    for record in find_candidates(both, "iron_condor", top=ALL).records():
        assert len({leg["strike"] % 2.5 for leg in record["legs"]}) == 1


def test_index_options_have_an_index_margin(make_chain):
    stock, index = (
        find_candidates(make_chain(symbol=symbol), "short_put", top=ALL).records() for symbol in ("SIM", "SPX")
    )
    margins = {(leg["expiry"], leg["strike"]): r["margin"] for r in stock for leg in r["legs"]}
    for record in index:
        leg = record["legs"][0]
        stock_margin = margins[leg["expiry"], leg["strike"]]
        near = leg["strike"] > 190  # further out both are at the floor of a tenth of the strike
        assert record["margin"] < stock_margin if near else record["margin"] <= stock_margin
    assert any(record["legs"][0]["strike"] > 190 for record in index)


def test_coarse_chains_have_wings_too(make_chain):
    cheap = make_chain(spot=20.0, step=2.5, width=0.6, half_spread=0.005, flat=0.6)
    found = find_candidates(cheap, "bull_put_spread", top=ALL)
    assert {leg["strike"] for record in found.records() for leg in record["legs"]} == {12.5, 15.0, 17.5, 20.0}


def test_cash_secured_put_needs_its_strike_in_cash(chain):
    for record in find_candidates(chain, "cash_secured_put").records():
        assert record["margin"] == 100 * record["legs"][0]["strike"]


def test_flat_volatility_gives_closed_form_probability(make_chain):
    chain = make_chain(flat=0.3)
    record = find_candidates(chain, "short_put", top=1).records()[0]
    assert record["vol"] == pytest.approx(0.3, abs=1e-12)
    width = 0.3 * math.sqrt(record["tau"])
    d2 = (math.log(record["forward"] / record["breakevens"][0])) / width - width / 2
    assert record["pop"] == pytest.approx(0.5 * math.erfc(-d2 / math.sqrt(2)), abs=1e-12)


def test_candidates_with_nothing_at_risk_are_rejected_and_counted(chain):
    free = chain.copy()
    near = free["dte"] == 37
    free.loc[near & (free["right"] == "P") & (free["strike"] == 190.0), ["bid", "ask", "mid"]] = [20.0, 20.2, 20.1]
    found = find_candidates(free, "bull_put_spread", dte=(37, 37), top=ALL)
    assert found.rejected["nothing at risk at these prices"] > 0
    assert all(record["max_loss"] > 0 for record in found.records())


def test_limit_is_reported(chain):
    whole = find_candidates(chain, "iron_condor")
    part = find_candidates(chain, "iron_condor", limit=100)
    assert (whole.is_complete, part.is_complete) == (True, False)
    assert (part.considered, part.admissible) == (100, whole.considered)


def test_two_expiries_beyond_the_limit_are_thinned_out_evenly(chain):
    whole = find_candidates(chain, "double_calendar", top=10**6)
    thinned = find_candidates(chain, "double_calendar", top=10**6, limit=whole.considered // 3)
    assert not thinned.is_complete and whole.is_complete
    assert whole.considered // 6 < thinned.considered <= whole.considered // 3
    every, some = ({legs_of(record): record["score"] for record in found.records()} for found in (whole, thinned))
    assert {legs: every[legs] for legs in some} == pytest.approx(some, rel=1e-9)
    for leg in range(4):
        assert len({legs[leg] for legs in some}) > 0.6 * len({legs[leg] for legs in every})


def test_frames_say_the_same_as_records(chain):
    found = find_candidates(chain, "short_strangle", top=4)
    frame, records = found.candidates, found.records()
    assert frame["pop"].tolist() == [record["pop"] for record in records]
    assert frame["max_loss"].isna().all()
    assert frame["max_loss_unbounded"].all()
    assert frame.filter(like="score_").sum(axis=1).tolist() == pytest.approx(frame["score"].tolist())
    assert len(found.legs) == 8
    assert found.legs["expiry"].dtype == "datetime64[s]"


def test_result_cannot_be_changed_through_its_records(chain):
    found = find_candidates(chain, "long_call", top=1)
    found.records()[0]["legs"][0]["strike"] = -1
    assert found.records()[0]["legs"][0]["strike"] > 0


def test_no_candidate_is_an_error_that_counts_the_reasons(chain):
    with pytest.raises(NoDataError, match="no expiry is 200 to 300 days away"):
        find_candidates(chain, "iron_condor", dte=(200, 300))
    with pytest.raises(NoDataError, match="quotes excluded: open interest"):
        find_candidates(chain, "iron_condor", filters=Filters(min_open_interest=1e9))
    worthless = chain.assign(delta=0.001)
    with pytest.raises(NoDataError, match="no quote is admissible for short_put"):
        find_candidates(worthless, "iron_condor")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"strategy": "iron_condr"}, "strategy"),
        ({"dte": (60, 20)}, "dte"),
        ({"top": 0}, "top"),
        ({"fill": 2.0}, "fill"),
        ({"limit": 0}, "limit"),
        ({"weights": {"luck": 1.0}}, "weights"),
        ({"weights": {"pop": -1.0}}, "weights.pop"),
        ({"weights": {"pop": 0.0}}, "weights"),
    ],
)
def test_errors_name_the_argument(chain, change, name):
    arguments = {"strategy": "iron_condor", **change}
    with pytest.raises(InputError) as caught:
        find_candidates(chain, arguments.pop("strategy"), **arguments)
    assert caught.value.name == name


def test_two_symbols_are_refused(make_chain):
    both = pd.concat([make_chain(symbol="ONE"), make_chain(symbol="TWO")], ignore_index=True)
    both[["symbol", "trading_class"]] = both[["symbol", "trading_class"]].astype("category")
    with pytest.raises(InputError) as caught:
        find_candidates(both, "long_call")
    assert caught.value.name == "chain.symbol"


def test_unknown_strategy_is_an_unknown_name(chain):
    with pytest.raises(UnknownNameError) as caught:
        find_candidates(chain, "call_calender")
    assert caught.value.nearest == "call_calendar"


def test_a_stop_keeps_what_was_found(chain):
    seen = []
    found = find_candidates(chain, "iron_condor", on_progress=lambda progress: seen.append(progress) or True)
    assert len(seen) == 1
    assert found.stopped and not found.is_complete
    assert 0 < found.considered == seen[0].considered < seen[0].admissible == found.admissible
    assert len(found) == 10


def test_conditions_of_entry_are_checked_where_they_are_known(chain):
    document = CATALOG["iron_condor"].with_(entry=Entry(iv_rank=Range(low=0.5), weekdays=("wed",), max_spread=0.05))
    assert find_candidates(chain, document).unchecked == ("iv_rank",)
    entered = find_candidates(chain, document, conditions={"iv_rank": 0.6}, top=ALL)
    assert entered.unchecked == ()
    assert all(record["max_relative_spread"] <= 0.05 for record in entered.records())
    for conditions, reason in (({"iv_rank": 0.2}, "iv_rank 0.2 is below 0.5"), ({}, "iv_rank is not known")):
        with pytest.raises(NoDataError, match=reason):
            find_candidates(chain, document, conditions=conditions)
    with pytest.raises(NoDataError, match="wed is not among mon"):
        find_candidates(chain, document.with_(entry=Entry(weekdays=("mon",))))


def test_odds_under_a_flat_surface_are_the_lognormal_ones(make_chain):
    chain = make_chain(flat=0.3)
    quotes = chain[(chain["quality"] == "ok") & (chain["right"] == "C")]
    surface = fit_surface(tau=quotes["tau"], forward=quotes["forward"], strike=quotes["strike"], iv=quotes["iv"])
    for record in find_candidates(chain, "iron_condor").under(surface).records():
        assert record["pop_surface"] == pytest.approx(record["pop"], abs=1e-5)
        assert record["ev_surface"] == pytest.approx(record["ev"], abs=0.1)
