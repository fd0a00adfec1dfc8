"""The wall of payoff pictures: one card each, in order, with what is not known left out."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.views import payoff_gallery


def profile(name, expiry, now=(0.0, 0.0, 0.0)):
    return pd.DataFrame({"name": name, "spot": [90.0, 100.0, 110.0], "pnl_at_expiry": expiry, "pnl_now": now})


def test_cards_stand_in_order_with_escaped_texts():
    frame = pd.concat([profile("short_put", [-5.0, 1.0, 1.0]), profile("a<b", [0.0, 0.0, 0.0])])
    html = payoff_gallery(
        frame, spot=100.0, legs={"short_put": "-1P"}, views={"short_put": "up & away"}, theme="dark"
    ).body
    assert html.count("role='listitem'") == 2
    assert html.index("short put") < html.index("a&lt;b") and "<b " not in html
    assert "-1P" in html and "up &amp; away" in html


def test_what_is_not_known_breaks_the_line_and_a_flat_payoff_lies_on_zero():
    html = payoff_gallery(
        profile("box", [1e-13, 0.0, -1e-13], now=(0.0, math.nan, 0.0)), spot=100.0, legs={}, views={}
    ).body  # fmt: skip
    assert "nan" not in html
    assert "M6.0,46.0L100.0,46.0L194.0,46.0" in html
    broken = payoff_gallery(
        profile("put", [-5.0, 1.0, 1.0], now=(0.0, math.nan, 0.0)), spot=100.0, legs={}, views={}
    ).body  # fmt: skip
    assert "nan" not in broken and broken.count("M194.0,") == 1


def test_a_missing_column_is_named():
    with pytest.raises(InputError) as caught:
        payoff_gallery(profile("put", [0.0, 0.0, 0.0]).drop(columns="pnl_now"), spot=100.0, legs={}, views={})
    assert caught.value.name == "profiles.pnl_now"
