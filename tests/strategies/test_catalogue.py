"""The catalogue: every structure of the field by its names, each what it says it is, and each found on real chains."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.cli import run
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies import CATALOG, evaluate, example_legs, strategy_named

#: What QuantConnect LEAN, optopsy, tastytrade and OptionStrat offer between them, by the names that traders use.
UNION = """
long call, long put, short call, short put, cash-secured put, covered call, covered put, covered straddle,
covered strangle, protective put, protective call, collar, zero-cost collar, conversion, reversal,
synthetic long stock, synthetic short stock, risk reversal, seagull, stock repair,
bull call spread, bear call spread, bull put spread, bear put spread,
long straddle, short straddle, long strangle, short strangle, long guts, short guts, strip, strap,
call front ratio, call back ratio, put front ratio, put back ratio,
bull call ladder, bear call ladder, bull put ladder, bear put ladder,
long call butterfly, short call butterfly, long put butterfly, short put butterfly,
call broken-wing butterfly, put broken-wing butterfly, call skip-strike butterfly, put skip-strike butterfly,
call christmas tree, put christmas tree, long call condor, short call condor, long put condor, short put condor,
call broken-wing condor, put broken-wing condor, iron butterfly, long iron butterfly, iron condor, long iron condor,
unbalanced iron condor, unbalanced iron butterfly, batman, jade lizard, reverse jade lizard, big lizard,
call calendar, short call calendar, put calendar, short put calendar, double calendar,
call diagonal, short call diagonal, put diagonal, short put diagonal, double diagonal,
poor man's covered call, poor man's covered put, ZEBRA, long box, short box, long jelly roll, short jelly roll,
wheel, 1-1-2, VIX-call tail hedge
"""
NAMES = [" ".join(name.split()) for name in UNION.split(",")]


def test_every_structure_of_the_field_is_found_by_its_name():
    assert len(NAMES) >= 75
    found = {name: strategy_named(name).name for name in NAMES}
    assert len(set(found.values())) == len(NAMES)


def test_a_near_miss_suggests_the_name_that_was_meant():
    with pytest.raises(UnknownNameError) as caught:
        strategy_named("iron condr")
    assert (caught.value.name, caught.value.nearest) == ("strategy", "iron_condor")


def test_names_are_unique_and_every_document_explains_itself():
    names = [name for found in CATALOG.values() for name in (found.name, *found.aliases)]
    assert len(names) == len(set(names))
    for name, found in CATALOG.items():
        assert (name, bool(found.view), bool(found.risk), bool(found.outlook)) == (found.name, True, True, True)
        assert found.variant_of is None or CATALOG[found.variant_of].variant_of is None
        assert found.exits.after_assignment is None or found.exits.after_assignment in CATALOG
    assert len({found.sha256 for found in CATALOG.values()}) == len(CATALOG)


def at_expiry(name):
    """Measures of a document's legs at its targets, all at their models' prices."""
    return evaluate(legs=example_legs(CATALOG[name]), spot=100.0, vol=0.25, tau=0.1)


#: Which lose (first) and gain (second) without bound as the price rises, so that a wrong sign in a literal shows.
UNBOUNDED = {
    "covered_put": (True, False), "bull_call_ladder": (True, False), "bear_call_ladder": (False, True),
    "batman": (True, False), "zebra": (False, True), "put_zebra": (False, False), "put_ratio_112": (False, False),
    "call_ratio_spread": (True, False), "call_backspread": (False, True), "strap": (False, True),
    "strip": (False, True), "short_guts": (True, False), "jade_lizard": (False, False),
    "reverse_jade_lizard": (True, False), "stock_repair": (False, False), "seagull": (False, False),
    "bearish_seagull": (True, False), "synthetic_long_stock": (False, True), "synthetic_short_stock": (True, False),
    "call_christmas_tree": (False, False), "conversion": (False, False), "covered_straddle": (False, False),
    "protective_call": (False, False), "risk_reversal": (False, True), "bearish_risk_reversal": (True, False),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(UNBOUNDED))
def test_only_these_lose_or_gain_without_bound(name):
    found = at_expiry(name)
    assert (found["max_loss_unbounded"], found["max_profit_unbounded"]) == UNBOUNDED[name]


@pytest.mark.parametrize("name", sorted(name for name, found in CATALOG.items() if not found.has_two_expiries))
def test_the_shape_of_a_document_is_that_of_its_payoff(name):
    """A loss without bound is an undefined risk, a locked payoff is one number, and cash flows as the document says."""
    document, found = CATALOG[name], at_expiry(name)
    if found["max_loss_unbounded"]:
        assert document.risk_shape == "undefined"
    if document.is_locked:
        assert found["max_loss"] == pytest.approx(max(-found["max_profit"], 0.0), abs=1e-6)
    if document.cash == "credit":
        assert found["premium"] > 0
    if document.cash == "debit":
        assert found["premium"] < 0


def test_shapes_of_risk_that_are_easily_got_wrong():
    defined = "covered_call protective_call collar wheel call_calendar zebra long_box iron_condor stock_repair"
    for name in defined.split():
        assert CATALOG[name].risk_shape == "defined", name
    for name in ["covered_put", "short_call_calendar", "jade_lizard", "put_ratio_112", "covered_straddle", "short_put"]:
        assert CATALOG[name].risk_shape == "undefined", name
    locked = {name for name, found in CATALOG.items() if found.is_locked}
    assert locked == {"conversion", "reversal", "long_box", "short_box", "long_jelly_roll", "short_jelly_roll"}


def test_a_christmas_tree_is_flat_beyond_its_far_wing():
    # Bought one, a strike skipped, sold three, bought two at the next (McMillan, Options as a Strategic Investment).
    legs = example_legs(CATALOG["call_christmas_tree"])
    body, near, far = (leg["strike"] for leg in legs)
    assert [leg["qty"] for leg in legs] == [-3, 1, 2]
    assert body - near == 2 * (far - body) > 0
    payoff = sum(leg["qty"] * np.maximum(np.array([0.0, 500.0]) - leg["strike"], 0.0) for leg in legs)
    assert payoff == pytest.approx([0.0, 0.0])


@pytest.mark.slow
def test_every_structure_is_found_by_its_name_on_a_real_chain(
    samples, database_settings, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))
    evening = samples / "options" / "yahoo_eod_mit" / "2026-08-12"
    quotes = pd.read_csv(evening / "SPY.csv.gz", dtype=str)
    # Every tenth dollar, so that not even six legs have more than thousands of combinations.
    quotes[quotes["strike"].astype(float) % 10 == 0].to_csv(tmp_path / "SPY.csv.gz", index=False)
    shutil.copy(evening / "meta.json", tmp_path)
    assert run(["ingest", str(tmp_path / "SPY.csv.gz")]) == 0
    capsys.readouterr()
    for name in NAMES:
        wanted = ["scan", "SPY", "--strategy", name, "--top", "1", "--no-surface", "--no-history", "--json"]
        assert run(wanted) == 0, (name, capsys.readouterr().err)
        found, document = json.loads(capsys.readouterr().out), strategy_named(name)
        (record,) = found["candidates"]
        assert (found["strategy"], found["source"]) == (document.name, "yahoo"), name
        assert 0 <= record["score"] <= 100, name
        assert [(leg["right"], leg["qty"]) for leg in record["legs"]] == [(leg.right, leg.qty) for leg in document.legs]
        assert document.cash == "any" or (record["premium"] > 0) == (document.cash == "credit"), name
