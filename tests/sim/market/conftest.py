"""A synthetic market whose clock stands in the middle of a session."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.sim import SyntheticMarket

#: A Wednesday, one o'clock in New York.
NOON = datetime(2026, 11, 18, 18, 0, 7, tzinfo=UTC)


@pytest.fixture(scope="session")
def market() -> SyntheticMarket:
    return SyntheticMarket(SteppedClock(NOON))
