"""No cold start: what a new process pays once the machine code is on disk."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.core.native import loop

FIRST_CALLS = """
import json, sys, time
import numpy as np
started = time.perf_counter()
import bifrost_lib.pricing as pricing
imported = time.perf_counter()
pricing.price(spot=100.0, strike=100.0, tau=0.5, vol=0.2, right="C")
called = time.perf_counter()
pricing.greeks(spot=100.0, strike=100.0, tau=0.5, vol=0.2, right="C")
pricing.implied_vol(price=5.0, spot=100.0, strike=100.0, tau=0.5, right="C")
print(json.dumps({
    "import": imported - started,
    "first_call": called - imported,
    "heavy": [name for name in ("numba", "scipy", "pandas") if name in sys.modules],
}))
"""


def _fresh_process():
    done = subprocess.run([sys.executable, "-c", FIRST_CALLS], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def test_a_new_process_neither_compiles_nor_imports_the_compiler():
    _fresh_process()  # fills the cache where nothing did before
    runs = [_fresh_process() for _ in range(3)]
    assert all(run["heavy"] == [] for run in runs)
    assert min(run["import"] for run in runs) < 0.3
    assert min(run["first_call"] for run in runs) < 0.5  # 0.1 s on an idle machine


def test_a_loop_refuses_arrays_that_it_would_misread():
    one_expiry = loop("bifrost_lib.pricing.parity_loops", "one_expiry")
    good = np.ones(3)
    with pytest.raises(TypeError, match="float64"):
        one_expiry(good.astype(np.float32), good, good, good, good, 0.5, 0, 0.02, 0.03, np.empty(7), np.empty((6, 131)))
    with pytest.raises(TypeError, match="contiguous"):
        one_expiry(np.ones(6)[::2], good, good, good, good, 0.5, 0, 0.02, 0.03, np.empty(7), np.empty((6, 131)))


def test_machine_code_is_kept_by_everything_it_was_made_from(tmp_path):
    folder = tmp_path / "kernels.py"
    folder.write_text("from bifrost_lib.pricing.normal_form import density\n")
    before = sources_digest(folder)
    sources_digest.cache_clear()
    assert sources_digest(folder) == before
    folder.write_text("from bifrost_lib.pricing.total_vol import solve_total_vol\n")
    sources_digest.cache_clear()
    assert sources_digest(folder) != before
