"""What a partial chain tells: ratios over all contracts are left out where much of what was open is missing."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.analytics import MarketConditions
from bifrost_lib.workflows.collection.coverage import coverage, without_partial_ratios

NAMES = ("spot", "iv", "iv_rank", "iv_percentile", "realized_vol", "skew", "term_slope", "vol_index")


def chain(*days: str, open_interest: float = 100.0) -> pd.DataFrame:
    """Return a call and a put at 100 of each expiry."""
    rows = [(pd.Timestamp(day), 100.0, right, open_interest) for day in days for right in "CP"]
    return pd.DataFrame(rows, columns=["expiry", "strike", "right", "open_interest"])


FOUND = MarketConditions(
    ts=pd.Timestamp("2026-09-30T20:00Z").to_pydatetime(), iv_days=252, reasons={"skew": "flat"},
    put_call_volume=1.2, put_call_open_interest=1.1, **dict.fromkeys(NAMES, 0.2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("now", "share"),
    [(("2026-10-02", "2026-12-18"), 1.0), (("2026-10-02",), 0.5), (("2026-10-02", "2026-10-09", "2026-12-18"), 1.0)],
)
def test_the_share_is_of_what_was_open_and_lives(now, share):
    assert coverage(chain(*now), chain("2026-09-30", "2026-10-02", "2026-12-18")) == pytest.approx(share)


def test_nothing_is_a_part_of_nothing():
    assert isnan(coverage(chain("2026-10-02"), chain("2026-10-02", open_interest=np.nan)))


def test_a_part_of_the_market_tells_no_ratios_and_says_why():
    told = without_partial_ratios(FOUND, chain("2026-10-02"), chain("2026-10-02", "2026-12-18"))
    assert isnan(told.put_call_volume) and isnan(told.put_call_open_interest)
    assert told.iv == FOUND.iv and told.reasons["skew"] == "flat"
    assert "50%" in told.reasons["put_call_open_interest"]


def test_a_whole_chain_tells_all():
    whole = chain("2026-10-02", "2026-12-18")
    assert without_partial_ratios(FOUND, whole, whole) is FOUND
