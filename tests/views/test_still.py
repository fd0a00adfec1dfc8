"""A page as plain HTML shows what its widgets will show, and nothing in it can be more than text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets as widgets
import pytest

from bifrost_lib import views
from bifrost_lib.views.candidates import candidates_still
from bifrost_lib.views.still import still

HOSTILE = "<img src=x onerror=alert(1)>'\"<script>"


@pytest.fixture
def page(desk: Any, symbols: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("bifrost_lib.views.finder.load_bokeh", lambda: None)
    now = datetime(2026, 9, 30, 20, 10, tzinfo=UTC)
    shown: str = views.still_page(
        lambda: views.finder_page(
            desk.scan, profile=desk.profile, now=lambda: now + timedelta(seconds=10), symbols=symbols,
            strategies={"iron_condor": "range-bound"}, theme="dark",
        )
    )  # fmt: skip
    return shown


def test_the_finder_shows_its_ranked_table_its_age_and_the_first_candidate(page: str) -> None:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.split("bf-table bf-ranked")[1].split("</table>", maxsplit=1)[0])
    cells = [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", row)] for row in rows]
    assert [line[:3] for line in cells if line] == [
        ["1", "71.5", "+475P \N{MINUS SIGN}480P \N{MINUS SIGN}520C +525C"],
        ["2", "44.0", "+505C"],
    ]
    assert "bf-stale" in page and "10 min old" in page and "SIMULATED" in page
    assert "#1 ·" in page and "likely, and easy to trade" in page
    assert "bf-page bf-dark" in page
    assert "<script" not in page.lower()


def test_what_is_selected_is_marked_and_rows_beyond_the_grid_are_left_out(records: list[dict[str, Any]]) -> None:
    assert candidates_still(records, rows=1).count("<tr") == 2
    assert candidates_still(records, selected=1).index("bf-selected") > candidates_still(records).index("bf-selected")


@pytest.mark.parametrize(
    "widget",
    [
        widgets.Dropdown(options=[HOSTILE]),
        widgets.Text(value=HOSTILE, placeholder=HOSTILE),
        widgets.Button(description=HOSTILE),
        widgets.ToggleButtons(options=[HOSTILE], style={"button_width": HOSTILE}),
        widgets.SelectionSlider(options=[HOSTILE]),
        widgets.Box(layout={"width": HOSTILE}),
    ],
    ids=lambda widget: type(widget).__name__,
)
def test_names_and_texts_stay_text(widget: widgets.Widget) -> None:
    widget.add_class(HOSTILE)
    shown = still(widget)
    assert "<img" not in shown and "<script" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;&#x27;&quot;" in shown


@pytest.mark.parametrize(
    ("slider", "places", "said"),
    [
        (widgets.IntSlider(value=5, min=0, max=20, readout=False), ["25.00%"], ""),
        (widgets.IntRangeSlider(value=(20, 60), min=0, max=200), ["10.00%", "30.00%"], "20 \N{EN DASH} 60"),
        (widgets.SelectionSlider(options=["a", "b", "latest"], value="latest"), ["100.00%"], "latest"),
        (widgets.SelectionSlider(options=["latest"]), ["0.00%"], "latest"),
    ],
)
def test_sliders_stand_where_they_are(slider: widgets.Widget, places: list[str], said: str) -> None:
    shown = still(slider)
    assert re.findall(r"<b style='left: ([\d.]+%)'>", shown) == places
    assert re.findall(r"widget-readout'>(.*?)</div>", shown) == ([said] if said else [])


def test_what_may_not_be_pressed_looks_so_and_hidden_parts_stay_hidden() -> None:
    assert "disabled" in still(widgets.Button(description="Recommend", disabled=True))
    assert "display: none" in still(widgets.VBox(layout={"display": "none"}))
