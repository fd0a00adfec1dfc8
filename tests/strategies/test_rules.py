"""Strike rules on a made-up chain: which strikes each admits."""

from __future__ import annotations

import pytest

from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies import (
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    DteRange,
    Leg,
    Offset,
    SamePremium,
    StrategyDocument,
    example_legs,
    find_candidates,
)

ALL = 10**6


def found(chain, *legs, **changes):
    """Strikes and prices of all candidates, in the order of the legs."""
    document = StrategyDocument("mine", "any", legs, **{"dte": DteRange(37, 37, 37), **changes})
    records = find_candidates(chain, document, top=ALL).records()
    return [[(leg["strike"], leg["price"]) for leg in record["legs"]] for record in records]


def strikes(chain, *legs, **changes):
    return sorted({tuple(strike for strike, _ in legs) for legs in found(chain, *legs, **changes)})


def test_absolute_strikes(chain):
    assert strikes(chain, Leg("put", "P", -1, AtStrike(190.0))) == [(190.0,)]
    assert strikes(chain, Leg("put", "P", -1, AtStrike(190.0, 186.0, 195.0))) == [
        (187.5,),
        (190.0,),
        (192.5,),
        (195.0,),
    ]
    with pytest.raises(NoDataError, match="no quote is admissible for put"):
        strikes(chain, Leg("put", "P", -1, AtStrike(191.0)))


def test_premiums(chain):
    quotes = chain[(chain["dte"] == 37) & (chain["right"] == "P") & (chain["quality"] == "ok")]
    expected = quotes.loc[quotes["mid"].between(1.0, 3.0), "strike"]
    assert strikes(chain, Leg("put", "P", -1, ByPremium(2.0))) == [(strike,) for strike in expected]


@pytest.mark.parametrize(("offset", "expected"), [
    (Offset("put", strikes=-1), 187.5), (Offset("put", strikes=2), 195.0),
    (Offset("put", width=-10.0), 180.0), (Offset("put", width=2.5), 192.5),
])  # fmt: skip
def test_offsets_in_strikes_and_in_currency(chain, offset, expected):
    legs = (Leg("put", "P", -1, AtStrike(190.0)), Leg("other", "P", +1, offset))
    assert strikes(chain, *legs) == [(190.0, expected)]


def test_an_offset_beyond_the_chain_has_no_candidates(chain):
    for offset in (Offset("put", strikes=-200), Offset("put", strikes=200), Offset("put", width=-1.0)):
        with pytest.raises(NoDataError, match="no quote is admissible for other"):
            strikes(chain, Leg("put", "P", -1, AtStrike(190.0)), Leg("other", "P", +1, offset))


@pytest.mark.parametrize("right", ["C", "P"])
def test_the_same_premium_as_another_leg(chain, right):
    legs = (Leg("put", "P", +1, ByDelta(-0.25)), Leg("other", right, -1, SamePremium("put", ratio=0.5, within=0.2)))
    pairs = [[price for _, price in legs] for legs in found(chain, *legs)]
    assert pairs and all(0.4 * first - 1e-9 <= second <= 0.6 * first + 1e-9 for first, second in pairs)
    quotes = chain[(chain["dte"] == 37) & (chain["quality"] == "ok")].set_index("right")
    puts = quotes.loc["P"]
    expected = sum(
        quotes.loc[right, "mid"].between(0.4 * mid, 0.6 * mid).sum()
        for mid, delta in zip(puts["mid"], puts["delta"], strict=True)
        if -0.5 <= delta <= -0.125
    )
    assert len(pairs) == expected


def test_a_leg_may_narrow_the_days_to_its_expiry(chain):
    legs = (
        Leg("near", "C", -1, AtMoney(0.0)),
        Leg("late", "C", +1, AtMoney(0.0), expiry="far", dte=DteRange(60, 90, 99)),
    )
    document = StrategyDocument("mine", "any", legs, dte=DteRange(20, 30, 40), gap=DteRange(1, 30, 90))
    found = find_candidates(chain, document, top=ALL)
    assert {record["legs"][1]["expiry"] for record in found.records()} == {"2026-10-16", "2026-11-13"}
    assert any("late wants 60 to 99 days to expiry" in reason for reason in found.skipped.values())


def test_an_example_has_each_rule_at_its_target():
    legs = (
        Leg("at_money", "C", -1, AtMoney()),
        Leg("by_delta", "P", -1, ByDelta(-0.16)),
        Leg("by_premium", "C", +1, ByPremium(1.5)),
        Leg("same_premium", "P", +1, SamePremium("by_premium")),
        Leg("offset", "P", +1, Offset("by_delta", strikes=-2)),
    )
    document = StrategyDocument("mine", "any", legs, dte=DteRange(30, 73, 90))
    found = example_legs(document, spot=100.0, vol=0.2, step=0.01)
    # S = K = 100, vol 20 %, a fifth of a year: delta -0.16 lies 0.9945 deviations down, with half a variance up.
    assert [leg["strike"] for leg in found[:2]] == [100.0, 91.86]
    assert found[4]["strike"] == pytest.approx(91.84)
    assert {leg["tau"] for leg in found} == {0.2}
