"""A market's machine code is compiled beforehand, so that one starts in a second and without the compiler."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost_lib import sim
from bifrost_lib.sim.market import warm

FIRST_QUOTES = """
import math, sys
from datetime import UTC, datetime
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.sim import SyntheticMarket
market = SyntheticMarket(SteppedClock(datetime(2026, 11, 18, 18, 0, 7, tzinfo=UTC)))
under = next(one for one in market.instruments.underlyings() if one.symbol == "SPY")
options = list(market.instruments.options("SPY"))[:2]
board = market.quotes([under.con_id, *(option.con_id for option in options)])
assert board.values["bid"].size == 3 and math.isfinite(board.values["bid"][0])
print("numba" in sys.modules)
"""


def test_a_market_shows_its_first_quotes_without_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_QUOTES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_warming_up_knows_every_loop_of_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [path.read_text() for path in Path(warm.__file__).parent.glob("*.py")]
    called = {pair for source in sources for pair in re.findall(r'= loop\("([\w.]+)", "(\w+)"\)', source)}
    compiled: list[tuple[str, str]] = []
    monkeypatch.setattr(warm, "compile_loops", compiled.extend)
    sim.warm_up()
    assert called == set(compiled)
