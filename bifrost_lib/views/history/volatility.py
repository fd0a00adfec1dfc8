"""Volatility through time: where it stood in its year, what was realised after all, skew, slope and ratios."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import holoviews as hv
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import plain, signed
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.live.tables import column
from bifrost_lib.views.palette import theme_palette

WEEK = pd.Timedelta(days=7)
_HUNDREDTHS = (
    "iv", "iv_low", "iv_high", "iv_rank", "iv_percentile", "realized_vol", "premium", "skew", "term_slope",
)  # fmt: skip


def iv_range_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw 30-day volatility (%) inside the range of the year before each session."""
    palette, shown = theme_palette(theme), in_percent(history)
    band = hv.Area(shown, "day", ["iv_low", "iv_high"], label="range of the year before")
    line = _line(shown, "iv", "IV 30 d", palette.accent, unit="%")
    return overlay(opts(band, fill_color=palette.accent, fill_alpha=0.12, line_alpha=0.0), line)


def rank_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw IV rank and IV percentile (%) through time."""
    palette, shown = theme_palette(theme), in_percent(history)
    return overlay(
        _line(shown, "iv_percentile", "IV percentile", palette.muted, unit="%", width=1.2),
        _line(shown, "iv_rank", "IV rank", palette.accent, unit="%"),
        y_range=(-3.0, 103.0),
    )


def premium_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw implied against realised volatility (%); between them lies the variance risk premium."""
    palette, shown = theme_palette(theme), in_percent(history)
    known = shown[shown["premium"].notna()]
    ends = known.assign(
        above=known[["realized_vol", "iv"]].max(axis=1), below=known[["realized_vol", "iv"]].min(axis=1)
    )
    earned = hv.Area(ends, "day", ["realized_vol", "above"], label="more implied than realised")
    lost = hv.Area(ends, "day", ["below", "realized_vol"], label="less")
    return overlay(
        opts(earned, fill_color=palette.profit, fill_alpha=0.18, line_alpha=0.0),
        opts(lost, fill_color=palette.loss, fill_alpha=0.18, line_alpha=0.0),
        _line(shown, "realized_vol", "realised", palette.warn, unit="%"),
        _line(shown, "iv", "IV 30 d", palette.accent, unit="%"),
    )


def skew_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw the 25-delta skew, put less call, in volatility points."""
    palette, shown = theme_palette(theme), in_percent(history)
    return overlay(_line(shown, "skew", "25-delta put less call", palette.accent, unit="pts"), _zero(palette.muted))


def slope_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw the slope of the term structure, 90 less 30 days, in volatility points."""
    palette, shown = theme_palette(theme), in_percent(history)
    return overlay(_line(shown, "term_slope", "90 d less 30 d", palette.accent, unit="pts"), _zero(palette.muted))


def put_call_chart(history: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw puts over calls, by volume and by open interest."""
    palette, shown = theme_palette(theme), in_percent(history)
    return overlay(
        _line(shown, "put_call_volume", "volume", palette.muted, width=1.2, form="0.00"),
        _line(shown, "put_call_open_interest", "open interest", palette.accent, form="0.00"),
        _zero(palette.muted, at=1.0),
    )


def conditions_strip(history: pd.DataFrame) -> dict[str, Any]:
    """Return the newest session's figures as a grid of one row, each against a week before.

    What is not known of the newest session is of the last one that told it, and says so.
    """
    cells, columns = [], []
    for name, title, unit, note in _STRIP:
        scale = 1.0 if unit == "" else 100.0
        decimals = 2 if unit == "" else 1
        newest, before = _told(history, name)
        change = (newest.get(name, nan) - before.get(name, nan)) * scale
        columns += [column(title, unit, help=note), column("1 w", help=f"change of {title} since a week before")]
        direction = "muted" if pd.isna(change) or abs(change) < 0.05 else ""
        told = {"text": plain(newest.get(name, nan) * scale, decimals=decimals)}
        if newest and newest["ts"] < history["ts"].iloc[-1]:
            told |= {"kind": "muted", "title": f"of {newest['ts']:%-d %b}: the newest chain does not tell it"}
        cells += [told, {"text": signed(change, decimals=decimals), "kind": direction}]
    return {"columns": columns, "rows": [{"cells": cells}]}


def _told(history: pd.DataFrame, name: str) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    """Return the last session that tells `name`, of the newest week, and the last one a week before that."""
    known = history[history[name].notna().to_numpy()]
    recent = known[(known["ts"] >= history["ts"].iloc[-1] - WEEK).to_numpy()]
    if recent.empty:
        return {}, {}
    earlier = known[(known["ts"] <= recent["ts"].iloc[-1] - WEEK).to_numpy()]
    return recent.iloc[-1].to_dict(), earlier.iloc[-1].to_dict() if len(earlier) else {}


_STRIP = (
    ("iv", "IV 30 d", "%", "at the money, constant maturity"),
    ("iv_rank", "Rank", "%", "place between the lowest and the highest IV of the year before"),
    ("iv_percentile", "Percentile", "%", "share of the year's sessions with a lower IV"),
    ("realized_vol", "Realised", "%", "21 sessions, close to close"),
    ("premium", "Premium", "pts", "IV less realised volatility"),
    ("skew", "Skew", "pts", "25-delta put less call, 30 days"),
    ("term_slope", "Slope", "pts", "IV of 90 less of 30 days"),
    ("put_call_open_interest", "P/C OI", "", "open interest of puts over calls"),
)


def in_percent(history: pd.DataFrame) -> pd.DataFrame:
    """Return a history in a trader's units, on exchange days."""
    day = history["ts"].dt.tz_convert(EXCHANGE_TZ).dt.tz_localize(None).dt.normalize()
    scaled = {name: history[name] * 100 for name in _HUNDREDTHS}
    return history.assign(day=day, **scaled).drop(columns=["symbol", "source", "ts"], errors="ignore")


def _line(
    shown: pd.DataFrame, name: str, label: str, colour: str, *, unit: str = "", width: float = 1.8, form: str = "0.0"
) -> Drawn:
    tips = [("", "@day{%d %b %Y}"), (label, f"@{name}{{{form}}} {unit}".strip())]
    return opts(
        hv.Curve(shown[["day", name]], "day", name, label=label),
        color=colour, line_width=width, tools=["hover"], hover_tooltips=tips, hover_formatters={"@day": "datetime"},
        hover_mode="vline",
    )  # fmt: skip


def _zero(colour: str, *, at: float = 0.0) -> Drawn:
    return opts(hv.HLine(at), color=colour, line_width=1, line_dash="dotted")
