"""Simulated companies announce the days on which their prices jump."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import next_session, sessions
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.sim import SIMULATED, simulated_announcements
from bifrost_lib.sim.market.paths import beats, simulate_path

START, END = date(2026, 1, 5), date(2026, 12, 30)


def test_the_price_jumps_on_the_open_after_what_was_confirmed():
    told = simulated_announcements("SIMT", start=START, end=END)
    final = told[told["confirmed"] & (told["report_date"] >= pd.Timestamp(START))]
    assert final["fiscal_period"].tolist() == ["2025Q4", "2026Q1", "2026Q2", "2026Q3"]
    assert set(final["time_of_day"]) == {"after_close"}
    days = sessions(START, END)
    steps = beats(days)
    jump = simulate_path(SIMULATED["SIMT"], days, steps, seed=3).jump
    jumped = [days[steps[place].session] for place in np.flatnonzero(jump)]
    assert jumped == [next_session(day.date()) for day in final["report_date"]]


def test_a_day_is_estimated_before_it_is_confirmed_and_known_on_the_first_day():
    told = simulated_announcements("SIMT", start=START, end=END)
    events = told.groupby("fiscal_period")
    assert (events.size() == 2).all() and (events["confirmed"].last()).all() and not events["confirmed"].first().any()
    off = events["report_date"].agg(lambda days: abs(days.iloc[0] - days.iloc[1]))
    assert off.max() == timedelta(weeks=1)
    assert (told["known_at"].dt.tz_localize(None) < told["report_date"]).all()
    assert told["known_at"].min() < pd.Timestamp(START, tz="UTC")
    longer = simulated_announcements("SIMT", start=START - timedelta(days=700), end=END + timedelta(days=700))
    assert longer.merge(told).shape[0] == len(told)


def test_a_fund_says_that_it_never_reports():
    (row,) = simulated_announcements("SIM", start=START, end=END).to_dict("records")
    assert (row["fiscal_period"], row["report_date"], row["simulated"]) == ("none", pd.NaT, True)
    with pytest.raises(UnknownNameError, match=r"mean .SIM"):
        simulated_announcements("SIMS", start=START, end=END)
