"""The figures of a backtest, each with its interval where it has one, in the words and units of the desk."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bifrost_lib.views.formats import MISSING, money, percent, plain
from bifrost_lib.views.live.tables import GridTable, column


@dataclass(frozen=True)
class Statistic:
    """One figure: its name among the statistics, what it is called, its unit, how it is written, and what it means."""

    name: str
    title: str
    unit: str
    text: Callable[[float], str]
    help: str = ""


def _share(value: float) -> str:
    return percent(value)


def _usd(value: float) -> str:
    return money(value)


def _count(value: float) -> str:
    return money(value)


def _ratio(value: float) -> str:
    return plain(value)


#: In the order in which a reader asks for them.
STATISTICS: tuple[Statistic, ...] = (
    Statistic("pnl", "Profit", "$", _usd, "net of commissions, open trades at their last mark"),
    Statistic("annual_return", "Return a year", "%", _share, "compounded"),
    Statistic("volatility", "Volatility", "%", _share, "of daily returns, annual"),
    Statistic("sharpe", "Sharpe", "", _ratio, "annual"),
    Statistic("sortino", "Sortino", "", _ratio, "annual, downside alone"),
    Statistic("max_drawdown", "Max drawdown", "%", _share, "from the highest equity so far"),
    Statistic("max_drawdown_days", "Drawdown lasted", "days", _count, "from the peak to its recovery, or to the end"),
    Statistic("calmar", "Calmar", "", _ratio, "return a year over max drawdown"),
    Statistic("trades", "Trades", "", _count),
    Statistic("win_rate", "Win rate", "%", _share),
    Statistic("mean_pnl", "Mean profit", "$", _usd, "a trade"),
    Statistic("median_pnl", "Median profit", "$", _usd, "a trade"),
    Statistic("mean_win", "Mean win", "$", _usd),
    Statistic("mean_loss", "Mean loss", "$", _usd),
    Statistic("worst_pnl", "Worst trade", "$", _usd),
    Statistic("profit_factor", "Profit factor", "", _ratio, "sum of wins over sum of losses"),
    Statistic("return_on_margin", "Return on margin", "%", _share, "sum of profits over sum of margins"),
    Statistic("mean_days", "Days in trade", "days", _ratio, "mean, calendar days"),
    Statistic("exposure", "Exposure", "%", _share, "sessions with an open trade"),
    Statistic("max_margin", "Most margin", "$", _usd),
    Statistic("commission", "Commissions", "$", _usd),
    Statistic("skew", "Skew", "", _ratio, "of daily returns"),
    Statistic("kurtosis", "Kurtosis", "", _ratio, "of daily returns; 3 is normal"),
    Statistic("probabilistic_sharpe", "Chance of a Sharpe > 0", "%", _share, "given length, skew and tails"),
    Statistic("min_track_record", "Record needed", "sessions", _count, "for 95 % confidence that Sharpe > 0"),
)  # fmt: skip
#: Counts that deserve a warning when they are not zero.
_ODD = (("open", "still open at the end, at the last mark"), ("unpriceable", "not priced to the end"))


def statistics_grid(statistics: Mapping[str, Any], *, caption: str = "Statistics") -> GridTable:
    """Return what is known of the figures as a grid: value, unit, and the interval of 95 %.

    Parameters
    ----------
    statistics : mapping
        Flat; an interval is two more entries with ``_low`` and ``_high`` at the end of the name. What is NaN or None is
        a dash, its cell's title the reason from ``reasons``.
    """
    columns = [column("", text=True), column(""), column("", text=True), column("95 % interval", text=True)]
    reasons = statistics.get("reasons") or {}
    rows = [{"cells": _cells(one, statistics, reasons)} for one in STATISTICS if one.name in statistics]
    table: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    return table if rows else table | {"notice": {"kind": "empty", "text": "No trade was entered, so there is none."}}


def warnings_of(statistics: Mapping[str, Any], skipped: Mapping[str, int] | None = None) -> list[str]:
    """Return what a reader must know before the figures: trades without an end or a price, gaps, a short record."""
    odd = [(_number(statistics.get(name)), words) for name, words in _ODD]
    said = [f"{_counted(count, 'trade')} {words}." for count, words in odd if count > 0]
    if (carried := _number(statistics.get("carried"))) > 0:
        said.append(f"At {_counted(carried, 'moment')} a leg had no price to believe: the last value was carried on.")
    closed = _number(statistics.get("closed", statistics.get("trades")))
    if closed < 30:
        said.append(f"{_counted(closed, 'trade')} ended: too few to tell skill from luck.")
    needed, had = (_number(statistics.get(name)) for name in ("min_track_record", "sessions"))
    if needed > had > 0:
        said.append(f"The record has {had:,.0f} sessions; {needed:,.0f} would be needed to call its Sharpe positive.")
    for reason, sessions in (skipped or {}).items():
        if reason in ("capital", "unpriceable"):
            said.append(f"On {sessions:,} sessions nothing was opened: {reason.replace('_', ' ')}.")
    return said


def _cells(one: Statistic, statistics: Mapping[str, Any], reasons: Mapping[str, str]) -> list[Any]:
    value, low, high = (_known(statistics.get(name)) for name in (one.name, f"{one.name}_low", f"{one.name}_high"))
    text = one.text(value)
    cell = {"text": text, "title": str(reasons.get(one.name, "")) if text == MISSING else ""}
    if one.name == "pnl" and not math.isnan(value):
        cell["kind"] = "good" if value > 0 else "bad"
    span = "" if math.isnan(low) or math.isnan(high) else f"{one.text(low)} to {one.text(high)}"
    crosses = one.name in ("sharpe", "mean_pnl", "annual_return") and low <= 0 <= high
    note = "zero lies inside: luck alone explains it" if crosses else ""
    return [
        {"text": one.title, "title": one.help}, cell, {"text": one.unit, "kind": "muted"},
        {"text": span, "kind": "warn" if crosses else "muted", "title": note},
    ]  # fmt: skip


def _known(value: Any) -> float:
    return math.nan if value is None else float(value)


def _number(value: Any) -> float:
    known = _known(value)
    return 0.0 if math.isnan(known) else known


def _counted(count: float, thing: str) -> str:
    return f"{count:,.0f} {thing}{'' if count == 1 else 's'}"
