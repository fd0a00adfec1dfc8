"""A study as it is stored: what it searches, which days it keeps back, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.strategies import StrategyDocument, read_document
from bifrost_lib.workflows.desk import Desk

#: Arguments of `backtest.run` and `backtest.sweep` that a study fixes when it is begun.
SETTINGS = ("fills", "capital", "entry_time", "entry_offset", "rate")


@dataclass(frozen=True)
class BacktestStudy:
    """A study: what it is of never changes after its beginning, and its choice never after it is frozen.

    Attributes
    ----------
    name, created_by : str
    document : StrategyDocument
    grid : dict, optional
        Parameter path to its values; without one the document alone is studied.
    symbols : tuple of str
    start, end : date
        Days that the study is about.
    holdout_start, holdout_end : date
        Days kept back: nothing from the first of them on is seen before the study is frozen.
    settings : dict
        How trades are simulated: ``fills``, ``capital`` ...
    created : datetime
    frozen : datetime, optional
        When the choice was made; `choice` is the document that was chosen, `reason` why.
    looks, sets_tried : int
        Looks at the hold-out, and parameter sets tried on the days that may be seen.
    """

    name: str
    document: StrategyDocument
    grid: dict[str, Any] | None
    symbols: tuple[str, ...]
    start: date
    end: date
    holdout_start: date
    holdout_end: date
    settings: dict[str, Any]
    created: datetime
    created_by: str
    frozen: datetime | None = None
    frozen_by: str | None = None
    choice: StrategyDocument | None = None
    reason: str | None = None
    looks: int = 0
    sets_tried: int = 0

    @property
    def last_visible(self) -> date:
        """The last day that may be seen while the study is open."""
        return self.holdout_start - timedelta(days=1)

    @property
    def is_frozen(self) -> bool:
        """Whether the choice is made."""
        return self.frozen is not None

    @property
    def options(self) -> dict[str, Any]:
        """The settings as `backtest.run` and `backtest.sweep` take them."""
        options = dict(self.settings)
        if options.get("entry_time"):
            options["entry_time"] = time.fromisoformat(options["entry_time"])
        return options

    def to_json(self) -> dict[str, Any]:
        """Return the study as plain values."""
        plain: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("name", "grid", "symbols", "settings", "created_by", "frozen_by", "reason", "looks")
        }
        days = ("start", "end", "holdout_start", "holdout_end", "created", "frozen")
        return {
            **plain,
            **{name: day.isoformat() if (day := getattr(self, name)) is not None else None for name in days},
            "sets_tried": self.sets_tried,
            "document": self.document.model_dump(mode="json"),
            "document_hash": self.document.sha256,
            "choice": self.choice.model_dump(mode="json") if self.choice else None,
            "choice_hash": self.choice.sha256 if self.choice else None,
        }


def find_study(desk: Desk, name: str) -> BacktestStudy:
    """Return the study of that name.

    Raises
    ------
    UnknownNameError
        If there is none; `nearest` is the likeliest.
    """
    return _from_row(store.read_study(desk.store, name))


def list_studies(desk: Desk) -> pd.DataFrame:
    """Return all studies, the newest first, with `looks` and `sets_tried`; nothing of their hold-outs is in it."""
    return store.list_studies(desk.store)


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON holds them, those that are None left out."""
    told = {name: value for name, value in settings.items() if value is not None}
    return told | {name: value.isoformat() for name, value in told.items() if isinstance(value, time)}


def _from_row(row: Mapping[str, Any]) -> BacktestStudy:
    same = ("name", "grid", "settings", "created", "created_by", "frozen", "frozen_by", "reason", "looks", "sets_tried")
    return BacktestStudy(
        document=read_document(row["document"]),
        symbols=tuple(row["symbols"]),
        start=row["start_day"],
        end=row["end_day"],
        holdout_start=row["holdout_start"],
        holdout_end=row["holdout_end"],
        choice=read_document(row["choice"]) if row["choice"] is not None else None,
        **{name: row[name] for name in same},
    )
