"""The page keeps what it shows in step with what is asked, and shows problems instead of raising them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets as widgets
import pytest
from bokeh.models.widgets.tables import DataTable

from bifrost_lib import views
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.views.picture import Picture

AS_OF = datetime(2026, 9, 30, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    # Outside a notebook there is nowhere to put BokehJS.
    monkeypatch.setattr("bifrost_lib.views.finder.load_bokeh", lambda: None)


def open_page(desk: Any, symbols: Any, **options: Any) -> widgets.Widget:
    return views.finder_page(
        desk.scan,
        profile=desk.profile,
        now=lambda: AS_OF + timedelta(seconds=10),
        symbols=symbols,
        strategies={"iron_condor": "range-bound", "long_call": "rising", "nothing": ""},
        **options,
    )


def everything(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def text(page: widgets.Widget) -> str:
    return " ".join(part.value for part in everything(page) if isinstance(part, widgets.HTML))


def control(page: widgets.Widget, kind: type, place: int = 0) -> Any:
    return [part for part in everything(page) if type(part) is kind][place]


def grid(page: widgets.Widget) -> Any:
    models = [part._model for part in everything(page) if isinstance(part, Picture)]
    return next(model for model in models if isinstance(model, DataTable))


def test_the_page_opens_with_a_ranked_scan(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols, dte=[10, 40], top=5)
    assert desk.asked == [("SIM", "iron_condor", {"dte": (10, 40), "top": 5, "at": None})]
    assert grid(page).source.data["rank_text"] == ["1", "2"]
    shown = text(page)
    assert "SIMULATED" in shown
    assert "bf-fresh" in shown
    assert "range-bound" in shown
    assert "1,234 candidates" in shown
    assert "download='SIM_iron_condor_2026-09-30T2000Z.csv'" in shown


def test_the_head_leads_to_the_other_pages_and_marks_this_one(desk: Any, symbols: Any) -> None:
    assert "<h1>Strategy finder</h1>" in text(open_page(desk, symbols))
    pages = [("Home", "/hub/home"), ("Finder", "/f/"), ("A <b>", "/a/?b=1&c='"), ("Chain", "/services/chain/")]
    shown = text(open_page(desk, symbols, pages=pages))
    assert "<a href='/f/' aria-current=page>Finder</a>" in shown
    assert "<a href='/hub/home'>Home</a>" in shown
    assert "<a href='/a/?b=1&amp;c=&#x27;'>A &lt;b&gt;</a>" in shown
    assert "<a href='/services/chain/?symbol=SIM'>Chain</a>" in shown  # it opens on what is looked at here
    assert "<h1>" not in shown


def test_a_link_goes_before_what_the_page_shows_first(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols, query="strategy=long_call&dte=5-30&top=20")
    assert desk.asked == [("SIM", "long_call", {"dte": (5, 30), "top": 20, "at": None})]
    assert "href='?symbol=SIM&amp;strategy=long_call&amp;dte=5-30&amp;top=20'" in text(page)


def test_a_link_that_cannot_be_read_says_why_and_the_controls_go_on(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols, query="strategy=lng_call")
    assert desk.asked == []
    assert "This link cannot be opened as it is" in text(page)
    assert "long_call" in text(page)
    control(page, widgets.Button, 1).click()
    assert desk.asked == [("SIM", "iron_condor", {"dte": (20, 60), "top": 10, "at": None})]


def test_another_strategy_is_scanned_once_and_shown(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols)
    control(page, widgets.Dropdown, 1).value = "long_call"
    assert [asked[1] for asked in desk.asked] == ["iron_condor", "long_call"]
    assert grid(page).source.data["legs"] == ["+505C"]


def test_while_a_scan_runs_the_page_says_so_and_dims_what_it_still_shows(desk: Any, symbols: Any) -> None:
    scan, seen = desk.scan, list[tuple[str, int, list[str]]]()

    def watched(*words: Any, **options: Any) -> Any:
        if desk.asked:
            dimmed = [part for part in everything(page) if "bf-waiting" in part._dom_classes]
            seen.append((text(page), len(dimmed), grid(page).source.data["rank_text"]))
        return scan(*words, **options)

    desk.scan = watched
    page = open_page(desk, symbols)
    control(page, widgets.Dropdown, 1).value = "long_call"
    told, dimmed, rows = seen[-1]
    assert "Scanning SIM, long call, 20 to 60 days" in told
    assert "role='progressbar'" in told and dimmed == 2 and rows == ["1", "2"]
    assert "Scanning" not in text(page)
    assert not [part for part in everything(page) if "bf-waiting" in part._dom_classes]


def test_another_symbol_is_scanned_once_at_its_newest_moment(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols, at="2026-09-29T20:00Z")
    control(page, widgets.Dropdown, 0).value = "SIMX"
    assert [(asked[0], asked[2]["at"]) for asked in desk.asked] == [
        ("SIM", datetime(2026, 9, 29, 20, tzinfo=UTC)),
        ("SIMX", None),
    ]


def test_the_slider_travels_in_time(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols)
    slider = control(page, widgets.SelectionSlider)
    slider.index = 0
    assert desk.asked[-1][2]["at"] == datetime(2026, 9, 25, 20, tzinfo=UTC)


def test_a_selected_row_shows_its_details(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols)
    assert "likely, and easy to trade" in text(page)
    grid(page).source.selected.indices = [1]
    assert "#2 · +505C" in text(page)
    assert "This picture cannot be drawn" in text(page)  # the fake desk has no profile of rank 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (NoDataError("option chain", at=AS_OF, symbol="SIM"), "no option chain for symbol SIM"),
        (ZeroDivisionError("by accident"), "ZeroDivisionError: by accident"),
    ],
)
def test_problems_are_shown_and_the_next_scan_works(desk: Any, symbols: Any, answer: Exception, words: str) -> None:
    desk.answers["long_call"] = answer
    page = open_page(desk, symbols, strategy="long_call")
    assert words in text(page)
    assert "role='alert'" in text(page)
    assert "SIMULATED" not in text(page)
    control(page, widgets.Dropdown, 1).value = "iron_condor"
    assert words not in text(page)
    assert grid(page).source.data["rank_text"] == ["1", "2"]


def test_no_candidates_is_an_answer(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols, strategy="nothing")
    assert "No candidate of nothing expires in 20 to 60 days" in text(page)


def test_an_empty_store_says_what_to_do(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols.iloc[:0], pages=[("Operations", "/services/operations/")])
    assert "bifrost ingest" in text(page)
    assert ">Operations</a>" in text(page), "the other pages are still there"
    next(part for part in everything(page) if getattr(part, "description", "") == "Dark").click()
    assert "bf-dark" in page._dom_classes and "bf-light" not in page._dom_classes
    assert desk.asked == []


def test_the_theme_switches_without_another_scan(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols)
    grid(page).source.selected.indices = [1]
    button = next(part for part in everything(page) if getattr(part, "description", "") == "Dark")
    button.click()
    assert "bf-dark" in page._dom_classes and "bf-light" not in page._dom_classes
    assert grid(page).source.selected.indices == [1]
    assert len(desk.asked) == 1


def test_pictures_of_earlier_scans_are_closed(desk: Any, symbols: Any) -> None:
    page = open_page(desk, symbols)
    before = next(part for part in everything(page) if isinstance(part, Picture))
    control(page, widgets.Dropdown, 1).value = "long_call"
    assert before.comm is None


def test_a_naive_moment_is_refused(desk: Any, symbols: Any) -> None:
    with pytest.raises(InputError) as caught:
        open_page(desk, symbols, at="2026-09-29T20:00")
    assert caught.value.name == "at"


def recommend_button(page: widgets.Widget) -> Any:
    return next((part for part in everything(page) if getattr(part, "description", "") == "Recommend"), None)


def test_the_chosen_candidate_is_recommended_and_the_page_says_so(desk: Any, symbols: Any) -> None:
    asked = []

    def remember(found: Any, rank: int) -> str:
        asked.append((found.symbol, rank))
        return "recommendation 7"

    page = open_page(desk, symbols, recommend=remember)
    grid(page).source.selected.indices = [1]
    recommend_button(page).click()
    assert asked == [("SIM", 2)]
    assert "recommendation 7" in text(page)
    grid(page).source.selected.indices = [0]
    assert "recommendation 7" not in text(page)


def test_a_refused_recommendation_is_told_in_words(desk: Any, symbols: Any) -> None:
    def refuse(found: Any, rank: int) -> str:
        raise NoDataError("store", symbol=found.symbol)

    page = open_page(desk, symbols, recommend=refuse)
    recommend_button(page).click()
    assert "no store for symbol SIM" in text(page)


def test_who_may_not_recommend_has_no_button(desk: Any, symbols: Any) -> None:
    assert recommend_button(open_page(desk, symbols)) is None


def test_old_quotes_recommend_nothing(desk: Any, symbols: Any) -> None:
    late = {"now": lambda: AS_OF + timedelta(hours=1)}
    page = views.finder_page(
        desk.scan, profile=desk.profile, symbols=symbols, strategies={"iron_condor": ""},
        recommend=lambda found, rank: "", **late,
    )  # fmt: skip
    assert recommend_button(page).disabled
