"""The pictures of one candidate that a reader can switch between."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import pandas as pd
from bokeh.plotting import figure

from bifrost_lib.views.chain import chain_table
from bifrost_lib.views.columns import Record, expiries_text
from bifrost_lib.views.inputs import Found, ProfileOf
from bifrost_lib.views.payoff import payoff_chart
from bifrost_lib.views.picture import picture
from bifrost_lib.views.smile import smile_chart

LEAST_HEIGHT = 288

Pane = Callable[[Found, Record, ProfileOf, str], widgets.Widget]


def _payoff(found: Found, record: Record, profile: ProfileOf, theme: str) -> widgets.Widget:
    def chart() -> figure:
        drawn = profile(found, int(record["rank"]))
        return payoff_chart(
            drawn.frame,
            spot=found.spot,
            breakevens=record["breakevens"],
            band=drawn.band,
            expiry_label=f"at expiry, {expiries_text(record).split(' / ')[0]}",
            theme=theme,
        )

    return _filling(chart)


def _smile(found: Found, _record: Record, _profile: ProfileOf, theme: str) -> widgets.Widget:
    return _filling(lambda: smile_chart(found.chain, theme=theme))


def _filling(draw: Callable[[], figure]) -> widgets.Widget:
    # As high as the page leaves room for, never less than can be read.
    def chart() -> figure:
        drawn = draw()
        drawn.sizing_mode, drawn.min_height = "stretch_both", LEAST_HEIGHT
        return drawn

    return picture(chart)


def _chain(found: Found, record: Record, _profile: ProfileOf, theme: str) -> widgets.Widget:
    nearest = min(str(leg["expiry"])[:10] for leg in record["legs"] if leg["expiry"])
    return widgets.HTML(chain_table(found.chain, expiry=pd.Timestamp(nearest).date(), theme=theme).body)


#: In the order of the buttons.
PANES: dict[str, Pane] = {"Payoff": _payoff, "Smile": _smile, "Chain": _chain}
