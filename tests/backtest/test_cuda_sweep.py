"""A sweep on a GPU finds what the processor finds; without one, the compiler's simulator runs it thread by thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bifrost_lib.backtest import gpu_sweep_chunk
from bifrost_lib.core.cuda import has_gpu
from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.strategies import strategy_named

#: One expiry, two of them, shares, naked legs, several trades at once, rolls, splits and dividends.
SETS = """
import json
import numpy as np
from bifrost_lib.backtest import sweep_chunk
from bifrost_lib.backtest import gpu_sweep_chunk
from bifrost_lib.strategies import Exits, Roll, Sizing, Target, strategy_named
from tests.backtest.written_markets import actions, cube

expiries = {"2024-02-16": 1.0, "2024-03-15": 1.5, "2024-04-19": 2.0}
def quotes(spot, strikes):
    found = {}
    for expiry, time_value in expiries.items():
        for strike in strikes:
            for right, sign in (("C", 1.0), ("P", -1.0)):
                worth = max(sign * (spot - strike), 0.0) + time_value / (1.0 + 0.2 * abs(spot - strike))
                found[f"{expiry} {strike}{right}"] = (round(0.98 * worth, 2), round(1.02 * worth + 0.01, 2))
    return found

spots = [100, 102, 99, 97, 101, 104, 106, 103, 100, 96, 94]
days = [f"2024-01-{day}" for day in (16, 17, 18, 19, 22, 23, 24, 25, 26, 29, 30)]
market = cube({day: (float(spot), quotes(spot, range(80, 121, 2))) for day, spot in zip(days, spots)},
              actions=actions(("2024-01-22", "dividend", 2.0), ("2024-01-25", "split", 1.0)))
condor = strategy_named("iron_condor")
documents = [strategy_named(name) for name in ("covered_call", "call_calendar", "short_strangle", "put_ratio_spread")]
documents += [condor, condor.with_(sizing=Sizing(capital_share=0.1, max_active=3),
                                   exits=Exits(roll=(Roll("dte", 40.0),), take_profit=Target(0.3)))]
ours, theirs = sweep_chunk(documents, market), gpu_sweep_chunk(documents, market)
assert ours.keys() == theirs.keys()
for name, values in ours.items():
    np.testing.assert_allclose(theirs[name], values, rtol=1e-9, atol=1e-9, err_msg=name)
print(json.dumps({name: ours[name].tolist() for name in ("trades", "pnl")}))
"""


@pytest.mark.slow
def test_every_set_is_the_processors():
    # Kernels that take arrays run as they are written: the simulator's arrays are not the compiler's.
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SETS], env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert min(found["trades"]) > 0
    assert len(set(found["pnl"])) > 4


def test_a_machine_without_a_gpu_says_so():
    if has_gpu():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EnvironmentProblem):
        gpu_sweep_chunk([strategy_named("iron_condor")], {})
