"""The four reports of the desk, run for real on the last simulated week, say what their readers look for."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bifrost_lib.core.errors import NoDataError, UnknownNameError
from bifrost_lib.store import RunOutcome, begin_run, finish_run
from bifrost_lib.workflows import daily_close, daily_open, data_quality, run_report, weekly_review

AT = datetime(2026, 9, 30, 20, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded(desk):
    """A desk with four simulated sessions of two symbols, the third symbol missing one, and a collector's run."""
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import with_analytics

    key = FileKey(path="four sessions", sha256="0", size=0, format=SOURCE)
    with ingestion(desk.store, key, source=SOURCE) as writer:
        for quotes in simulated_history(start=date(2026, 9, 25), symbols=("SIM", "SIMT")):
            is_left_out = quotes["symbol"].iloc[0] == "SIMT" and quotes["ts"].iloc[0].date() == date(2026, 9, 29)
            if not is_left_out:
                writer.append(with_analytics(quotes))
    started = datetime(2026, 9, 30, 15, tzinfo=UTC)
    run_id = begin_run(desk.store, collector="option_chain", source=SOURCE, symbol="SIM", started=started)
    outcome = RunOutcome(200, 150, {"timeout": 30, "no_line": 20}, seconds=60.0)
    finish_run(desk.store, run_id, outcome, finished=started)
    return desk


def test_the_open_compares_with_the_close_before(seeded):
    found = daily_open(seeded, at=datetime(2026, 9, 30, 14, 0, tzinfo=UTC), strategies=["iron_condor"])
    assert found.as_of == datetime(2026, 9, 30, 14, 0, tzinfo=UTC)
    assert found.sources == ("simulated",)
    sim, simt = found.overnight.to_dict("records")
    assert sim["since"] == datetime(2026, 9, 29, 20, tzinfo=UTC)
    assert simt["since"] == datetime(2026, 9, 28, 20, tzinfo=UTC), "what was known then, and told"
    assert sim["spot_return"] == pytest.approx(sim["spot"] / sim["spot_before"] - 1)
    assert abs(sim["sigmas"]) < 6
    assert [record["rank"] for record in found.ranked] == [1, 2]
    assert found.ranked[0]["score"] >= found.ranked[1]["score"]


def test_nothing_later_than_its_time_is_used(seeded):
    morning = daily_open(seeded, at=datetime(2026, 9, 30, 14, 10, tzinfo=UTC), strategies=["iron_condor"])
    assert morning.as_of <= datetime(2026, 9, 30, 14, 10, tzinfo=UTC)
    assert daily_close(seeded, at=morning.at, strategies=["iron_condor"]).collection.empty


def test_the_close_describes_markets_and_what_moved(seeded):
    found = daily_close(seeded, at=AT, top=5, strategies=["bull_put_spread"])
    row = found.conditions.set_index("symbol").loc["SIM"]
    assert 0.05 < row["iv"] < 0.5 and row["iv_days"] == 3
    assert math.isnan(row["iv_rank"]), "three sessions are too few for a rank"
    moves = found.volatility_moves["iv_change"].abs().tolist()
    assert len(moves) == 5 and moves == sorted(moves, reverse=True)
    assert (found.most_traded["volume"].diff().dropna() <= 0).all()
    (run,) = found.collection.to_dict("records")
    assert (run["expected"], run["received"], run["complete"]) == (200, 150, 0.75)
    assert run["missing"] == {"timeout": 30, "no_line": 20}


def test_the_week_has_its_sessions_and_both_ends(seeded):
    found = weekly_review(seeded, at=AT, strategies=["iron_condor"])
    assert (found.first, found.last) == (date(2026, 9, 28), date(2026, 9, 30))
    days = found.days.groupby("symbol")["day"].apply(list)
    assert days["SIM"] == [date(2026, 9, day) for day in (28, 29, 30)]
    assert days["SIMT"] == [date(2026, 9, day) for day in (28, 30)], "a session without quotes is left out"
    assert set(found.terms["when"]) == set(found.smiles["when"]) == {"start", "end"}
    smile = found.smiles[(found.smiles["symbol"] == "SIM") & (found.smiles["when"] == "end")].set_index("point")["iv"]
    assert smile["25P"] > smile["ATM"] > smile["25C"]
    assert len(found.ranked) == 5


def test_quality_counts_every_quote_once_and_names_missing_sessions(seeded):
    found = data_quality(seeded, at=AT, days=5)
    from bifrost_lib.core.quality import QUALITY_LABELS

    for row in found.qualities.to_dict("records"):
        assert sum(row[label] for label in QUALITY_LABELS) == row["quotes"]
        assert row["near_ok"] > 0.9
    assert found.absent.to_dict("records") == [{"symbol": "SIMT", "day": date(2026, 9, 29)}]
    assert not found.freshness["silent"].any()
    later = data_quality(seeded, at=datetime(2026, 10, 2, 21, tzinfo=UTC), days=5)
    assert later.freshness["silent"].all()
    assert later.qualities["quotes"].tolist() == found.qualities["quotes"].tolist(), "what expired since counts"


def test_what_is_not_there_is_told(seeded):
    with pytest.raises(NoDataError) as caught:
        daily_open(seeded, at=datetime(2020, 1, 1, tzinfo=UTC))
    assert "the first is of 2026-09-25" in str(caught.value)
    with pytest.raises(NoDataError, match="did you mean SIM"):
        daily_open(seeded, at=AT, symbols=["SIMM"])
    with pytest.raises(UnknownNameError) as wrong:
        daily_close(seeded, at=AT, strategies=["iron_condr"])
    assert wrong.value.nearest == "iron_condor"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("daily_open", ("Overnight", "What is stored", "Against the close of the session before")),
        ("daily_close", ("Market conditions", "timeout 30", "75.00", "No open gaps")),
        ("weekly_review", ("Term structure", "Wed 30 Sep", "<svg", "25P")),
        ("data_quality", ("SIMT</b>: 29 Sep", "One-sided", "No source is silent")),
    ],
)
def test_a_report_of_the_desk_is_a_page_that_stands_alone(seeded, name, words):
    given = {"at": AT, "strategies": ["iron_condor"]} if name != "data_quality" else {"at": AT}
    run = run_report(seeded, name, given)
    assert (run.status, run.problem) == ("done", None)
    page = Path(str(run.html)).read_text()
    for word in (*words, "SIMULATED", "as of 30 Sep 2026 16:00 New York"):
        assert word in page, word
    assert page.count("<style>") == 1 and len(page) < 300_000
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "NaN" not in page and ">nan<" not in page and "NaT" not in page
