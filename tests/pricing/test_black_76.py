"""Options on futures and forwards, by name."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import black_76_greeks, black_76_implied_vol, black_76_price

FUTURE = {"strike": 19.0, "tau": 0.75, "rate": 0.10}


def test_the_published_price():
    """Haug (2007), section 1.1.5: option on a Brent futures, F = X = 19, T = 0.75, r = 0.10, vol = 0.28."""
    found = [float(black_76_price(forward=19.0, vol=0.28, right=right, **FUTURE)) for right in "CP"]
    assert found == pytest.approx([1.7011, 1.7011], abs=5e-5)


def test_greeks_are_the_slopes_of_the_price():
    at = {"forward": 20.0, "vol": 0.3, "right": "P", **FUTURE}
    found = black_76_greeks(**at)

    def slope(name, step):
        up, down = ({**at, name: at[name] + sign * step} for sign in (1, -1))
        return (black_76_price(**up) - black_76_price(**down)) / (2 * step)

    assert found["delta"] == pytest.approx(slope("forward", 1e-4), rel=1e-7)
    assert found["vega"] == pytest.approx(slope("vol", 1e-5), rel=1e-7)
    assert found["theta"] == pytest.approx(-slope("tau", 1e-5), rel=1e-7)
    assert found["rho"] == pytest.approx(slope("rate", 1e-5), rel=1e-7)
    assert list(black_76_greeks(**at, names=["rho"])) == ["rho"]


def test_the_volatility_comes_back_and_errors_name_the_forward():
    value = black_76_price(forward=[18.0, 20.0], vol=0.28, right="C", **FUTURE)
    np.testing.assert_allclose(black_76_implied_vol(price=value, forward=[18.0, 20.0], right="C", **FUTURE), 0.28)
    for call in (
        lambda: black_76_price(forward=-1.0, vol=0.2, right="C", **FUTURE),
        lambda: black_76_greeks(forward=-1.0, vol=0.2, right="C", **FUTURE),
        lambda: black_76_implied_vol(price=1.0, forward=-1.0, right="C", **FUTURE),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.name == "forward"
