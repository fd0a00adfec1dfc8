"""Results are written where the caller wants them, by every function of prices, greeks and volatilities."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import (
    american_dividend_greeks,
    american_dividend_implied_vol,
    american_dividend_price,
    american_exercise_boundary,
    american_greeks,
    american_implied_vol,
    american_premium,
    american_price,
    black_76_greeks,
    black_76_implied_vol,
    black_76_price,
    implied_vol,
    price,
)

STRIKES = np.arange(90.0, 111.0)
SHARE = {"spot": 100.0, "strike": STRIKES, "tau": 0.5, "right": "P", "rate": 0.05}
PAYER = SHARE | {"dividend_taus": [0.2], "dividends": [1.0], "accuracy": "fast"}
BOUNDARY = {name: value for name, value in SHARE.items() if name != "spot"}
FORWARD = {"forward": 100.0} | BOUNDARY
QUOTED = {"price": 15.0}
VOL = {"vol": 0.2}
ONE_RESULT = [
    (price, SHARE | VOL), (implied_vol, SHARE | QUOTED), (black_76_price, FORWARD | VOL),
    (black_76_implied_vol, FORWARD | QUOTED), (american_price, SHARE | VOL), (american_premium, SHARE | VOL),
    (american_implied_vol, SHARE | QUOTED), (american_exercise_boundary, BOUNDARY | VOL),
    (american_dividend_price, PAYER | VOL), (american_dividend_implied_vol, PAYER | QUOTED),
]  # fmt: skip
SEVERAL_RESULTS = [
    (black_76_greeks, FORWARD | VOL | {"names": ("rho", "delta")}), (american_greeks, SHARE | VOL),
    (american_dividend_greeks, PAYER | VOL),
]  # fmt: skip
NO_PLACE = [np.zeros(20), np.zeros(21, dtype=np.float32), np.zeros(42)[::2], [0.0] * 21]


@pytest.mark.parametrize(("function", "terms"), ONE_RESULT)
def test_a_result_is_written_where_the_caller_wants_it(function, terms):
    place = np.full(21, -1.0)
    found = function(**terms, out=place)
    assert np.shares_memory(found, place)
    np.testing.assert_array_equal(place, function(**terms))
    for wrong in NO_PLACE:
        with pytest.raises(InputError) as caught:
            function(**terms, out=wrong)
        assert caught.value.name == "out"


@pytest.mark.parametrize(("function", "terms"), ONE_RESULT)
def test_a_result_never_lands_on_an_argument_that_is_still_read(function, terms):
    memory = np.append(STRIKES, 0.0)
    for place in (memory[:-1], memory[1:]):
        with pytest.raises(InputError) as caught:
            function(**terms | {"strike": memory[:-1]}, out=place)
        assert caught.value.name == "out"
    np.testing.assert_array_equal(memory[:-1], STRIKES)


@pytest.mark.parametrize(("function", "terms"), SEVERAL_RESULTS)
def test_several_results_are_written_by_name_or_in_rows(function, terms):
    expected = function(**terms)
    rows = np.full((len(expected), 21), -1.0)
    named = {name: np.full(21, -1.0) for name in expected}
    found = function(**terms, out=rows)
    function(**terms, out=named)
    for name, row in zip(expected, rows, strict=True):
        assert np.shares_memory(found[name], row)
        np.testing.assert_array_equal(row, expected[name], err_msg=name)
        np.testing.assert_array_equal(named[name], expected[name], err_msg=name)
    for wrong in (rows[:-1], rows.astype(np.float32), named | {name: NO_PLACE[0]}, {"delta": np.zeros(21)}):
        with pytest.raises(InputError) as caught:
            function(**terms, out=wrong)
        assert caught.value.name == "out"
