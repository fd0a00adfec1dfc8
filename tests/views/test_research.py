"""Charts of a study draw every trial once, and say nothing where nothing is known."""

from __future__ import annotations

import pandas as pd
import pytest
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import BoxAnnotation

from bifrost_lib.core.errors import InputError
from bifrost_lib.views import equity_chart, heat_map
from bifrost_lib.views.formats import MISSING

TRIALS = pd.DataFrame({"delta": [0.2, 0.3, 0.2, 0.3], "dte": [14, 14, 21, 21], "t": [-1.5, 0.4, float("nan"), 1.0]})
ENDED = pd.date_range("2026-03-02", periods=3, freq="D", tz="UTC")
PROFITS = pd.DataFrame(
    {"ended": ENDED, "session": [one.date() for one in ENDED], "pnl": [1.0, -3.0, 5.0], "equity": [1.0, -2.0, 3.0],
     "drawdown": [0.0, -3.0, 0.0]}
)  # fmt: skip


def source_of(chart):
    return next(iter(chart.select({"type": ColumnDataSource}))).data


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_trial_is_one_cell_and_the_unknown_one_a_dash(theme):
    chart = heat_map(TRIALS, x="delta", y="dte", value="t", theme=theme)
    cells = source_of(chart)
    assert list(cells["text"]) == ["-1.50", "0.40", MISSING, "1.00"]
    assert (list(chart.x_range.factors), list(chart.y_range.factors)) == (["0.2", "0.3"], ["14", "21"])


def test_the_running_sum_is_drawn_with_its_drawdown_and_the_hold_out_shaded():
    chart = equity_chart(PROFITS, split=ENDED[1])
    drawn = source_of(chart)
    assert list(drawn["equity"]) == [1.0, -2.0, 3.0] and list(drawn["drawdown"]) == [0.0, -3.0, 0.0]
    boxes = list(chart.select({"type": BoxAnnotation, "left": ENDED[1].tz_localize(None)}))
    assert len(boxes) == 1
    assert not list(equity_chart(PROFITS).select({"type": BoxAnnotation, "left": ENDED[1].tz_localize(None)}))


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(InputError) as caught:
        heat_map(pd.concat([TRIALS, TRIALS]), x="delta", y="dte", value="t")
    assert caught.value.name == "trials"
    with pytest.raises(InputError) as caught:
        heat_map(TRIALS, x="delta", y="days", value="t")
    assert caught.value.name == "trials.days"
    with pytest.raises(InputError) as caught:
        equity_chart(PROFITS.iloc[:0])
    assert caught.value.name == "profits.ended"
