"""The charts of reports: still pictures in SVG, which print, need no script, and follow the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import plain
from bifrost_lib.views.html import notice
from bifrost_lib.views.report_style import ReportHtml

WIDTH, HEIGHT = 420.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 10.0, 8.0, 22.0
_TARGET_TICKS = 4

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One line of a chart; a NaN breaks it. `dots` marks its points."""

    points: Points
    colour: int = 0
    dots: bool = False


def volatility_charts(history: pd.DataFrame, *, first: date | None = None) -> ReportHtml:
    """Draw the 30-day volatility of every symbol through the past year, a week that begins at `first` shaded."""
    figures = []
    for symbol, rows in history.groupby("symbol", sort=True):
        days = [moment.date() for moment in rows["ts"].dt.tz_convert(EXCHANGE_TZ)]
        points = [(float(day.toordinal()), iv * 100) for day, iv in zip(days, rows["iv"], strict=True)]
        band = (first.toordinal() - 0.5, days[-1].toordinal() + 0.5) if first and first <= days[-1] else None
        last = f"now {plain(points[-1][1], decimals=1)} %" if not math.isnan(points[-1][1]) else "now unknown"
        ticks = _day_ticks(days)
        figures.append(_figure(str(symbol), f"IV 30 d, %, {last}", [Line(points)], ticks=ticks, band=band))
    return _charts(figures)


def term_charts(terms: pd.DataFrame) -> ReportHtml:
    """Draw the term structure of every symbol at the week's end against its start."""
    figures = []
    for symbol, rows in terms.groupby("symbol", sort=True):
        lines = [
            Line([(math.sqrt(days), iv * 100) for days, iv in zip(ends["tenor_days"], ends["iv"], strict=True)],
                 colour=colour, dots=True)
            for colour, ends in _ends(rows)
        ]  # fmt: skip
        ticks = [(math.sqrt(days), f"{days} d") for days in (7, 30, 60, 90, 180)]
        figures.append(_figure(str(symbol), "at-the-money IV, %, by days to expiry", lines, ticks=ticks))
    return _charts(figures, legend=_LEGEND)


def smile_charts(smiles: pd.DataFrame) -> ReportHtml:
    """Draw the 30-day smile by delta of every symbol at the week's end against its start."""
    figures = []
    for symbol, rows in smiles.groupby("symbol", sort=True):
        names = list(dict.fromkeys(rows["point"]))
        lines = [
            Line([(float(names.index(name)), iv * 100) for name, iv in zip(ends["point"], ends["iv"], strict=True)],
                 colour=colour, dots=True)
            for colour, ends in _ends(rows)
        ]  # fmt: skip
        ticks = [(float(place), name) for place, name in enumerate(names)]
        figures.append(_figure(str(symbol), "30-day IV, %, by delta of put and call", lines, ticks=ticks))
    return _charts(figures, legend=_LEGEND)


def quality_charts(by_session: pd.DataFrame) -> ReportHtml:
    """Draw the share of good and of one-sided quotes of every symbol, session by session."""
    figures = []
    for symbol, rows in by_session.groupby("symbol", sort=True):
        days = list(rows["day"])
        lines = [
            Line([(float(place), value * 100) for place, value in enumerate(rows[name])], colour=colour, dots=True)
            for colour, name in ((0, "good"), (1, "one_sided"))
        ]
        every = max(1, math.ceil(len(days) / 5))
        ticks = [(float(place), f"{day.day} {day:%b}") for place, day in enumerate(days) if place % every == 0]
        last = f"now {plain(rows['good'].iloc[-1] * 100, decimals=1)} % good"
        figures.append(_figure(str(symbol), f"share of quotes, %, {last}", lines, ticks=ticks, least=0.0, most=100.0))
    legend = "<div class='bf-legend'><span><i></i>good</span><span><i class='bf-l1'></i>one-sided</span></div>"
    return _charts(figures, legend=legend)


_LEGEND = (
    "<div class='bf-legend'><span><i></i>newest session</span>"
    "<span><i class='bf-l1'></i>close before the week</span></div>"
)


def _ends(rows: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    return [(colour, rows[rows["when"] == when]) for colour, when in ((1, "start"), (0, "end"))]


def _charts(figures: Sequence[str], *, legend: str = "") -> ReportHtml:
    if not figures:
        return ReportHtml(notice("empty", "Nothing to draw", "No session of these symbols has a volatility."))
    return ReportHtml(f"{legend}<div class='bf-charts'>{''.join(figures)}</div>")


def _figure(
    title: str,
    about: str,
    lines: Sequence[Line],
    *,
    ticks: Sequence[tuple[float, str]],
    band: tuple[float, float] | None = None,
    least: float | None = None,
    most: float | None = None,
) -> str:
    """Return one chart with its caption."""
    finite = [(x, y) for line in lines for x, y in line.points if math.isfinite(y)]
    caption = f"<figcaption>{escape(title)} <small>{escape(about)}</small></figcaption>"
    if not finite:
        return f"<figure>{caption}{notice('empty', 'Unknown', 'No volatility could be read from the chains.')}</figure>"
    levels = _levels(min(y for _, y in finite) if least is None else least,
                     max(y for _, y in finite) if most is None else most)  # fmt: skip
    low, high = levels[0], levels[-1]
    left, right = min(x for x, _ in finite), max(x for x, _ in finite)
    x_at = _scale(left, right, _LEFT + 6, WIDTH - _RIGHT - 6)
    y_at = _scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = [_band(band, x_at, (left, right))] if band else []
    parts += [_level(level, y_at, levels) for level in levels]
    parts += [_tick(x, name, x_at) for x, name in ticks if left <= x <= right]
    parts += [_line(line, x_at, y_at) for line in lines]
    return (
        f"<figure>{caption}<svg viewBox='0 0 {WIDTH:g} {HEIGHT:g}' role='img' "
        f"aria-label='{escape(f'{title}: {about}')}'>{''.join(parts)}</svg></figure>"
    )


def _levels(low: float, high: float) -> list[float]:
    """Return round values that enclose `low` and `high`."""
    span = max(high - low, abs(high) * 0.02, 1e-6)
    raw = span / _TARGET_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(nice * power for nice in (1.0, 2.0, 2.5, 5.0, 10.0) if nice * power >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, max(last, first + 1) + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _level(level: float, y_at: Callable[[float], float], levels: Sequence[float]) -> str:
    step = levels[1] - levels[0]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else int(step % 1 > 0)
    y = y_at(level)
    return (
        f"<line class='bf-grid-line' x1='{_LEFT:g}' x2='{WIDTH - _RIGHT:g}' y1='{y:.1f}' y2='{y:.1f}'/>"
        f"<text x='{_LEFT - 6:g}' y='{y + 3.5:.1f}' text-anchor='end'>{plain(level, decimals=decimals)}</text>"
    )


def _tick(x: float, name: str, x_at: Callable[[float], float]) -> str:
    return f"<text x='{x_at(x):.1f}' y='{HEIGHT - 6:g}' text-anchor='middle'>{escape(name)}</text>"


def _band(band: tuple[float, float], x_at: Callable[[float], float], span: tuple[float, float]) -> str:
    left, right = x_at(max(band[0], span[0])), min(x_at(band[1]), WIDTH - _RIGHT)
    return (
        f"<rect class='bf-band' x='{left:.1f}' y='{_TOP:g}' width='{max(right - left, 3.0):.1f}' "
        f"height='{HEIGHT - _TOP - _BOTTOM:g}'/>"
    )


def _line(line: Line, x_at: Callable[[float], float], y_at: Callable[[float], float]) -> str:
    words, is_broken = [], True
    dots = []
    for x, y in line.points:
        if not math.isfinite(y):
            is_broken = True
            continue
        words.append(f"{'M' if is_broken else 'L'}{x_at(x):.1f} {y_at(y):.1f}")
        is_broken = False
        dots.append(f"<circle class='bf-dot{line.colour}' cx='{x_at(x):.1f}' cy='{y_at(y):.1f}' r='2.2'/>")
    drawn = f"<path class='bf-line bf-c{line.colour}' d='{' '.join(words)}'/>"
    return drawn + ("".join(dots) if line.dots or len(dots) == 1 else "")


def _day_ticks(days: Sequence[date]) -> list[tuple[float, str]]:
    """Return the firsts of months, thinned, or the first and the last day of a short span."""
    months = [
        day for day in (days[0] + timedelta(step) for step in range((days[-1] - days[0]).days + 1)) if day.day == 1
    ]
    if len(months) < 2:
        ends = dict.fromkeys((days[0], days[-1]))
        return [(float(day.toordinal()), f"{day.day} {day:%b}") for day in ends]
    every = math.ceil(len(months) / 6)
    return [(float(day.toordinal()), f"{day:%b}" if day.month > 1 else f"{day:%Y}") for day in months[::every]]
