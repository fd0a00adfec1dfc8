"""What IB's codes mean."""

from __future__ import annotations

import pytest

from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib.errors import (
    VERDICTS,
    Category,
    Concern,
    GatewayRefusal,
    cancellation_is_confirmed,
    classify,
    farm_of,
    new_port_of,
)
from bifrost_lib.ib.trading import ReadOnlyError, require_trading

KNOWN = {
    200: (Category.NO_SECURITY, False, "no_security"),
    354: (Category.NOT_SUBSCRIBED, True, "not_subscribed"),
    10089: (Category.NOT_SUBSCRIBED, True, "not_subscribed"),
    10090: (Category.NOT_SUBSCRIBED, True, "not_subscribed"),
    10091: (Category.NOT_SUBSCRIBED, True, "not_subscribed"),
    10168: (Category.NOT_SUBSCRIBED, True, "not_subscribed"),
    10167: (Category.NOTICE, False, ""),
    10197: (Category.COMPETING_SESSION, True, "competing_session"),
    101: (Category.LINE_REFUSED, True, "line_refused"),
    100: (Category.RATE_REFUSED, True, "rate_refused"),
    1100: (Category.SERVER_LOST, True, "disconnected"),
    2103: (Category.FARM_BROKEN, True, "farm_down"),
    2169: (Category.NOTICE, False, ""),
    321: (Category.INVALID, False, "invalid_request"),
}


@pytest.mark.parametrize("code", KNOWN)
def test_verdicts(code):
    verdict = classify(code)
    assert (verdict.category, verdict.retry, verdict.reason) == KNOWN[code]


def test_every_refusal_has_a_word_for_the_missing_quote():
    for code, verdict in VERDICTS.items():
        if verdict.concern is Concern.REQUEST and verdict.category is not Category.NOTICE:
            assert verdict.reason, code


def test_an_unknown_code_keeps_its_number():
    assert classify(9999).reason == "error_9999"


def test_162_is_pacing_only_when_it_says_so():
    pacing = "Historical Market Data Service error message:Historical data request pacing violation"
    assert classify(162, pacing).category is Category.HISTORY_PACING
    assert classify(162, pacing).retry
    assert classify(162, "HMDS query returned no data").category is Category.HISTORY
    assert classify(162, "API historical data query cancelled").category is Category.CANCELLED


@pytest.mark.parametrize("code", [10349, 321, 105, 329])
def test_a_local_cancellation_after_these_codes_is_not_believed(code):
    """Both client libraries call the order Cancelled, IB works on it; it was seen to fill afterwards."""
    assert not cancellation_is_confirmed(code)


@pytest.mark.parametrize("code", [201, 202, 203])
def test_a_real_end_is_believed(code):
    assert cancellation_is_confirmed(code)


def test_the_refusal_carries_its_facts():
    error = GatewayRefusal("bars of SPY", 200, "No security definition has been found for the request")
    assert (error.code, error.verdict.category) == (200, Category.NO_SECURITY)
    assert "bars of SPY" in str(error) and "200" in str(error)


def test_farm_of():
    assert farm_of("Market data farm connection is OK:usfarm.nj") == "usfarm.nj"
    assert farm_of("Market data farm connection is OK") == ""


def test_the_port_that_1300_names():
    text = "TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port -"
    assert new_port_of(f"{text} 7499") == 7499
    assert new_port_of(f"{text} 7499.") == 7499
    assert new_port_of(text) is None


def test_orders_are_refused_unless_trading_is_switched_on(tmp_path):
    home = {"BIFROST_HOME": str(tmp_path)}
    with pytest.raises(ReadOnlyError) as error:
        require_trading(load_settings(home), "order for 1 SPY")
    assert error.value.what == "order for 1 SPY" and "BIFROST_IB_READ_ONLY" in str(error.value)
    require_trading(load_settings(home | {"BIFROST_IB_READ_ONLY": "false"}))
