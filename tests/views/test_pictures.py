"""Charts and tables draw what they are given, and refuse what they cannot draw."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import BoxAnnotation, Label, Span

from bifrost_lib import views
from bifrost_lib.core.errors import InputError
from bifrost_lib.views.moments import reading_moments
from bifrost_lib.views.smile import smile_points


def labels(chart: Any) -> list[str]:
    return [model.text for model in chart.select(Label)]


def draw_payoff(profile: Any, **options: Any) -> Any:
    return views.payoff_chart(profile.frame, spot=500.0, breakevens=[478.0, 522.0], band=(480.0, 521.0), **options)


def test_the_payoff_chart_marks_spot_breakevens_zero_and_one_deviation(profile: Any) -> None:
    chart = draw_payoff(profile)
    assert {"478.00", "522.00", "spot 500.00"} <= set(labels(chart))
    assert {(span.location, span.dimension) for span in chart.select(Span)} == {(0, "width"), (500.0, "height")}
    bands = [(box.left, box.right) for box in chart.center if isinstance(box, BoxAnnotation)]
    assert bands == [(480.0, 521.0)]
    assert chart.yaxis[0].formatter.format == "$0,0"


def test_the_payoff_chart_splits_gain_from_loss_at_zero(profile: Any) -> None:
    data = next(found.data for found in draw_payoff(profile).select(ColumnDataSource) if "gain" in found.data)
    frame = profile.frame
    np.testing.assert_allclose(np.asarray(data["gain"]) + np.asarray(data["loss"]), frame["pnl_at_expiry"])
    assert np.all(np.asarray(data["gain"]) >= 0) and np.all(np.asarray(data["loss"]) <= 0)


def test_a_model_without_a_value_draws_no_line_for_today(profile: Any) -> None:
    assert "today, model value" in legend(draw_payoff(profile))
    profile.frame["pnl_now"] = np.nan
    assert "today, model value" not in legend(draw_payoff(profile))


def legend(chart: Any) -> list[str]:
    items: Any = chart.legend[0].items
    return [item.label.value for item in items]


def test_a_profile_without_rows_is_refused(profile: Any) -> None:
    with pytest.raises(InputError) as caught:
        views.payoff_chart(profile.frame.iloc[:0], spot=500.0)
    assert caught.value.name == "profile.spot"


def test_a_profile_without_a_column_is_refused(profile: Any) -> None:
    with pytest.raises(InputError) as caught:
        views.payoff_chart(profile.frame.drop(columns="pnl_now"), spot=500.0)
    assert caught.value.name == "profile.pnl_now"


def test_the_smile_takes_good_quotes_out_of_the_money(chain: pd.DataFrame) -> None:
    points = smile_points(chain)
    assert ((points["strike"] >= 500) == (points["right"] == "C")).all()
    assert points["iv"].notna().all()
    assert 450.0 not in set(points["strike"])
    assert legend(views.smile_chart(chain)) == ["30 Oct 26 · 30 d", "20 Nov 26 · 51 d"]


def test_a_smile_without_volatilities_is_refused(chain: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        views.smile_chart(chain.assign(iv=np.nan))
    assert caught.value.name == "chain"


def test_the_chain_table_centres_on_spot_and_says_why_a_number_is_missing(chain: pd.DataFrame) -> None:
    text = views.chain_table(chain, around=20)._repr_html_()
    assert text.count("<tr class='bf-at-spot'>") == 1
    assert "title='one_sided'>\N{EN DASH}</td>" in text
    near = views.chain_table(chain, around=2).body
    assert all(f"<th class='bf-strike'>{strike}</th>" in near for strike in (490, 495, 500, 505))
    assert "<th class='bf-strike'>485</th>" not in near


def test_the_chain_table_refuses_an_expiry_that_is_not_there(chain: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        views.chain_table(chain, expiry=date(2026, 10, 31))
    assert caught.value.name == "expiry"
    assert "2026-10-30" in str(caught.value)


def test_the_ranked_table_shows_every_candidate_and_its_reason(records: list[dict[str, Any]]) -> None:
    text = views.candidates_table(records).body
    assert text.count("<tr title=") == 2
    assert "likely, and easy to trade" in text
    assert "width:72%" in text
    assert "No candidates" in views.candidates_table([]).body


def test_a_reason_cannot_inject_markup(records: list[dict[str, Any]]) -> None:
    records[0]["why"] = "<script>alert(1)</script>"
    assert "<script>" not in views.candidates_table(records).body
    assert "<script>" not in views.score_table(records[0]).body


def test_the_grid_starts_with_the_first_row_and_carries_numbers_to_sort_by(records: list[dict[str, Any]]) -> None:
    grid = views.candidates_grid(records)
    assert grid.source.selected.indices == [0]
    assert grid.source.data["score"] == [71.5, 44.0]
    assert grid.source.data["pop_text"] == ["68.5", "68.5"]


def test_measures_are_scaled_to_what_traders_speak(records: list[dict[str, Any]]) -> None:
    text = views.measures_table(records[0]).body
    assert "<span>Theta</span><b>5.00</b>" in text  # 1825 a year is 5 a day
    assert "<span>Vega</span><b>\N{MINUS SIGN}42.00</b>" in text  # 4200 per 1.00 of vol is 42 a point
    assert "<span>Debit</span><b>$610</b>" in views.measures_table(records[1]).body


def test_moments_are_closes_and_the_last_sessions_half_hours() -> None:
    first, last = datetime(2026, 9, 25, 20, tzinfo=UTC), datetime(2026, 9, 30, 15, 30, tzinfo=UTC)
    moments = reading_moments(first, last)
    assert [moment.isoformat() for moment in moments] == [
        "2026-09-25T20:00:00+00:00",
        "2026-09-28T20:00:00+00:00",
        "2026-09-29T20:00:00+00:00",
        "2026-09-30T14:00:00+00:00",
        "2026-09-30T14:30:00+00:00",
        "2026-09-30T15:00:00+00:00",
        "2026-09-30T15:30:00+00:00",
    ]
