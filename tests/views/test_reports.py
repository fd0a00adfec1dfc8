"""What reports are made of: numbers with units, words where there is nothing, and text that stays text."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from bifrost_lib import views
from bifrost_lib.views.formats import MINUS, MISSING, SIGMA
from bifrost_lib.views.report_page import report_page
from bifrost_lib.views.report_style import report_style

CLOSE = datetime(2026, 9, 30, 20, tzinfo=UTC)
MARKUP = "<img src=x onerror=alert(1)>"


def cells(html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", html)]


def overnight(**changes):
    row = {
        "symbol": "SIM", "spot_before": 500.0, "spot": 512.5, "spot_return": 0.025, "sigmas": -1.5, "iv": 0.1625,
        "iv_change": -0.0057, "skew": 0.05, "skew_change": 0.0, "listed": 3, "gone": 0.0,
        "since": datetime(2026, 9, 29, 20, tzinfo=UTC),
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def test_numbers_carry_their_sign_their_unit_and_the_exchanges_time():
    body = views.report_table(overnight(), "overnight").body
    assert cells(body) == [
        "SIM",
        "500.00", "512.50", "+2.50", f"{MINUS}1.50", "16.25", f"{MINUS}0.57", "5.00", "0.00", "3", "0",
        "29 Sep 2026 16:00",
    ]  # fmt: skip
    for unit in ("$", "%", "points", f"daily {SIGMA}", "New York"):
        assert f"<small>{unit}</small>" in body


def test_what_is_missing_is_a_dash_and_never_a_zero():
    nothing = dict.fromkeys(("spot_before", "spot_return", "sigmas", "iv", "iv_change", "listed"), math.nan)
    shown = cells(views.report_table(overnight(**nothing, since=None), "overnight").body)
    assert [shown[place] for place in (1, 3, 4, 5, 6, 9, 11)] == [MISSING] * 7


@pytest.mark.parametrize("name", ["collection", "gaps", "volatility_moves", "most_traded"])
def test_no_rows_are_words(name):
    body = views.report_table(pd.DataFrame(), name).body
    assert "bf-notice" in body and "<table" not in body
    assert "No candidates" in views.ranked_table([]).body


def test_text_stays_text():
    assert MARKUP not in views.report_table(overnight(symbol=MARKUP), "overnight").body
    head = views.report_head(as_of=CLOSE, at=CLOSE, sources=[MARKUP], symbols=[MARKUP], about=MARKUP).body
    assert "<img" not in head
    history = pd.DataFrame({"ts": [pd.Timestamp(CLOSE)], "symbol": [MARKUP], "spot": [1.0], "iv": [0.2]})
    assert "<img" not in views.volatility_charts(history).body


@pytest.mark.parametrize(
    ("at", "state", "words"),
    [
        (CLOSE, "bf-fresh", "0 s old"),
        (datetime(2026, 10, 1, 15, tzinfo=UTC), "bf-fresh", "19 h old"),  # the next session goes on
        (datetime(2026, 10, 1, 20, tzinfo=UTC), "bf-stale", "1 session missed"),
        (datetime(2026, 10, 3, 20, tzinfo=UTC), "bf-stale", "2 sessions missed"),
    ],
)
def test_the_head_warns_when_a_session_has_passed(at, state, words):
    head = views.report_head(as_of=CLOSE, at=at, sources=["simulated", "ib"], symbols=["SIM"]).body
    assert state in head and words in head
    assert "SIMULATED" in head and ">ib<" in head and "as of 30 Sep 2026 16:00 New York" in head


def test_a_chart_breaks_its_line_where_nothing_is_known():
    days = pd.date_range("2026-09-01 20:00", periods=5, tz="UTC", unit="us")
    frame = pd.DataFrame({"ts": days, "symbol": "SIM", "spot": 1.0, "iv": [0.2, 0.21, math.nan, 0.22, 0.25]})
    body = views.volatility_charts(frame, first=date(2026, 9, 4)).body
    (path,) = re.findall(r"d='([^']+)'", body)
    assert path.count("M") == 2 and path.count("L") == 2 and "nan" not in body
    assert "bf-band" in body and "now 25.0 %" in body
    unknown = views.volatility_charts(frame.assign(iv=math.nan)).body
    assert "<svg" not in unknown and "No volatility" in unknown


def test_levels_of_a_chart_are_round_and_enclose_its_line():
    frame = pd.DataFrame({"symbol": "S", "when": "end", "point": ["25P", "ATM", "25C"], "iv": [0.2217, 0.157, 0.1283]})
    body = views.smile_charts(frame).body
    levels = [float(text) for text in re.findall(r"text-anchor='end'>([\d.]+)<", body)]
    assert levels[0] <= 12.83 and levels[-1] >= 22.17
    assert levels == sorted(levels) and len(levels) <= 8


def test_qualities_that_no_quote_has_are_named_and_not_shown():
    from bifrost_lib.core.quality import QUALITY_LABELS

    row = {"symbol": "SIM", "quotes": 10, **dict.fromkeys(QUALITY_LABELS, 0), "ok": 9, "crossed": 1}
    body = views.qualities_table(pd.DataFrame([row])).body
    assert cells(body) == ["SIM", "10", "9", "1"]
    assert "None is no quote, one sided" in body


def page(tmp_path: Path, outputs: list[dict[str, object]], **facts: object) -> str:
    path = tmp_path / "report.ipynb"
    code = {
        "cell_type": "code",
        "id": "1",
        "execution_count": 1,
        "metadata": {},
        "source": "secret = 1",
        "outputs": outputs,
    }
    title = {"cell_type": "markdown", "id": "0", "metadata": {}, "source": "# Title"}
    path.write_text(json.dumps({"cells": [title, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    known = {
        "name": "daily", "title": "Title", "run": 7, "attempt": 1, "parameters": {"symbols": [MARKUP]},
        "started": "2026-09-30T20:00:00+00:00", "problem": "", "version": "1",
    }  # fmt: skip
    return report_page(path, {**known, **facts})


def test_a_page_has_the_outputs_without_the_code_and_the_style_once(tmp_path):
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "x"}}
    html = {**shown, "data": {"text/html": views.report_table(overnight(), "overnight")._repr_html_()}}
    found = page(tmp_path, [html, html, shown])
    assert found.count("512.50") == 2 and found.count(report_style()) == 1
    assert "secret" not in found and "<h1" in found and "run 7, attempt 1" in found
    assert MARKUP not in found


def test_a_page_of_a_failure_says_why(tmp_path):
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": [f"\x1b[31m{MARKUP}\x1b[0m"]}
    found = page(tmp_path, [error], problem=f"E in cell 1: {MARKUP}")
    assert "This report failed" in found and MARKUP not in found
