"""American options on a GPU: the processor's edges and refusals; without one, the compiler's simulator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bifrost_lib.core.cuda import has_gpu
from bifrost_lib.core.errors import EnvironmentProblem, InputError, UnknownNameError
from bifrost_lib.pricing import gpu_american_greeks, gpu_american_implied_vol, gpu_american_price

ONE = {"spot": 100.0, "strike": 100.0, "tau": 0.5, "right": "P", "rate": 0.04}

#: Unknown, expired, still, exercised now, never exercised, usual, hard, and exercised between two boundaries.
EDGES = """
import json
import numpy as np
from bifrost_lib import pricing as p

nan = np.nan
terms = {
    "spot": [nan, 90.0, 90.0, 50.0, 95.0, 95.0, 95.0, 97.0, 103.0],
    "strike": 100.0,
    "tau": [0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 2.0, 0.5, 0.5],
    "right": np.array(list("PPPPCPPPC")),
    "rate": [0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, -0.01, -0.02],
    "div_yield": [0.0, 0.0, 0.0, 0.0, 0.0, 0.01, 0.02, -0.02, -0.01],
    "accuracy": "fast",
}
vol = [0.2, 0.2, 0.0, 0.2, 0.2, 0.2, 1.2, 0.1, 0.6]
ours, theirs = p.american_price(**terms, vol=vol), p.gpu_american_price(**terms, vol=vol)
np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=0.0)
slopes, there = p.american_greeks(**terms, vol=vol), p.gpu_american_greeks(**terms, vol=vol)
for name in slopes:
    loose = name in ("vega", "rho")  # differences of prices over a small step
    np.testing.assert_allclose(there[name], slopes[name], rtol=1e-12, atol=1e-8 if loose else 1e-12, err_msg=name)
asked = {**terms, "price": ours, "return_status": True}
(iv, status), (found, reason) = p.american_implied_vol(**asked), p.gpu_american_implied_vol(**asked)
np.testing.assert_array_equal(reason, status)
np.testing.assert_allclose(found, iv, rtol=1e-12)
none = p.gpu_american_price(spot=np.empty((0, 3)), strike=1.0, tau=1.0, vol=0.2, right="C")
alone = p.gpu_american_price(spot=36.0, strike=40.0, tau=1.0, vol=0.2, right="P", rate=0.06)
print(json.dumps({"shape": none.shape, "alone": float(alone), "dimensions": np.ndim(alone), "prices": ours.tolist()}))
"""


@pytest.mark.slow
def test_the_edges_are_the_processors():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-c", EDGES], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["shape"] == [0, 3]
    assert found["dimensions"] == 0
    assert round(found["alone"], 4) == 4.4867
    assert np.isnan(found["prices"][0])
    assert found["prices"][3] == pytest.approx(50.0, rel=1e-14)


def test_a_machine_without_a_gpu_says_so_even_where_nothing_is_left_to_solve():
    if has_gpu():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EnvironmentProblem):
        gpu_american_price(**ONE, vol=0.2)
    with pytest.raises(EnvironmentProblem):
        gpu_american_greeks(**ONE, vol=0.2)
    with pytest.raises(EnvironmentProblem):
        gpu_american_implied_vol(**ONE, price=np.nan)


def test_refusals_are_the_processors():
    with pytest.raises(InputError) as refused:
        gpu_american_price(**{**ONE, "spot": -1.0}, vol=0.2)
    assert refused.value.name == "spot"
    with pytest.raises(UnknownNameError):
        gpu_american_greeks(**ONE, vol=0.2, accuracy="perfect")
