"""Numbers, ages and labels read as people expect; missing is never a number."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.views.badges import age_text, freshness, freshness_badge, source_label
from bifrost_lib.views.columns import COLUMNS, legs_text, records_csv, sort_value
from bifrost_lib.views.formats import (
    MINUS,
    MISSING,
    bounded,
    day,
    exchange_time,
    money,
    percent,
    plain,
    strike_text,
    usd,
)
from bifrost_lib.views.live import clock_text
from bifrost_lib.views.palette import THEMES, theme_palette

NOW = datetime(2026, 9, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (money(1234.4), "1,234"),
        (money(-0.5, decimals=2), f"{MINUS}0.50"),
        (money(10, signed=True), "+10"),
        (usd(-418.0), f"{MINUS}$418"),
        (usd(366.50000000000006), "$366"),
        (usd(10.0, signed=True), "+$10"),
        (percent(0.6849), "68.5"),
        (plain(None), MISSING),
        (money(math.nan), MISSING),
        (usd(None), MISSING),
        (strike_text(480.0), "480"),
        (strike_text(4805.5), "4,805.5"),
        (day("2026-10-16"), "16 Oct 26"),
        (day(date(2026, 10, 16)), "16 Oct 26"),
        (exchange_time(NOW), "30 Sep 2026 16:00 New York"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert text == expected


def test_unbounded_is_not_missing(records: list[dict[str, Any]]) -> None:
    assert bounded(records[1], "max_profit") == "\N{INFINITY}"
    assert bounded({"max_profit": None, "max_profit_unbounded": False}, "max_profit") == MISSING


@pytest.mark.parametrize(
    ("age_s", "state"),
    [(0, "fresh"), (29.9, "fresh"), (30, "ageing"), (299, "ageing"), (300, "stale"), (-1, "stale")],
)
def test_freshness_turns_at_thirty_seconds_and_five_minutes(age_s: float, state: str) -> None:
    assert freshness(NOW - timedelta(seconds=age_s), NOW) == state
    assert f"bf-{state}" in freshness_badge(NOW - timedelta(seconds=age_s), NOW)


def test_a_naive_moment_has_no_age() -> None:
    with pytest.raises(InputError) as caught:
        freshness(NOW.replace(tzinfo=None), NOW)
    assert caught.value.name == "as_of"


@pytest.mark.parametrize(("age_s", "text"), [(12, "12 s"), (240, "4 min"), (3 * 3600, "3 h"), (52 * 86400, "52 days")])
def test_ages_are_told_in_the_largest_unit_that_fits(age_s: float, text: str) -> None:
    assert age_text(age_s) == text


def test_simulated_data_says_so_and_a_source_cannot_inject_markup() -> None:
    assert ">SIMULATED<" in source_label("simulated")
    assert "SIMULATED" not in source_label("lean")
    assert "<b>" not in source_label("<b>lean</b>")


def test_legs_read_from_the_lowest_strike(records: list[dict[str, Any]]) -> None:
    assert legs_text(records[0]) == f"+475P {MINUS}480P {MINUS}520C +525C"


def test_quantities_and_shares_are_named() -> None:
    legs = [
        {"right": "S", "qty": 1, "strike": None, "expiry": None, "price": 500.0},
        {"right": "C", "qty": -2, "strike": 520.0, "expiry": "2026-10-30", "price": 1.5},
    ]
    assert legs_text({"legs": legs, "multiplier": 100.0}) == f"+100 shares {MINUS}2\N{MULTIPLICATION SIGN}520C"


def test_columns_sort_by_number_and_unbounded_is_more_than_anything(records: list[dict[str, Any]]) -> None:
    by_name = {column.name: column for column in COLUMNS}
    assert sort_value(records[0], by_name["max_profit"]) == 200.0
    assert sort_value(records[1], by_name["max_profit"]) == math.inf
    assert math.isnan(float(sort_value(records[1], by_name["margin"])))


def test_csv_keeps_the_vocabularys_names_and_leaves_missing_empty(records: list[dict[str, Any]]) -> None:
    rows = list(csv.DictReader(io.StringIO(records_csv(records))))
    assert [row["rank"] for row in rows] == ["1", "2"]
    assert rows[0]["premium"] == "200.0"
    assert rows[0]["breakevens"] == "478.0000; 522.0000"
    assert "-1 2026-10-30 480P @ 1.4" in rows[0]["legs"]
    assert rows[1]["margin"] == ""
    assert "<" not in records_csv(records)


def test_an_unknown_theme_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError) as caught:
        theme_palette("drak")
    assert caught.value.nearest == "dark"


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "profit", "loss", "warn"])
def test_every_ink_is_readable_on_its_panel(theme: str, ink: str) -> None:
    # WCAG 2.2, success criterion 1.4.3: a contrast of at least 4.5 to 1 for text.
    palette = theme_palette(theme)
    light, dark = sorted((_luminance(getattr(palette, ink)), _luminance(palette.panel)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "16:00:00"),
        (NOW - timedelta(days=1), "29 Sep 16:00"),
        (NOW - timedelta(days=365), "30 Sep 25 16:00"),
        (None, MISSING),
    ],
)
def test_a_moment_tells_no_more_of_its_date_than_is_needed(moment: datetime | None, text: str) -> None:
    assert clock_text(moment, NOW) == text
