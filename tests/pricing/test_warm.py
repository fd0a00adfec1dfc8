"""No cold start: what a new process pays once the machine code is on disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.core.native import loop
from bifrost_lib.pricing import warm

FIRST_CALLS = """
import json, sys, time
import numpy as np
started = time.process_time()
import bifrost_lib.pricing as pricing
imported = time.process_time()
pricing.price(spot=100.0, strike=100.0, tau=0.5, vol=0.2, right="C")
called = time.process_time()
pricing.greeks(spot=100.0, strike=100.0, tau=0.5, vol=0.2, right="C")
pricing.implied_vol(price=5.0, spot=100.0, strike=100.0, tau=0.5, right="C")
print(json.dumps({
    "import": imported - started,
    "first_call": called - imported,
    "heavy": [name for name in ("numba", "scipy", "pandas") if name in sys.modules],
}))
"""

AMERICAN_FIRST_CALLS = """
import json, sys, time
import numpy as np
started = time.process_time()
from bifrost_lib.pricing import american_dividend_price, american_exercise_boundary, american_greeks
from bifrost_lib.pricing import american_implied_vol, american_premium, american_price
option = dict(strike=100.0, tau=0.5, right="P", rate=0.03, div_yield=0.01)
american_price(spot=95.0, vol=0.2, **option)
called = time.process_time()
american_price(spot=95.0, vol=0.2, **option | dict(rate=-0.02, div_yield=-0.04))  # two exercise boundaries
american_premium(spot=95.0, vol=0.2, **option)
american_greeks(spot=95.0, vol=0.2, **option)
american_implied_vol(spot=95.0, price=8.0, **option)
american_exercise_boundary(vol=0.2, **option)
american_dividend_price(spot=95.0, vol=0.2, dividend_taus=[0.2], dividends=[1.0], **option)
print(json.dumps({
    "first_call": called - started,
    "heavy": [name for name in ("numba", "scipy", "pandas") if name in sys.modules],
}))
"""

CALLED = r'= loop\(("[\w.]+"|_\w+), "(\w+)"\)'


def _fresh_process(program=FIRST_CALLS):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def test_a_new_process_neither_compiles_nor_imports_the_compiler():
    _fresh_process()  # fills the cache where nothing did before
    runs = [_fresh_process() for _ in range(3)]
    assert all(run["heavy"] == [] for run in runs)
    assert min(run["import"] for run in runs) < 0.3
    assert min(run["first_call"] for run in runs) < 0.3  # 0.1 s of processor time on an idle machine


def test_american_exercise_needs_no_compiler_either():
    _fresh_process(AMERICAN_FIRST_CALLS)
    runs = [_fresh_process(AMERICAN_FIRST_CALLS) for _ in range(3)]
    assert all(run["heavy"] == [] for run in runs)
    assert min(run["first_call"] for run in runs) < 0.3  # 0.1 s of processor time on an idle machine


def _called(source: str) -> set[tuple[str, str]]:
    named = dict(re.findall(r'^(_\w+) = "(bifrost_lib[\w.]+)"', source, flags=re.MULTILINE))
    return {(named.get(module, module.strip('"')), name) for module, name in re.findall(CALLED, source)}


def test_warming_up_knows_every_loop_of_pricing(monkeypatch):
    sources = [path.read_text() for path in Path(warm.__file__).parent.glob("*.py")]
    compiled = []
    monkeypatch.setattr(warm, "compile_loops", compiled.extend)
    warm.warm_up()
    assert set().union(*map(_called, sources)) == set(compiled)


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
