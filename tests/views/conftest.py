"""One hand-made scan: an iron condor and a long call on a small chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError

AS_OF = datetime(2026, 9, 30, 20, tzinfo=UTC)
EXPIRY = "2026-10-30"


@dataclass
class FakeCandidates:
    """What the page needs of ranked candidates."""

    rows: list[dict[str, Any]]
    considered: int = 1234

    def records(self) -> list[dict[str, Any]]:
        return self.rows


@dataclass
class FakeScan:
    """What the page needs of a scan."""

    symbol: str
    chain: pd.DataFrame
    candidates: FakeCandidates
    at: datetime = AS_OF
    as_of: datetime = AS_OF
    source: str = "simulated"
    spot: float = 500.0


@dataclass
class FakeProfile:
    """A payoff profile."""

    frame: pd.DataFrame
    band: tuple[float, float] | None = (480.0, 521.0)


def leg(right: str, qty: int, strike: float, price: float) -> dict[str, Any]:
    return {"right": right, "qty": qty, "strike": strike, "expiry": EXPIRY, "price": price}


def condor(rank: int = 1, score: float = 71.5) -> dict[str, Any]:
    """480/475 put and 520/525 call sold and bought for a credit of 2.00: breakevens 478 and 522."""
    return {
        "rank": rank, "score": score, "dte": 30, "premium": 200.0, "max_profit": 200.0, "max_profit_unbounded": False,
        "max_loss": 300.0, "max_loss_unbounded": False, "breakevens": [478.0, 522.0], "pop": 0.685, "ev": -4.0,
        "return_on_risk": 2 / 3, "margin": 300.0, "delta": 1.5, "gamma": -0.2, "theta": 1825.0, "vega": -4200.0,
        "slippage_cost": 12.0,
        "multiplier": 100.0, "score_parts": {"pop": 30.0, "liquidity": 41.5}, "why": "likely, and easy to trade",
        "legs": [leg("C", 1, 525.0, 0.4), leg("P", -1, 480.0, 1.4), leg("P", 1, 475.0, 0.5), leg("C", -1, 520.0, 1.5)],
    }  # fmt: skip


def long_call(rank: int = 2, score: float = 44.0) -> dict[str, Any]:
    """A 505 call bought for 6.10: the profit is unbounded, and the margin unknown."""
    return condor(rank, score) | {
        "premium": -610.0, "max_profit": None, "max_profit_unbounded": True, "max_loss": 610.0, "breakevens": [511.1],
        "return_on_risk": None, "margin": None, "legs": [leg("C", 1, 505.0, 6.1)], "why": "",
    }  # fmt: skip


@pytest.fixture
def records() -> list[dict[str, Any]]:
    return [condor(), long_call()]


@pytest.fixture
def chain() -> pd.DataFrame:
    strikes = np.arange(450.0, 555.0, 5.0)
    blocks = []
    for expiry, dte in ((EXPIRY, 30), ("2026-11-20", 51)):
        for right in ("C", "P"):
            block = pd.DataFrame({"strike": strikes}).assign(
                symbol="SIM", expiry=np.datetime64(expiry, "s"), right=right, dte=dte, spot=500.0, quality="ok",
                bid=2.0, ask=2.1, mid=2.05, delta=0.3, volume=1500.0, open_interest=20.0,
            )  # fmt: skip
            blocks.append(block.assign(iv=0.15 + 2e-5 * (strikes - 500) ** 2))
    frame = pd.concat(blocks, ignore_index=True)
    worst = (frame["strike"] == 450.0) & (frame["right"] == "P")
    frame.loc[worst, "iv"] = np.nan
    frame.loc[worst, "quality"] = "one_sided"
    return frame


@pytest.fixture
def profile() -> FakeProfile:
    spot = np.array([450.0, 475.0, 478.0, 480.0, 500.0, 520.0, 522.0, 525.0, 550.0])
    pnl = np.array([-300.0, -300.0, 0.0, 200.0, 200.0, 200.0, 0.0, -300.0, -300.0])
    return FakeProfile(pd.DataFrame({"spot": spot, "pnl_at_expiry": pnl, "pnl_now": pnl / 2}))


@dataclass
class FakeDesk:
    """Answers scans from memory and remembers what was asked."""

    chain: pd.DataFrame
    drawn: FakeProfile
    answers: dict[str, Any]
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def scan(self, symbol: str, strategy: str, **options: Any) -> FakeScan:
        self.asked.append((symbol, strategy, options))
        answer = self.answers[strategy]
        if isinstance(answer, Exception):
            raise answer
        return FakeScan(symbol, self.chain, FakeCandidates(answer))

    def profile(self, _found: Any, rank: int) -> FakeProfile:
        if rank == 2:
            raise InputError("rank", rank, "a candidate that can be drawn")
        return self.drawn


@pytest.fixture
def desk(chain: pd.DataFrame, profile: FakeProfile, records: list[dict[str, Any]]) -> FakeDesk:
    return FakeDesk(chain, profile, {"iron_condor": records, "long_call": [long_call(1, 44.0)], "nothing": []})


@pytest.fixture
def symbols() -> pd.DataFrame:
    first, last = pd.Timestamp("2026-09-25T20:00Z"), pd.Timestamp(AS_OF)
    return pd.DataFrame({"symbol": ["SIM", "SIMX"], "source": "simulated", "first_ts": first, "last_ts": last})
