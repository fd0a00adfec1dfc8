"""The tables of reports: numbers to the right with their units in the header, and words where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import exchange_date, session_close, session_open, sessions
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.views import report_columns as c
from bifrost_lib.views.badges import SIMULATED_SOURCE, age_text, source_label
from bifrost_lib.views.columns import COLUMNS
from bifrost_lib.views.formats import SIGMA, exchange_time
from bifrost_lib.views.html import notice
from bifrost_lib.views.report_columns import Figure, Row
from bifrost_lib.views.report_style import ReportHtml

#: A chain in which fewer quotes are good deserves a look.
LEAST_GOOD, LEAST_COMPLETE = 0.5, 0.98
_POINTS = 100.0

_SYMBOL = c.words("symbol", "Symbol")
_RANKED = (
    c.words("symbol", "Symbol"),
    Figure("Strategy", "", lambda row: escape(str(row["strategy"]).replace("_", " ")), "text"),
)
_CANDIDATE = ("score", "legs", "expiry", "dte", "premium", "max_profit", "max_loss", "pop", "ev", "margin")

_QUALITY_NAMES = {"ok": "Good", "one_sided": "One-sided", "no_iv": "No IV"}

TABLES: dict[str, tuple[Figure, ...]] = {
    "freshness": (
        _SYMBOL, c.source(), c.moment("as_of", "Newest quote"), c.age("age_s", "Age"),
        c.count("sessions", "Sessions", "stored"), c.count("expiries", "Expiries"), c.count("contracts", "Contracts"),
        c.share("good", "Good quotes", warn_below=LEAST_GOOD),
    ),
    "overnight": (
        _SYMBOL, c.number("spot_before", "Spot before", "$"), c.number("spot", "Spot", "$"),
        c.change("spot_return", "Change", "%", scale=100), c.change("sigmas", "Change", f"daily {SIGMA}"),
        c.share("iv", "IV 30 d", decimals=2), c.change("iv_change", "IV change", "points", scale=_POINTS),
        c.share("skew", "Skew 25Δ", decimals=2), c.signed("skew_change", "Skew change", "points", scale=_POINTS),
        c.count("listed", "Listed", "contracts"), c.count("gone", "Gone", "contracts"), c.moment("since", "Since"),
    ),
    "conditions": (
        _SYMBOL, c.number("spot", "Spot", "$"), c.change("spot_return", "Change", "%", scale=100),
        c.share("iv", "IV 30 d", decimals=2), c.change("iv_change", "IV change", "points", scale=_POINTS),
        c.share("iv_rank", "IV rank", decimals=0), c.share("iv_percentile", "IV pctl", decimals=0),
        c.count("iv_days", "Rests on", "sessions"), c.share("realized_vol", "Realised 21 d", decimals=2),
        c.signed("skew", "Skew 25Δ", "points", scale=_POINTS),
        c.signed("term_slope", "90d less 30d", "points", scale=_POINTS),
        c.number("put_call_volume", "P/C volume", "ratio"), c.number("put_call_open_interest", "P/C interest", "ratio"),
        c.number("vol_index", "Vol index", "points"),
    ),
    "days": (
        c.session("day"), c.number("spot", "Spot", "$"), c.change("spot_return", "Change", "%", scale=100),
        c.share("iv", "IV 30 d", decimals=2), c.share("iv_rank", "IV rank", decimals=0),
        c.share("iv_percentile", "IV pctl", decimals=0), c.count("iv_days", "Rests on", "sessions"),
        c.share("realized_vol", "Realised 21 d", decimals=2), c.signed("skew", "Skew 25Δ", "points", scale=_POINTS),
        c.signed("term_slope", "90d less 30d", "points", scale=_POINTS), c.number("vol_index", "Vol index", "points"),
        c.number("put_call_volume", "P/C volume", "ratio"),
    ),
    "volatility_moves": (
        c.contract(), c.share("iv_before", "IV before", decimals=2), c.share("iv", "IV", decimals=2),
        c.change("iv_change", "Change", "points", scale=_POINTS), c.number("delta", "Delta"),
        c.number("mid", "Mid", "$"), c.count("volume", "Volume", "contracts"),
    ),
    "interest_moves": (
        c.contract(), c.count("open_interest_before", "Before", "contracts"),
        c.count("open_interest", "Open interest", "contracts"),
        c.change("open_interest_change", "Change", "contracts", decimals=0), c.number("delta", "Delta"),
        c.number("mid", "Mid", "$"), c.count("volume", "Volume", "contracts"),
    ),
    "most_traded": (
        c.contract(), c.count("volume", "Volume", "contracts"), c.count("open_interest", "Open interest", "contracts"),
        c.share("iv", "IV", decimals=2), c.number("delta", "Delta"), c.number("mid", "Mid", "$"),
    ),
    "collection": (
        c.words("collector", "Collector"), _SYMBOL, c.count("runs", "Runs"), c.count("failed", "Failed"),
        c.count("expected", "Expected", "contracts"), c.count("received", "Received", "contracts"),
        c.share("complete", "Complete", decimals=2, warn_below=LEAST_COMPLETE),
        c.reasons("missing", "Missing, by reason"), c.moment("last", "Last run"),
    ),
    "gaps": (
        c.words("collector", "Collector"), _SYMBOL, c.moment("first_ts", "From"), c.moment("last_ts", "Until"),
        c.count("expected", "Expected", "contracts"), c.count("received", "Received", "contracts"),
        Figure("Reason", "", c.of("reason", lambda text: str(text).replace("_", " ")), "prose"),
        c.moment("fillable_until", "Fillable until"),
    ),
    "qualities": (
        _SYMBOL, c.count("quotes", "Quotes"),
        *(c.count(label, _QUALITY_NAMES.get(label, label.replace("_", " ").capitalize())) for label in QUALITY_LABELS),
    ),
    "near": (
        _SYMBOL, c.share("near_ok", "Good", warn_below=0.9), c.share("near_one_sided", "One-sided"),
        c.share("near_crossed", "Crossed"),
    ),
}  # fmt: skip

EMPTY: dict[str, tuple[str, str]] = {
    "collection": (
        "No collector ran",
        "The ledger has no run for these sessions, so nothing was expected of one.",
    ),
    "gaps": ("No open gaps", "Nothing is missing that could still be asked for."),
    "volatility_moves": ("Nothing to compare", "No contract has a good quote on this session and on the one before."),
    "interest_moves": ("Nothing changed", "No open interest differs from the session before, or none is known."),
    "most_traded": ("No trades", "No contract has a volume in this session."),
    "ranked": ("No candidates", "Nothing in these chains fits the strategies."),
}


def report_head(
    *, as_of: datetime, at: datetime, sources: Sequence[str], symbols: Sequence[str], about: str = ""
) -> ReportHtml:
    """Show what a report is about: its as-of time, how old the data were, whether they are real, and of which symbols.

    Parameters
    ----------
    as_of : datetime
        Aware; the newest quote in the report.
    at : datetime
        Aware; the time of the report.
    sources, symbols : sequence of str
    about : str
        A few words more, for example the sessions that it covers.
    """
    simulated = any(SIMULATED_SOURCE in source for source in sources)
    real = [source for source in sources if source != SIMULATED_SOURCE]
    labels = [source_label(SIMULATED_SOURCE)] if simulated else []
    labels += [source_label(source) for source in real]
    told = " · ".join([*([about] if about else []), ", ".join(symbols), f"made for {exchange_time(at)}"])
    return ReportHtml(
        f"<div class='bf-head'>{''.join(labels)}{_as_of_badge(as_of, at)}"
        f"<span class='bf-words'>{escape(told)}</span></div>"
    )


def _as_of_badge(as_of: datetime, at: datetime) -> str:
    """Return the as-of time; it warns when a whole session has passed since, not after the seconds of a live page."""
    days = sessions(exchange_date(as_of), exchange_date(at))
    missed = [day for day in days if session_open(day) > as_of and session_close(day) <= at]
    state = "bf-stale" if missed or as_of > at else "bf-fresh"
    age = age_text((at - as_of).total_seconds()) + " old" if as_of <= at else "from the future"
    late = f", {len(missed)} session{'s' if len(missed) > 1 else ''} missed" if missed else ""
    return (
        f"<span class='bf-badge {state}' role='status'><span class='bf-dot'></span>"
        f"as of {escape(exchange_time(as_of))} · {age}{late}</span>"
    )


def report_table(rows: pd.DataFrame | Sequence[Row], name: str, *, caption: str = "") -> ReportHtml:
    """Show rows under the columns of one of ``TABLES``; what is missing is a dash, and no rows are words.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    records: list[Any] = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else list(rows)
    figures = TABLES[name]
    if not records:
        return ReportHtml(notice("empty", *EMPTY.get(name, ("Nothing to show", "There are no rows."))))
    return ReportHtml(figures_table(records, figures, caption=caption))


def ranked_table(records: Sequence[Row], *, by_day: bool = False) -> ReportHtml:
    """Show ranked candidates of several strategies and symbols; `by_day` with the session each is of."""
    if not records:
        return ReportHtml(notice("empty", *EMPTY["ranked"]))
    first = (c.session("day"),) if by_day else (c.count("rank", "#"),)
    known = {column.name: column for column in COLUMNS}
    own = [
        Figure(*_split(known[name].header), _escaped(name), "number" if known[name].is_number else "text")
        for name in _CANDIDATE
    ]
    return ReportHtml(figures_table(records, (*first, *_RANKED, *own), breaks="symbol" if by_day else ""))


def days_tables(days: pd.DataFrame) -> ReportHtml:
    """Show the days of the week, one table a symbol."""
    tables = [
        report_table(rows, "days", caption=str(symbol)).body for symbol, rows in days.groupby("symbol", sort=True)
    ]
    return ReportHtml("".join(tables) or notice("empty", "No sessions", "Nothing was quoted in this week."))


def qualities_table(qualities: pd.DataFrame) -> ReportHtml:
    """Show how many quotes have which quality; qualities that none has are left out and named."""
    records: list[Any] = qualities.to_dict("records")
    columns = dict(zip(("symbol", "quotes", *QUALITY_LABELS), TABLES["qualities"], strict=True))
    absent = [label for label in QUALITY_LABELS if label != "ok" and not qualities[label].any()]
    shown = [figure for name, figure in columns.items() if name not in absent]
    note = f"None is {', '.join(label.replace('_', ' ') for label in absent)}." if absent else ""
    return ReportHtml(figures_table(records, shown) + (f"<p class='bf-note'>{escape(note)}</p>" if note else ""))


def absent_list(absent: pd.DataFrame, *, first: Any, last: Any) -> ReportHtml:
    """Name the sessions that have no quote."""
    span = f"{first.day} {first:%b} to {last.day} {last:%b %Y}"
    if absent.empty:
        return ReportHtml(
            notice("empty", "No session is missing", f"Every symbol has quotes in every session, {span}.")
        )
    lines = [
        f"<li><b>{escape(str(symbol))}</b>: {', '.join(f'{day.day} {day:%b}' for day in rows['day'])}</li>"
        for symbol, rows in absent.groupby("symbol", sort=True)
    ]
    return ReportHtml(f"<ul class='bf-points'>{''.join(lines)}</ul>")


def silent_list(freshness: pd.DataFrame) -> ReportHtml:
    """Name the symbols that have had no quote for a whole session or longer."""
    silent = freshness[freshness["silent"]]
    if silent.empty:
        return ReportHtml(notice("empty", "No source is silent", "Every symbol was quoted in the last whole session."))
    lines = [
        f"<li><b>{escape(str(row['symbol']))}</b> ({escape(str(row['source']))}): last quoted "
        f"{escape(exchange_time(row['as_of']))}, {age_text(row['age_s'])} before this report</li>"
        for row in silent.to_dict("records")
    ]
    return ReportHtml(f"<ul class='bf-points bf-warned-list'>{''.join(lines)}</ul>")


def figures_table(
    records: Sequence[Row], figures: Sequence[Figure], *, caption: str = "", breaks: str = ""
) -> str:  # fmt: skip
    """Return the HTML of a table; a line is drawn above every row whose key `breaks` differs from the one before."""
    units = [f"<small>{escape(one.unit)}</small>" if one.unit else "" for one in figures]
    heads = "".join(
        f"<th class='bf-{_side(one)}'>{escape(one.header)}{unit}</th>" for one, unit in zip(figures, units, strict=True)
    )
    lines, last = [], None
    for place, record in enumerate(records):
        is_first = bool(breaks) and place > 0 and record[breaks] != last
        last = record[breaks] if breaks else None
        cells = "".join(f"<td class='{_classes(one)}'>{one.cell(record)}</td>" for one in figures)
        lines.append(f"<tr{' class=bf-first' if is_first else ''}>{cells}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f"<div class='bf-wide'><table class='bf-table bf-figures'>{title}<thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _escaped(name: str) -> Any:
    column = next(one for one in COLUMNS if one.name == name)
    return lambda row: escape(column.text(row))


def _split(header: str) -> tuple[str, str]:
    """Take the unit off a header such as ``Credit $``."""
    name, _, unit = header.rpartition(" ")
    return (name, unit) if unit in ("$", "%") else (header, "")


def _side(figure: Figure) -> str:
    return "number" if figure.kind == "number" else "text"


def _classes(figure: Figure) -> str:
    return f"bf-{_side(figure)}" + (" bf-prose" if figure.kind == "prose" else "")
