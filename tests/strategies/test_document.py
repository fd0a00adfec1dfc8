"""The document: a value that says what is wrong with it, and reads from text what it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bifrost_lib.strategies
from bifrost_lib.core.errors import DocumentError, FileFormatError, InputError, UnknownNameError
from bifrost_lib.strategies import (
    CATALOG,
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    Condition,
    Costs,
    DteRange,
    Entry,
    EventWindow,
    Exits,
    Leg,
    Mirror,
    Offset,
    PctOtm,
    Range,
    Roll,
    SameAs,
    SamePremium,
    Sizing,
    StrategyDocument,
    Target,
    Wing,
    describe_document,
    leg_words,
    read_document,
    resolve_strategy,
    write_document,
)

PUT = Leg("short_put", "P", -1, ByDelta(-0.16))


def document(**changes):
    return StrategyDocument(**{"name": "mine", "view": "does not fall", "legs": (PUT,), **changes})


def option(**changes):
    return {"name": "a", "right": "P", "qty": 1, "rule": {"by": "at_money"}, **changes}


#: One of everything that a document may say.
EVERYTHING = document(
    legs=(
        Leg("stock", "S", +1),
        Leg("by_delta", "P", -1, ByDelta(-0.16)),
        Leg("by_otm", "P", +1, PctOtm(0.1, 0.05, 0.2)),
        Leg("by_strike", "C", -1, AtStrike(400.0)),
        Leg("by_premium", "C", +1, ByPremium(1.2)),
        Leg("at_money", "C", -1, AtMoney(), dte=DteRange(10, 20, 30)),
        Leg("same", "P", -1, SameAs("at_money"), expiry="far"),
        Leg("offset", "P", +1, Offset("same", strikes=-2)),
        Leg("wide", "P", +1, Offset("same", width=-5.0)),
        Leg("same_premium", "C", -1, SamePremium("by_delta", ratio=0.5)),
        Leg("wing", "C", +1, Wing("same_premium", target=0.02, furthest=0.05)),
        Leg("mirror", "P", +1, Mirror(of="wing", around="same")),
    ),
    outlook=("neutral", "falling_vol"),
    symbols=("SPY", "BRK.B"),
    entry=Entry(
        weekdays=("mon", "fri"),
        iv_rank=Range(0.3, None),
        vol_index=Range(None, 40),
        max_spread=0.1,
        min_open_interest=100,
        min_volume=10,
        earnings=EventWindow(before=7, through_expiry=True),
        ex_dividend=EventWindow(after=2, entry="only"),
        conditions=(Condition("skew", 0.01, 0.2), Condition("term_slope", None, 0.0)),
    ),
    exits=Exits(
        take_profit=Target(0.5, "credit"),
        stop=Target(1.0, "max_loss"),
        days_in_trade=30,
        dte=21,
        delta=0.3,
        roll=(Roll("delta", at=0.3, legs=("by_delta",), only_for_credit=True), Roll("tested")),
        after_assignment="covered_call",
    ),
    sizing=Sizing(capital_share=0.05, max_active=3),
    costs=Costs(commission=1.0, fill=(0.5, 0.6)),
)


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("full", [False, True])
def test_what_is_written_reads_as_the_same_document(form, full):
    for one in (EVERYTHING, *CATALOG.values()):
        again = read_document(write_document(one, form=form, full=full))
        assert again == one
        assert (again.sha256, hash(again)) == (one.sha256, hash(one))


def test_a_document_is_a_value_that_prints_as_its_literal():
    names = vars(bifrost_lib.strategies) | {name: globals()[name] for name in globals() if name[0].isupper()}
    assert eval(repr(EVERYTHING), dict(names)) == EVERYTHING  # noqa: S307 - our own literal
    with pytest.raises(Exception, match="frozen"):
        EVERYTHING.name = "other"


def test_the_hash_is_of_what_is_traded_and_not_of_how_it_is_described():
    plain = document()
    described = plain.with_(name="other", view="up", risk="none", aliases=("x",), outlook=("bullish",))
    assert described.sha256 == plain.sha256
    changed = [
        plain.with_(dte=DteRange(20, 44, 60)),
        plain.with_(exits=Exits(dte=21)),
        plain.with_(costs=Costs(commission=0.0)),
        plain.with_(legs=(PUT.with_(qty=-2),)),
        plain.with_(entry=Entry(weekdays=("mon",))),
    ]
    assert len({plain.sha256, *(one.sha256 for one in changed)}) == 6
    # Published once: a change of the canonical form would cut every strategy off from its stored history.
    assert plain.sha256 == "e358e5f243ef4c1955f69aaddeb6116a220d8612e6bcb711ee982f63753668c8"


def test_the_published_schema_is_that_of_the_model():
    path = Path(bifrost_lib.strategies.__file__).with_name("strategy.schema.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema == StrategyDocument.model_json_schema()
    assert "by" in schema["$defs"]["AtMoney"]["required"]


def mistakes():
    """What makes a wrong part, the field that is named, and the word that was meant."""
    return [
        (lambda: ByDelta(1.5), "target", None),
        (lambda: ByDelta(0), "target", None),
        (lambda: ByDelta(-0.16, -0.10, -0.05), "target", None),
        (lambda: PctOtm(0.05, 0.06, 0.10), "target", None),
        (lambda: AtMoney(within=-0.1), "within", None),
        (lambda: ByPremium(-1), "target", None),
        (lambda: AtStrike("400"), "target", None),
        (lambda: AtStrike(True), "target", None),
        (lambda: Offset("a"), "strikes", None),
        (lambda: Offset("a", strikes=1, width=5.0), "strikes", None),
        (lambda: Offset("a", width=0.0), "strikes", None),
        (lambda: Wing("short_put", target=0, furthest=0.05), "target", None),
        (lambda: Wing("short_put", target=-0.02, furthest=0.05), "furthest", None),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.01), "furthest", None),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.05, nearest=0.01), "nearest", None),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.05, nearest=-0.03), "nearest", None),
        (lambda: Mirror("a", "b", ratio=1.0, low=-1.0, high=2.0), "low", None),
        (lambda: Mirror("a", "b", ratio=3.0, low=1.0, high=2.0), "ratio", None),
        (lambda: Leg("leg", "X", 1, AtMoney()), "right", None),
        (lambda: Leg("leg", "C", 0, AtMoney()), "qty", None),
        (lambda: Leg("leg", "C", 1.5, AtMoney()), "qty", None),
        (lambda: Leg("leg", "C", 1), "rule", None),
        (lambda: Leg("stock", "S", 1, AtMoney()), "rule", None),
        (lambda: Leg("stock", "S", 1, expiry="far"), "expiry", None),
        (lambda: Leg("leg", "C", 1, AtMoney(), expiry="nera"), "expiry", "near"),
        (lambda: DteRange(30, 20, 60), "target", None),
        (Range, "low", None),
        (lambda: Range(2, 1), "low", None),
        (lambda: Condition("skw", 0, 1), "column", "skew"),
        (lambda: Entry(weekdays=("mon", "tu")), "weekdays[1]", "tue"),
        (lambda: Entry(weekdays=("mon", "mon")), "weekdays", None),
        (lambda: Entry(iv_rank=Range(30, 100)), "iv_rank.low", None),
        (EventWindow, "before", None),
        (lambda: Target(0), "share", None),
        (lambda: Target(0.5, "credits"), "of", "credit"),
        (lambda: Roll("dte"), "at", None),
        (lambda: Roll("tested", at=1), "at", None),
        (lambda: Roll("delta", at=30), "at", None),
        (lambda: Sizing(contracts=1, capital_share=0.1), "capital_share", None),
        (lambda: Costs(fill=()), "fill", None),
        (lambda: document(name="Iron Condor"), "name", None),
        (lambda: document(view="red \x1b[31m"), "view", None),
        (lambda: document(cash="credits"), "cash", "credit"),
        (lambda: document(outlook=("bulish",)), "outlook[0]", "bullish"),
        (lambda: document(symbols=("spy",)), "symbols[0]", None),
        (lambda: document(legs=()), "legs", None),
        (lambda: document(legs=(Leg("far_put", "P", 1, AtMoney(), expiry="far"),)), "legs", None),
        (lambda: document(legs=(PUT, PUT)), "legs[1].name", None),
        (lambda: document(legs=(Leg("call", "C", -1, SameAs("short_put")), PUT)), "legs[0].rule.of", None),
        (lambda: document(legs=(PUT, Leg("call", "C", -1, SameAs("short_pt")))), "legs[1].rule.of", "short_put"),
        (
            lambda: document(exits=Exits(roll=(Roll("tested", legs=("short_pt",)),))),
            "exits.roll[0].legs[0]",
            "short_put",
        ),
        (
            lambda: document(legs=[{"name": "a", "right": "P", "qty": 1, "rule": {"by": "dleta"}}]),
            "legs[0].rule.by",
            "delta",
        ),
        (lambda: document(legs=[option(rule={})]), "legs[0].rule.by", None),
        (lambda: document(legs=[option(rule=7)]), "legs[0].rule", None),
        (
            lambda: document(legs=[option(rule={"by": "delta", "targt": 1})]),
            "legs[0].rule",
            "target",
        ),
        (lambda: document(legs=[{"name": "a", "right": "P", "qy": 1}]), "legs[0]", "qty"),
        (lambda: document(exits={"take_profits": None}), "exits", "take_profit"),
        (lambda: document(schema_version=2), "schema_version", None),
        (lambda: document(schema_version=True), "schema_version", None),
    ]


@pytest.mark.parametrize(("make", "name", "nearest"), mistakes())
def test_a_mistake_names_its_field_and_the_nearest_word(make, name, nearest):
    with pytest.raises(DocumentError) as caught:
        make()
    assert (caught.value.name, caught.value.nearest) == (name, nearest)
    assert str(caught.value).startswith(f"{name}: got ")
    assert "pydantic" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_value_given_twice_is_refused():
    with pytest.raises(InputError) as caught:
        ByDelta(0.16, target=0.2)
    assert caught.value.name == "target"


GOOD = "name: a\nview: up\nlegs: [{name: a, right: P, qty: -1, rule: {by: at_money}}]\n"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("", "document", "a mapping"),
        ("- 1", "document", "a mapping"),
        ("a: [", "document", "YAML or JSON"),
        ("\tname: a", "document", "YAML or JSON"),
        ("name: \x00", "document", "YAML or JSON"),
        (GOOD + "name: b\n", "document", "each key once"),
        ('{"name": "a", "name": "b"}', "document", "each key once"),
        (GOOD + "risk: &x no\naliases: [*x]\n", "document", "no aliases"),
        (GOOD + "risk: !!python/object/apply:os.system [ls]\n", "document", "no tags"),
        (GOOD + "risk: !!binary aGk=\n", "document", "no tags"),
        (GOOD + "<<: {risk: no}\n", "document", "plain words as keys"),
        (GOOD + "? [a]\n: b\n", "document", "plain words as keys"),
        (GOOD + "risk: 2026-01-01\n", "document.risk", "quote dates"),
        (GOOD + "off: 1\n", "document", "words as keys"),
        (GOOD + "legz: 1\n", "document", "did you mean 'legs'"),
        (GOOD + f"risk: {'[' * 30}{']' * 30}\n", "document", "12 levels"),
        ("{" * 60_000, "document", "12 levels"),
        ("[" * 60_000, "document", "12 levels"),
        (f"risk: [{'1, ' * 20_000}]", "document", "5,000 values"),
        (" " * 70_000, "document", "65,536 bytes"),
        ("name: 1" + "0" * 5000, "document", "YAML or JSON"),
        (GOOD.replace("-1", ".nan"), "legs[0].qty", "a whole number"),
        (GOOD.replace("-1", "'-1'"), "legs[0].qty", "a whole number"),
        (GOOD.replace("-1", "-1.5"), "legs[0].qty", "a whole number"),
        (GOOD.replace("-1", "yes"), "legs[0].qty", "a whole number"),
        (GOOD.replace("by: at_money", "by: at_money, within: .inf"), "legs[0].rule.within", "a finite number"),
        ('{"name": "\\ud800", "view": "", "legs": []}', "name", "text"),
    ],
)  # fmt: skip
def test_text_that_is_no_document_is_refused_in_words(text, name, expected):
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    assert caught.value.name == name
    assert expected in str(caught.value)
    str(caught.value).encode("utf-8")


def test_a_name_an_alias_or_a_file_is_resolved(tmp_path):
    assert resolve_strategy("Iron Condor") is CATALOG["iron_condor"] is resolve_strategy("short_iron_condor")
    file = tmp_path / "mine.yaml"
    file.write_text(write_document(EVERYTHING), encoding="utf-8")
    assert resolve_strategy(str(file)) == EVERYTHING
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="UTF-8"):
        resolve_strategy(str(file))
    with pytest.raises(FileFormatError):
        resolve_strategy(str(tmp_path) + "/")
    with pytest.raises(FileFormatError, match="No such file"):
        resolve_strategy("none.yaml")
    with pytest.raises(UnknownNameError) as caught:
        resolve_strategy("iron_condr")
    assert caught.value.nearest == "iron_condor"


def test_fills_give_away_less_of_each_spread_the_more_legs_an_order_has():
    # ORATS's assumption: 75, 66, 56 and 53 % of the spread for one to four legs.
    assert [Costs().fill_of(legs) for legs in (1, 2, 3, 4, 8)] == [0.75, 0.66, 0.56, 0.53, 0.53]


def test_ranges_hold_their_ends_and_nothing_that_is_unknown():
    assert Range(1, 2).holds(1) and Range(1, 2).holds(2) and not Range(1, None).holds(0.9)
    assert not Range(1, None).holds(float("nan")) and not Range(None, 1).holds(float("nan"))


def test_a_document_reads_aloud():
    words = describe_document(EVERYTHING)
    assert words["exit"].startswith("take profit at 50% of the credit; stop at a loss of 100% of the max loss")
    assert "skew from 0.01 to 0.2" in words["entry"] and "term slope up to 0" in words["entry"]
    assert [leg_words(leg) for leg in EVERYTHING.legs][:3] == [
        "buy 1 contract's worth of stock",
        "sell 1 put, delta -0.16 (-0.32 to -0.08)",
        "buy 1 put, 10.0% out of the money (5.0% to 20.0%)",
    ]
    assert all(leg_words(leg) for leg in EVERYTHING.legs)
