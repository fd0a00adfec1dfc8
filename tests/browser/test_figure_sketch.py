"""A figure before Bokeh is there says what Bokeh will say, and its line is where its numbers are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bokeh
import holoviews as hv
import holoviews.plotting.bokeh  # options of elements are told to it
import numpy as np
import pandas as pd
import pytest

from bifrost_lib.views import history, live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BOKEH = Path(bokeh.__file__).parent / "server/static/js/bokeh.min.js"
SKETCH = files("bifrost_lib.views.history").joinpath("figure_sketch.js").read_text(encoding="utf-8")
#: Everything that is written on canvases from now on.
LISTEN = """() => {
  window.written = []
  const write = CanvasRenderingContext2D.prototype.fillText
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.written.push(text)
    write.call(this, text, ...place)
  }
}"""


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_content("<div id='place' style='width: 480px; height: 300px; display: flex'></div>")
    page.evaluate(LISTEN)
    page.add_script_tag(content=SKETCH + "\nwindow.sketch = sketchFigure")
    yield page
    page.close()


def sketched(page: Page, item: str, data: str = "{}") -> list[str]:
    """Return what the sketch of a figure says."""
    draw = "([item, data]) => sketch(JSON.parse(item), JSON.parse(data), place).then(() => written.splice(0))"
    return list(page.evaluate(draw, [item, data]))


def said_by_bokeh(page: Page, item: str) -> set[str]:
    page.add_script_tag(path=BOKEH)
    page.evaluate("() => { place.replaceChildren(); written.length = 0 }")
    page.evaluate("async (item) => { await Bokeh.embed.embed_item(JSON.parse(item), place) }", item)
    page.wait_for_function("written.length > 0 && Bokeh.documents.every((one) => one.is_idle)")
    return set(page.evaluate("written"))


def year() -> pd.DataFrame:
    days = pd.date_range("2025-11-20", "2026-11-20", freq="B")
    wave = 20 + 10 * np.sin(np.arange(len(days)) / 20)
    return pd.DataFrame({"day": days, "iv": wave, "realised": wave - 2})


def curve(column: str, **options: Any) -> Any:
    return hv.Curve(year(), "day", column, label=column).opts(backend="bokeh", **options)


LEGEND = {"iv", "realised"}
FIGURES = {
    "a year": (lambda: curve("iv"), {"y_label": "%", "form": "0"}),
    "two lines": (
        lambda: hv.Overlay([curve("iv"), curve("realised")]).opts(backend="bokeh", legend_position="top"),
        {"y_label": "%", "form": "0.0"},
    ),
    "numbers": (lambda: hv.Curve([(80, 31.5), (100, 20.25), (120, 24.0)]), {"x_label": "strike, %", "form": "0.00"}),
    "below zero": (lambda: hv.Curve([(-3, -0.08), (4, 0.11)]), {"form": "0.00"}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_sketch_says_what_bokeh_says(blank: Page, name: str) -> None:
    make, labels = FIGURES[name]
    told: dict[str, Any] = {"title": "A title", **labels}
    item = history.chart_text(history.chart_figure(make(), theme="light", **told))
    said = sketched(blank, item)
    assert len(said) > 8
    in_html = {"", *LEGEND}  # Bokeh writes its legend beside the canvas
    assert set(said) - in_html == said_by_bokeh(blank, item) - in_html
    assert (set(said) >= LEGEND) == (name == "two lines")


def test_the_line_is_where_its_numbers_are(blank: Page) -> None:
    line = hv.Curve([(0, 0), (10, 10)]).opts(backend="bokeh", color="#ff0000", line_width=3)
    item = history.chart_text(history.chart_figure(line, theme="light", title=""))
    sketched(blank, item)
    reds = """() => {
      const canvas = document.querySelector("canvas")
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
      const found = []
      for (let at = 0; at < data.length; at += 4) {
        const isRed = data[at] > 200 && data[at + 1] < 60 && data[at + 3] > 200
        if (isRed) found.push([(at / 4) % width, Math.floor(at / 4 / width)])
      }
      return found
    }"""
    x, y = np.array(blank.evaluate(reds)).T
    assert len(x) > 200
    slope, offset = np.polyfit(x, y, 1)
    assert slope < 0
    assert np.abs(slope * x + offset - y).max() < 4  # one straight line, from the lower left to the upper right


def test_what_is_filled_anew_is_in_the_sketch(blank: Page) -> None:
    """The smile's figure comes without numbers; they are set by name."""
    strikes, volatilities = [90, 100, 110], [24.0, 20.0, 19.0]
    lines = {"xs": [strikes], "ys": [volatilities], "colour": ["#1d5fbf"], "label": ["18 Dec 26"]}
    quotes = {"strike": strikes, "iv": volatilities, "delta": [], "mid": [], "right": []}
    data = json.dumps({"lines": {"data": lines}, "quotes": {"data": quotes}, "spot": {"location": 101.5}})
    item = history.chart_text(live.smile_figure())
    assert sketched(blank, item) == []  # nothing to draw yet
    assert {"strike, $", "implied volatility, %", "20", "100"} <= set(sketched(blank, item, data))
    narrow = data.replace("[24.0, 20.0, 19.0]", "[23.0, 22.9, 22.7]")  # decimals where ticks need them
    assert {"22.7", "22.9", "23"} <= set(sketched(blank, item, narrow))


@pytest.mark.parametrize(
    "drawn",
    [
        hv.HeatMap([("a", "x", 1), ("b", "x", 2)]),
        hv.Bars([("a", 1), ("b", 2)]),
        hv.Curve([(1, 1), (2, 100)]).opts(backend="bokeh", logy=True),
    ],
)
def test_what_cannot_be_sketched_is_left_blank(blank: Page, drawn: Any) -> None:
    item = history.chart_text(history.chart_figure(drawn, theme="light", title="T"))
    assert json.loads(item)["doc"]
    assert sketched(blank, item) == []
