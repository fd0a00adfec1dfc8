"""A study as it is stored: what it searches, which days it keeps back, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.errors import DocumentError
from bifrost_lib.strategies import StrategyDocument, read_document
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.backtest import Axis

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

    def values_of(self, document: StrategyDocument) -> dict[str, Any] | None:
        """Return the grid's values that make a document of the study's own; None where it is none of its documents."""
        from bifrost_lib.backtest import read_grid, with_parameters

        axes = read_grid(self.grid) if self.grid else {}
        try:
            values = {path: _value_of(document, path, axis) for path, axis in axes.items()}
            made = with_parameters(self.document, values) if values else self.document
        except DocumentError:  # it has no such part, or none of these values
            return None
        return values if made.sha256 == document.sha256 else None

    @property
    def has_ranges(self) -> bool:
        """Whether its grid has no end: a parameter may be any number of a range."""
        from bifrost_lib.backtest import read_grid

        return bool(self.grid) and any(axis.values is None for axis in read_grid(self.grid or {}).values())

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


def _value_of(document: StrategyDocument, path: str, axis: Axis) -> Any:
    # What a document has of what a parameter may be; whole parts are compared by the documents that they make.
    from bifrost_lib.backtest import Span, parameter, with_parameters

    if isinstance(axis, Span) and axis.values is None:
        value = parameter(document, path)
        if isinstance(value, int | float) and axis.low <= value <= axis.high:
            return value
    for value in axis.values or ():
        if with_parameters(document, {path: value}).sha256 == document.sha256:
            return value
    raise DocumentError(path, parameter(document, path), "a value of the grid")


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
