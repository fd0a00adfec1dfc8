"""Saved runs and studies as grids, and how a study's hold-out stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.views.backtests.trade_tables import profit
from bifrost_lib.views.formats import MISSING, day, percent, plain
from bifrost_lib.views.live.tables import GridTable, clock_text, column


def runs_grid(runs: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return saved runs as a grid, the newest first; a row's key is the run.

    Parameters
    ----------
    runs : DataFrame
        `run_id`, `ts`, `strategy`, `symbols`, `start_day`, `end_day`, `fills`, `pnl`, `sharpe`.
    now : datetime, aware
    """
    columns = [
        column("Run", text=True), column("Strategy", text=True), column("On", text=True), column("Fills", text=True),
        column("P&L", "$"), column("Sharpe"),
    ]  # fmt: skip
    rows = [{"key": str(row["run_id"]), "cells": _run(row, now)} for row in runs.to_dict("records")]
    table: GridTable = {
        "columns": columns,
        "rows": rows,
        "caption": f"Saved runs · {len(runs)}" if rows else "Saved runs",
    }
    text = "No run is saved yet: choose a strategy above and press Run, or use `bifrost backtest DOC --symbol SPY`."
    return table if rows else table | {"notice": {"kind": "empty", "text": text}}


def studies_grid(studies: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return studies as a grid, each with what was tried in it and how its hold-out stands.

    Parameters
    ----------
    studies : DataFrame
        `name`, `symbols`, `start_day`, `end_day`, `holdout_start`, `holdout_end`, `created`, `created_by`, `frozen`,
        `frozen_by`, `looks`, `sets_tried`.
    now : datetime, aware
    """
    columns = [
        column("Study", text=True), column("On", text=True), column("Window", text=True),
        column("Hold-out", text=True), column("State", text=True), column("Looks", help="at the hold-out, all counted"),
        column("Sets", help="parameter sets tried on the visible part"), column("Begun", text=True),
        column("By", text=True),
    ]  # fmt: skip
    rows = [{"key": str(row["name"]), "cells": _study(row, now)} for row in studies.to_dict("records")]
    table: GridTable = {"columns": columns, "rows": rows, "caption": f"Studies · {len(studies)}" if rows else "Studies"}
    text = "No study is begun yet: it names its hold-out before anything is tried (tutorial 11)."
    return table if rows else table | {"notice": {"kind": "empty", "text": text}}


def looks_grid(looks: pd.DataFrame, *, now: datetime, study: str = "") -> GridTable:
    """Return the looks at a study's hold-out as a grid, the first one first.

    Parameters
    ----------
    looks : DataFrame
        `number`, `ts`, `who`, `purpose`, `document_hash`.
    now : datetime, aware
    study : str
        Its name; without one the reader is asked to choose.
    """
    columns = [
        column("Look"), column("When", text=True), column("Who", text=True), column("Why", text=True),
        column("Document", text=True),
    ]  # fmt: skip
    rows = [
        {
            "cells": [
                {"text": f"{int(row['number'])}", "kind": "bad" if int(row["number"]) > 1 else ""},
                clock_text(row["ts"], now), str(row["who"]), str(row["purpose"] or MISSING),
                str(row["document_hash"])[:12],
            ]
        }
        for row in looks.to_dict("records")
    ]  # fmt: skip
    table: GridTable = {
        "columns": columns,
        "rows": rows,
        "caption": f"Looks at the hold-out of {study}" if study else "",
    }
    text = f"Nobody has looked at the hold-out of {study}." if study else "Choose a study to see its looks."
    return table if rows else table | {"notice": {"kind": "good" if study else "empty", "text": text}}


def hold_out_label(study: Mapping[str, Any]) -> dict[str, str]:
    """Return how the hold-out of a study stands: `text`, its `kind` (good, warn, bad), and `title` with why.

    Parameters
    ----------
    study : mapping
        `holdout_start`, `holdout_end`, `frozen` (None or NaT while it is not) and `looks`.
    """
    span = f"{_date(study['holdout_start'])} to {_date(study['holdout_end'])}"
    looks = int(study.get("looks") or 0)
    if pd.isna(study.get("frozen")):
        return {"text": "hidden", "kind": "good", "title": f"{span} is shown to nobody until the study is frozen"}
    if not looks:
        return {"text": "frozen, unseen", "kind": "good", "title": f"{span} may be looked at now; each look is counted"}
    if looks == 1:
        return {
            "text": "seen once",
            "kind": "warn",
            "title": f"{span} was looked at once: this its one honest result",
        }
    return {
        "text": f"seen {looks} times",
        "kind": "bad",
        "title": f"{span} was looked at {looks} times: no evidence now",
    }


def run_words(row: Mapping[Any, Any]) -> str:
    """Return a saved run in a few words, among which no other run has the same."""
    return f"{str(row['strategy']).replace('_', ' ')} · {symbols_text(row['symbols'])} · run {row['run_id']}"


def _run(row: Mapping[Any, Any], now: datetime) -> list[Any]:
    span = f"{_date(row['start_day'])} to {_date(row['end_day'])}"
    fills = row["fills"] if isinstance(row["fills"], str) else percent(float(row["fills"]), decimals=0) + " %"
    return [
        {"text": clock_text(row["ts"], now), "title": str(row["run_id"])},
        {"text": str(row["strategy"]).replace("_", " "), "title": span},
        {"text": symbols_text(row["symbols"]), "title": span}, str(fills), profit(row["pnl"]), plain(row["sharpe"]),
    ]  # fmt: skip


def _study(row: Mapping[Any, Any], now: datetime) -> list[Any]:
    label = hold_out_label(row)
    tried = row.get("sets_tried")
    return [
        str(row["name"]), symbols_text(row["symbols"]), f"{_date(row['start_day'])} to {_date(row['end_day'])}",
        {"text": f"{_date(row['holdout_start'])} to {_date(row['holdout_end'])}", "title": label["title"]}, label,
        {"text": f"{int(row['looks'])}", "kind": "bad" if int(row["looks"]) > 1 else ""},
        MISSING if pd.isna(tried) else f"{int(tried):,}", clock_text(row["created"], now), str(row["created_by"]),
    ]  # fmt: skip


def symbols_text(symbols: Any) -> str:
    """Return one or several symbols as text, many of them counted."""
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _date(value: Any) -> str:
    return MISSING if pd.isna(value) else day(value)
